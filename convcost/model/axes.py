"""Options with one value for each axis, and checks of the axes of an input."""

from collections.abc import Sequence

from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted
from convcost.model.options import Axes, PerAxisInt
from convcost.model.shape import Shape


def axis_names(rank: int) -> Sequence[str]:
    """The names of the axes of a size: `height` and `width`; beyond three, numbers."""
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
    return names.get(rank) or [f"axis {number}" for number in range(1, rank + 1)]


def per_axis(value: PerAxisInt, rank: int, name: str) -> tuple[int, ...]:
    """One number for each of `rank` axes. Raises ConstraintError if there are more or fewer."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        message = _number_message(name, len(value), rank)
        raise ConstraintError("CC304", message, "give one number for each axis")
    return value


def per_axis_border(
    value: int | tuple[int, ...], rank: int, name: str
) -> tuple[tuple[int, int], ...]:
    """(start, end) for each of `rank` axes.

    `value` is one number for all, one for each axis, or 2·rank numbers: all starts, then all ends.
    Raises ConstraintError for any other count.
    """
    if isinstance(value, int):
        return ((value, value),) * rank
    if len(value) == 2 * rank:
        return tuple(zip(value[:rank], value[rank:], strict=True))
    if len(value) != rank:
        message = _number_message(name, len(value), rank)
        hint = f"write one number, {rank}, or {2 * rank} (first all starts, then all ends)"
        raise ConstraintError("CC304", message, hint)
    return tuple((n, n) for n in value)


def require_size(size: tuple[int, ...], kind: str) -> None:
    """Raises ConstraintError if the input is flat."""
    if not size:
        message = f"{kind} needs an input with a size, and this input is flat"
        raise ConstraintError("CC304", message, "move the layer before `flatten`")


def require_axis(axis: int, size: tuple[int, ...], kind: str) -> None:
    """Raises ConstraintError unless `axis`, counted from 1, is an axis of the size."""
    if axis > len(size):
        message = f"{kind} needs axis {axis}, but the input has {counted(len(size), 'axis')}"
        raise ConstraintError("CC304", message)


def reduced_axes(over: Axes, size: tuple[int, ...], kind: str) -> tuple[int, ...]:
    """The axes of the size that a reduction over `over` reduces to one element, counted from 1.

    Raises ConstraintError if the input has no such axis.
    """
    if over == "channels":
        return ()
    if over in ("size", "all"):
        if over == "size":
            require_size(size, kind)
        return tuple(range(1, len(size) + 1))
    axes = over if isinstance(over, tuple) else (int(over),)
    for axis in axes:
        require_axis(axis, size, kind)
    return axes


def reduced_shape(over: Axes, x: Shape, kind: str, *, keep: bool) -> Shape:
    """The shape after a reduction; with `keep`, its axes stay, with size 1. The channels always
    stay."""
    reduced = reduced_axes(over, x.size, kind)
    size = tuple(
        1 if axis in reduced else n
        for axis, n in enumerate(x.size, 1)
        if keep or axis not in reduced
    )
    return Shape(1 if over in ("channels", "all") else x.channels, size)


def require_divisible(number: int, parts: int, subject: str, by: str) -> None:
    """Raises ConstraintError if `number` is not a multiple of `parts`."""
    if number % parts:
        raise ConstraintError("CC302", f"{subject} {number} cannot be divided by {by} {parts}")


def _number_message(name: str, numbers: int, rank: int) -> str:
    return f"{name} has {counted(numbers, 'number')}, but the input has {counted(rank, 'axis')}"
