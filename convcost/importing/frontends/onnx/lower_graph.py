"""Lowers a graph node by node, and compares each tensor with ONNX's own shape inference."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from onnx import ModelProto

from convcost.importing.frontends.onnx import folding, inlining, parameters, tied_weights
from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.constants import computed_numbers, storage_of
from convcost.importing.frontends.onnx.context import OnnxContext
from convcost.importing.frontends.onnx.file import require_valid_tensors
from convcost.importing.frontends.onnx.folding import SIZES
from convcost.importing.frontends.onnx.fused_operators import DOMAIN, expand_fused
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode, graph_of, stored_tensors
from convcost.importing.frontends.onnx.input_axes import InputReaders, axis_readers, input_channel
from convcost.importing.frontends.onnx.open_dims import Dims, ModelInput, ModelInputs, close_dims
from convcost.importing.frontends.onnx.patterns import replace_patterns
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.frontends.onnx.skipped import report_skipped, skip_node
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.refusals import as_invalid_file, prefix_errors
from convcost.importing.ir.tensor import MATRIX_RANK, SEQUENCE_RANK, Tensor, reshaped
from convcost.importing.passes.channel_axis import has_one_channel
from convcost.importing.passes.model_inputs import at_other_dims
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.passes.weight_report import report_weights
from convcost.model.errors import ConstraintError
from convcost.model.kind import KINDS


def lower_model(
    model: ModelProto,
    path: Path,
    size: Dims | None,
    dims: Mapping[str, int],
    *,
    resized: bool = False,
) -> LayerGraph:
    """The layers of the model in the file `path`. Raises ConstraintError; its message begins with
    the operator's name if a layer is the cause."""
    model = inlining.inline_functions(model)
    require_valid_tensors(model)
    max_nodes = inlining.count_nodes(model.graph.node) + inlining.MAX_ADDED_NODES
    while True:
        with _conforming_to_onnx("the file's operators or tensors"):
            graph = graph_of(model)
            constants = folding.stored_constants(model, graph)
            closed = close_dims(model, graph, constants, size, dims)
        with (
            at_other_dims(closed.file_dims, size, resized=resized),
            _exported_for_samples(closed.notes),
        ):
            with _conforming_to_onnx("the file's operators or tensors"):
                computed = {**constants}
                shapes = folding.inferred_shapes(model, graph, closed, computed)
                if inlining.resolve_control_flow(model, computed, max_nodes):
                    continue
                context = _fold_and_replace(model, graph, closed, path, constants, shapes)
            return _lower(model, context, closed, graph.outputs)


def _lower(
    model: ModelProto, context: OnnxContext, closed: ModelInputs, outputs: Sequence[str]
) -> LayerGraph:
    builder, names, readers = context.builder, context.names, InputReaders(context.graph.nodes)
    with _conforming_to_onnx("the file's operators or tensors"):
        for entry in closed.inputs:
            context.values[entry.name] = _add_input(context, readers, entry)
    for node in context.graph.nodes:
        with prefix_errors(node.label), _conforming_to_onnx("its inputs or attributes"):
            try:
                _lower_node(context, node)
            except RecursionError:
                raise ConstraintError(
                    "CC401",
                    "it reads a constant that is computed in too many steps",
                    "export the model with constant folding",
                ) from None
    ends = [context.values[output] for output in outputs if output in context.values]
    report_skipped(context)
    report_weights(context, context.derived.computed, context.derived.keys)
    builder.classes.update(names.classes)
    layer_graph = rewrite(builder.graph(ends))
    layer_graph = layer_graph._replace(layers=tuple(names.with_kinds(list(layer_graph.layers))))
    return layer_graph._replace(plain=is_plain(model, layer_graph))


@contextmanager
def _exported_for_samples(notes: tuple[str, ...]) -> Iterator[None]:
    """Adds to errors about shapes and counts that inputs were exported for several samples."""
    try:
        yield
    except ConstraintError as refusal:
        if not notes or refusal.code in ("CC401", "CC405"):
            raise
        fix = "export the model with a batch of 1, in front of all other axes"
        raise ConstraintError(refusal.code, refusal.message, f"{notes[0]}: {fix}") from None


def _conforming_to_onnx(subject: str) -> AbstractContextManager[None]:
    hint = "run onnx.checker.check_model for details"
    return as_invalid_file(f"{subject} do not conform to ONNX", hint)


def _fold_and_replace(
    model: ModelProto,
    graph: OnnxGraph,
    closed: ModelInputs,
    path: Path,
    constants: dict[str, Constant],
    shapes: dict[str, Dims],
) -> OnnxContext:
    """The model after constant folding and the replacement of patterns. `constants` are those that
    the file stores."""
    tied_weights.tie_same_bytes(model, constants)
    tied_weights.tie_same_source(model, constants)
    numbers = tied_weights.numbers_of(model, constants, path.parent)
    excluded = parameters.unmark_scales(graph, constants)
    excluded |= parameters.unmark_masks(graph, constants, numbers)
    stored = {name: storage_of(tensor) for name, tensor in stored_tensors(model.graph)}
    fused = {name for node in graph.nodes if node.domain == DOMAIN for name in node.inputs}
    graph = expand_fused(graph, constants, stored, shapes)
    notes = tied_weights.find_tied_weights(model, graph, constants, path.parent)
    graph = folding.fold_constants(graph, constants, shapes)
    graph = replace_patterns(graph, constants, shapes)
    graph = folding.fold_constants(graph, constants, shapes)
    parameters.mark_weights(graph, constants, model)
    builder = GraphBuilder(path.stem, path.name, tied_weights.equal_numbers(numbers))
    builder.notes += closed.notes
    builder.notes += (f"{note}, and is imported at --size" for note in closed.file_dims)
    builder.notes += (*notes, *parameters.absent_parameters(model))
    context = OnnxContext(builder, graph, shapes, constants, stored, excluded)
    context.operands |= fused
    context.buffers, context.samples = parameters.buffers(model), closed.samples
    context.written_as_nodes = parameters.written_as_nodes(model, constants)
    context.created = parameters.created_in_code(model, parameters.declared_kinds(model))
    return context


