from convcost.kind import Example, Layer, kind, option
from convcost.options import FUNCTIONS, Function
from convcost.shapes import Shape

X = Shape(64, (56, 56))


@kind("elementwise", principal="function")
class Elementwise(Layer):
    """A function of every element by itself, with nothing learned; `affine` is times a fixed number
    plus another. Free."""

    function: Function = option(", ".join(FUNCTIONS))

    examples = (Example("{elementwise: erf}", X, X), Example("{elementwise: affine}", X, X))
