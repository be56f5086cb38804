"""Tensors of any shape that depend on no input: learned, stored, or constants of the code."""

from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Flag, Tensor
from convcost.model.shape import Shape


@kind("learned", principal="shape")
class Learned(Layer):
    """A stored tensor that ignores the input: a class token, position embeddings, queries."""

    operation = "move"
    memory = "weights"
    shape: Tensor = option("its shape")
    buffer: Flag = option("the tensor is a buffer, not a param: it is not learned", False)

    examples = (
        Example(
            "{learned: {channels: 768, size: [197]}}",
            Shape(768, (197,)),
            Shape(768, (197,)),
            params=768 * 197,
        ),
        Example(
            "{add: {x: [], position: [{learned: {channels: 96, size: [49]}, buffer: true}]}}",
            Shape(96, (64, 49)),
            Shape(96, (64, 49)),
            buffers=96 * 49,
        ),
    )

    def output(self, x: Shape) -> Shape:
        return self.shape

    def weights(self, x: Shape) -> CostProduct:
        return NOTHING if self.buffer else self._elements

    def buffers(self, x: Shape) -> CostProduct:
        return self._elements if self.buffer else NOTHING

    @property
    def _elements(self) -> CostProduct:
        return product(channels=self.shape.channels, size=self.shape.size)


@kind("constant", principal="shape")
class CodeConstant(Layer):
    """A tensor of the model's code that ignores the input, such as a mask or the numbers of
    positions. It is neither learned nor stored, so it has no params and no buffers."""

    operation = "move"
    memory = "weights"
    shape: Tensor = option("its shape")

    examples = (
        Example(
            "{add: {scores: [], mask: [{constant: {channels: 1, size: [49, 49]}}]}}",
            Shape(3, (49, 49)),
            Shape(3, (49, 49)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        return self.shape
