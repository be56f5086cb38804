"""Layers that keep shape and layout: activations, norms, scales."""

from collections.abc import Mapping
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor, output_tensor


def pointwise(
    builder: GraphBuilder,
    kind: str,
    x: Tensor,
    path: Path,
    options: Mapping[str, Any] | None = None,
    tensors: Mapping[str, int] | None = None,
    buffers: Mapping[str, int] | None = None,
) -> Tensor:
    """Adds an elementwise layer without params that depend on the position. A pending rearrangement
    stays pending after it."""
    index = builder.emit(kind, path, [x.source], options, tensors=tensors, buffers=buffers)
    return _with_source(x, index)


def by_channel(
    builder: GraphBuilder,
    kind: str,
    x: Tensor,
    path: Path,
    channel: int,
    options: Mapping[str, Any] | None = None,
    *,
    tensors: Mapping[str, int] | None = None,
    buffers: Mapping[str, int] | None = None,
) -> Tensor:
    """Adds a layer with params for each channel. The axis `channel` becomes the channels."""
    source = builder.materialize(x, channel, path)
    index = builder.emit(kind, path, [source], options, tensors=tensors, buffers=buffers)
    if source == x.source and x.axes is not None:
        return _with_source(x, index)
    return output_tensor(index, builder.shape(index), len(x.dims), channel % len(x.dims), x.batch)


def _with_source(x: Tensor, index: int) -> Tensor:
    origin = None if x.origin is None else x.origin._replace(source=index)
    return x._replace(source=index, origin=origin)
