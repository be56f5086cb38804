"""Norms. The attributes `scale` and `shift` say whether they have these params."""

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, arranged, reshaped, restored
from convcost.importing.passes.lower.pointwise import by_channel
from convcost.importing.passes.lowering import lowering


@lowering("batch_norm", "instance_norm", "group_norm", "local_response_norm", "scale")
def by_axis(builder: GraphBuilder, node: Node) -> Tensor:
    """A norm with params for each entry of `axis`; other attributes are options of the kind."""
    options = dict(node.attributes)
    axis, stored = options.pop("axis", 1), {"tensors": node.weights, "buffers": node.buffers}
    if node.op == "instance_norm" and not node.weights and _splits_channels(node.x):
        assert node.x.origin is not None
        options["groups"] = node.x.dims[1]
        y = by_channel(builder, "group_norm", node.x.origin, node.path, 1, options)
        return reshaped(y, node.x.dims)
    return by_channel(builder, node.op, node.x, node.path, axis, options, **stored)


def _splits_channels(x: Tensor) -> bool:
    """Whether a tensor is [n, groups, …], and was [n, channels, …] before."""
    origin = x.origin
    if origin is None or origin.channel != 1 or len(x.moves) != 1:
        return False
    return origin.dims[0] == x.dims[0] and origin.dims[1] % x.dims[1] == 0


@lowering("layer_norm", "rms_norm", "l2_norm")
def over_axes(builder: GraphBuilder, node: Node) -> Tensor:
    """A norm over `axes`. A single axis becomes the channels; several axes are merged to the
    channels. If they are all axes of a sample, the kind has params for each element."""
    options, x, rank = dict(node.attributes), node.x, len(node.x.dims)
    norm_axes = sorted({axis % rank for axis in options.pop("axes")})
    long_axes = [axis for axis in norm_axes if x.dims[axis] != 1] or norm_axes[-1:]
    if len(long_axes) == 1:
        return by_channel(
            builder, node.op, x, node.path, long_axes[0], options, tensors=node.weights
        )
    if all(axis in norm_axes or x.dims[axis] == 1 for axis in range(rank)) and node.op != "l2_norm":
        whole = {**options, "over": "all"}
        return by_channel(builder, node.op, x, node.path, x.channel, whole, tensors=node.weights)
    if not node.weights and node.op == "layer_norm" and x.channel not in norm_axes:
        return by_channel(builder, "instance_norm", x, node.path, x.channel, options)
    groups = [*([axis] for axis in range(rank) if axis not in norm_axes), norm_axes]
    flat = arranged(x, *groups)
    y = by_channel(builder, node.op, flat, node.path, -1, options, tensors=node.weights)
    return restored(y, x.dims, *groups)
