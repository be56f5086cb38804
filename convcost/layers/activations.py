"""Activations: known to be free. An unknown one stops the run."""

from convcost.kind import Example, Layer, kind, option
from convcost.options import Along, Flag, Number
from convcost.shapes import Shape
from convcost.window import needs_axis, require_divides
from convcost.work import Work, product

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
    "hard_tanh": "min(max(−1, x), 1)",
    "log_sigmoid": "the logarithm of sigmoid",
    "quick_gelu": "x·sigmoid(1.702·x)",
    "soft_shrink": "x drawn towards 0 by a fixed number, 0 if it is nearer",
    "hard_shrink": "x, or 0 where |x| is at most a fixed number",
    "tanh_shrink": "x − tanh(x)",
    "softmax": "e^x over its sum",
    "log_softmax": "the logarithm of softmax",
    "identity": "x as it is",
}

for _name, _meaning in PLAIN.items():
    kind(_name)(
        type(
            _name, (Layer,), {"__doc__": f"{_meaning}. Free.", "examples": (Example(_name, X, X),)}
        )
    )


@kind("leaky_relu", principal="slope")
class LeakyRelu(Layer):
    """x, or slope·x below 0. Free."""

    slope: Number = option("factor below 0; no cost depends on it", None)
    examples = (Example("{leaky_relu: 0.1}", X, X),)


@kind("elu", principal="alpha")
class Elu(Layer):
    """x, or alpha·(e^x − 1) below 0. Free."""

    alpha: Number = option("factor below 0; no cost depends on it", None)
    examples = (Example("elu", X, X),)


@kind("celu", principal="alpha")
class Celu(Layer):
    """max(0, x) + min(0, alpha·(e^(x/alpha) − 1)). Free."""

    alpha: Number = option("where it levels off; no cost depends on it", None)
    examples = (Example("celu", X, X),)


@kind("threshold", principal="value")
class Threshold(Layer):
    """x, or a fixed number where x is not above `value`. Free."""

    value: Number = option("the threshold; no cost depends on it", None)
    examples = (Example("{threshold: 0.1}", X, X),)


@kind("glu")
class Glu(Layer):
    """Half of the channels times a function of the other half, as GLU, GEGLU and SwiGLU. Free."""

    along: Along = option("what is halved", "channels")
    examples = (
        Example("glu", X, Shape(32, (56, 56))),
        Example("{glu: , along: 1}", X, Shape(64, (28, 56))),
    )

    def output(self, x: Shape) -> Shape:
        if not isinstance(self.along, int):
            require_divides(x.channels, 2, "input channels", "the two halves of glu,")
            return Shape(x.channels // 2, x.size)
        needs_axis(self.along, x.size, "glu")
        before, n, after = x.size[: self.along - 1], x.size[self.along - 1], x.size[self.along :]
        require_divides(n, 2, "input size", "the two halves of glu,")
        return Shape(x.channels, (*before, n // 2, *after))


@kind("dropout", principal="rate")
class Dropout(Layer):
    """Drops elements in training. Free."""

    rate: Number = option("share that is dropped; no cost depends on it", None)
    examples = (Example("{dropout: 0.5}", Shape(4096), Shape(4096)),)


@kind("prelu")
class Prelu(Layer):
    """x, or a learned slope times x below 0. Its slopes are params, its macs are 0."""

    shared: Flag = option("one slope for all channels", False)
    examples = (
        Example("prelu", X, X, params=64),
        Example("{prelu: , shared: true}", X, X, params=1),
    )

    def weights(self, x: Shape) -> Work:
        return product(slopes=1) if self.shared else product(channels=x.channels)
