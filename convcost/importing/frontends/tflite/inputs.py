"""The inputs of a model: the batch is 1, and the user gives the dims that the file leaves open."""

from collections.abc import Sequence

from convcost.importing.frontends.tflite.call import TfliteContext
from convcost.importing.frontends.tflite.file import TfliteGraph
from convcost.importing.passes.model_inputs import (
    MAPS,
    SIZED,
    channels_first,
    dims_text,
    fill_size,
)
from convcost.model.errors import ConstraintError

SAME = ("QUANTIZE", "DEQUANTIZE", "CAST")

Dims = Sequence[int | None]


def add_input(context: TfliteContext, index: int, size: tuple[int, ...] | None) -> str:
    """Adds an input. `size` fills its open dims; if no input has an open dim, it replaces all of
    them except the channels. Returns how the file differs then. Raises ConstraintError."""
    graph, builder, tensor = context.graph, context.builder, context.graph.tensors[index]
    own = [None if open_ else n for n, open_ in zip(tensor.dims, tensor.open, strict=True)]
    batch, channel = _batch(own), _channel(graph, index, own) % max(len(own), 1)
    stated = [1 if axis == batch else n for axis, n in enumerate(own)]
    is_open = any(True in graph.tensors[other].open[1:] for other in graph.inputs)
    sized = None in stated or (len(stated) >= SIZED and not is_open)
    if size is not None and (sized or len(graph.inputs) == 1):
        fill_size(tensor.name, stated, size, last=channel != 1)
    dims = [n for n in stated if n is not None]
    if len(dims) < len(own):
        hint = "give the size, --size 224 or --size 48x320"
        raise ConstraintError("CC405", f"the input `{tensor.name}` is open: {dims_text(own)}", hint)
    if min(dims, default=1) < 1:
        message = f"the input `{tensor.name}` is empty: {dims_text(own)}"
        raise ConstraintError("CC404", message)
    value = builder.input(tensor.name, dims or (1,), channel, batch)
    context.values[index] = value if dims else value._replace(dims=(), axes=())
    if all(n in (None, m) for n, m in zip(own, dims, strict=True)):
        return ""
    context.resized = True
    text = f"`{tensor.name}` is {dims_text(own)} in the file"
    builder.notes.append(f"{text}, and is imported as {dims_text(dims)}")
    return text


def _batch(dims: Dims) -> int | None:
    """The axis of the batch. Two or three axes that do not begin with 1 have no batch."""
    return 0 if len(dims) > 1 and (dims[0] in (1, None) or len(dims) >= MAPS) else None


def _channel(graph: TfliteGraph, index: int, dims: Dims) -> int:
    """The axis of the channels: the last one, unless the model moves another to the end."""
    same = {index}
    for entry in graph.operators:
        if same.isdisjoint(entry.inputs[:1]):
            continue
        if entry.op in SAME:
            same.update(entry.outputs)
        elif entry.op == "TRANSPOSE" and len(order := graph.tensors[entry.inputs[1]].data):
            return 1 if order.view("int32").tolist()[1:] == [*range(2, len(dims)), 1] else -1
    return 1 if channels_first(dims) else -1
