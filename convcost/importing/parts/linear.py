"""Fully connected layers, over the last axis: [..., n] to [..., f]."""

from collections.abc import Mapping

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value, made


def connected(
    easel: Easel,
    x: Value,
    path: Path,
    *,
    features: int,
    tensors: Mapping[str, int],
    bias: bool,
) -> Value:
    """One `linear` for a vector, the same at every position for anything larger."""
    source = easel.demand(x, -1, path)
    options = {
        "features": features,
        "bias": bias,
        "each_position": bool(easel.shape(source).size),
    }
    if easel.varies(source)[0]:  # at another size its weights would not fit
        options["inputs"] = easel.shape(source).channels
    index = easel.emit("linear", path, [source], options, tensors=tensors)
    rank = len(x.dims)
    return made(index, easel.shape(index), rank, rank - 1, x.batch)
