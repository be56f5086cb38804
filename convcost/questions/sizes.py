"""The size that comes out of a layer, with its formula filled in."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.kind import Kind
from convcost.shapes import Shape
from convcost.window import SLIDE, UNSLIDE, spread, spread_border

AXES = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}


class SizeRecord(NamedTuple):
    """One size that comes out, and the axes that all have it for the same reason."""

    axes: tuple[str, ...]
    formula: str
    value: int


class _Window(NamedTuple):
    """A layer's options along one axis; no border is padding `same`."""

    kernel: int
    stride: int
    border: tuple[int, int] | None
    dilation: int
    ceil: bool
    extra: int


def sizes(layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape) -> tuple[SizeRecord, ...]:
    """The rule of the kind, filled in. An axis where the rule alone does not give what came out,
    because a kind does more than its rule says, is left out."""
    fill = {SLIDE: _slid, UNSLIDE: _unslid}.get(type(layer).size_rule)
    if fill is None or len(inputs) != 1:
        return ()
    size = inputs[0].size
    names = AXES.get(len(size), tuple(f"axis {i + 1}" for i in range(len(size))))
    alike: dict[tuple[str, int], list[str]] = {}
    for name, n, o, window in zip(
        names, size, output.size, _windows(layer, len(size)), strict=True
    ):
        formula, value = fill(n, o, window)
        if value == o:
            alike.setdefault((formula, value), []).append(name)
    return tuple(SizeRecord(tuple(axes), *filled) for filled, axes in alike.items())


def _windows(layer: Any, rank: int) -> Iterator[_Window]:
    kernel, stride = getattr(layer, "kernel", 1), getattr(layer, "stride", 1)
    padding = getattr(layer, "padding", 0)
    borders: tuple[tuple[int, int] | None, ...] = (None,) * rank
    if padding != "same":
        borders = spread_border(0 if isinstance(padding, str) else padding, rank, "padding")
    kernels = spread(kernel, rank, "kernel")
    return map(
        _Window,
        kernels,
        kernels if stride is None else spread(stride, rank, "stride"),
        borders,
        spread(getattr(layer, "dilation", 1), rank, "dilation"),
        (getattr(layer, "ceil", False),) * rank,
        spread(getattr(layer, "output_padding", 0), rank, "output_padding"),
    )


def _slid(n: int, o: int, window: _Window) -> tuple[str, int]:
    f, s, border, d, ceil, _ = window
    if border is None:
        return f"⌈{n}/{s}⌉", -(-n // s)
    begin, end = border
    room = n + begin + end - d * (f - 1) - 1
    inside = f"({n} + {begin} + {end} − {d}·({f} − 1) − 1)/{s}"
    if not ceil:
        return f"⌊{inside}⌋ + 1", room // s + 1
    full = -(-room // s) + 1
    if full == o + 1:  # a window that would start past the input is dropped
        return f"⌈{inside}⌉ + 1 − 1", o
    return f"⌈{inside}⌉ + 1", full


def _unslid(n: int, o: int, window: _Window) -> tuple[str, int]:
    f, s, border, d, _, extra = window
    if border is None:
        return f"{n}·{s}", n * s
    begin, end = border
    return (
        f"({n} − 1)·{s} − {begin} − {end} + {d}·({f} − 1) + {extra} + 1",
        (n - 1) * s - begin - end + d * (f - 1) + extra + 1,
    )
