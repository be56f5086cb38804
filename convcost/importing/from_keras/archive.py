"""A model's configuration out of its file: `.keras` is a zip archive, `.h5` the older HDF5, `.json`
the text itself."""

import json
import zlib
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile, ZipFile

from convcost.errors import Refusal

LARGEST = 100 * 2**20
WEIGHTS = "model.weights.h5"


class Archive(NamedTuple):
    """`weighted` says whether the file holds the weights, too; `older` whether it is an `.h5`."""

    config: dict[str, Any]
    weighted: bool = False
    older: bool = False


def opened(path: Path) -> Archive:
    """Raises Refusal."""
    try:
        if path.suffix.lower() == ".h5":
            from convcost.importing.from_keras.hdf5 import configuration

            return Archive(_parsed(configuration(path, LARGEST)), weighted=True, older=True)
        if path.suffix.lower() == ".json":
            with path.open("rb") as file:
                return Archive(_parsed(file.read(LARGEST + 1)))
        with ZipFile(path) as archive:
            names = set(archive.namelist())
            if "config.json" not in names:
                raise Refusal(
                    "CC404", "the archive holds no config.json: no Keras model is like it"
                )
            with archive.open("config.json") as packed:
                return Archive(_parsed(packed.read(LARGEST + 1)), WEIGHTS in names)
    except OSError as error:
        raise Refusal("CC404", f"cannot be read: {error.strerror or error}") from None
    except BadZipFile:
        raise Refusal("CC404", "is no .keras file: no zip archive, or a damaged one") from None
    except (RuntimeError, EOFError, zlib.error) as error:
        raise Refusal("CC404", f"cannot be unpacked: {error}") from None


def _parsed(data: bytes) -> dict[str, Any]:
    if len(data) > LARGEST:
        raise Refusal("CC404", f"the configuration is larger than {LARGEST // 2**20} MiB")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refusal("CC404", "the configuration is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}: {error.msg}"
        raise Refusal("CC404", f"the configuration is not JSON, {reason}") from None
    except ValueError:
        raise Refusal("CC404", "the configuration has a number of too many digits") from None
    except RecursionError:
        raise Refusal("CC404", "the configuration is nested too deep") from None
    if isinstance(found, dict) and isinstance(found.get("model_config"), dict):
        found = found["model_config"]
    if not isinstance(found, dict) or "class_name" not in found:
        raise Refusal(
            "CC404", "the JSON is no Keras model", "model.to_json() writes one, with `class_name`"
        )
    return found
