from convcost.errors import Refusal
from convcost.kind import Example, Fan, kind, option
from convcost.options import Label, Stated, Tally, Tensor
from convcost.shapes import Shape
from convcost.work import NOTHING, Work, product


@kind("custom", principal="what")
class Custom(Fan):
    """A layer that no kind describes: its author states what it costs, and reports say so."""

    stated = True

    what: Label = option("what it is")
    params: Tally = option("learned numbers, biases included")
    macs_: Stated = option("multiply-adds for one sample; `uncounted` where nobody knows them")
    output_: Tensor | None = option("shape that comes out; that of the input if left out", None)
    input_: Tensor | None = option("the only shape that it is stated for", None)
    biases_: Tally = option("how many of the params are biases", 0)
    buffers_: Tally = option("numbers kept but not learned", 0)

    examples = (
        Example(
            "{custom: sampling, params: 0, macs: 4 * in_channels * in_height * in_width}",
            Shape(64, (14, 14)),
            Shape(64, (14, 14)),
            macs=4 * 64 * 14 * 14,
        ),
        Example(
            "{custom: box decoder, params: 2000, macs: 9e4, output: {channels: 4, size: []}}",
            Shape(64, (14, 14)),
            Shape(4),
            params=2000,
            macs=90000,
        ),
        Example(
            "{custom: fold, params: 0, macs: 0, input: {channels: 64, size: 14}, "
            "output: {channels: 16, size: 28}}",
            Shape(64, (14, 14)),
            Shape(16, (28, 28)),
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
            raise Refusal("CC104", f"biases {self.biases_} are more than the params {self.params}")

    def output(self, x: tuple[Shape, ...]) -> Shape:
        if self.input_ not in (None, x[0]):
            raise Refusal(
                "CC304",
                f"{self.what} is stated for {self.input_.text}, not for {x[0].text}",
                "state its output and its cost for this shape, and `input` with them",
            )
        return x[0] if self.output_ is None else self.output_

    def weights(self, x: tuple[Shape, ...]) -> Work:
        return product(stated=self.params - self.biases_)

    def biases(self, x: tuple[Shape, ...]) -> Work:
        return product(stated=self.biases_)

    def buffers(self, x: tuple[Shape, ...]) -> Work:
        return product(stated=self.buffers_)

    def macs(self, x: tuple[Shape, ...]) -> Work:
        return product(stated=self.macs_) if type(self.macs_) is int else NOTHING

    def counted(self) -> bool:
        return self.macs_ != "uncounted"
