"""Windows along one axis: output size, its formula, and receptive field.

Letters: n elements of the input, kernel f, stride s, dilation d, padding p.
"""

from functools import cache
from typing import TypeAlias

from convcost.model.axes import per_axis, per_axis_border
from convcost.model.errors import ConstraintError
from convcost.model.options import Padding, PerAxisInt
from convcost.model.receptive_field import ReceptiveField, transposed_window_field, window_field
from convcost.model.record import NamedTuple

MAX_POSITIONS = 1_000_000  # along one axis; with more, all positions count as read
Border: TypeAlias = tuple[int, int] | None  # elements at the start and the end; None is `same`


class AxisWindow(NamedTuple):
    """A window that slides along an axis, as in a convolution or a pool.

    With `ceil` the division rounds up, and a last window that starts past the input and its leading
    padding is dropped. `same` gives ⌈n/s⌉; the odd element of its padding is at the end.
    """

    n: int
    f: int
    s: int
    padding: Border
    d: int
    ceil: bool = False
    output_padding: int = 0

    @property
    def output(self) -> int:
        """The output size. Raises ConstraintError if it is below 1."""
        if self.padding is None:
            return -(-self.n // self.s)
        positions = self._positions(self.padding)
        if positions < 1:
            spans = f"kernel {self.f}"
            if self.d > 1:
                spans += f" at dilation {self.d} spans {self.d * (self.f - 1) + 1} and"
            border = sum(self.padding)
            padded = f"the padded input {self.n + border}" if border else f"the input {self.n}"
            raise ConstraintError("CC301", f"{spans} is larger than {padded}")
        return positions - self._drops_last(self.padding)

    def _positions(self, padding: tuple[int, int]) -> int:
        """The number of positions of the window, with a last one that may be dropped."""
        # Known numbers first: with stride 1, the size is often that of the input, unchanged.
        room = self.n + (sum(padding) - self.d * (self.f - 1) - 1 + self.s)
        return -(-room // self.s) if self.ceil else room // self.s

    def _drops_last(self, padding: tuple[int, int]) -> bool:
        return self.ceil and (self._positions(padding) - 1) * self.s >= self.n + padding[0]

    @property
    def general(self) -> str:
        """The formula of `output` in letters, for any window."""
        return "⌊(n + p_begin + p_end − d·(f − 1) − 1)/s⌋ + 1"

    @property
    def formula(self) -> str:
        """The formula of `output` with its numbers; the textbook formula if that gives the same
        number."""
        n, f, s, padding, d, *_ = self
        if padding is None:
            return f"⌈{n}/{s}⌉"
        begin, end = padding
        text = f"⌊({n} + {begin} + {end} − {d}·({f} − 1) − 1)/{s}⌋ + 1"
        if begin == end and d == 1:
            text = f"⌊({n} − {f} + 2·{begin})/{s}⌋ + 1"
        if self.ceil:
            text = text.replace("⌊", "⌈").replace("⌋", "⌉")
            return f"{text} − 1" if self._drops_last(padding) else text
        return text

    @property
    def receptive_field(self) -> ReceptiveField:
        """The receptive field along this axis."""
        span = self.d * (self.f - 1)
        if self.padding is None:
            begin = max((self.output - 1) * self.s + span + 1 - self.n, 0) // 2
        else:
            begin = self.padding[0]
        return window_field(begin, span, self.s, self.d)


class TransposedWindow(AxisWindow):
    """The window of a transposed convolution. `same` gives n·s."""

    @property
    def output(self) -> int:
        n, f, s, padding, d, _, extra = self
        if padding is None:
            if extra:
                message = "output_padding cannot be used with padding `same`"
                raise ConstraintError("CC304", message, "remove one of them")
            return n * s
        if extra >= max(s, d):
            message = f"output_padding {extra} must be smaller than stride {s} or dilation {d}"
            raise ConstraintError("CC304", message)
        begin, end = padding
        full = (n - 1) * s + d * (f - 1) + extra + 1
        if full - begin - end < 1:
            message = f"padding {begin} + {end} removes all of the output {full}"
            raise ConstraintError("CC301", message)
        return full - begin - end

    @property
    def general(self) -> str:
        return "(n − 1)·s − p_begin − p_end + d·(f − 1) + output_padding + 1"

    @property
    def formula(self) -> str:
        n, f, s, padding, d, _, extra = self
        if padding is None:
            return f"{n}·{s}"
        begin, end = padding
        if begin == end and d == 1 and not extra:
            return f"({n} − 1)·{s} + {f} − 2·{begin}"
        return f"({n} − 1)·{s} − {begin} − {end} + {d}·({f} − 1) + {extra} + 1"

    @property
    def receptive_field(self) -> ReceptiveField:
        return transposed_window_field(self.begin, self.f, self.s, self.d)

    @property
    def begin(self) -> int:
        """How many elements are removed at the start of the output."""
        if self.padding is None:
            return max(self.d * (self.f - 1) + 1 - self.s, 0) // 2
        return self.padding[0]


def conv_windows(
    size: tuple[int, ...],
    kernel: PerAxisInt,
    stride: PerAxisInt = 1,
    padding: Padding = 0,
    dilation: PerAxisInt = 1,
    *,
    ceil: bool = False,
) -> tuple[AxisWindow, ...]:
    """A window for each axis of the size.

    Raises ConstraintError if an option has another number of axes.
    """
    # The usual case, and much faster.
    if type(kernel) is type(stride) is type(padding) is type(dilation) is int:
        border = (padding, padding)
        return tuple([AxisWindow(n, kernel, stride, border, dilation, ceil, 0) for n in size])
    rank = len(size)
    borders: tuple[Border, ...] = (None,) * rank
    if padding != "same":
        borders = per_axis_border(0 if isinstance(padding, str) else padding, rank, "padding")
    kernels, strides = per_axis(kernel, rank, "kernel"), per_axis(stride, rank, "stride")
    dilations = per_axis(dilation, rank, "dilation")
    axes = zip(size, kernels, strides, borders, dilations, strict=True)
    return tuple([AxisWindow(*axis, ceil, 0) for axis in axes])


def transposed_windows(
    size: tuple[int, ...],
    kernel: PerAxisInt,
    stride: PerAxisInt,
    padding: Padding,
    dilation: PerAxisInt,
    output_padding: PerAxisInt,
) -> tuple[AxisWindow, ...]:
    """A window for each axis of the size.

    Raises ConstraintError if an option has another number of axes.
    """
    windows = conv_windows(size, kernel, stride, padding, dilation)
    extra = per_axis(output_padding, len(size), "output_padding")
    return tuple(TransposedWindow(*window[:6], n) for window, n in zip(windows, extra, strict=True))


def count_covered(window: AxisWindow) -> int:
    """The number of positions along an axis that at least one window covers; of a transposed
    window, those with an element in the output."""
    if isinstance(window, TransposedWindow):
        return _count_spread(window)
    n, f, s, padding, d, *_ = window
    outputs = window.output
    extent = (outputs - 1) * s + d * (f - 1) + 1
    begin = max(extent - n, 0) // 2 if padding is None else padding[0]
    first = max(begin, 0)
    last = max(min(n + begin, extent), first)
    if d == 1:
        return _count_in_blocks(last, f, s) - _count_in_blocks(first, f, s)
    if s == 1:
        return _count_in_blocks(last, outputs, d) - _count_in_blocks(first, outputs, d)
    if outputs * f > MAX_POSITIONS:
        return n
    # Plain integers, because a symbol of a formula must not outlive its trace in the cache.
    return _count_listed(*map(int, (outputs, f, s, d, first, last)))


def _count_spread(window: TransposedWindow) -> int:
    """The number of positions i along an axis for which an element t of the kernel has
    0 ≤ i·stride + t·dilation − begin < output."""
    n, f, s, _, d, *_ = window
    outputs, begin = window.output, window.begin
    first = max(-(-(begin - d * (f - 1)) // s), 0)
    last = max(min(-(-(begin + outputs) // s), n), first)
    if outputs >= d or f == 1 or last - first > MAX_POSITIONS:
        return last - first
    # Integers are plain, as in `count_covered`.
    return _count_not_between(*map(int, (first, last, s, d, begin, outputs)))


@cache
def _count_not_between(first: int, last: int, s: int, d: int, begin: int, outputs: int) -> int:
    """The number of positions i from `first` up to, but not including, `last` of which an element
    of the kernel is in the output. An output shorter than the dilation can be between two."""
    places = (max(-(-(begin - i * s) // d), 0) * d + i * s for i in range(first, last))
    return sum(place < begin + outputs for place in places)


def _count_in_blocks(end: int, length: int, distance: int) -> int:
    """The number of positions below `end` in blocks of `length` that start every `distance`."""
    if length >= distance:
        return end
    return end // distance * length + min(end % distance, length)


@cache
def _count_listed(outputs: int, f: int, s: int, d: int, first: int, last: int) -> int:
    """The number of positions from `first` up to, but not including, `last` that a window covers;
    the first window starts at 0."""
    starts = range(0, outputs * s, s)
    covered = {at for start in starts for at in range(start, start + d * f, d)}
    return sum(first <= at < last for at in covered)
