"""Activations and elementwise functions."""

from typing import Any

from convcost.importing.frontends.torch.constant_value import weights
from convcost.importing.frontends.torch.registry import TorchCall, operator, row
from convcost.importing.ir.tensor import Tensor

for _name in (
    *("relu", "relu6", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softplus"),
    *("log_sigmoid", "abs", "sign", "reciprocal", "square", "sqrt", "rsqrt", "exp", "log", "erf"),
    *("sin", "cos", "tan", "round", "floor", "ceil"),
):
    row(_name)
row("softmax", "softmax", "_softmax")
row("log_softmax", "log_softmax", "_log_softmax")
row("hard_sigmoid", "hardsigmoid")
row("hard_swish", "hardswish")
row("hard_shrink", "hardshrink")
row("soft_shrink", "softshrink")
row("negate", "neg")
row("leaky_relu", number="negative_slope")
row("leaky_relu", "rrelu")  # its slopes are random in training, and a constant at inference
row("elu", number="alpha")
row("celu", number="alpha")
row("threshold", number="threshold")
row("glu", axis="dim")
row("dropout", "dropout", "alpha_dropout", "feature_dropout")


@operator("native_dropout")
def native_dropout(call: TorchCall) -> Any:
    return (call.lower("dropout"), None)


@operator("pow")
def power(call: TorchCall) -> Any:
    base, exponent = call.given["self"], call.given["exponent"]
    x = call.tensor(exponent if isinstance(base, (int, float)) else base)
    return call.lower("square" if exponent == 2 else "power", x)  # noqa: PLR2004  a square


@operator("hardtanh", "clamp", "clamp_min", "clamp_max")
def clamp(call: TorchCall) -> Tensor:
    """A clamp between two numbers, or between tensors that do not depend on the inputs."""
    values = call.given
    low, high = values.get("min_val", values.get("min")), values.get("max_val", values.get("max"))
    if not all(bound is None or isinstance(bound, (int, float)) for bound in (low, high)):
        return call.lower("clip", low=None, high=None)
    return call.lower("clip", low=low, high=high)


@operator("prelu")
def prelu(call: TorchCall) -> Tensor:
    slopes, trailing = weights(call.given["weight"]), max(len(call.x.dims) - 2, 0)
    return call.lower("prelu", weights=slopes, dims=(sum(slopes.values()), *[1] * trailing))
