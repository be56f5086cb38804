"""Resizing, padding and cropping, and operators that move elements between channels and size."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor
from convcost.importing.passes.lower.windows import CHANNELS, border, compact, windowed_layer
from convcost.importing.passes.lowering import lower, lowering
from convcost.model.kind import KINDS
from convcost.model.shape import Shape

MAX_DENOMINATOR = 1000  # of a factor in a model
MAX_AXES = 3  # axes of the size with a border


@lowering("upsample")
def upsample(builder: GraphBuilder, node: Node) -> Tensor:
    """Resizes to `dims`; `factors` has the factor of each axis if the model states factors.
    `computes_size` means that the model computes the size. `mode` is a mode of the kind."""
    x, dims = node.x, tuple(node.attributes["dims"])
    if dims == x.dims:
        builder.free[node.op] += 1
        return x
    channel = node.attributes.get("channel", x.channel)
    sizes = x.size_axes(channel)
    others = any(dims[axis] != n for axis, n in enumerate(x.dims) if axis not in sizes)
    if others or len(sizes) > MAX_AXES:
        return lower(builder, "custom", node.path, x, what="resize", dims=dims, channel=channel)
    factors = node.attributes.get("factors")
    before, after = ([extents[axis] for axis in sizes] for extents in (x.dims, dims))
    computes_size = factors is None and node.attributes.get("computes_size", True)
    options = {"size": compact(after)}
    if factors is not None or computes_size:
        options = enlargement(before, after, factors and [factors[axis] for axis in sizes])
    options["mode"] = node.attributes["mode"]
    return windowed_layer(builder, node, options, channel=channel, computes_size=computes_size)


@lowering("grid_sample")
def grid_sample(builder: GraphBuilder, node: Node) -> Tensor:
    """Samples the first input at the positions of the second; the last axis of the second has the
    coordinates. If the first axis has several samples, such as the heads of deformable attention,
    it is a `custom` layer."""
    x, grid = node.inputs
    if not 0 == x.batch == grid.batch:
        dims, what = (*x.dims[:2], *grid.dims[1:-1]), "grid_sample of many samples"
        return lower(builder, "custom", node.path, x, grid, what=what, dims=dims, channel=CHANNELS)
    layouts = ((x, 1), (grid, len(grid.dims) - 1))
    sources = [builder.materialize(tensor, channel, node.path) for tensor, channel in layouts]
    index = builder.emit(node.op, node.path, sources, {"mode": node.attributes["mode"]})
    return output_tensor(index, builder.shape(index), len(x.dims), 1, x.batch)


def enlargement(
    before: Sequence[int], after: Sequence[int], factors: Sequence[Fraction] | None
) -> dict[str, Any]:
    """The options of an `upsample`: a scale if it is a plain number with the right result,
    otherwise the size. `factors` are those of the model, None if it states a size."""
    ratios = factors or [Fraction(b, a) for a, b in zip(before, after, strict=True)]
    plain = [Fraction(ratio).limit_denominator(MAX_DENOMINATOR) for ratio in ratios]
    same = all(floor(n * f) == o for n, f, o in zip(before, plain, after, strict=True))
    if same and (factors is not None or all(ratio.denominator == 1 for ratio in plain)):
        numbers = [int(f) if f.denominator == 1 else f for f in plain]
        return {"scale": numbers[0] if len(set(numbers)) == 1 else tuple(numbers)}
    return {"size": compact(after)}


@lowering("pad")
def pad(builder: GraphBuilder, node: Node) -> Tensor:
    """Adds `begins` and `ends` elements at each axis; negative numbers remove elements."""
    x, begins, ends = node.x, node.attributes["begins"], node.attributes["ends"]
    channel = node.attributes.get("channel", x.channel)
    sizes = x.size_axes(channel)
    changed = {axis for axis in range(len(x.dims)) if begins[axis] or ends[axis]}
    if not changed <= set(sizes) or (changed and len(sizes) > MAX_AXES):
        dims = tuple(n + a + b for n, a, b in zip(x.dims, begins, ends, strict=True))
        return lower(builder, "custom", node.path, x, what="pad", dims=dims)
    if not changed:
        builder.free[node.op] += 1
    for kind, sign in (("pad", 1), ("crop", -1)):
        before, after = ([max(sign * extents[a], 0) for a in sizes] for extents in (begins, ends))
        if any((*before, *after)):
            options = {"border": border(before, after)}
            x = windowed_layer(builder, node, options, x, kind=kind, channel=channel)
    return x


@lowering("pixel_shuffle", "pixel_unshuffle", "channel_shuffle")
def shuffle(builder: GraphBuilder, node: Node) -> Tensor:
    """The attributes are options of the kind, and perhaps the `channel` axis. A shuffle of many
    samples is a `custom` layer if it changes the shape."""
    x, options = node.x, dict(node.attributes)
    channel = options.pop("channel", CHANNELS) % len(x.dims)
    if x.dims[0] != 1 and node.op != "channel_shuffle":
        sizes = [axis for axis in range(1, len(x.dims)) if axis != channel]
        sample = Shape(x.dims[channel], tuple(x.dims[axis] for axis in sizes))
        after = KINDS[node.op](**options).output(sample)
        extents = {
            0: x.dims[0],
            channel: after.channels,
            **dict(zip(sizes, after.size, strict=True)),
        }
        dims = tuple(extents[axis] for axis in range(len(x.dims)))
        what = f"{node.op} of many samples"
        return lower(builder, "custom", node.path, x, what=what, dims=dims, channel=channel)
    return windowed_layer(builder, node, options, channel=channel)


@lowering("roll")
def roll(builder: GraphBuilder, node: Node) -> Tensor:
    """Moves the elements along `axes` by `places`, and the last ones to the front; free if no other
    axis is left for the channels."""
    x, rank = node.x, len(node.x.dims)
    axes = {axis % rank for axis in node.attributes["axes"]}
    channel = x.channel if x.channel not in axes else rank - 1
    if not axes or channel in axes or channel == x.batch:
        builder.free[node.op] += 1
        return x
    options = {"places": node.attributes["places"]}
    return windowed_layer(builder, node, options, channel=channel)
