"""Keras' older format, with a whole model in one HDF5 file. The configuration is an attribute of
the root; the weights are a group with one group for each layer. Source: Keras' legacy_h5_format."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from convcost.importing.frontends.keras.hdf5_heaps import has_valid_heaps
from convcost.importing.ir.refusals import import_packages
from convcost.model.errors import ConstraintError

CONFIG = "model_config"
WEIGHTS = "model_weights"
# groups of files of Keras 3 with weights only
WEIGHT_GROUPS = ("layers", "vars", "_layer_checkpoint_dependencies")
SAVE_WHOLE_MODEL = "save the whole model: model.save('model.keras'), or write model.to_json()"
READ_ERRORS = (OSError, KeyError, ValueError, TypeError, RuntimeError, EOFError, OverflowError)


def configuration(path: Path, largest: int) -> bytes:
    """The text of the configuration. Raises ConstraintError, or OSError if the file does not
    open."""
    h5py = import_packages("h5py", extra="keras")
    with open_file(path, h5py) as file:
        try:
            return _text(file, largest, h5py)
        except READ_ERRORS as error:
            raise ConstraintError("CC404", f"its `{CONFIG}` cannot be read: {error}") from None


@contextmanager
def open_file(path: Path, h5py: Any) -> Iterator[Any]:
    """The root of a file. Raises ConstraintError, or OSError if the file does not open."""
    with path.open("rb") as bare:
        try:
            file = h5py.File(bare, "r") if has_valid_heaps(bare) else None
        except READ_ERRORS:
            file = None
        if file is None:
            raise ConstraintError("CC404", "is not an HDF5 file, or damaged")
        try:
            yield file
        finally:
            file.close()


def _text(file: Any, largest: int, h5py: Any) -> bytes:
    if CONFIG not in file.attrs:
        if "layer_names" in file.attrs or any(name in file for name in WEIGHT_GROUPS):
            raise ConstraintError(
                "CC404",
                "the file has only weights, without the layers that use them",
                SAVE_WHOLE_MODEL,
            )
        raise ConstraintError(
            "CC404", f"the file is not a Keras model: it has no `{CONFIG}`", SAVE_WHOLE_MODEL
        )
    attribute = file.attrs.get_id(CONFIG)
    # The size of an attribute is known before its data is read.
    if attribute.shape != () or attribute.get_type().get_class() != h5py.h5t.STRING:
        raise ConstraintError("CC404", f"its `{CONFIG}` is not text")
    if max(attribute.get_storage_size(), attribute.dtype.itemsize) > largest:
        raise ConstraintError("CC404", f"its `{CONFIG}` is larger than {largest // 2**20} MiB")
    text = file.attrs[CONFIG]
    if isinstance(text, str):
        return text.encode("utf-8", "surrogateescape")
    if not isinstance(text, bytes):
        raise ConstraintError("CC404", f"its `{CONFIG}` is not text")
    return bytes(text)
