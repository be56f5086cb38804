"""Models of other frameworks, used like specs: the layers of a model as the text of a spec.

This text has no blocks and is for one input size, so it takes less time than `convcost import`,
which writes a spec for people.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from convcost.language.network_inputs import Settings
from convcost.model.errors import ConstraintError, Source, UsageError

SUFFIXES = (".onnx", ".tflite", ".keras", ".h5")


def is_model_file(name: str) -> bool:
    """Whether an argument names the file of a model, by its suffix."""
    return name.lower().endswith(SUFFIXES)


def is_unreadable_model(path: Path) -> bool:
    """Whether a file is a model in a format that convcost cannot read, by its suffix. `read_model`
    raises an error that says how to convert it."""
    from convcost.importing.other_formats import FILE_CONTENTS

    return path.suffix.lower() in FILE_CONTENTS


def refuse_model_folder(folder: Path) -> None:
    """Raises UsageError for a folder with a model in a format that convcost cannot read."""
    from convcost.importing.other_formats import refuse

    with model_errors(str(folder)):
        refuse(folder)


def is_model(name: str) -> bool:
    """Whether an argument names a model: a file by its suffix, or `package.module:callable`, which
    can also be the name of another file."""
    module, _, attribute = name.partition(":")
    parts = (*module.split("."), *attribute.split("."))
    return is_model_file(name) or all(map(str.isidentifier, parts))


def read_model(name: str, settings: Settings) -> Source:
    """The spec of a model at one size. Raises UsageError if the model cannot be read, or if a part
    of it cannot be counted."""
    from convcost.importing.driver import ImportRequest, layer_graph_of
    from convcost.importing.spec import flat_spec

    inputs = settings.inputs
    request = ImportRequest(
        name,
        tuple(dims for dims, _ in inputs),
        settings.size,
        settings.dims,
        dtypes=tuple(dtype for _, dtype in inputs),
    )
    with model_errors(name):
        graph = layer_graph_of(request)
        for gap in graph.gaps:
            raise ConstraintError("CC401", gap, "`convcost import` writes a spec of the layers")
        return Source(name, flat_spec(graph), graph.notes)


@contextmanager
def model_errors(file: str) -> Iterator[None]:
    """Raises a ConstraintError as a UsageError with its code and the name of the file."""
    try:
        yield
    except ConstraintError as error:
        message = f"error[{error.code}]: {file}: {error.message}"
        raise UsageError(message, help=error.help) from None
