"""Drawing a graph: node by node, each tensor held against ONNX's own shape inference."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.easel import Easel
from convcost.importing.from_onnx.accounts import settled
from convcost.importing.from_onnx.constants import Constant, known, stored
from convcost.importing.from_onnx.control import flattened
from convcost.importing.from_onnx.folding import derived, folded, gathered, put
from convcost.importing.from_onnx.graph import Graph, Node, graph_of
from convcost.importing.from_onnx.inference import inferred
from convcost.importing.from_onnx.learned import buffers, weighed
from convcost.importing.from_onnx.lost import lose
from convcost.importing.from_onnx.names import Names
from convcost.importing.from_onnx.operators import drawer
from convcost.importing.from_onnx.patterns import simplified
from convcost.importing.from_onnx.plain import is_plain
from convcost.importing.from_onnx.samples import for_one_sample
from convcost.importing.from_onnx.shapes import Dims, Input, Taken, fixed
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.tied import same_bytes, tied
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.value import Value

if TYPE_CHECKING:
    from onnx import ModelProto

# What an operator that lacks an attribute or an input, or has one of another form, comes to.
WRONG = (LookupError, ValueError, TypeError, AssertionError, AttributeError, ArithmeticError)
ROUNDS = 60  # of shape inference, each of which may tell of one reshape more
# Operators that read channels along the last axis.
ROWS = (
    "MatMul",
    "LayerNormalization",
    "RMSNormalization",
    "NormalizedOver",
    "Einsum",
    "AttentionOf",
)
JOINS = ("Add", "Sub", "Mul", "Div", "Where", "Cast", "Identity")
DEEPEST = 5  # joins between an input and what reads it
SIZED = 3  # the least rank of what has channels and a size


class _Prepared(NamedTuple):
    """A model before it is drawn: operators in order, and what is known of all tensors."""

    graph: Graph
    shapes: Mapping[str, Dims]
    constants: dict[str, Constant]
    stored: Mapping[str, tuple[str, int, int]]
    notes: tuple[str, ...]


def drawn(
    model: "ModelProto",
    path: Path,
    size: Dims | None,
    dims: Mapping[str, int],
    *,
    again: bool = False,
) -> Drawing:
    """The model in the file `path`. Raises Refusal; where a layer is to blame, its message begins
    with the operator's name."""
    model = flattened(model)
    with _as_onnx_has_it("the file's operators or tensors"):
        graph = graph_of(model)
        taken = fixed(model, size, dims)
    try:
        return _drawn(model, graph, taken, path)
    except Refusal as refusal:
        if not taken.moved:
            raise
        if again:
            own = "as the file was exported for one size and holds numbers of it"
            raise Refusal("CC402", f"{own} ({refusal.message})") from None
        asked = "x".join(map(str, size or ()))
        raise Refusal(
            "CC402",
            f"the model is bound to its own size, {', '.join(taken.moved)}; "
            f"at --size {asked}: {refusal.message}",
            "import it without --size, or export it for that size",
        ) from None


def _drawn(model: "ModelProto", graph: Graph, taken: Taken, path: Path) -> Drawing:
    easel = Easel(path.stem, path.name)
    with _as_onnx_has_it("the file's operators or tensors"):
        ready = _prepared(model, graph, taken, path.parent)
    names = Names(ready.graph, ready.constants)
    easel.notes += (*taken.notes, *(f"{one}, and is read for --size" for one in taken.moved))
    easel.notes += ready.notes
    sheet = Sheet(easel, ready.graph, ready.shapes, ready.constants, names)
    sheet.stored.update(ready.stored)
    sheet.buffers.update(buffers(model))
    for one in taken.inputs:
        sheet.values[one.name] = _given(easel, one, ready.graph)
    lost = _walked(sheet, ready.graph)
    ends = [sheet.values[output] for output in graph.outputs if output in sheet.values]
    settled(sheet, ready.graph, lost)
    easel.classes.update(names.classes)
    drawing = easel.drawing(ends)
    if not drawing.layers:
        raise Refusal("CC401", "the model has no layers: nothing depends on what it is given")
    drawing = drawing._replace(layers=tuple(names.settled(list(drawing.layers))))
    return drawing._replace(plain=is_plain(model, drawing))


@contextmanager
def _as_onnx_has_it(what: str) -> Iterator[None]:
    try:
        yield
    except WRONG as error:
        raise Refusal(
            "CC404", f"{what} are not as ONNX has them", "onnx.checker.check_model tells more"
        ) from error


def _prepared(model: "ModelProto", graph: Graph, taken: Taken, folder: Path) -> _Prepared:
    """Shapes inferred, constants worked out, patterns found."""
    shapes: Mapping[str, Dims] = inferred(model, taken.inputs, claims=not taken.moved)
    constants = gathered(model, graph)
    same_bytes(model, constants)
    notes = tied(model, graph, constants, folder)
    graph, shapes = _known(model, graph, taken, constants, shapes)
    graph = simplified(graph, constants, shapes)
    graph, shapes = _known(model, graph, taken, constants, shapes)
    weighed(graph, constants, model)
    for_one_sample(model, taken.inputs, graph, constants, shapes)
    kept = {one.name: stored(one) for one in model.graph.initializer}
    return _Prepared(graph, shapes, constants, kept, tuple(notes))


