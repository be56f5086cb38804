"""Activations, and functions of every element by itself."""

from typing import Any

from convcost.importing.from_torch.materials import flowing, weights
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.parts.pointwise import by_channel, pointwise
from convcost.importing.value import Value, made

KINDS = {
    "relu": "relu",
    "relu6": "relu6",
    "leaky_relu": "leaky_relu",
    "elu": "elu",
    "selu": "selu",
    "celu": "celu",
    "gelu": "gelu",
    "silu": "silu",
    "mish": "mish",
    "sigmoid": "sigmoid",
    "hardsigmoid": "hard_sigmoid",
    "hardswish": "hard_swish",
    "tanh": "tanh",
    "softplus": "softplus",
    "softmax": "softmax",
    "_softmax": "softmax",
    "log_softmax": "log_softmax",
    "_log_softmax": "log_softmax",
    "log_sigmoid": "log_sigmoid",
    "softshrink": "soft_shrink",
    "hardshrink": "hard_shrink",
    "threshold": "threshold",
}

FUNCTIONS = {
    "abs": "abs",
    "neg": "negate",
    "sign": "sign",
    "reciprocal": "reciprocal",
    "square": "square",
    "sqrt": "sqrt",
    "rsqrt": "rsqrt",
    "pow": "power",
    "exp": "exp",
    "log": "log",
    "erf": "erf",
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "clamp": "clip",
    "clamp_min": "clip",
    "clamp_max": "clip",
    "round": "round",
    "floor": "floor",
    "ceil": "ceil",
}


@operator(*(f"aten.{name}" for name in KINDS))
def activation(call: Call) -> Any:
    return pointwise(call.easel, KINDS[_bare(call, KINDS)], _x(call), call.path)


@operator(*(f"aten.{name}" for name in FUNCTIONS))
def function(call: Call) -> Any:
    x, what = call.given.get("self"), FUNCTIONS[_bare(call, FUNCTIONS)]
    if not isinstance(x, Value):
        x = flowing(call.easel, x if x is not None else call.given["exponent"])
    return pointwise(call.easel, "elementwise", x, call.path, {"function": what})


@operator("aten.hardtanh")
def hardtanh(call: Call) -> Any:
    bounds = (call.given["min_val"], call.given["max_val"])
    kind = "relu6" if bounds == (0, 6) else "hard_tanh"
    return pointwise(call.easel, kind, _x(call), call.path)


@operator("aten.rrelu")
def rrelu(call: Call) -> Any:
    """Its slopes are drawn at random in training, and one number else."""
    return pointwise(call.easel, "leaky_relu", _x(call), call.path)


@operator("aten.glu")
def glu(call: Call) -> Any:
    x = _x(call)
    rank, channel = len(x.dims), x.channel
    axis = call.given["dim"] % rank
    source = call.easel.demand(x, channel, call.path)
    sizes = [n for n in range(rank) if n not in (channel, x.batch)]
    options = {} if axis == channel else {"along": 1 + sizes.index(axis)}
    index = call.easel.emit("glu", call.path, [source], options)
    return made(index, call.easel.shape(index), rank, channel, x.batch)


@operator("aten.prelu")
def prelu(call: Call) -> Any:
    slopes = weights(call.given["weight"])
    x = _x(call)
    options = {"shared": sum(slopes.values()) == 1 and x.dims[min(1, len(x.dims) - 1)] != 1}
    return by_channel(
        call.easel, "prelu", x, call.path, min(1, len(x.dims) - 1), options, tensors=slopes
    )


def _x(call: Call) -> Value:
    return flowing(call.easel, call.given["self"])


def _bare(call: Call, known: dict[str, str]) -> str:
    name = call.name.removeprefix("aten.")
    return name if name in known else name.removesuffix("_")
