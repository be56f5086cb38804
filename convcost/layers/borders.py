"""Layers that pad, crop or slice."""

from convcost.model.axes import per_axis_border, require_axis, require_size
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, SizeLike, kind, option
from convcost.model.options import Along, Border, Natural, PositiveInt
from convcost.model.receptive_field import ReceptiveField, window_field
from convcost.model.shape import Shape


@kind("pad", principal="border")
class Pad(Layer):
    """Adds elements around every channel. No params and no macs."""

    operation = "move"
    border: Border = option("elements on each side")

    examples = (
        Example("{pad: 3}", Shape(3, (224, 224)), Shape(3, (230, 230))),
        Example("{pad: [0, 0, 1, 1]}", Shape(64, (56, 56)), Shape(64, (57, 57))),
    )

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "pad")
        borders = per_axis_border(self.border, len(x.size), "border")
        return Shape(
            x.channels, tuple(n + a + b for n, (a, b) in zip(x.size, borders, strict=True))
        )

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        begins = [begin for begin, _ in per_axis_border(self.border, len(x.size), "border")]
        return None if self.output(x) == x else _shifted_field(begins)


@kind("crop", principal="border")
class Crop(Layer):
    """Removes elements around every channel. No params and no macs."""

    operation = "move"
    border: Border = option("elements on each side")

    examples = (
        Example("{crop: 4}", Shape(512, (64, 64)), Shape(512, (56, 56))),
        Example("{crop: [0, 1, 0, 0]}", Shape(64, (8, 9)), Shape(64, (8, 8))),
    )

    def output(self, x: Shape) -> Shape:
        require_size(x.size, "crop")
        borders = per_axis_border(self.border, len(x.size), "border")
        for n, (begin, end) in zip(x.size, borders, strict=True):
            if begin + end >= n:
                message = f"crop must leave elements: it removes {begin} + {end} of {n}"
                raise ConstraintError("CC301", message)
        return Shape(
            x.channels, tuple(n - a - b for n, (a, b) in zip(x.size, borders, strict=True))
        )

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        begins = [-begin for begin, _ in per_axis_border(self.border, len(x.size), "border")]
        return None if self.output(x) == x else _shifted_field(begins)


@kind("slice", principal="length")
class Slice(Layer):
    """Keeps a range of the channels, or of an axis of the size. No params and no macs."""

    operation = "move"
    length: PositiveInt = option("number of elements to keep")
    start: Natural = option("index of the first element to keep, from 0", 0)
    step: PositiveInt = option("distance between the elements to keep", 1)
    along: Along = option("the axis of the range", "channels")

    examples = (
        Example("{slice: in_channels/2}", Shape(116, (28, 28)), Shape(58, (28, 28))),
        Example(
            "{slice: in_width/2, start: 1, step: 2, along: 2}",
            Shape(3, (640, 640)),
            Shape(3, (640, 320)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        along = self.along
        if isinstance(along, int):
            require_axis(along, x.size, "slice")
            self._require_elements(x.size[along - 1], "", f" of axis {along}")
            return Shape(x.channels, (*x.size[: along - 1], self.length, *x.size[along:]))
        self._require_elements(x.channels, "channels ", "")
        return Shape(self.length, x.size)

    @property
    def _last(self) -> int:
        """The index of the last element that is kept, from 0."""
        return self.start + (self.length - 1) * self.step

    def _require_elements(self, extent: int, before: str, after: str) -> None:
        """Raises ConstraintError if the slice needs more than `extent` elements. `before` and
        `after` are the words around the range in the message."""
        if self._last >= extent:
            needed = f"{before}{self.start} to {self._last}{after}"
            message = f"slice needs {needed}, counted from 0, but the input has {extent}"
            raise ConstraintError("CC304", message)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        if not isinstance(self.along, int):
            return None
        unchanged = [ReceptiveField()] * len(x.size)
        unchanged[self.along - 1] = window_field(-self.start, 0, self.step)
        return tuple(unchanged)


@kind("pad_like", principal="branches")
class PadLike(SizeLike):
    """Pads or crops the first of two branches to the size of the second. If the difference is odd,
    the end gets one element more. No params and no macs."""

    operation = "move"
    examples = (
        Example("{pad_like: [input, input]}", Shape(64, (28, 28)), Shape(64, (28, 28))),
        Example(
            "{pad_like: {x: [{max_pool: 2}, {upsample: 2}], like: []}}",
            Shape(64, (29, 31)),
            Shape(64, (29, 31)),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        self.require_same_axes(x)
        return Shape(x[0].channels, x[1].size)

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...] | None:
        if x[0].size == x[1].size:
            return None
        return _shifted_field([(m - n) // 2 for n, m in zip(x[0].size, x[1].size, strict=True)])


def _shifted_field(begins: list[int]) -> tuple[ReceptiveField, ...]:
    """The receptive field of a layer that adds `begins` elements at the start of each axis, or
    removes them if negative."""
    return tuple([window_field(begin, 0, 1) for begin in begins])
