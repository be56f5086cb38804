"""ONNX files, of any exporter. Needs the package `onnx`, which nothing else imports."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing

NEEDED = ("google.protobuf.message", "numpy", "onnx")


def read(
    path: Path,
    *,
    size: tuple[int, ...] | None = None,
    dims: Mapping[str, int] = {},
    again: bool = False,
) -> Drawing:
    """The model in a file, drawn at a batch of 1.

    `size` is of every input that leaves its own open, `dims` are dimensions by name; `again` is for
    a file that was read at its own size before. Raises UsageError where the file cannot be read,
    Refusal for what is wrong with the model.
    """
    _there()
    from convcost.importing.from_onnx.file import opened
    from convcost.importing.from_onnx.walk import drawn

    return drawn(opened(path), path, size, dims, again=again)


def _there() -> None:
    """Raises Refusal where a package that reads the file is not."""
    try:
        for package in NEEDED:
            import_module(package)
    except ImportError:
        raise Refusal(
            "CC401", "onnx is needed to read this file", "pip install 'convcost[onnx]'"
        ) from None
