"""Convolutions and pools, of channels first: [n, c, h, w]."""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made

CHANNELS = 1


def each(numbers: Sequence[int]) -> Any:
    """One number where all axes have the same."""
    numbers = tuple(int(n) for n in numbers)
    return numbers[0] if len(set(numbers)) == 1 else numbers


def padded(begins: Sequence[int] | str, ends: Sequence[int] | str) -> Any:
    """The padding of a window: n, one for each axis, begins then ends, or a word."""
    if isinstance(begins, str) or isinstance(ends, str):
        return begins
    return each(begins) if tuple(begins) == tuple(ends) else (*map(int, begins), *map(int, ends))


def window(
    easel: Easel,
    kind: str,
    x: Value,
    path: Path,
    options: Mapping[str, Any],
    tensors: Mapping[str, int] | None = None,
    channel: int = CHANNELS,
    *,
    sized: bool = False,
    buffers: Mapping[str, int] | None = None,
) -> Value:
    """Any kind that slides over the size and leaves the rank as it is."""
    source = easel.demand(x, channel, path)
    index = easel.emit(kind, path, [source], options, tensors=tensors, buffers=buffers, sized=sized)
    return made(index, easel.shape(index), len(x.dims), channel, x.batch)


def convolved(
    easel: Easel,
    x: Value,
    path: Path,
    *,
    filters: int,
    kernel: Sequence[int],
    stride: Sequence[int],
    begins: Sequence[int] | str,
    ends: Sequence[int] | str,
    dilation: Sequence[int],
    groups: int,
    tensors: Mapping[str, int],
    bias: bool,
    channel: int = CHANNELS,
    buffers: Mapping[str, int] | None = None,
) -> Value:
    """A convolution; where every channel is a group of its own, a depthwise one. Weights that are
    kept and not learned are its `buffers`."""
    c = x.dims[channel]
    shared = {
        "kernel": each(kernel),
        "stride": each(stride),
        "padding": padded(begins, ends),
        "dilation": each(dilation),
        "bias": bias,
        "buffer": bool(buffers),
    }
    if groups == c > 1 and filters % c == 0:
        options = {**shared, "multiplier": filters // c}
        return window(easel, "depthwise", x, path, options, tensors, channel, buffers=buffers)
    options = {"filters": filters, **shared, "groups": groups}
    return window(easel, "conv", x, path, options, tensors, channel, buffers=buffers)
