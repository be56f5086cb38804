"""Activations and other elementwise functions."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator, row
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import Tensor

for _name in (
    *("Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Selu", "Mish", "Softmax", "Gelu"),
    *("Dropout", "Abs", "Sign", "Reciprocal", "Sqrt", "Exp", "Log", "Erf", "Sin", "Cos", "Tan"),
    *("Round", "Floor", "Ceil"),
):
    row(_name.lower(), _name)
row("sigmoid", "QLinearSigmoid")
row("softmax", "QLinearSoftmax", "Hardmax")
row("log_softmax", "LogSoftmax")
row("hard_swish", "HardSwish")
row("hard_sigmoid", "HardSigmoid")
row("hard_shrink", "HardShrink")
row("soft_shrink", "SoftShrink")
row("gelu", "FastGelu")
row("silu", "Silu", "Swish", "QuickGelu")
row("relu", "ThresholdedRelu")
row("negate", "Neg")
row("elu", "Elu", number="alpha")
row("celu", "Celu", number="alpha")
row("leaky_relu", "LeakyRelu", "QLinearLeakyRelu", number="alpha")
row("threshold", "Threshold", number="alpha")
row("clip", "Clip", low=lambda call: call.get("min", call.number(1)),
    high=lambda call: call.get("max", call.number(2)))  # fmt: skip

BROADCAST_OPSET = 7  # the opset since which slopes broadcast along the last axes


@operator("PRelu", op="prelu")
def prelu(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """Slopes broadcast along the last axes, such as [c, 1, 1]. Before opset 7, a vector of slopes
    has one for each channel, [c]."""
    slopes = call.constant(1)
    if slopes is None:
        return call.add_uncounted()
    x = call.value()
    missing = (1,) * (len(x.dims) - 1 - len(slopes.dims))
    if call.context.opset < BROADCAST_OPSET and len(slopes.dims) == 1 and missing:
        dims = (1, *slopes.dims, *missing)
    else:
        dims = (1, *missing, *slopes.dims)
    tensors = call.tensors(1)
    return call.lower("prelu", x, weights=tensors, dims=dims)


@operator("Identity", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "StopGradient",
          op="identity")  # fmt: skip
def identity(call: OnnxCall) -> Tensor:
    return call.free(call.value())


@operator("DynamicQuantizeLinear", op="identity")
def dynamic_quantize(call: OnnxCall) -> tuple[Tensor, ...]:
    for output in call.outputs[1:]:
        call.context.constants[output] = Constant((), is_float=True)
    return (call.free(call.value()),)
