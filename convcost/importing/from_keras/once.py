"""Layers that state what they cost, in a model that may call them again."""

from collections.abc import Mapping, Sequence
from typing import Any

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel


def stated(
    easel: Easel,
    path: Path,
    sources: Sequence[int],
    options: Mapping[str, Any],
    tensors: Mapping[str, int],
    buffers: Mapping[str, int] | None = None,
) -> int:
    """Puts down a `custom` layer that has `tensors` as params; its index.

    A spec has no word for whose weights such a layer uses again: it states those that none before
    it has."""
    new, kept = (
        {key: n for key, n in held.items() if key not in easel.used}
        for held in (tensors, buffers or {})
    )
    given = {**options, "params": sum(new.values()), "buffers": sum(kept.values())}
    if len(new) < len(tensors):
        given.pop("biases", None)
    return easel.emit("custom", path, sources, given, tensors=new, buffers=kept)
