"""Reads a model's configuration from its file: `.keras` is a zip archive, `.h5` is the older HDF5
format, and `.json` is the configuration itself."""

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

from convcost.model.errors import ConstraintError

MAX_BYTES = 100 * 2**20  # of the configuration
MAX_VALUES = 1_000_000  # values in a configuration; each needs up to 250 bytes of memory
MAX_NESTING = 200  # levels
WEIGHTS = "model.weights.h5"
# Errors that zipfile does not convert for damaged members, with any compression. A damaged LZMA
# header may demand all memory.
READ_ERRORS: tuple[type[Exception], ...] = (
    *(BadZipFile, RuntimeError, EOFError, ValueError, OverflowError, MemoryError),
    *(struct.error, zlib.error),
)
with suppress(ImportError):  # a Python may be built without the module
    from lzma import LZMAError

    READ_ERRORS += (LZMAError,)


class Archive(NamedTuple):
    """A configuration. `weighted` says whether the file has the weights too, `older` whether it is
    an `.h5`."""

    config: dict[str, Any]
    weighted: bool = False
    older: bool = False


def read_archive(path: Path) -> Archive:
    """The configuration in a file. Raises ConstraintError."""
    try:
        if path.suffix.lower() == ".h5":
            from convcost.importing.frontends.keras.hdf5 import configuration

            return Archive(_parse(configuration(path, MAX_BYTES)), weighted=True, older=True)
        if path.suffix.lower() == ".json":
            with path.open("rb") as file:
                return Archive(_parse(file.read(MAX_BYTES + 1)))
        with ZipFile(path) as archive:
            names = set(archive.namelist())
            if "config.json" not in names:
                raise ConstraintError(
                    "CC404", "the archive has no config.json, so it is not a Keras model"
                )
            with archive.open("config.json") as packed:
                return Archive(_parse(packed.read(MAX_BYTES + 1)), WEIGHTS in names)
    except OSError as error:
        raise ConstraintError("CC404", f"cannot be read: {error.strerror or error}") from None
    except BadZipFile:
        raise ConstraintError(
            "CC404", "is not a .keras file: it is not a zip archive, or damaged"
        ) from None
    except READ_ERRORS as error:
        raise ConstraintError("CC404", f"cannot be unpacked: {error}") from None


def _parse(data: bytes) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ConstraintError("CC404", f"the configuration is larger than {MAX_BYTES // 2**20} MiB")
    if sum(map(data.count, (b"[", b"{", b","))) > MAX_VALUES:
        raise ConstraintError("CC404", f"the configuration has more than {MAX_VALUES:,} values")
    try:
        config = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ConstraintError("CC404", "the configuration is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}: {error.msg}"
        raise ConstraintError("CC404", f"the configuration is not JSON: {reason}") from None
    except ValueError:
        raise ConstraintError(
            "CC404", "the configuration has a number of too many digits"
        ) from None
    except RecursionError:
        raise ConstraintError("CC404", "the configuration is nested too deeply") from None
    if _nesting(config) > MAX_NESTING:
        message = f"the configuration is nested more than {MAX_NESTING} levels deep"
        raise ConstraintError("CC404", message)
    if isinstance(config, dict) and isinstance(config.get("model_config"), dict):
        config = config["model_config"]
    if not isinstance(config, dict) or "class_name" not in config:
        raise ConstraintError(
            "CC404",
            "the JSON is not a Keras model",
            "model.to_json() writes one, with `class_name`",
        )
    _name_sequences(config)
    return config


def _name_sequences(config: dict[str, Any]) -> None:
    """Puts the layers of each Sequential model into a mapping with its name. Before version 2.2.3,
    Keras wrote them as a list without a name."""
    for number, mapping in enumerate(mappings(config)):
        layers = mapping.get("config")
        if mapping.get("class_name") == "Sequential" and isinstance(layers, list):
            name = mapping.get("name") or (f"sequential_{number}" if number else None)
            mapping["config"] = {"name": name, "layers": layers}


def mappings(config: Any) -> Iterator[dict[str, Any]]:
    """All mappings in a configuration, beginning with itself if it is one."""
    waiting = [config]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _nesting(value: Any) -> int:
    """The number of levels of nested lists and objects."""
    levels, inside = 0, [value]
    while inside:
        nested = [value for value in inside if isinstance(value, list | dict)]
        levels += bool(nested)
        inside = [
            part
            for value in nested
            for part in (value.values() if isinstance(value, dict) else value)
        ]
    return levels
