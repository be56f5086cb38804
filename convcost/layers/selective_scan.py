"""The scan of Mamba, [c, *n] to [c, *n], with delta [c, *n] and b and c [states, *n]."""

from convcost.model.axes import require_divisible, require_size
from convcost.model.cost_product import CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Join, kind, option
from convcost.model.options import Flag, Layers, PositiveInt
from convcost.model.receptive_field import ReceptiveField, whole_axis
from convcost.model.shape import Shape


@kind("selective_scan", principal="branches")
class SelectiveScan(Join):
    """The scan of Mamba: a linear recurrence whose step size, input and output matrices follow from
    the input. The innermost axis is the steps; outer axes are separate sequences."""

    operation = "selective_scan"
    mixes_channels = True
    branch_names = ("x", "delta", "b", "c")
    branches: Layers = option(
        "`x`; `delta`, the size of each step; `b` and `c`, whose channels are the states", None
    )
    heads: PositiveInt | None = option(
        "as in Mamba-2: parts of the channels, each with one number in A, D and `delta`; by "
        "default every channel has its own, and A one for each of its states",
        None,
    )
    groups: PositiveInt = option("parts of the channels, each with its own `b` and `c`", 1)
    skip: Flag = option("add the input, times the learned numbers D", True)

    # Gu and Dao, Mamba, 2023, equations 2 and 4: h = exp(ΔA)∘h + Δx⊗B and y = C·h + D∘x;
    # Dao and Gu, Transformers are SSMs, 2024, for heads
    examples = (
        Example(
            "{selective_scan: {x: [], delta: [], b: [{conv: 16, kernel: 1}], "
            "c: [{conv: 16, kernel: 1}]}}",
            Shape(1536, (4096,)),
            Shape(1536, (4096,)),
            params=2 * 16 * 1536 + 1536 * 16 + 1536,
            macs=(2 * 16 * 1536 + 3 * 1536 * 16 + 1536) * 4096,
        ),
        Example(
            "{selective_scan: {x: [], delta: [{conv: 24, kernel: 1}], "
            "b: [{conv: 2*128, kernel: 1}], c: [{conv: 2*128, kernel: 1}]}, "
            "heads: 24, groups: 2, skip: false}",
            Shape(1536, (512,)),
            Shape(1536, (512,)),
            params=24 * 1536 + 2 * (2 * 128 * 1536) + 24,
            macs=(24 * 1536 + 2 * (2 * 128 * 1536) + 3 * 1536 * 128) * 512,
        ),
    )

    @property
    def macs_note(self) -> str:
        return (
            "3 macs for each channel, state and step, and one for each channel and step with D; "
            "ΔA, its exponential and Δx are not counted"
        )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        values, delta, b, c = x
        require_size(values.size, "selective_scan")
        require_divisible(values.channels, self.groups, "channels", "groups")
        require_divisible(b.channels, self.groups, "channels of `b`", "groups")
        if self.heads is not None:
            require_divisible(values.channels, self.heads, "channels", "heads")
        steps = Shape(self.heads or values.channels, values.size)
        states = Shape(b.channels, values.size)
        for name, shape, needed in (("delta", delta, steps), ("b", b, states), ("c", c, states)):
            if shape != needed:
                message = f"selective_scan needs `{name}` of {needed.text}, not {shape.text}"
                raise ConstraintError("CC303", message)
        return values

    def weights(self, x: tuple[Shape, ...]) -> CostProduct:
        """A [c, states] and D [c]; with heads, one number of each for a head."""
        if self.heads is not None:
            work, skip_weights = product(heads=self.heads), product(heads=self.heads)
        else:
            channels = x[0].channels
            work, skip_weights = (
                product(channels=channels, states=self._states(x)),
                product(channels=channels),
            )
        return work.plus(skip_weights) if self.skip else work

    def macs(self, x: tuple[Shape, ...]) -> CostProduct:
        """Three for each channel, state and step: in exp(ΔA)∘h, in Δx⊗B and in C·h."""
        each = product(channels=x[0].channels, steps=x[0].size)
        work = each.times(states=self._states(x), multiply_adds=3)
        return work.plus(each) if self.skip else work

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...]:
        *outer, steps = x[0].size
        return (*(ReceptiveField(),) * len(outer), whole_axis(steps, longest=steps - 1))

    def _states(self, x: tuple[Shape, ...]) -> int:
        return x[2].channels // self.groups
