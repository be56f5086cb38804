"""Learned factors and summands, for each channel or element of [c, *n]."""

from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import ChannelsOrAll, Flag
from convcost.model.shape import Shape


@kind("scale")
class Scale(Layer):
    """Multiplies each channel by a learned number, as in Caffe's Scale or LayerScale. No macs."""

    operation = "scale"
    factor: Flag = option("learn a factor for each channel", True)
    shift: Flag = option("learn a summand for each channel too", False)
    over: ChannelsOrAll = option(
        "`channels`: one number for each channel; `all`: for each element", "channels"
    )
    shared: Flag = option("one number for all channels, such as a temperature", False)

    examples = (
        Example("scale", Shape(96, (56, 56)), Shape(96, (56, 56)), params=96),
        Example(
            "{scale: , factor: false, shift: true}", Shape(64, (7, 7)), Shape(64, (7, 7)), params=64
        ),
        Example("{scale: , shared: true}", Shape(197, (12, 197)), Shape(197, (12, 197)), params=1),
    )

    def check(self) -> None:
        if not (self.factor or self.shift):
            raise ConstraintError("CC104", "scale needs a factor, a shift or both")
        if self.shared and self.over == "all":
            raise ConstraintError("CC104", "scale accepts `shared` or `over: all`, not both")

    def weights(self, x: Shape) -> CostProduct:
        return self._numbers(x) if self.factor else NOTHING

    def biases(self, x: Shape) -> CostProduct:
        return self._numbers(x) if self.shift else NOTHING

    def _numbers(self, x: Shape) -> CostProduct:
        if self.shared:
            return product(shared=1)
        return product(channels=x.channels, size=x.size if self.over == "all" else ())