def _add_input(context: OnnxContext, readers: InputReaders, entry: ModelInput) -> Tensor:
    """Adds an input. Its channel axis follows from the operators that read it, otherwise from its
    dims."""
    builder, shapes = context.builder, context.shapes
    rank = len(entry.dims)
    if rank <= 1:
        return builder.input(entry.name, entry.dims, 0, None)
    if entry.batched:
        channel = input_channel(readers, entry.batched, (1, *entry.dims), shapes) - 1
        return builder.input(entry.name, entry.dims, channel, None)
    if entry.dims[0] != 1:
        # [steps, batch, features]
        along = 1 if rank == SEQUENCE_RANK and entry.dims[1] == 1 else None
        return builder.input(entry.name, entry.dims, rank - 1, along)
    if rank < SEQUENCE_RANK and has_one_channel(entry.name, rank, axis_readers(readers, shapes)):
        return reshaped(builder.input(entry.name, (*entry.dims, 1), rank), entry.dims)
    channel = input_channel(readers, entry.name, entry.dims, shapes)
    return builder.input(entry.name, entry.dims, channel)


def _lower_node(context: OnnxContext, node: OnnxNode) -> None:
    """Adds the layers of an operator and records its outputs. An operator on sizes or constants
    has constants as outputs and no layers. Raises ConstraintError."""
    reasons = [context.lost[name] for name in node.inputs if name in context.lost]
    if reasons:
        skip_node(context, node, reasons[0])
        return
    if node.op in SIZES and node.inputs[0] in context.values:
        x = context.values[node.inputs[0]]
        context.constants[node.outputs[0]] = folding.size_constant(node, x.dims, context.opset)
        return
    if all(name in context.constants for name in node.inputs if name):
        folding.add_constant(context.constants, node.outputs[0], _computed_constant(context, node))
        return
    _require_one_sample(context, node)
    rule = row_of(node.op).rule if node.known else None
    first = len(context.builder.layers)
    call = OnnxCall(context, node)
    lowered = rule(call) if rule is not None else call.add_uncounted()
    results = (lowered,) if isinstance(lowered, Tensor) else lowered
    results = context.derived.reconcile(first, results, call.path())
    if results:
        _record_outputs(context, node, results)
    else:
        skip_node(context, node, node.label)


def _record_outputs(context: OnnxContext, node: OnnxNode, results: Sequence[Tensor]) -> None:
    """Stores the outputs of an operator by name. Raises ConstraintError if one has another shape
    than shape inference gives, or if one that is used has no layer."""
    for output, value in zip(node.outputs, results, strict=False):
        if not output:
            continue
        dims = context.shapes.get(output)
        if output not in context.broadcast_by_readers and dims not in (None, value.dims):
            raise ConstraintError(
                "CC402",
                f"has the shape {_text(value.dims)}, but ONNX's shape inference gives "
                f"{_text(dims)}",
            )
        context.values[output] = value
    for output in node.outputs[len(results) :]:
        if context.uses[output] and output not in context.constants:
            raise ConstraintError(
                "CC401", f"its output `{output}` is used, but convcost has no layer for it"
            )


def _require_one_sample(context: OnnxContext, node: OnnxNode) -> None:
    """Raises ConstraintError CC405 if a constant would broadcast one sample to the batch that the
    model was exported for."""
    product = node.op == "MatMul"
    if not (product or node.op == "Pow" or has(node.op, Trait.JOINS, Trait.CHOOSES)):
        return
    input_names = dict.fromkeys(node.inputs)
    tensors = (context.values[name] for name in input_names if name in context.values)
    # The position of the batch axis, counted from the end; 0 without a batch.
    for from_end in {0 if x.batch is None else len(x.dims) - x.batch for x in tensors}:
        for name in input_names if from_end > MATRIX_RANK * product else ():
            constant = context.constants.get(name)
            extent = constant.dims[-from_end] if constant and len(constant.dims) >= from_end else 1
            if extent in context.samples:
                raise ConstraintError(
                    "CC405",
                    f"`{name}` is for {extent} samples, but the import is for one",
                    "export the model with a batch of 1",
                )


def _computed_constant(context: OnnxContext, node: OnnxNode) -> Constant:
    data = computed_numbers(node, context.constants, context.opset)
    constant = folding.computed_constant(
        node, context.constants, data, context.shapes.get(node.outputs[0])
    )
    if constant is None:
        raise ConstraintError("CC401", "its output shape is not known")
    return constant


def _text(dims: Dims) -> str:
    return "[" + ", ".join(map(str, dims)) + "]"


def is_plain(model: ModelProto, layer_graph: LayerGraph) -> bool:
    """Whether no operator and no stored tensor of the model depends on the input size."""
    if not all(has(node.op_type, Trait.ANY_SIZE) for node in model.graph.node):
        return False
    return not any(
        (layer.params or layer.buffers)
        and not KINDS[layer.kind].folds_norms
        and (layer.kind == "learned" or not layer.output.size)
        for layer in layer_graph.layers
    )
