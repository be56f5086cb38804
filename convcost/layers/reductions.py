"""Reductions along axes. No params and no macs."""

from convcost.model.axes import reduced_axes, reduced_shape
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import Axes, Flag
from convcost.model.receptive_field import ReceptiveField, whole_axis
from convcost.model.shape import Shape

MEANINGS = {
    "mean": "The mean along axes or channels.",
    "sum": "The sum along axes or channels.",
    "max": "The largest along axes or channels.",
    "min": "The smallest along axes or channels.",
}


class _Reduction(Layer):
    operation = "reduction"
    mixes_channels = True
    over: Axes = option("the axes that are reduced")
    keep: Flag = option("keep the axes, with size 1; the channels are always kept", True)

    def output(self, x: Shape) -> Shape:
        return reduced_shape(self.over, x, self.name, keep=self.keep)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        reduced = reduced_axes(self.over, x.size, self.name)
        if not reduced:
            return None
        return tuple(
            whole_axis(n) if axis in reduced else ReceptiveField()
            for axis, n in enumerate(x.size, 1)
        )


for _name, _meaning in MEANINGS.items():
    kind(_name, principal="over")(
        type(
            _name,
            (_Reduction,),
            {
                "__doc__": f"{_meaning} No params and no macs.",
                # The position of each extreme element, as a max pool.
                "backward_reads": "output" if _name in ("max", "min") else None,
                "examples": (
                    Example(f"{{{_name}: channels}}", Shape(64, (56, 40)), Shape(1, (56, 40))),
                    Example(f"{{{_name}: 1, keep: false}}", Shape(768, (197,)), Shape(768)),
                    Example(f"{{{_name}: [1, 2]}}", Shape(64, (16, 56, 40)), Shape(64, (1, 1, 40))),
                ),
            },
        )
    )
