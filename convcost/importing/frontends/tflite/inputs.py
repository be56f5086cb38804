"""The inputs of a model: the batch is 1, and the user gives the dims that the file leaves open."""

from convcost.importing.frontends.tflite.call import LoweringContext
from convcost.importing.frontends.tflite.file import TfliteGraph
from convcost.model.errors import ConstraintError

MAPS = 4  # samples, height, width, channels
SIZED = 3  # the smallest rank with channels and a size
COLOURS = 4  # the most channels of an image
SAME = ("QUANTIZE", "DEQUANTIZE", "CAST")

Dims = tuple[int, ...]


def add_input(context: LoweringContext, at: int, size: Dims | None) -> str:
    """Adds the input `at`. `size` fills its open dims; if no input has an open dim, it replaces all
    of them except the channels. Returns how the file differs then. Raises ConstraintError."""
    graph, builder, one = context.graph, context.builder, context.graph.tensors[at]
    own = tuple(-1 if open_ else n for n, open_ in zip(one.dims, one.open, strict=True))
    batch, channel = _batch(own), _channel(graph, at, own) % max(len(own), 1)
    dims = [1 if axis == batch else n for axis, n in enumerate(own)]
    _resize(graph, at, dims, channel, size)
    if -1 in dims:
        hint = "give the size, --size 224 or --size 48x320"
        raise ConstraintError("CC405", f"the input `{one.name}` is open: {shown(own)}", hint)
    if min(dims, default=1) < 1:
        raise ConstraintError("CC404", f"the input `{one.name}` is empty: {shown(own)}")
    value = builder.input(one.name, dims or (1,), channel, batch)
    context.values[at] = value if dims else value._replace(dims=(), axes=())
    differs = [axis for axis, n in enumerate(own) if n not in (-1, dims[axis])]
    context.resized |= bool(differs)
    if not differs:
        return ""
    text = f"`{one.name}` is {shown(own)} in the file"
    builder.notes.append(f"{text}, and is imported as {shown(tuple(dims))}")
    return text


def _resize(graph: TfliteGraph, at: int, dims: list[int], channel: int, size: Dims | None) -> None:
    """Puts `size` into the dims. A single number counts for every axis."""
    places = [axis for axis, n in enumerate(dims) if n < 0]
    if not any(True in graph.tensors[other].open[1:] for other in graph.inputs):
        places = [axis for axis in range(1, len(dims)) if axis != channel and len(dims) >= SIZED]
    if size is None or (len(graph.inputs) > 1 and not places):
        return
    if not places or len(size) not in (1, len(places)):
        said = f"the input `{graph.tensors[at].name}` is {shown(tuple(dims))}"
        raise ConstraintError("CC405", f"--size gives {len(size)} numbers, but {said}")
    for axis, extent in zip(places, size * len(places), strict=False):
        dims[axis] = extent


def _batch(dims: Dims) -> int | None:
    """The axis of the batch. Two or three axes that do not begin with 1 have no batch."""
    return 0 if len(dims) > 1 and (dims[0] in (1, -1) or len(dims) >= MAPS) else None


def _channel(graph: TfliteGraph, at: int, dims: Dims) -> int:
    """The axis of the channels: the last one, unless the model moves another to the end."""
    names = {at}
    for one in graph.operators:
        if names.isdisjoint(one.inputs[:1]):
            continue
        if one.op in SAME:
            names.update(one.outputs)
        elif one.op == "TRANSPOSE" and len(order := graph.tensors[one.inputs[1]].data):
            return 1 if order.view("int32").tolist()[1:] == [*range(2, len(dims)), 1] else -1
    return 1 if len(dims) == MAPS and 0 < dims[1] <= COLOURS < dims[-1] else -1


def shown(dims: Dims) -> str:
    return "×".join("?" if n < 0 else str(n) for n in dims) or "a scalar"
