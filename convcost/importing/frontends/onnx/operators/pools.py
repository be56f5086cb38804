"""Pools, with windows and global."""

from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.operators.convolutions import borders, per_axis, window_of
from convcost.importing.frontends.onnx.registry import known, operator, row
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.windows import SlidingWindow

row("global_avg_pool", "GlobalAveragePool", "QLinearGlobalAveragePool")
row("global_max_pool", "GlobalMaxPool")


@operator(MaxPool="max_pool", AveragePool="avg_pool", QLinearAveragePool="avg_pool")
def pool(context: LoweringContext, node: OnnxNode) -> tuple[Tensor, ...]:
    x, ceil = context.value(node), bool(get(node, "ceil_mode", 0))
    window = window_of(node, x.dims[2:], tuple(node.attributes["kernel_shape"]))
    y = context.lower(node, known(node.op).op, x, window=window, ceil=ceil, dims=context.dims(node))
    if ceil and context.dims(node) not in (None, y.dims):
        # ONNX drops a window that starts past the input, but its shape inference counts it.
        context.stop_comparison(node)
    if not context.is_output_used(node, 1):
        return (y,)
    if all(reader.op == "MaxUnpool" for reader in context.readers.get(node.outputs[1], ())):
        return y, y  # unpooling needs only the window, not the indices
    return y, custom_layer(context, node, y.dims, "max_pool, indices")


@operator("MaxUnpool")
def max_unpool(context: LoweringContext, node: OnnxNode) -> Tensor:
    """Inputs: x, indices, output size."""
    x = context.value(node)
    axes, kernel = len(x.dims) - 2, tuple(node.attributes["kernel_shape"])
    stride = per_axis(node, "strides", axes)
    found = borders(node, x.dims[2:], kernel, stride, (1,) * axes)
    begins, ends = ((0,) * axes, (0,) * axes) if isinstance(found, str) else found
    plain = tuple((n - 1) * s + f - b - e for n, f, s, b, e in zip(
        x.dims[2:], kernel, stride, begins, ends, strict=True))  # fmt: skip
    given = node.attributes.get("size", context.numbers(node, "output_shape", 2))
    size = plain if given is None else given[-axes:]
    return context.lower(
        node, "max_unpool", x, window=SlidingWindow(kernel, stride, begins, ends), size=size
    )


@operator("LpPool")
def lp_pool(context: LoweringContext, node: OnnxNode) -> Tensor:
    return custom_layer(context, node, what="lp_pool")


@operator("GlobalLpPool")
def global_lp_pool(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = context.value(node)
    return custom_layer(
        context, node, (*x.dims[:2], *(1 for _ in x.dims[2:])), what="global_lp_pool"
    )
