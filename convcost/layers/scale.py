from convcost.errors import Refusal
from convcost.kind import Example, Layer, kind, option
from convcost.options import Flag, Span
from convcost.shapes import Shape
from convcost.work import NOTHING, Work, product


@kind("scale")
class Scale(Layer):
    """Multiplies each channel by a learned number, as Caffe's Scale or a layer scale does."""

    factor: Flag = option("learn a factor for each channel", True)
    shift: Flag = option("learn a summand for each channel too", False)
    over: Span = option("`channels` learns one a channel, `all` one an element", "channels")
    shared: Flag = option("one for all channels: a temperature", False)

    examples = (
        Example("scale", Shape(96, (56, 56)), Shape(96, (56, 56)), params=96),
        Example("{scale: , shift: true}", Shape(64, (7, 7)), Shape(64, (7, 7)), params=64 + 64),
        Example(
            "{scale: , factor: false, shift: true}", Shape(64, (7, 7)), Shape(64, (7, 7)), params=64
        ),
        Example("{scale: , shared: true}", Shape(197, (12, 197)), Shape(197, (12, 197)), params=1),
    )

    def check(self) -> None:
        if not (self.factor or self.shift):
            raise Refusal("CC104", "scale learns a factor or a shift, not neither of them")
        if self.shared and self.over == "all":
            raise Refusal("CC104", "scale is either `shared` or `over: all`")

    def weights(self, x: Shape) -> Work:
        return self._numbers(x) if self.factor else NOTHING

    def biases(self, x: Shape) -> Work:
        return self._numbers(x) if self.shift else NOTHING

    def _numbers(self, x: Shape) -> Work:
        if self.shared:
            return product(shared=1)
        return product(channels=x.channels, size=x.size if self.over == "all" else ())
