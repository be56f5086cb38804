"""Reshaping: the same elements in another shape."""

from math import prod

from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, SizeLike, kind, option
from convcost.model.options import REST, ShapePattern
from convcost.model.receptive_field import ANY_POSITION, ReceptiveField, whole_axis, window_field
from convcost.model.shape import Shape, size_text


@kind("flatten")
class Flatten(Layer):
    """Turns all elements into one vector, which `linear` needs. No params and no macs."""

    operation = "move"
    memory = "input"
    examples = (Example("flatten", Shape(512, (7, 7)), Shape(512 * 7 * 7)),)

    def output(self, x: Shape) -> Shape:
        return Shape(x.elements)

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        return tuple(window_field(0, n - 1, 1) for n in x.size) or None


@kind("reshape", principal="shape")
class Reshape(Layer):
    """Gives the same elements another shape, in any order. No params and no macs."""

    operation = "move"
    memory = "input"
    shape: ShapePattern = option("the shape; one number may be `rest`, the elements that remain")

    examples = (
        Example(
            "{reshape: {channels: 768, size: [rest]}}", Shape(768, (14, 14)), Shape(768, (196,))
        ),
        Example(
            "{reshape: {channels: in_channels/12, size: [12, in_width]}}",
            Shape(768, (197,)),
            Shape(64, (12, 197)),
        ),
        Example(
            "{reshape: {channels: 96, size: [rest, 7 * 7]}}",
            Shape(96, (56, 56)),
            Shape(96, (8 * 8, 7 * 7)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        channels, size = self.shape
        product = prod(n for n in (channels, *size) if n != REST)
        left, remainder = divmod(x.elements, product)
        if REST in (channels, *size):
            if remainder:
                raise ConstraintError(
                    "CC304",
                    f"reshape: {x.text} has {x.elements:,} elements, not a multiple of {product:,}",
                )
            return Shape(channels or left, tuple(n or left for n in size))
        if product != x.elements:
            raise ConstraintError(
                "CC304",
                f"reshape keeps all elements: {x.text} has {x.elements:,}, but "
                f"{self.shape.text} has {product:,}",
                "one of the numbers may be `rest`",
            )
        return self.shape

    def receptive_field(self, x: Shape) -> tuple[ReceptiveField, ...] | None:
        output = self.output(x)
        # Only a reshape that changes the order, such as a transposition, keeps the shape.
        return ANY_POSITION if output == x and x.size else _reshape_field(x, output)


@kind("reshape_like", principal="branches")
class ReshapeLike(SizeLike):
    """Reshapes the first of two branches to the size of the second; the channels follow from the
    number of elements. No params and no macs."""

    operation = "move"
    memory = "input"
    examples = (
        Example("{reshape_like: [input, input]}", Shape(64, (13, 17)), Shape(64, (13, 17))),
        Example(
            "{reshape_like: {tokens: [{reshape: {channels: 48, size: [rest]}}], map: []}}",
            Shape(48, (36, 38)),
            Shape(48, (36, 38)),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        tokens, like = x
        channels, remainder = divmod(tokens.elements, prod(like.size))
        if remainder:
            raise ConstraintError(
                "CC304",
                f"reshape_like: {tokens.text} has {tokens.elements:,} elements, "
                f"not a multiple of {size_text(like.size)}",
            )
        return Shape(channels, like.size)

    def receptive_field(self, x: tuple[Shape, ...]) -> tuple[ReceptiveField, ...] | None:
        return _reshape_field(x[0], self.output(x))


def _reshape_field(x: Shape, output: Shape) -> tuple[ReceptiveField, ...] | None:
    """The receptive field of a reshape. If channels become outer axes, such as heads, positions
    stay known. If all axes become channels, an output depends on all positions. Otherwise, any
    position is possible: with channels last, an outer axis that becomes channels moves the others.
    So it is if an axis of size 1 moves: each axis of a field is counted from the innermost one.
    """
    before, after = _without_ones(x.size), _without_ones(output.size)
    if before and not after:
        return tuple(whole_axis(n) if n > 1 else ReceptiveField() for n in x.size)
    added = len(after) - len(before)
    has_same_axes = added >= 0 and after[added:] == before
    return None if has_same_axes and not _moves_axes(x.size, output.size) else ANY_POSITION


def _moves_axes(before: tuple[int, ...], after: tuple[int, ...]) -> bool:
    """Whether an axis that stays has another place, counted from the innermost one. If there are
    fewer axes after a reshape, their places are not used."""
    if len(after) < len(before):
        return False
    shorter, longer = sorted((before, after), key=lambda size: len(_without_ones(size)))
    first = next((axis for axis, n in enumerate(shorter) if n > 1), len(shorter))
    inner = shorter[first:]
    return longer[len(longer) - len(inner) :] != inner


def _without_ones(size: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in size if n > 1)
