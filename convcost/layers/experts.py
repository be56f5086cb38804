"""Mixture of experts: the output of its layers is that of one expert, [c, *n] to [d, *m]."""

from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.options import Layers, PositiveInt
from convcost.model.shape import Shape


@kind("experts", principal="branches")
class Experts(Join):
    """Mixture of experts: at each position, a gate takes some of many copies of the same layers,
    and the output is the weighted sum of theirs. All copies are params; those taken are active."""

    operation = "experts"
    mixes_channels = True
    branch_names = ("gate", "each", "shared?")
    copied_branch = "each"
    branches: Layers = option(
        "`gate`, with one channel for each expert; `each`, the layers of one expert; and, if "
        "wanted, `shared`, layers that run at every position, whose output is added",
        None,
    )
    of: PositiveInt = option("experts in all")
    take: PositiveInt = option("experts that run at each position")

    # Shazeer and others, Outrageously Large Neural Networks, 2017, equations 1 to 5; shared experts
    # as in equation 9 of Dai and others, DeepSeekMoE, 2024
    examples = (
        Example(
            "{experts: {gate: [{linear: 8, each_position: true, bias: false}], "
            "each: [{linear: 128, each_position: true}, silu, {linear: 64, each_position: true}]}, "
            "of: 8, take: 2}",
            Shape(64, (32,)),
            Shape(64, (32,)),
            params=8 * 64 + 8 * (128 * 64 + 128 + 64 * 128 + 64),
            macs=(8 * 64 + 2 * (128 * 64 + 64 * 128)) * 32,
        ),
        Example(
            "{experts: {gate: [global_avg_pool, {conv: 4, kernel: 1}], "
            "each: [{conv: 16, kernel: 3, padding: 1}], shared: [{conv: 16, kernel: 1}]}, "
            "of: 4, take: 1}",
            Shape(16, (28, 28)),
            Shape(16, (28, 28)),
            params=4 * 16 + 4 * 16 * 3 * 3 * 16 + 16 * 16,
            macs=4 * 16 + (16 * 3 * 3 * 16 + 16 * 16) * 28 * 28,
        ),
    )

    def check(self) -> None:
        if self.take > self.of:
            raise ConstraintError(
                "CC104",
                f"experts takes {self.take} of {self.of} experts",
                "`take` is at most `of`, the number of all experts",
            )

    @property
    def copies(self) -> tuple[int, int]:
        return self.of, self.take

    @property
    def macs_note(self) -> str:
        return (
            "params of experts that a position does not take are idle; choosing experts and "
            "weighing their outputs are not counted"
        )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        gate, each, *shared = x
        if gate.channels != self.of or gate.size not in ((), each.size, (1,) * len(each.size)):
            raise ConstraintError(
                "CC303",
                f"experts needs a gate of {Shape(self.of, each.size).text}, one channel for each "
                f"expert, not {gate.text}",
                "a gate without a size, or of size 1, chooses the same experts at all positions",
            )
        for shape in shared:
            if shape != each:
                message = f"experts adds the output of `shared`, {shape.text}, to {each.text}"
                raise ConstraintError("CC303", message, "both must have the same shape")
        return each
