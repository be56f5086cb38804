"""Layers that no kind describes: the spec gives their shapes and costs."""

from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, MultiInputLayer, kind, option
from convcost.model.options import Label, NonNegativeInt, StatedInt, Tensor
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField
from convcost.model.shape import Shape


@kind("custom", principal="what")
class Custom(MultiInputLayer):
    """A layer that no kind describes. The spec gives its costs, and reports mark them as stated."""

    operation = "stated"
    mixes_channels = True
    stated = True

    what: Label = option("what it is")
    params: NonNegativeInt = option("weights and biases")
    macs_: StatedInt = option("multiply-adds for one sample; `uncounted` if they are not known")
    output_: Tensor | None = option("output shape; by default that of the input", None)
    input_: Tensor | None = option("the only input shape that the costs are valid for", None)
    biases_: NonNegativeInt = option("how many of the params are biases", 0)
    buffers_: NonNegativeInt = option("stored numbers that are not learned", 0)

    examples = (
        Example(
            "{custom: sampling, params: 0, macs: 4 * in_channels * in_height * in_width}",
            Shape(64, (14, 14)),
            Shape(64, (14, 14)),
            macs=4 * 64 * 14 * 14,
        ),
        Example(
            "{custom: box decoder, params: 2000, macs: 9e4, input: {channels: 64, size: 14}, "
            "output: {channels: 4, size: []}}",
            Shape(64, (14, 14)),
            Shape(4),
            params=2000,
            macs=90000,
        ),
        Example(
            "{custom: deformable sampling, params: 18, macs: uncounted}",
            Shape(64, (14, 14)),
            Shape(64, (14, 14)),
            params=18,
        ),
    )

    def check(self) -> None:
        if self.biases_ > self.params:
            raise ConstraintError(
                "CC104", f"biases {self.biases_} must not be more than params {self.params}"
            )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if self.input_ not in (None, x[0]):
            raise ConstraintError(
                "CC304",
                f"the costs of {self.what} are for input {self.input_.text}, not {x[0].text}",
                "give `input`, `output` and the costs for this shape",
            )
        return x[0] if self.output_ is None else self.output_

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        return ANY_POSITION

    def weights(self, x: tuple[Shape, ...]) -> CostProduct:
        return product(stated=self.params - self.biases_)

    def biases(self, x: tuple[Shape, ...]) -> CostProduct:
        return product(stated=self.biases_)

    def buffers(self, x: tuple[Shape, ...]) -> CostProduct:
        return product(stated=self.buffers_)

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        return product(stated=self.macs_) if isinstance(self.macs_, int) else NOTHING

    def counted(self) -> bool:
        return self.macs_ != "uncounted"
