"""ONNX files, of any exporter. Needs the package `onnx`, which nothing else imports."""

from collections.abc import Mapping
from pathlib import Path

from convcost.importing.drawing import Drawing


def read(
    path: Path, *, size: tuple[int, ...] | None = None, dims: Mapping[str, int] = {}
) -> Drawing:
    """The model in a file, drawn at a batch of 1.

    `size` is of every input that leaves its own open, `dims` are dimensions by name. Raises
    UsageError where the file cannot be read, Refusal for what is wrong with the model.
    """
    from convcost.importing.from_onnx.file import opened
    from convcost.importing.from_onnx.walk import drawn

    return drawn(opened(path), path.stem, str(path.name), size, dims)
