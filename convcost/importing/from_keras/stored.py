"""The weights that a `.keras` file holds, counted: what it stores must be what was drawn."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.from_keras.archive import WEIGHTS, Archive

# Of training, not of the model; and the mean and variance of data, which are constants.
OTHERS = re.compile(r"optimizer|metrics|(seed_generator|normalization)(_\d+)?")


def hold(drawing: Drawing, archive: Archive, path: Path) -> Drawing:
    """The drawing, once the elements of all stored tensors agree with it. Raises Refusal.

    Without h5py they cannot be read; then a note says so. Optimizers and seeds are not the model's.
    """
    if not archive.weighted:
        return drawing
    try:
        import h5py  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        told = "the stored weights were not held against it: pip install 'convcost[keras]'"
        return drawing._replace(notes=(*drawing.notes, told))
    try:
        with ZipFile(path) as packed, h5py.File(BytesIO(packed.read(WEIGHTS)), "r") as file:
            stored = sum(_elements(name, file[name]) for name in file)
    except OSError as error:
        raise Refusal("CC404", f"its weights cannot be read: {error}") from None
    ours = sum(layer.params + layer.buffers for layer in drawing.layers)
    if stored != ours:
        raise Refusal("CC403", f"params and buffers come to {ours:,}, the file stores {stored:,}")
    return drawing


def _elements(name: str, node: Any) -> int:
    if OTHERS.fullmatch(name):
        return 0
    if hasattr(node, "shape"):
        return int(node.size) if node.dtype.kind == "f" else 0
    return sum(_elements(child, node[child]) for child in node)
