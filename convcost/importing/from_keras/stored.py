"""The weights that a `.keras` file holds, counted: what it stores must be what was drawn."""

import re
import zlib
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any
from zipfile import BadZipFile, ZipFile

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.from_keras.archive import WEIGHTS, Archive

# Of training, not of the model; and the mean and variance of data, which are constants.
OTHERS = re.compile(r"optimizer|metrics|(seed_generator|normalization)(_\d+)?")

LARGEST = 8 * 2**30
BROKEN = (OSError, KeyError, ValueError, TypeError, RuntimeError, EOFError, BadZipFile, zlib.error)


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
    stored = _read(path, "", h5py)
    ours = sum(layer.params + layer.buffers for layer in drawing.layers)
    if stored != ours:
        raise Refusal("CC403", f"params and buffers come to {ours:,}, the file stores {stored:,}")
    return drawing


def elements(archive: Archive, path: Path, group: str) -> int | None:
    """Of all tensors that the file stores for a layer; None where nobody can tell."""
    if not archive.weighted:
        return None
    try:
        import h5py
    except ImportError:
        return None
    return _read(path, group, h5py)


def _read(path: Path, group: str, h5py: Any) -> int | None:
    """The elements of a group, of all without one; None if there is no such group. Raises
    Refusal."""
    try:
        with ZipFile(path) as packed, TemporaryFile() as bare:
            if packed.getinfo(WEIGHTS).file_size > LARGEST:
                raise Refusal("CC404", f"its weights are larger than {LARGEST // 2**30} GiB")
            with packed.open(WEIGHTS) as weights:
                copyfileobj(weights, bare)
            with h5py.File(bare, "r") as file:
                node = file
                for name in filter(None, group.split("/")):
                    if not _hard(node, name, h5py):
                        return None
                    node = node[name]
                return _elements(node, h5py)
    except BROKEN as error:
        raise Refusal("CC404", f"its weights cannot be read: {error}") from None


def _hard(node: Any, name: str, h5py: Any) -> bool:
    """Whether a group holds something itself: links to elsewhere are not followed."""
    if not isinstance(node, h5py.Group):
        return False
    return isinstance(node.get(name, getlink=True), h5py.HardLink)


def _elements(root: Any, h5py: Any) -> int:
    """Of all tensors; what is linked twice is one."""
    waiting, seen, total = [root], set(), 0
    while waiting:
        node = waiting.pop()
        place = h5py.h5o.get_info(node.id).addr
        if place in seen:
            continue
        seen.add(place)
        if isinstance(node, h5py.Dataset):
            total += int(node.size or 0) if node.dtype.kind == "f" else 0
        elif isinstance(node, h5py.Group):
            names = [name for name in node if not OTHERS.fullmatch(name)]
            if not all(_hard(node, name, h5py) for name in names):
                raise Refusal("CC404", "its weights are links to elsewhere, which are not followed")
            waiting += [node[name] for name in names]
    return total
