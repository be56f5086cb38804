"""Learned tensors in elementwise operators: biases, scales, tables of positions."""

from collections.abc import Mapping
from math import prod
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor, output_tensor, reshaped, with_rank
from convcost.importing.passes.lower.joins import elementwise
from convcost.importing.passes.lower.pointwise import by_channel
from convcost.model.shape import Shape

# A learned tensor that is subtracted is a shift, like one that is added.
LEARNED = {"add": "add", "subtract": "add", "multiply": "multiply", "divide": "multiply"}


def learned_tensor(
    builder: GraphBuilder,
    key: str,
    dims: tuple[int, ...],
    path: Path,
    *,
    neighbour: int,
    buffer: bool = False,
    channel: int = -1,
) -> Tensor:
    """Adds a layer that outputs a stored tensor, next to the layer `neighbour`, which it does not
    read. The axis `channel` is the channels; a leading axis of extent 1 is the batch."""
    stored = {key: prod(dims)}
    return _add_layer(
        builder,
        "learned",
        path,
        neighbour,
        dims,
        channel,
        {"buffer": buffer},
        tensors=None if buffer else stored,
        buffers=stored if buffer else None,
    )


def learned_once(
    builder: GraphBuilder, key: str, dims: tuple[int, ...], path: Path, **more: Any
) -> Tensor:
    """Like `learned_tensor`, with one layer for all uses of a stored tensor."""
    if key not in builder.constant_layers:
        builder.constant_layers[key] = learned_tensor(builder, key, dims, path, **more)
    return reshaped(builder.constant_layers[key], dims)


def constant_tensor(
    builder: GraphBuilder, dims: tuple[int, ...], *, neighbour: int, channel: int = -1
) -> Tensor:
    """Adds a layer that outputs numbers of the model's code, neither learned nor stored.
    `neighbour` and `channel` are as for `learned_tensor`."""
    return _add_layer(builder, "constant", ("constant",), neighbour, dims, channel, {})


def join_with_learned(
    builder: GraphBuilder, op: str, x: Tensor, key: str, dims: tuple[int, ...], path: Path
) -> Tensor:
    """An elementwise join of a tensor and a learned tensor: a scale or shift if it is a product or
    a sum and the learned tensor has one number for each channel, otherwise a layer. A learned
    tensor that already has a layer is read from that layer."""
    kind = LEARNED.get(op, op)
    rank = max(len(x.dims), len(dims))
    x = with_rank(x, rank)
    full = (1,) * (rank - len(dims)) + dims
    long_axes = [axis for axis, extent in enumerate(full) if extent != 1]
    along = (
        long_axes[0] if len(long_axes) == 1 and full[long_axes[0]] == x.dims[long_axes[0]] else -1
    )
    scales = op in LEARNED and (not long_axes or (along >= 0 and _is_channel(x, along)))
    if scales and key not in builder.constant_layers:
        options = {"factor": kind == "multiply", "shift": kind == "add", "shared": not long_axes}
        channel = along if long_axes else x.channel
        return by_channel(builder, "scale", x, path, channel, options, tensors={key: prod(dims)})
    table = learned_once(
        builder, key, full, (*path, "learned"), neighbour=x.source, channel=x.channel
    )
    return elementwise(builder, kind, [x, table], path)


def _add_layer(
    builder: GraphBuilder,
    kind: str,
    path: Path,
    neighbour: int,
    dims: tuple[int, ...],
    channel: int,
    options: Mapping[str, Any],
    **more: Any,
) -> Tensor:
    """Adds a layer without inputs, whose output is a tensor of `dims`; `more` are the other
    arguments of `GraphBuilder.emit`."""
    channel %= len(dims) or 1
    batch = 0 if len(dims) > 1 and dims[0] == 1 and channel else None
    size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
    shape = Shape(dims[channel] if dims else 1, size)
    index = builder.emit(kind, path, [neighbour], {"shape": shape, **options}, **more)
    return output_tensor(index, shape, len(dims), channel, batch)


def _is_channel(x: Tensor, axis: int) -> bool:
    if x.axes is not None:
        return x.axes[axis] == 0
    return axis == len(x.dims) - 1 or x.dims[axis] == x.shape.channels
