"""Pools, with windows and global."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.operators.convolutions import borders, per_axis, window_of
from convcost.importing.frontends.onnx.registry import free_row, operator, row
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.windows import SlidingWindow

row("global_avg_pool", "GlobalAveragePool", "QLinearGlobalAveragePool")
row("global_max_pool", "GlobalMaxPool")
free_row("LpPool", what="lp_pool")
free_row("GlobalLpPool", what="global_lp_pool")


@operator(MaxPool="max_pool", AveragePool="avg_pool", QLinearAveragePool="avg_pool")
def pool(call: OnnxCall) -> tuple[Tensor, ...]:
    x, ceil = call.value(), bool(call.get("ceil_mode", 0))
    window = window_of(call, x.dims[2:], tuple(call.node.attributes["kernel_shape"]))
    y = call.lower(call.canonical, x, window=window, ceil=ceil, dims=call.dims())
    if ceil and call.dims() not in (None, y.dims):
        # ONNX drops a window that starts past the input, but its shape inference counts it.
        call.context.stop_comparison(call.node)
    if not call.is_output_used(1):
        return (y,)
    if all(reader.op == "MaxUnpool" for reader in call.context.readers.get(call.outputs[1], ())):
        return y, y  # unpooling needs only the window, not the indices
    return y, call.custom(y.dims, "max_pool, indices")


@operator("MaxUnpool")
def max_unpool(call: OnnxCall) -> Tensor:
    """Inputs: x, indices, output size."""
    x = call.value()
    axes, kernel = len(x.dims) - 2, tuple(call.node.attributes["kernel_shape"])
    stride = per_axis(call, "strides", axes)
    found = borders(call, x.dims[2:], kernel, stride, (1,) * axes)
    begins, ends = ((0,) * axes, (0,) * axes) if isinstance(found, str) else found
    plain = tuple((n - 1) * s + f - b - e for n, f, s, b, e in zip(
        x.dims[2:], kernel, stride, begins, ends, strict=True))  # fmt: skip
    given = call.node.attributes.get("size", call.numbers("output_shape", 2))
    size = plain if given is None else given[-axes:]
    return call.lower(
        "max_unpool", x, window=SlidingWindow(kernel, stride, begins, ends), size=size
    )
