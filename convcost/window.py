"""Windows that slide: the size of what comes out, the padding it takes, what it sees."""

from convcost.errors import Refusal
from convcost.field import Sight, sliding, spreading
from convcost.options import Extent, Padding

SLIDE = "⌊(n + p_begin + p_end − d·(f−1) − 1)/s⌋ + 1"
UNSLIDE = "(n−1)·s − p_begin − p_end + d·(f−1) + output_padding + 1"


def spread(value: Extent, rank: int, name: str) -> tuple[int, ...]:
    """One number for each of `rank` axes."""
    if isinstance(value, int):
        return (value,) * rank
    if len(value) != rank:
        raise Refusal("CC304", f"{name} has {len(value)} numbers, the input has {_axes(rank)}")
    return value


def spread_border(
    value: int | tuple[int, ...], rank: int, name: str
) -> tuple[tuple[int, int], ...]:
    """(begin, end) for each axis, from n, one for each axis, or 2·rank numbers, begins first."""
    if isinstance(value, int):
        return ((value, value),) * rank
    if len(value) == 2 * rank:
        return tuple(zip(value[:rank], value[rank:], strict=True))
    if len(value) != rank:
        raise Refusal(
            "CC304",
            f"{name} has {len(value)} numbers, the input has {_axes(rank)}",
            f"write one number, {rank}, or {2 * rank} (begins first)",
        )
    return tuple((n, n) for n in value)


def needs_axes(size: tuple[int, ...], kind: str) -> None:
    if not size:
        raise Refusal(
            "CC304",
            f"{kind} takes an input that has a size, this one is flat",
            "place it before `flatten`",
        )


def needs_axis(axis: int, size: tuple[int, ...], kind: str) -> None:
    """Raises Refusal unless `axis`, counted from 1, is one of the size."""
    if axis > len(size):
        raise Refusal("CC304", f"{kind} names axis {axis}, the input has {_axes(len(size))}")


def window(
    size: tuple[int, ...],
    kernel: Extent,
    stride: Extent = 1,
    padding: Padding = 0,
    dilation: Extent = 1,
    *,
    ceil: bool = False,
) -> tuple[int, ...]:
    """Output size of a window: ⌊(n + p_begin + p_end − d·(f−1) − 1)/s⌋ + 1 on every axis.

    `same` gives ⌈n/s⌉. With `ceil` the division rounds up, and a last window that would start past
    the input and its leading padding is dropped.
    Raises Refusal if a kernel is larger than its padded input.
    """
    rank = len(size)
    kernels = spread(kernel, rank, "kernel")
    strides = spread(stride, rank, "stride")
    dilations = spread(dilation, rank, "dilation")
    if padding == "same":
        return tuple(-(-n // s) for n, s in zip(size, strides, strict=True))
    borders = spread_border(0 if isinstance(padding, str) else padding, rank, "padding")
    return tuple(
        _slide(n, f, s, begin, end, d, ceil=ceil)
        for n, f, s, (begin, end), d in zip(size, kernels, strides, borders, dilations, strict=True)
    )


def _slide(n: int, f: int, s: int, begin: int, end: int, d: int, *, ceil: bool) -> int:
    reach = d * (f - 1) + 1
    room = n + begin + end - reach
    steps = -(-room // s) if ceil else room // s
    if steps < 0:
        spanned = f"kernel {f}" if d == 1 else f"kernel {f} at dilation {d} spans {reach} and"
        padded = f"the padded input {n + begin + end}" if begin + end else f"the input {n}"
        raise Refusal("CC301", f"{spanned} is larger than {padded}")
    if ceil and steps * s >= n + begin:
        steps -= 1
    return steps + 1


def window_sight(
    size: tuple[int, ...], kernel: Extent, stride: Extent, padding: Padding, dilation: Extent
) -> tuple[Sight, ...] | None:
    """What a window sees; of `same` padding the odd element goes to the end. None of a 1x1."""
    rank = len(size)
    kernels = spread(kernel, rank, "kernel")
    strides = spread(stride, rank, "stride")
    dilations = spread(dilation, rank, "dilation")
    spans = [d * (f - 1) for d, f in zip(dilations, kernels, strict=True)]
    if padding in (0, "valid", "same") and not any(spans) and set(strides) == {1}:
        return None
    if padding == "same":
        begins = [
            max(((n - 1) // s) * s + span + 1 - n, 0) // 2
            for n, s, span in zip(size, strides, spans, strict=True)
        ]
    else:
        borders = spread_border(0 if isinstance(padding, str) else padding, rank, "padding")
        begins = [begin for begin, _ in borders]
    return tuple(map(sliding, begins, spans, strides))


def unslide(
    size: tuple[int, ...],
    kernel: Extent,
    stride: Extent,
    padding: Padding,
    dilation: Extent,
    output_padding: int | tuple[int, ...],
) -> tuple[int, ...]:
    """Output size of a transposed window: (n−1)·s − p_begin − p_end + d·(f−1) + output_padding + 1.

    `same` gives n·s. Raises Refusal if nothing is left of an axis.
    """
    rank = len(size)
    kernels = spread(kernel, rank, "kernel")
    strides = spread(stride, rank, "stride")
    dilations = spread(dilation, rank, "dilation")
    extra = spread(output_padding, rank, "output_padding")
    if padding == "same":
        if any(extra):
            raise Refusal("CC304", "output_padding has no meaning beside padding `same`")
        return tuple(n * s for n, s in zip(size, strides, strict=True))
    borders = spread_border(0 if isinstance(padding, str) else padding, rank, "padding")
    out = []
    for n, f, s, (begin, end), d, more in zip(
        size, kernels, strides, borders, dilations, extra, strict=True
    ):
        if more >= max(s, d):
            raise Refusal(
                "CC304",
                f"output_padding {more} must be smaller than stride {s} or dilation {d}",
            )
        full = (n - 1) * s + d * (f - 1) + more + 1
        if full - begin - end < 1:
            raise Refusal("CC301", f"padding {begin} + {end} takes all of the output {full}")
        out.append(full - begin - end)
    return tuple(out)


def require_divides(number: int, parts: int, what: str, by: str) -> None:
    if number % parts:
        raise Refusal("CC302", f"{what} {number} cannot be divided by {by} {parts}")


def _axes(rank: int) -> str:
    return "1 axis" if rank == 1 else f"{rank} axes"


def unslide_sight(
    rank: int, kernel: Extent, stride: Extent, padding: Padding, dilation: Extent
) -> tuple[Sight, ...]:
    """What an element of a transposed window's output sees."""
    kernels = spread(kernel, rank, "kernel")
    strides = spread(stride, rank, "stride")
    dilations = spread(dilation, rank, "dilation")
    if padding == "same":
        spans = [d * (f - 1) for d, f in zip(dilations, kernels, strict=True)]
        begins = [max(span + 1 - s, 0) // 2 for span, s in zip(spans, strides, strict=True)]
    else:
        borders = spread_border(0 if isinstance(padding, str) else padding, rank, "padding")
        begins = [begin for begin, _ in borders]
    return tuple(map(spreading, begins, kernels, strides, dilations))
