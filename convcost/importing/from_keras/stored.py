"""The weights that a file holds, counted: what it stores must be what was drawn."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any
from zipfile import BadZipFile, ZipFile

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.from_keras import hdf5
from convcost.importing.from_keras.archive import WEIGHTS, Archive
from convcost.importing.from_keras.unknown import INSTALL

# Of training, not of the model; and the mean and variance of data, which are constants.
OTHERS = re.compile(r"optimizer|metrics|(seed_generator|normalization)(_\d+)?")

LARGEST = 8 * 2**30
BROKEN = (*hdf5.BROKEN, BadZipFile, zlib.error)
LINKS = "its weights are links to elsewhere, which are not followed"


def hold(drawing: Drawing, archive: Archive, path: Path) -> Drawing:
    """The drawing, once the elements of all stored tensors agree with it. Raises Refusal.

    Without h5py they cannot be read; then a note says so. Optimizers and seeds are not the model's.
    """
    if not archive.weighted:
        return drawing
    if (h5py := _h5py()) is None:
        told = f"the stored weights were not held against it: {INSTALL}"
        return drawing._replace(notes=(*drawing.notes, told))
    stored = _older(archive, path, (), h5py) if archive.older else _newer(path, "", h5py)
    ours = sum(layer.params + layer.buffers for layer in drawing.layers)
    if stored != ours:
        raise Refusal("CC403", f"params and buffers come to {ours:,}, the file stores {stored:,}")
    return drawing


def elements(archive: Archive, path: Path, group: str, key: str) -> int | None:
    """Of all tensors that the file stores for a layer; None where nobody can tell.

    `group` is where a `.keras` file has them, `key` the names of the models around the layer and
    its own."""
    if not archive.weighted or (h5py := _h5py()) is None:
        return None
    if archive.older:
        return _older(archive, path, tuple(key.strip("/").split("/")), h5py)
    return _newer(path, group, h5py)


def lacking(archive: Archive) -> str:
    """Why no elements are known; empty if they are."""
    if not archive.weighted:
        return "a file without weights does not tell its params"
    return "" if _h5py() is not None else INSTALL


def _h5py() -> Any:
    try:
        import h5py  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    return h5py


def _newer(path: Path, group: str, h5py: Any) -> int | None:
    """The elements of a group, of all without one; None if there is no such group. Raises
    Refusal."""
    with _readable(), _unpacked(path, h5py) as file:
        node = _within(file, [name for name in group.split("/") if name], h5py)
        skipped = lambda name: OTHERS.fullmatch(name) is not None  # noqa: E731  said once
        return None if node is None else _elements(node, h5py, skipped)


def _older(archive: Archive, path: Path, names: tuple[str, ...], h5py: Any) -> int | None:
    """The elements of a layer, of all without names. One group has all of a layer at the top, also
    where that is a model; what is in it goes by the names of its layers. Raises Refusal."""
    constants = set(_constants(archive.config))
    with _readable(), hdf5.opened(path, h5py) as file:
        weights = _within(file, [hdf5.WEIGHTS], h5py)
        if weights is None:
            raise Refusal("CC404", f"the file holds no `{hdf5.WEIGHTS}`")
        node = _within(weights, names[:1], h5py)
        if node is None or constants & set(names[:1]):
            return None if node is None else 0
        wanted = names[-1] if len(names) > 1 else None
        return _elements(node, h5py, constants.__contains__, wanted)


def _within(node: Any, names: Iterable[str], h5py: Any) -> Any:
    """The group that the names lead to; None if there is none."""
    for name in names:
        if not _hard(node, name, h5py):
            return None
        node = node[name]
    return node


def _constants(config: Any) -> Iterator[str]:
    """The names of layers that hold a mean and variance of data."""
    waiting = [config]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            inner = one.get("config")
            if one.get("class_name") == "Normalization" and isinstance(inner, dict):
                yield str(inner.get("name"))
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Refusal("CC404", f"its weights cannot be read: {error}") from None


@contextmanager
def _unpacked(path: Path, h5py: Any) -> Iterator[Any]:
    with ZipFile(path) as packed, TemporaryFile() as bare:
        if packed.getinfo(WEIGHTS).file_size > LARGEST:
            raise Refusal("CC404", f"its weights are larger than {LARGEST // 2**30} GiB")
        with packed.open(WEIGHTS) as weights:
            copyfileobj(weights, bare)
        with h5py.File(bare, "r") as file:
            yield file


def _hard(node: Any, name: str, h5py: Any) -> bool:
    """Whether a group holds something itself: links to elsewhere are not followed."""
    if not isinstance(node, h5py.Group):
        return False
    return isinstance(node.get(name, getlink=True), h5py.HardLink)


def _elements(
    root: Any, h5py: Any, skipped: Callable[[str], bool], wanted: str | None = None
) -> int:
    """Of all tensors, or of those in groups of the name `wanted`; what is linked twice is one."""
    waiting: list[tuple[Any, bool]] = [(root, wanted is None)]
    seen, total = set(), 0
    while waiting:
        node, inside = waiting.pop()
        place = h5py.h5o.get_info(node.id).addr
        if place in seen:
            continue
        seen.add(place)
        if isinstance(node, h5py.Dataset):
            total += int(node.size or 0) if inside and node.dtype.kind == "f" else 0
        elif isinstance(node, h5py.Group):
            names = [name for name in node if not skipped(name)]
            if not all(_hard(node, name, h5py) for name in names):
                raise Refusal("CC404", LINKS)
            again = _again(node, names, h5py)
            waiting += [(node[name], inside or name == wanted) for name in names]
            seen |= again
    return total


def _again(node: Any, names: list[str], h5py: Any) -> set[Any]:
    """The places of tensors that a group has twice: SpectralNormalization keeps the kernel of its
    `layer` as the first of its own, beside a vector with an entry for each of the last axis."""
    if not {"layer", "vars"} <= set(names):
        return set()
    own, inner = (_within(node, way, h5py) for way in (("vars",), ("layer", "vars")))
    if not all(isinstance(one, h5py.Group) for one in (own, inner)) or set(own) != {"0", "1"}:
        return set()
    if not all(_hard(one, name, h5py) for one in (own, inner) for name in one):
        return set()
    shapes = [getattr(inner[name], "shape", None) for name in inner]
    first, second = (getattr(own[name], "shape", None) for name in ("0", "1"))
    if not first or first not in shapes or second != (1, first[-1]):
        return set()
    return {h5py.h5o.get_info(own["0"].id).addr}
