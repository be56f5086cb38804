"""Activations and other functions of single elements. All but `prelu` have no params and no macs;
an unknown one is an error."""

from convcost.model.axes import require_axis, require_divisible
from convcost.model.cost_product import CostProduct, product
from convcost.model.kind import BackwardReads, Example, Layer, kind, option
from convcost.model.options import FUNCTIONS, Along, Flag, Function, Number
from convcost.model.receptive_field import ReceptiveField, window_field
from convcost.model.shape import Shape

X = Shape(64, (56, 56))

PLAIN = {
    "relu": "max(0, x)",
    "relu6": "min(max(0, x), 6)",
    "selu": "the self-normalizing exponential linear unit",
    "gelu": "x·Φ(x), Φ the normal distribution",
    "silu": "x·sigmoid(x), also called swish",
    "mish": "x·tanh(softplus(x))",
    "sigmoid": "1/(1 + e^−x)",
    "hard_sigmoid": "relu6(x + 3)/6",
    "hard_swish": "x·relu6(x + 3)/6",
    "tanh": "the hyperbolic tangent",
    "softplus": "log(1 + e^x)",
    "softsign": "x/(1 + |x|)",
    "sign": "1 where x is at least 0, else −1",
    "hard_tanh": "min(max(−1, x), 1)",
    "log_sigmoid": "the logarithm of sigmoid",
    "quick_gelu": "x·sigmoid(1.702·x)",
    "soft_shrink": "x moved towards 0 by a fixed number λ; 0 where |x| is at most λ",
    "hard_shrink": "x; 0 where |x| is at most a fixed number λ",
    "tanh_shrink": "x − tanh(x)",
    "softmax": "e^x divided by its sum",
    "log_softmax": "the logarithm of softmax",
    "identity": "x unchanged",
}

_OPERATION = {"softmax": "softmax", "log_softmax": "softmax", "identity": "move"}

# The derivatives that follow from the output, and those that are constant. All others need the
# input.
_FROM_OUTPUT = (
    "relu", "relu6", "sigmoid", "tanh", "hard_tanh", "softsign", "softmax", "log_softmax",
    "leaky_relu", "elu", "celu", "selu", "threshold", "softplus", "log_sigmoid", "hard_sigmoid",
    "soft_shrink", "hard_shrink", "exp", "sqrt", "rsqrt", "reciprocal", "tan", "clip",
)  # fmt: skip
_CONSTANT = ("sign", "negate", "affine", "round", "floor", "ceil")


def _backward_reads(function: str) -> BackwardReads | None:
    if function in _CONSTANT:
        return "nothing"
    return "output" if function in _FROM_OUTPUT else None


for _name, _meaning in PLAIN.items():
    _members = {
        "__doc__": f"{_meaning}. No params and no macs.",
        "mixes_channels": "softmax" in _name,
        "operation": _OPERATION.get(_name, "activation"),
        "memory": "input" if _name == "identity" else "own",
        "backward_reads": _backward_reads(_name),
        "is_identity": _name == "identity",
        "examples": (Example(_name, X, X),),
    }
    kind(_name)(type(_name, (Layer,), _members))


# With one number: its name, the function, what the number is, and an example.
WITH_NUMBER = {
    "leaky_relu": ("slope", "x, or slope·x below 0", "factor below 0", "{leaky_relu: 0.1}"),
    "elu": ("alpha", "x, or alpha·(e^x − 1) below 0", "factor below 0", "elu"),
    "celu": (
        "alpha", "max(0, x) + min(0, alpha·(e^(x/alpha) − 1))", "scale of the exponent", "celu",
    ),
    "threshold": (
        "value", "x where x is above `value`, else a fixed number", "the threshold",
        "{threshold: 0.1}",
    ),
}  # fmt: skip

for _name, (_number, _meaning, _use, _example) in WITH_NUMBER.items():
    _members = {
        "__doc__": f"{_meaning}. No params and no macs.",
        "__annotations__": {_number: Number},
        _number: option(f"{_use}; no cost depends on it", None),
        "operation": "activation",
        "backward_reads": _backward_reads(_name),
        "examples": (Example(_example, X, X),),
    }
    kind(_name, principal=_number)(type(_name, (Layer,), _members))


@kind("glu")
class Glu(Layer):
    """Half of the channels times a function of the other half, as in GLU and SwiGLU.

    No params and no macs.
    """

    operation = "activation"
    mixes_channels = True
    along: Along = option("the axis that is halved", "channels")
    examples = (
        Example("glu", X, Shape(32, (56, 56))),
        Example("{glu: , along: 1}", X, Shape(64, (28, 56))),
    )

    def output(self, x: Shape) -> Shape:
        if not isinstance(self.along, int):
            require_divisible(x.channels, 2, "input channels", "the two halves of glu,")
            return Shape(x.channels // 2, x.size)
        require_axis(self.along, x.size, "glu")
        before, n, after = x.size[: self.along - 1], x.size[self.along - 1], x.size[self.along :]
        require_divisible(n, 2, "input size", "the two halves of glu,")
        return Shape(x.channels, (*before, n // 2, *after))

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        if not isinstance(self.along, int):
            return None
        half = x.size[self.along - 1] // 2
        fields = [ReceptiveField()] * len(x.size)
        fields[self.along - 1] = window_field(0, half, 1, half)
        return tuple(fields)


@kind("dropout", principal="rate")
class Dropout(Layer):
    """Sets random elements to 0 in training. No params and no macs."""

    operation = "move"
    memory = "input"
    is_identity = True
    rate: Number = option("share of elements; no cost depends on it", None)
    examples = (Example("{dropout: 0.5}", Shape(4096), Shape(4096)),)


@kind("prelu")
class Prelu(Layer):
    """x, or slope·x below 0, with learned slopes. The slopes are params; no macs."""

    operation = "activation"
    shared: Flag = option("one slope for all channels", False)
    examples = (
        Example("prelu", X, X, params=64),
        Example("{prelu: , shared: true}", X, X, params=1),
    )

    def weights(self, x: Shape) -> CostProduct:
        return product(slopes=1) if self.shared else product(channels=x.channels)


@kind("elementwise", principal="function")
class Elementwise(Layer):
    """A function of each element; `affine` multiplies by a fixed number and adds another. No params
    and no macs."""

    operation = "activation"
    function: Function = option(", ".join(FUNCTIONS))

    @property
    def backward_reads(self) -> BackwardReads | None:  # type: ignore[override]
        return _backward_reads(self.function)

    examples = (Example("{elementwise: erf}", X, X), Example("{elementwise: affine}", X, X))
