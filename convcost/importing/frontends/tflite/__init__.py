"""The front end for files of TensorFlow Lite. Only this package needs the package `tflite`."""

from pathlib import Path

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.refusals import import_packages


def read(path: Path, *, size: tuple[int, ...] | None = None, resized: bool = False) -> LayerGraph:
    """Reads the first subgraph of a file, with a batch of 1.

    `size` is for the inputs that the file leaves open; if it leaves none open, `size` replaces the
    size in the file. `resized` reads a model at another size than an earlier read did. Raises
    UsageError if the file cannot be read, ConstraintError if the model is not valid or supported.
    """
    import_packages("tflite", extra="tflite")
    from convcost.importing.frontends.tflite.file import conforming_to_schema, read_graph
    from convcost.importing.frontends.tflite.lower_graph import lower_model

    with conforming_to_schema("the file"):
        return lower_model(read_graph(path), path, size, resized=resized)
