from convcost.kind import Example, Layer, kind, option
from convcost.options import Flag
from convcost.shapes import Shape
from convcost.work import NOTHING, Work, product


@kind("scale")
class Scale(Layer):
    """Multiplies each channel by a learned number, as Caffe's Scale or a layer scale does."""

    shift: Flag = option("learn a summand for each channel too", False)

    examples = (
        Example("scale", Shape(96, (56, 56)), Shape(96, (56, 56)), params=96),
        Example("{scale: , shift: true}", Shape(64, (7, 7)), Shape(64, (7, 7)), params=64 + 64),
    )

    def weights(self, x: Shape) -> Work:
        return product(channels=x.channels)

    def biases(self, x: Shape) -> Work:
        return product(channels=x.channels) if self.shift else NOTHING
