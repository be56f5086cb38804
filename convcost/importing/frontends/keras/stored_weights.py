"""Counts the weights in a file and compares their number with the layer graph."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, Self
from zipfile import ZipFile

from convcost.importing.frontends.keras import hdf5
from convcost.importing.frontends.keras.archive import READ_ERRORS, WEIGHTS, Archive, mappings
from convcost.importing.frontends.keras.unknown import INSTALL
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.model.errors import ConstraintError

# Tensors of training, and the mean and variance of the data, which are constants.
OTHERS = re.compile(r"optimizer|metrics|(seed_generator|normalization)(_\d+)?")

# The classes of the type of a quantized layer.
POLICIES = re.compile(r"(Quantized(Float8)?|Int4|GPTQ|AWQ)DTypePolicy")
MAX_BYTES = 8 * 2**30  # of the weights in an archive
ALL_READ_ERRORS: tuple[type[Exception], ...] = (*hdf5.READ_ERRORS, *READ_ERRORS)
LINKS = "its weights are links to other places, which convcost does not follow"


class StoredWeights:
    """The tensors of a file, which is extracted and opened when they are first needed."""

    def __init__(self, archive: Archive, path: Path) -> None:
        self.archive = archive
        self.path = path
        self._opened = ExitStack()
        self._file: Any = None
        self._constants: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def lack(self) -> str:
        """The reason why no stored elements are known; "" if they are known."""
        if not self.archive.weighted:
            return "a file without weights does not state its params"
        return "" if _h5py() is not None else INSTALL

    def verify(self, graph: LayerGraph) -> LayerGraph:
        """The graph, if the number of all stored elements equals its params and buffers. Raises
        ConstraintError.

        Without h5py the weights cannot be read, and quantized weights are packed integers with
        scales; a note says so. Optimizers and random seeds do not count.
        """
        if not self.archive.weighted:
            return graph
        if reason := self.lack or (self._is_quantized and "they are quantized"):
            note = f"the stored weights were not compared with the layers: {reason}"
            return graph._replace(notes=(*graph.notes, note))
        stored = self.elements("", "")
        in_layers = sum(layer.params + layer.buffers for layer in graph.layers)
        if stored != in_layers:
            raise ConstraintError(
                "CC403",
                f"the layers have {in_layers:,} params and buffers, but the file stores {stored:,}",
            )
        return graph

    @property
    def _is_quantized(self) -> bool:
        """Whether the type of a layer is quantized, or an integer of one byte is stored: a layer
        inside of another may be quantized without a type in the configuration."""
        kinds = (mapping.get("class_name") for mapping in mappings(self.archive.config))
        if any(POLICIES.fullmatch(str(kind)) for kind in kinds):
            return True
        h5py = _h5py()

        def has_bytes(_: str, node: Any) -> bool | None:
            """True ends the search."""
            return (isinstance(node, h5py.Dataset) and node.dtype in ("i1", "u1")) or None

        with _readable():
            return bool(self._root(h5py).visititems(has_bytes))

    def elements(self, group: str, key: str) -> int | None:
        """The number of elements that the file stores for a layer; None if it is unknown.

        `group` is the layer's group in a `.keras` file; `key` has the names of the models around
        the layer, and its own name. Both are empty for all layers.
        """
        if not self.archive.weighted or (h5py := _h5py()) is None:
            return None
        if self.archive.older:
            return self._elements_of_layer(tuple(filter(None, key.split("/"))), h5py)
        return self._elements_of_group(group, h5py)

    def _root(self, h5py: Any) -> Any:
        if self._file is None:
            older = self.archive.older
            opening = hdf5.open_file(self.path, h5py) if older else _open_weights(self.path, h5py)
            self._file = self._opened.enter_context(opening)
            self._constants = set(_constants(self.archive.config)) if older else set()
        return self._file

    def _elements_of_group(self, group: str, h5py: Any) -> int | None:
        """The elements of a group, or of all groups if `group` is empty; None if there is no such
        group. Raises ConstraintError."""
        with _readable():
            names = [name for name in group.split("/") if name]
            node = _find_group(self._root(h5py), names, h5py)
            skipped = lambda name: OTHERS.fullmatch(name) is not None  # noqa: E731  used only here
            return None if node is None else _elements(node, h5py, skipped)

    def _elements_of_layer(self, names: tuple[str, ...], h5py: Any) -> int | None:
        """The elements of a layer, or of all layers without `names`. A top-level group has all
        weights of its layer, even if the layer is a model; the groups inside have the names of its
        layers. Raises ConstraintError."""
        with _readable():
            weights = _find_group(self._root(h5py), [hdf5.WEIGHTS], h5py)
            if weights is None:
                raise ConstraintError("CC404", f"the file has no `{hdf5.WEIGHTS}`")
            node = _find_group(weights, names[:1], h5py)
            if node is None or self._constants & set(names[:1]):
                return None if node is None else 0
            group = names[-1] if len(names) > 1 else None
            return _elements(node, h5py, self._constants.__contains__, group)


def _h5py() -> Any:
    try:
        import h5py  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return None
    return h5py


def _find_group(node: Any, names: Iterable[str], h5py: Any) -> Any:
    """The group at the end of a path of names; None if there is none."""
    for name in names:
        if not _contains(node, name, h5py):
            return None
        node = node[name]
    return node


def _constants(config: Any) -> Iterator[str]:
    """The names of layers that store a mean and variance of the data."""
    for mapping in mappings(config):
        inner = mapping.get("config")
        if mapping.get("class_name") == "Normalization" and isinstance(inner, dict):
            yield str(inner.get("name"))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except ALL_READ_ERRORS as error:
        raise ConstraintError("CC404", f"its weights cannot be read: {error}") from None


@contextmanager
def _open_weights(path: Path, h5py: Any) -> Iterator[Any]:
    with ZipFile(path) as packed, TemporaryFile() as bare:
        if packed.getinfo(WEIGHTS).file_size > MAX_BYTES:
            raise ConstraintError("CC404", f"its weights are larger than {MAX_BYTES // 2**30} GiB")
        with packed.open(WEIGHTS) as weights:
            copyfileobj(weights, bare)
        with h5py.File(bare, "r") as file:
            yield file


def _contains(node: Any, name: str, h5py: Any) -> bool:
    """Whether a group contains an object itself. Links to elsewhere are not followed."""
    if not isinstance(node, h5py.Group):
        return False
    return isinstance(node.get(name, getlink=True), h5py.HardLink)


def _elements(
    root: Any, h5py: Any, skipped: Callable[[str], bool], group: str | None = None
) -> int:
    """The number of elements of all tensors, or of the tensors in groups with the name `group`. A
    tensor with two links counts once."""
    waiting: list[tuple[Any, bool]] = [(root, group is None)]
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
            if not all(_contains(node, name, h5py) for name in names):
                raise ConstraintError("CC404", LINKS)
            twice = _stored_twice(node, names, h5py)
            waiting += [(node[name], inside or name == group) for name in names]
            seen |= twice
    return total


def _stored_twice(node: Any, names: list[str], h5py: Any) -> set[Any]:
    """The positions of tensors that a group stores twice: SpectralNormalization stores the kernel
    of its `layer` as its own first tensor, next to a vector with one entry for each of the kernel's
    last axis."""
    if not {"layer", "vars"} <= set(names):
        return set()
    norm, inner = (_find_group(node, way, h5py) for way in (("vars",), ("layer", "vars")))
    if not all(isinstance(group, h5py.Group) for group in (norm, inner)) or set(norm) != {"0", "1"}:
        return set()
    if not all(_contains(group, name, h5py) for group in (norm, inner) for name in group):
        return set()
    shapes = [getattr(inner[name], "shape", None) for name in inner]
    first, second = (getattr(norm[name], "shape", None) for name in ("0", "1"))
    if not first or first not in shapes or second != (1, first[-1]):
        return set()
    return {h5py.h5o.get_info(norm["0"].id).addr}
