"""Keras models, from their configuration: a `.keras` file has one, and so has `model.to_json()`.
Keras itself is not needed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from convcost.importing.drawing import Drawing


def read(
    path: Path, *, size: tuple[int, ...] | None = None, inputs: Sequence[tuple[int, ...]] = ()
) -> Drawing:
    """A model's layers; `size` and `inputs` (channels first) fill in what it leaves open.

    Raises Refusal."""
    from convcost.importing.from_keras.archive import opened
    from convcost.importing.from_keras.model import drawn
    from convcost.importing.from_keras.stored import elements, hold

    archive = opened(path)
    stored = partial(elements, archive, path)
    drawing = drawn(archive.config, path.name, size, tuple(inputs), stored)
    return hold(drawing, archive, path)
