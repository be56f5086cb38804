"""Writes a layer graph as the text of a spec, and verifies the text."""

from collections.abc import Callable

from convcost.importing.emit.defaults import defaults
from convcost.importing.emit.document import document
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.outline.block_names import block_input_names
from convcost.importing.outline.blocks import find_blocks
from convcost.importing.outline.canonicalize import canonicalize
from convcost.importing.outline.flat import flat_items
from convcost.importing.outline.groups import group_modules
from convcost.importing.outline.naming import Naming
from convcost.importing.outline.repeats import fold_repeats
from convcost.importing.outline.scope_inference import with_inferred_scopes
from convcost.importing.outline.structurize import structurize
from convcost.importing.outline.tree import Items, OutlineBlock, Tree, layer_numbers, walk
from convcost.importing.outline.valid_names import input_name, valid_name
from convcost.importing.outline.weight_owners import with_owners
from convcost.importing.outline.wiring import Inputs, shortened_inputs
from convcost.importing.verify.round_trip import verify_round_trip
from convcost.language.network_inputs import AllowedSizes
from convcost.model.errors import ConstraintError
from convcost.model.options import MAX_TENSOR_AXES


def proved_spec(graph: LayerGraph) -> str:
    """The spec of a model, compared with its layer graph. Raises ConstraintError with the layer
    that differs."""
    return _proved_spec(
        with_inferred_scopes(graph), (_tree_with_blocks, _build_outline, _flat_tree)
    )


def _proved_spec(graph: LayerGraph, forms: tuple[Callable[[LayerGraph, Inputs], Tree], ...]) -> str:
    """The text of the first form that equals the graph when it is read back."""
    _verify_axes(graph)
    if graph.sizes.fixed:  # no option needs an expression of the size
        layers = tuple(layer._replace(follows=()) for layer in graph.layers)
        graph = graph._replace(layers=layers)
    inputs = shortened_inputs(graph.layers)
    refused: ConstraintError | None = None
    for form in forms:
        try:
            tree = form(graph, inputs)
            text = spec_text(graph, tree)
            verify_round_trip(text, graph, list(layer_numbers(tree.items)), inputs)
        except (ConstraintError, RecursionError) as reason:
            refused = refused or (reason if isinstance(reason, ConstraintError) else None)
            continue
        return text
    raise refused or ConstraintError("CC401", "the modules of the model are nested too deeply")


def _verify_axes(graph: LayerGraph) -> None:
    """Raises ConstraintError if a layer has more axes than a spec can express."""
    for layer in graph.layers:
        if len(layer.output.size) > MAX_TENSOR_AXES:
            raise ConstraintError(
                "CC401",
                f"the output of `{layer.name}` is {layer.output.text}, "
                f"and a spec has at most {MAX_TENSOR_AXES} axes and the channels",
            )


def flat_text(graph: LayerGraph) -> str:
    """A graph as a spec without structure: a list of layers."""
    graph = with_inferred_scopes(graph)
    return spec_text(graph, _flat_tree(graph, shortened_inputs(graph.layers)))


def flat_spec(graph: LayerGraph) -> str:
    """The spec of a model at its own size, with the modules of its layers but without blocks,
    compared with the layer graph. Raises ConstraintError."""
    graph = with_inferred_scopes(graph)._replace(sizes=AllowedSizes(fixed=True))
    return _proved_spec(graph, (_build_outline, _flat_tree))


def spec_text(graph: LayerGraph, tree: Tree) -> str:
    """A tree as text."""
    input_names = _input_names(graph)
    repeated = {
        item.kind
        for items in (tree.items, *(block.items for block in tree.blocks))
        for item in walk(items)
        if item.repeat > 1
    }
    blocks = [_named_block(graph, block, block.name in repeated) for block in tree.blocks]
    by_value = {-1 - number: name for number, name in enumerate(input_names)}
    named = Naming(tree.items, by_value).named_items()
    return document(graph, input_names, named, blocks, defaults(graph))


def _named_block(graph: LayerGraph, block: OutlineBlock, is_repeated: bool) -> OutlineBlock:
    """A block whose layers and inputs have names. One with several inputs has outputs if a call of
    it has `repeat`."""
    if len(block.inputs) <= 1:
        return block._replace(items=Naming(block.items, {}).named_items())
    names = block_input_names(graph, block.inputs)
    naming = Naming(
        block.items, dict(zip(block.inputs, names, strict=True)), names_output=is_repeated
    )
    items = naming.named_items()
    outputs = (naming.output_path(), *names[1:]) if is_repeated else ()
    return block._replace(items=items, input_names=names, outputs=outputs)


def _input_names(graph: LayerGraph) -> tuple[str, ...]:
    """A name for each input, if there are several; a single input has none."""
    if len(graph.inputs) == 1:
        return ()
    names: list[str] = []
    for name, _ in graph.inputs:
        names.append(input_name(valid_name(name) or "image", names))
    return tuple(names)


def _tree_with_blocks(graph: LayerGraph, inputs: Inputs) -> Tree:
    tree = find_blocks(graph, inputs, _modules(graph, inputs))
    blocks = tuple(
        block._replace(items=fold_repeats(canonicalize(block.items))) for block in tree.blocks
    )
    return Tree(fold_repeats(canonicalize(tree.items)), blocks)


def _build_outline(graph: LayerGraph, inputs: Inputs) -> Tree:
    return Tree(canonicalize(_modules(graph, inputs)))


def _modules(graph: LayerGraph, inputs: Inputs) -> Items:
    return with_owners(graph.layers, group_modules(structurize(graph, inputs)))


def _flat_tree(graph: LayerGraph, inputs: Inputs) -> Tree:
    return Tree(flat_items(graph, inputs))