def _known(
    model: "ModelProto",
    graph: Graph,
    taken: Taken,
    constants: dict[str, Constant],
    shapes: Mapping[str, Dims],
) -> tuple[Graph, Mapping[str, Dims]]:
    """The graph without what can be worked out, which is added to `constants`, and all shapes."""
    graph = folded(graph, constants, shapes)
    for _ in range(ROUNDS):
        if all(name in shapes for node in graph.nodes for name in node.outputs if name):
            break
        # What could be worked out tells inference more.
        alive = {name for node in graph.nodes for name in node.outputs}
        found = inferred(model, taken.inputs, constants, alive, claims=not taken.moved)
        more = {**shapes, **found}
        if len(more) == len(shapes):
            break
        shapes = more
        graph = folded(graph, constants, shapes)
    return graph, shapes


def _walked(sheet: Sheet, graph: Graph) -> dict[str, str]:
    """Draws all operators; the tensors that were left out, and where that began."""
    lost: dict[str, str] = {}
    for node in graph.nodes:
        try:
            with _as_onnx_has_it("its inputs or attributes"):
                _step(sheet, node, lost)
        except Refusal as refusal:
            raise Refusal(refusal.code, f"{node.label}: {refusal.message}", refusal.help) from None
    return lost


def _given(easel: Easel, one: Input, graph: Graph) -> Value:
    """An input: which of its axes is channels is seen by what reads it, then by its dims."""
    rank = len(one.dims)
    if rank == 0:
        return easel.input(one.name, (1,), 0, None)._replace(dims=(), axes=())
    if rank == 1:
        return easel.input(one.name, one.dims, 0, None)
    if one.dims[0] != 1:
        along = 1 if rank == SIZED and one.dims[1] == 1 else None  # steps first, then samples
        return easel.input(one.name, one.dims, rank - 1, along)
    readers = _readers(graph, one)
    turned = [node.attributes.get("perm", ()) for node in readers if node.op == "Transpose"]
    last = rank >= SIZED and (
        any(perm[:2] == (0, rank - 1) for perm in turned)
        or (rank == SIZED and any(node.op in ROWS for node in readers))
        or (not turned and one.dims[-1] <= 4 < one.dims[1])  # noqa: PLR2004  colours
    )
    windows = any(node.op in ("Conv", "MaxPool", "AveragePool") for node in readers)
    return easel.input(one.name, one.dims, rank - 1 if last and not windows else 1)


def _readers(graph: Graph, one: Input) -> list[Node]:
    """What reads an input, past joins with what does not flow."""
    names, found = {one.name}, []
    flowing = {name for node in graph.nodes for name in node.outputs} | {one.name}
    for node in graph.nodes:
        if names.isdisjoint(node.inputs):
            continue
        alone = node.op in JOINS and len(flowing.intersection(node.inputs)) == 1
        if alone and len(names) < DEEPEST:
            names.update(node.outputs)
        else:
            found.append(node)
    return found


def _step(sheet: Sheet, node: Node, lost: dict[str, str]) -> None:
    gone = [name for name in node.inputs if name in lost]
    if gone:
        lose(sheet, node, lost, lost[gone[0]])
        return
    if node.op in ("Shape", "Size") and node.inputs[0] in sheet.values:
        _measure(sheet, node)
        return
    if all(name in sheet.constants for name in node.inputs if name):
        put(sheet.constants, node.outputs[0], _worked_out(sheet, node))
        return
    draw = drawer(node.op) if node.known else None
    first = len(sheet.easel.layers)
    made = draw(sheet, node) if draw is not None else uncounted(sheet, node)
    results = (made,) if isinstance(made, Value) else made
    results = sheet.books.settle(first, results, sheet.path(node))
    if not results:
        lose(sheet, node, lost, node.label)
        return
    for output, value in zip(node.outputs, results, strict=False):
        if not output:
            continue
        dims = sheet.shapes.get(output)
        if output not in sheet.stretched and dims not in (None, value.dims):
            raise Refusal(
                "CC402",
                f"comes to {_text(value.dims)}, ONNX's shape inference says {_text(dims)}",
            )
        sheet.values[output] = value
    for output in node.outputs[len(results) :]:
        if sheet.uses[output] and output not in sheet.constants:
            raise Refusal(
                "CC401", f"its output `{output}` is used, and has no layer to stand for it"
            )


def _measure(sheet: Sheet, node: Node) -> None:
    import numpy as np

    dims = sheet.values[node.inputs[0]].dims
    data = np.array(dims, np.int64)
    if node.op == "Size":
        data = np.array(int(data.prod()), np.int64)
    else:
        data = data[node.attributes.get("start", 0) : node.attributes.get("end")]
    sheet.constants[node.outputs[0]] = Constant(tuple(data.shape), real=False, data=data)


def _worked_out(sheet: Sheet, node: Node) -> Constant:
    data = known(node, sheet.constants, sheet.opset)
    found = derived(node, sheet.constants, data, sheet.shapes.get(node.outputs[0]))
    if found is None:
        raise Refusal("CC401", "what it gives has no known shape")
    return found


def _text(dims: Dims) -> str:
    return "[" + ", ".join(map(str, dims)) + "]"
