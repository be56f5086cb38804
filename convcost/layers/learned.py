from convcost.kind import Example, Layer, kind, option
from convcost.options import Flag, Tensor
from convcost.shapes import Shape
from convcost.work import NOTHING, Work, product


@kind("learned", principal="shape")
class Learned(Layer):
    """A tensor of its own, whatever comes in: a class token, position embeddings, queries."""

    shape: Tensor = option("its shape")
    buffer: Flag = option("it is kept, not learned: a buffer, no params", False)

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

    def weights(self, x: Shape) -> Work:
        return NOTHING if self.buffer else self._elements

    def buffers(self, x: Shape) -> Work:
        return self._elements if self.buffer else NOTHING

    @property
    def _elements(self) -> Work:
        return product(channels=self.shape.channels, size=self.shape.size)
