"""Keras models, from their configuration: a `.keras` file and the older `.h5` have one, and so has
`model.to_json()`. Keras itself is not needed."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing


def read(
    path: Path,
    *,
    size: tuple[int, ...] | None = None,
    inputs: Sequence[tuple[int, ...]] = (),
    anyway: bool = False,
) -> Drawing:
    """A model's layers; `size` and `inputs` (channels first) fill in what it leaves open.

    With `anyway`, a model whose inputs are of a fixed size is drawn at another `size`, as long as
    its weights fit. Raises Refusal."""
    from convcost.importing.from_keras.archive import opened
    from convcost.importing.from_keras.loosened import loosened, same_weights
    from convcost.importing.from_keras.model import drawn
    from convcost.importing.from_keras.stored import elements, hold, lacking

    archive = opened(path)
    stored = partial(elements, archive, path)
    lack = lacking(archive)
    try:
        drawing = drawn(archive.config, path.name, size, tuple(inputs), stored, lack)
    except Refusal as refusal:
        if not anyway or refusal.code != "CC405":
            raise
        own = drawn(archive.config, path.name, None, tuple(inputs), stored, lack)
        again = drawn(loosened(archive.config), path.name, size, (), stored, lack)
        drawing = same_weights(again, own)
    return hold(drawing, archive, path)
