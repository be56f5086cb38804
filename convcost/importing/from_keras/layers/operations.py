"""Functions in a graph: of keras.ops by the names of their classes, and those of TensorFlow that
Keras 2 wrote down."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.joins import elementwise, product, side_by_side
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.reductions import reduced
from convcost.importing.value import Value, permuted

JOINS = {
    "Add": "add",
    "Subtract": "subtract",
    "Multiply": "multiply",
    "Divide": "divide",
    "TrueDivide": "divide",
    "Maximum": "maximum",
    "Minimum": "minimum",
}
WORDS = {
    "Relu": "relu", "Relu6": "relu6", "Sigmoid": "sigmoid", "Silu": "silu", "Gelu": "gelu",
    "Tanh": "tanh", "Softplus": "softplus", "Softsign": "softsign", "Softmax": "softmax",
    "LogSoftmax": "log_softmax", "HardSigmoid": "hard_sigmoid", "HardSilu": "hard_swish",
    "Selu": "selu",
}  # fmt: skip
TENSORFLOW = {
    "add": "Add", "sub": "Subtract", "subtract": "Subtract", "mul": "Multiply",
    "multiply": "Multiply", "truediv": "Divide", "divide": "Divide", "maximum": "Maximum",
    "minimum": "Minimum", "relu": "Relu", "relu6": "Relu6", "sigmoid": "Sigmoid", "silu": "Silu",
    "gelu": "Gelu", "tanh": "Tanh", "softplus": "Softplus", "softmax": "Softmax",
}  # fmt: skip
REDUCTIONS = {"Mean": "mean", "Sum": "sum", "Max": "max", "Min": "min"}


@layer(*(f"ops.{kind}" for kind in JOINS))
def join(easel: Easel, call: Call) -> Value:
    """Of tensors; with a number it is free."""
    if len(call.values) == 1:
        easel.free[call.kind] += 1
        return call.x
    return elementwise(easel, JOINS[call.kind], call.values, call.path)


@layer(*(f"ops.{kind}" for kind in WORDS))
def word(easel: Easel, call: Call) -> Value:
    return pointwise(easel, WORDS[call.kind], call.x, call.path)


@layer(*(f"ops.{kind}" for kind in REDUCTIONS))
def reduction(easel: Easel, call: Call) -> Value:
    axes = call.config.get("axis")
    if axes is None:
        raise Refusal("CC401", f"{call.kind} over all axes, samples too, is not read")
    axes = axes if isinstance(axes, list | tuple) else [axes]
    keep = bool(call.config.get("keepdims"))
    return reduced(easel, REDUCTIONS[call.kind], call.x, axes, keep, call.path)


@layer("ops.Transpose")
def transpose(easel: Easel, call: Call) -> Value:
    order = call.config.get("axes") or list(range(len(call.x.dims)))[::-1]
    return permuted(call.x, order)


@layer("ops.Concatenate")
def concatenate(easel: Easel, call: Call) -> Value:
    axis = int(call.config.get("axis", 0)) % len(call.x.dims)
    if not axis:
        raise Refusal("CC401", "Concatenate along the samples is not read")
    return side_by_side(easel, call.values, axis, call.path)


@layer("ops.Matmul")
def matmul(easel: Easel, call: Call) -> Value:
    if len(call.values) != 2 or min(len(x.dims) for x in call.values) < 3:  # noqa: PLR2004
        raise Refusal("CC401", "Matmul of other than two tensors of matrices is not read")
    return product(easel, "matmul", call.values, call.path)


@layer("TFOpLambda")
def tensorflow(easel: Easel, call: Call) -> Value:
    """`math.multiply`, `__operators__.add`, `nn.relu`."""
    function = str(call.config.get("function"))
    kind = TENSORFLOW.get(function.rpartition(".")[2])
    if kind is None:
        raise Refusal("CC401", f"the function `{function}` of TensorFlow is not read")
    return (join if kind in JOINS else word)(easel, call._replace(kind=kind))
