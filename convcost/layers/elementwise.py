"""Functions of single elements that have no kind of their own."""

from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import FUNCTIONS, Function
from convcost.model.shape import Shape

X = Shape(64, (56, 56))


@kind("elementwise", principal="function")
class Elementwise(Layer):
    """A function of each element; `affine` multiplies by a fixed number and adds another. No params
    and no macs."""

    operation = "activation"
    function: Function = option(", ".join(FUNCTIONS))

    examples = (Example("{elementwise: erf}", X, X), Example("{elementwise: affine}", X, X))
