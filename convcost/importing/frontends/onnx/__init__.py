"""The front end for ONNX files of any exporter. Only this package needs the package `onnx`."""

from collections.abc import Mapping
from pathlib import Path

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.refusals import import_packages


def read(
    path: Path,
    *,
    size: tuple[int, ...] | None = None,
    dims: Mapping[str, int] = {},
    resized: bool = False,
) -> LayerGraph:
    """Reads the model in a file, with a batch of 1.

    `size` is the size of every input whose size is open in the file; `dims` gives open dimensions
    by name; `resized` reads a model at another size than an earlier read did. Raises UsageError if
    the file cannot be read, ConstraintError if the model is invalid or not supported.
    """
    import_packages("google.protobuf.message", "numpy", "onnx", extra="onnx")
    from convcost.importing.frontends.onnx.file import read_model
    from convcost.importing.frontends.onnx.lower_graph import lower_model

    return lower_model(read_model(path), path, size, dims, resized=resized)
