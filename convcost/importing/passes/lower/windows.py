"""Convolutions and pools. Tensors are [n, c, h, w] unless `channel` is another axis."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped
from convcost.importing.passes.lowering import Lowering, lower, lowering
from convcost.model.kind import KINDS

CHANNELS = 1  # the channel axis of [n, c, …]
MAX_AXES = 3  # axes of a window


class SlidingWindow(NamedTuple):
    """The window of a convolution or pool, with one number for each axis of the size; `begins` may
    be `same` or `valid`."""

    kernel: Sequence[int]
    stride: Sequence[int]
    begins: Sequence[int] | str = "valid"
    ends: Sequence[int] = ()
    dilation: Sequence[int] = ()

    @property
    def padding(self) -> Any:
        """The padding as a spec writes it: one number, one for each axis, begins and ends, or a
        word."""
        if isinstance(self.begins, str):
            return self.begins if self.begins != "valid" else 0
        return border(self.begins, self.ends)

    @property
    def options(self) -> dict[str, Any]:
        """The options of a kind with this window."""
        return {
            "kernel": compact(self.kernel),
            "stride": compact(self.stride),
            "padding": self.padding,
            "dilation": compact(self.dilation or (1,)),
        }

    @property
    def pool_options(self) -> dict[str, Any]:
        """The options of a pool. Its stride is the kernel by default."""
        options = self.options
        same = tuple(self.stride) == tuple(self.kernel)
        return {**options, "stride": None if same else options["stride"]}

    def to_size(
        self, before: Sequence[int], after: Sequence[int], *, odd_first: bool = False
    ) -> tuple["SlidingWindow", list[int]]:
        """The window of a transposed convolution whose output has the size `after`, and its output
        padding. The padding removes what is too much; if that is odd, the sides differ."""
        axes = zip(before, after, self.kernel, self.stride, self.dilation, strict=True)
        excess = [(n - 1) * s + d * (f - 1) + 1 - m for n, m, f, s, d in axes]
        begins = [(max(n, 0) + odd_first) // 2 for n in excess]
        ends = [max(n, 0) - begin for n, begin in zip(excess, begins, strict=True)]
        return self._replace(begins=begins, ends=ends), [max(-n, 0) for n in excess]

    def deeper(self) -> "SlidingWindow":
        """The window for one more axis, the outermost, with extent 1 along it."""
        begins = self.begins if isinstance(self.begins, str) else (0, *self.begins)
        dilation = (1, *self.dilation) if self.dilation else ()
        return SlidingWindow(
            (1, *self.kernel), (1, *self.stride), begins, (0, *self.ends), dilation
        )


def compact(numbers: Sequence[int]) -> Any:
    """A single number if all axes have the same, otherwise one for each axis."""
    numbers = tuple(int(n) for n in numbers)
    return numbers[0] if len(set(numbers)) == 1 else numbers


def border(begins: Sequence[int], ends: Sequence[int]) -> Any:
    """A border: one number, one for each axis, or begins and ends."""
    return compact(begins) if tuple(begins) == tuple(ends) else (*map(int, begins), *map(int, ends))


def windowed_layer(
    builder: GraphBuilder,
    node: Node,
    options: Mapping[str, Any],
    *inputs: Tensor,
    kind: str = "",
    channel: int = CHANNELS,
    computes_size: bool = False,
) -> Tensor:
    """Adds a layer of a kind that keeps the rank of its first input; the axis `channel` of each
    input is the channels. By default the kind and the inputs are those of the node."""
    inputs = inputs or node.inputs
    sources = [builder.materialize(x, channel, node.path) for x in inputs]
    index = builder.emit(
        kind or node.op, node.path, sources, options,
        tensors=node.weights, buffers=node.buffers, computes_size=computes_size,
    )  # fmt: skip
    x = inputs[0]
    return output_tensor(index, builder.shape(index), len(x.dims), channel, x.batch)


def _channel(node: Node) -> int:
    channel: int = node.attributes.get("channel", CHANNELS)
    return channel % len(node.x.dims)


def _for_any_batch(rule: Lowering) -> Lowering:
    """A rule for [n, c, h, w] from a rule for n = 1. A larger n becomes the outermost axis of the
    size, [1, c, n, h, w]: a model may arrange windows or tokens as samples. Channels that are last
    stay last. If a pool has too many axes then, it is a `custom` layer."""

    def lowered(builder: GraphBuilder, node: Node) -> Tensor:
        x, channel, attributes = node.x, _channel(node), dict(node.attributes)
        if x.dims[0] == 1:
            return rule(builder, node._replace(inputs=(x._replace(batch=0),)))
        if "dims" in attributes and len(x.dims) - 2 == MAX_AXES:
            what = f"{node.op} of many samples"
            return lower(builder, "custom", node.path, x, what=what, dims=attributes["dims"])
        x = _exchange_samples_and_channels(x, channel)
        attributes["channel"] = channel + (channel != CHANNELS)
        if "window" in attributes:
            attributes["window"] = attributes["window"].deeper()
        if "output_padding" in attributes:
            attributes["output_padding"] = (0, *attributes["output_padding"])
        if "size" in attributes:
            attributes["size"] = (node.x.dims[0], *attributes["size"])
        whole = reshaped(x, (1, *x.dims))._replace(batch=0)
        y = rule(builder, node._replace(inputs=(whole,), attributes=attributes))
        return _exchange_samples_and_channels(reshaped(y, y.dims[1:]), channel)

    return lowered


def _exchange_samples_and_channels(x: Tensor, channel: int) -> Tensor:
    """The samples and the channels exchanged, if the channels are second."""
    order = (1, 0) if channel == CHANNELS else (0, 1)
    return permuted(x._replace(batch=None), (*order, *range(2, len(x.dims))))


# Convolutions


@lowering("conv")
@_for_any_batch
def conv(builder: GraphBuilder, node: Node) -> Tensor:
    """`weights` are [filters, c/groups, kernel…] and, with `bias`, one number for each filter. If
    they are not learned, they are in `buffers`."""
    attributes, channel = node.attributes, _channel(node)
    filters, groups, c = attributes["filters"], attributes.get("groups", 1), node.x.dims[channel]
    options = {
        **attributes["window"].options,
        "bias": attributes.get("bias", False),
        "buffer": bool(node.buffers),
    }
    if groups == c > 1 and filters % c == 0:
        kind, options = "depthwise", {**options, "multiplier": filters // c}
    else:
        kind, options = "conv", {"filters": filters, **options, "groups": groups}
    return windowed_layer(builder, node, options, kind=kind, channel=channel)


@lowering("transposed_conv")
@_for_any_batch
def transposed_conv(builder: GraphBuilder, node: Node) -> Tensor:
    """May state its output `size` instead of a padding."""
    return other_conv(builder, node)


@lowering("deformable_conv")
def deformable_conv(builder: GraphBuilder, node: Node) -> Tensor:
    """The inputs are features, offsets and optionally a mask. Of many samples, it is a `custom`
    layer."""
    x, offsets, attributes = *node.inputs[:2], node.attributes
    if x.dims[0] == 1:
        return other_conv(builder, node)
    dims = (x.dims[0], attributes["filters"], *offsets.dims[2:])
    macs = prod(dims) * prod(attributes["window"].kernel) * x.dims[CHANNELS] // attributes["groups"]
    what = "deformable_conv of many samples"
    return lower(
        builder, "custom", node.path, *node.inputs,
        what=what, dims=dims, macs=macs, channel=CHANNELS, weights=node.weights,
    )  # fmt: skip


@lowering("locally_connected")
def other_conv(builder: GraphBuilder, node: Node) -> Tensor:
    """Like `conv`; the attributes are options of the kind."""
    options = dict(node.attributes)
    window: SlidingWindow = options.pop("window")
    channel = options.pop("channel", CHANNELS) % len(node.x.dims)
    if "size" in options:
        before = [n for axis, n in enumerate(node.x.dims) if axis not in (0, channel)]
        window, options["output_padding"] = window.to_size(before, options.pop("size"))
    if "output_padding" in options:
        options["output_padding"] = compact(options["output_padding"])
    kind_options = KINDS[node.op].options
    window_options = {name: value for name, value in window.options.items() if name in kind_options}
    return windowed_layer(builder, node, window_options | options, channel=channel)


# Pools


@lowering("max_pool", "avg_pool")
@_for_any_batch
def pool(builder: GraphBuilder, node: Node) -> Tensor:
    ceil = bool(node.attributes.get("ceil", False))
    options = {**node.attributes["window"].pool_options, "ceil": ceil}
    return windowed_layer(builder, node, options, channel=_channel(node))


@lowering("adaptive_avg_pool", "adaptive_max_pool")
@_for_any_batch
def adaptive_pool(builder: GraphBuilder, node: Node) -> Tensor:
    """Pools to `size`; a single element is a global pool."""
    size, kind, options = node.attributes["size"], node.op, {}
    if set(size) == {1}:
        kind = kind.replace("adaptive", "global")
    else:
        options = {"size": compact(size)}
    return windowed_layer(builder, node, options, kind=kind, channel=_channel(node))


@lowering("global_avg_pool", "global_max_pool")
def global_pool(builder: GraphBuilder, node: Node) -> Tensor:
    """A pool over the size. Of many samples, it is a mean or a maximum over these axes."""
    if node.x.dims[0] != 1:
        axes = [axis for axis in range(1, len(node.x.dims)) if axis != _channel(node)]
        op = "mean" if node.op == "global_avg_pool" else "max"
        return lower(builder, op, node.path, node.x, axes=axes, keep=True)
    return windowed_layer(builder, node, {}, channel=_channel(node))


@lowering("max_unpool")
def max_unpool(builder: GraphBuilder, node: Node) -> Tensor:
    """Reverses a max pool of `window`; the output has `size`. A `custom` layer if no window gives
    that size."""
    window, size, x = node.attributes["window"], node.attributes["size"], node.x
    dims = (*x.dims[:2], *size)
    other: dict[str, Any] = {"what": "max_unpool", "dims": dims}
    many = x.dims[0] != 1
    if many or window is None or len(window.kernel) != len(size) or set(window.dilation) - {1}:
        return lower(builder, "custom", node.path, *node.inputs, **other)
    ends, extra = list(window.ends), [0] * len(size)
    shape = zip(x.dims[2:], *window[:4], size, strict=True)
    for axis, (n, f, s, begin, end, extent) in enumerate(shape):
        excess = extent - ((n - 1) * s + f - begin - end)
        extra[axis] = max(excess, 0)
        ends[axis] = end - min(excess, 0)
        if extra[axis] >= s:
            return lower(builder, "custom", node.path, *node.inputs, **other)
    options = {**window._replace(ends=ends).pool_options, "output_padding": compact(extra)}
    del options["dilation"]
    return windowed_layer(builder, node, options, x)
