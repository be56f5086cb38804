"""Layers that leave shape and layout alone: activations, norms, scales."""

from collections.abc import Mapping
from typing import Any

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made


def pointwise(
    easel: Easel,
    kind: str,
    x: Value,
    path: Path,
    options: Mapping[str, Any] | None = None,
    tensors: Mapping[str, int] | None = None,
) -> Value:
    """Element by element, and nothing learned that has a place: elements that have moved may move
    after it."""
    index = easel.emit(kind, path, [x.source], options, tensors=tensors)
    return _after(x, index)


def by_channel(
    easel: Easel,
    kind: str,
    x: Value,
    path: Path,
    channel: int,
    options: Mapping[str, Any] | None = None,
    *,
    tensors: Mapping[str, int] | None = None,
    buffers: Mapping[str, int] | None = None,
) -> Value:
    """What has numbers of its own for each channel: the axis `channel` has to be the channels."""
    source = easel.demand(x, channel, path)
    index = easel.emit(kind, path, [source], options, tensors=tensors, buffers=buffers)
    if source == x.source and x.axes is not None:
        return _after(x, index)
    return made(index, easel.shape(index), len(x.dims), channel % len(x.dims), x.batch)


def _after(x: Value, index: int) -> Value:
    begun = None if x.begun is None else x.begun._replace(source=index)
    return x._replace(source=index, begun=begun)
