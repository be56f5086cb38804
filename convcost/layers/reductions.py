"""One number for all along an axis. No multiply-adds."""

from convcost.field import Sight, all_of
from convcost.kind import Example, Layer, kind, option
from convcost.options import Axes, Flag
from convcost.shapes import Shape
from convcost.window import needs_axes, needs_axis

MEANINGS = {
    "mean": "The mean along axes or channels.",
    "sum": "The sum along axes or channels.",
    "max": "The largest along axes or channels.",
    "min": "The smallest along axes or channels.",
}


class _Reduction(Layer):
    over: Axes = option("what becomes one")
    keep: Flag = option("axes stay, of 1; channels always do", True)

    def output(self, x: Shape) -> Shape:
        gone = self._gone(x)
        size = tuple(
            1 if axis in gone else n
            for axis, n in enumerate(x.size, 1)
            if self.keep or axis not in gone
        )
        return Shape(1 if self.over in ("channels", "all") else x.channels, size)

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        gone = self._gone(x)
        if not gone:
            return None
        return tuple(all_of(n) if axis in gone else Sight() for axis, n in enumerate(x.size, 1))

    def _gone(self, x: Shape) -> tuple[int, ...]:
        """The axes that become one, counted from 1."""
        if self.over == "channels":
            return ()
        if self.over in ("size", "all"):
            if self.over == "size":
                needs_axes(x.size, self.name)
            return tuple(range(1, len(x.size) + 1))
        axes = self.over if isinstance(self.over, tuple) else (int(self.over),)
        for axis in axes:
            needs_axis(axis, x.size, self.name)
        return axes


for _name, _meaning in MEANINGS.items():
    kind(_name, principal="over")(
        type(
            _name,
            (_Reduction,),
            {
                "__doc__": f"{_meaning} Free.",
                "examples": (
                    Example(f"{{{_name}: channels}}", Shape(64, (56, 40)), Shape(1, (56, 40))),
                    Example(f"{{{_name}: 1, keep: false}}", Shape(768, (197,)), Shape(768)),
                    Example(f"{{{_name}: [1, 2]}}", Shape(64, (16, 56, 40)), Shape(64, (1, 1, 40))),
                ),
            },
        )
    )
