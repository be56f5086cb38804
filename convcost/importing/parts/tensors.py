"""A tensor of the model's own that meets what flows: biases, scales, tables of positions."""

from math import prod

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.value import Value, made, reshaped
from convcost.shapes import Shape


def learned(
    easel: Easel,
    key: str,
    dims: tuple[int, ...],
    path: Path,
    *,
    beside: int,
    buffer: bool = False,
    channel: int = -1,
) -> Value:
    """A layer that gives the model's own tensor; it stands beside the layer `beside`, whose output
    it does not read. Its axis `channel` is taken for the channels, a leading 1 for the samples."""
    channel = channel % len(dims) if dims else 0
    batch = 0 if len(dims) > 1 and dims[0] == 1 and channel else None
    size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
    shape = Shape(dims[channel], size) if dims else Shape(1)
    held = {key: prod(dims)}
    index = easel.emit(
        "learned",
        path,
        [beside],
        {"shape": shape, "buffer": buffer},
        tensors=None if buffer else held,
        buffers=held if buffer else None,
    )
    return made(index, shape, len(dims), channel, batch)


def met(easel: Easel, kind: str, x: Value, key: str, dims: tuple[int, ...], path: Path) -> Value:
    """`add` or `multiply` of what flows and a learned tensor: a scale or shift of the channels if
    the tensor is that, else a join with it. A tensor that has a layer of its own is taken from
    there."""
    rank = max(len(x.dims), len(dims))
    x = reshaped(x, (1,) * (rank - len(x.dims)) + x.dims)
    full = (1,) * (rank - len(dims)) + dims
    if key in easel.held:
        return elementwise(easel, kind, [x, reshaped(easel.held[key], full)], path)
    long = [axis for axis, extent in enumerate(full) if extent != 1]
    if len(long) == 1 and full[long[0]] == x.dims[long[0]] and _is_channel(x, long[0]):
        options = {"factor": kind == "multiply", "shift": kind == "add"}
        return by_channel(easel, "scale", x, path, long[0], options, tensors={key: prod(dims)})
    if prod(dims) == 1:
        options = {"factor": kind == "multiply", "shift": kind == "add", "shared": True}
        return by_channel(easel, "scale", x, path, x.channel, options, tensors={key: 1})
    channel = x.channel
    beside = x.source
    table = learned(easel, key, full, (*path, "learned"), beside=beside, channel=channel)
    easel.held[key] = table
    return elementwise(easel, kind, [x, table], path)


def _is_channel(x: Value, axis: int) -> bool:
    if x.axes is not None:
        return x.axes[axis] == 0
    return axis == len(x.dims) - 1 or x.dims[axis] == x.shape.channels
