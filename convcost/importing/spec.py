"""A drawing to the text of a spec, proved."""

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.proof import proved
from convcost.importing.structure.blocks import blocked
from convcost.importing.structure.groups import grouped
from convcost.importing.structure.homes import homed
from convcost.importing.structure.names import clean, free
from convcost.importing.structure.naming import Naming
from convcost.importing.structure.plain import plain
from convcost.importing.structure.repeats import repeated
from convcost.importing.structure.sharing import bound, owned
from convcost.importing.structure.tidy import tidied
from convcost.importing.structure.tree import Item, Tree, layers, taken
from convcost.importing.structure.weave import woven
from convcost.importing.structure.wiring import Inputs, wired
from convcost.importing.writing.defaults import defaults
from convcost.importing.writing.document import document


def specced(drawing: Drawing) -> str:
    """The spec of a model, held against it. Raises Refusal with the layer that differs."""
    drawing = homed(drawing)
    inputs = wired(drawing.layers)
    refused: Refusal | None = None
    for form in (_blocked, _structured, _plain):
        try:
            tree = form(drawing, inputs)
            text = told(drawing, tree)
            proved(text, drawing, [layer.number for layer in layers(tree.items)], inputs)
        except (Refusal, RecursionError) as reason:
            refused = refused or (reason if isinstance(reason, Refusal) else None)
            continue
        return text
    raise refused or Refusal("CC401", "the layers of the model stand in each other too deep")


def plainly(drawing: Drawing) -> str:
    """A drawing as a spec without structure, layer by layer as it was drawn."""
    drawing = homed(drawing)
    return told(drawing, _plain(drawing, wired(drawing.layers)))


def told(drawing: Drawing, tree: Tree) -> str:
    """A tree as text."""
    entrances = _entrances(drawing)
    blocks = tuple(
        (block.name, block.options, Naming(block.items, None).named()) for block in tree.blocks
    )
    named = Naming(tree.items, -1, entrances).named()
    return document(drawing, entrances, named, blocks, defaults(drawing))


def _entrances(drawing: Drawing) -> tuple[str, ...]:
    if len(drawing.inputs) == 1:
        return ()
    names: list[str] = []
    for name, _ in drawing.inputs:
        wanted = clean(name) or "image"
        ordinal = wanted.rpartition("_")[2].isdigit()  # a layer without a name may be called so
        names.append(free(f"{wanted}_in" if ordinal else wanted, names))
    return tuple(names)


def _blocked(drawing: Drawing, inputs: Inputs) -> Tree:
    tree = blocked(drawing, inputs, grouped(woven(drawing, inputs)))
    names = bound(drawing.layers).union(taken(tree.items))
    blocks = tuple(
        block._replace(items=repeated(tidied(block.items), frozenset())) for block in tree.blocks
    )
    items = repeated(tidied(tree.items), names)
    return Tree(owned(drawing.layers, items), blocks)


def _structured(drawing: Drawing, inputs: Inputs) -> Tree:
    items: tuple[Item, ...] = woven(drawing, inputs)
    return Tree(owned(drawing.layers, tidied(grouped(items))))


def _plain(drawing: Drawing, inputs: Inputs) -> Tree:
    return Tree(plain(drawing, inputs))
