"""Activations and other elementwise functions."""

from convcost.importing.frontends.onnx.constants import Constant
from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import operator, row
from convcost.importing.frontends.onnx.unknown import uncounted
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

BROADCAST = 7  # the opset since which slopes broadcast along the last axes


@operator("Clip", op="clip")
def clip(context: LoweringContext, node: OnnxNode) -> Tensor:
    low = get(node, "min", context.number(node, 1))
    high = get(node, "max", context.number(node, 2))
    return context.lower(node, "clip", low=low, high=high)


@operator("PRelu", op="prelu")
def prelu(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    slopes = context.constant(node, 1)
    if slopes is None:
        return uncounted(context, node)
    x = context.value(node)
    behind = len(x.dims) - 1 - len(slopes.dims)
    if context.opset < BROADCAST and len(slopes.dims) == 1 and behind > 0:
        full = (1, *slopes.dims, *(1 for _ in range(behind)))
    else:
        full = (1,) * (1 + behind) + slopes.dims
    tensors = context.tensors(node, 1, kinds=("prelu",))
    return context.lower(node, "prelu", x, weights=tensors, dims=full)


@operator("Identity", "Cast", "CastLike", "QuantizeLinear", "DequantizeLinear", "StopGradient",
          op="identity")  # fmt: skip
def nothing(context: LoweringContext, node: OnnxNode) -> Tensor:
    return context.free(node, context.value(node))


@operator("DynamicQuantizeLinear", op="identity")
def dynamic(context: LoweringContext, node: OnnxNode) -> tuple[Tensor, ...]:
    for output in node.outputs[1:]:
        context.constants[output] = Constant((), real=True)
    return (context.free(node, context.value(node)),)
