"""Chooses the front end for a model, by the name of its file or because it is a Python callable."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.other_formats import refuse
from convcost.language.load import load
from convcost.language.network_inputs import AllowedSizes
from convcost.model.costs import Costs, costs
from convcost.model.errors import ConstraintError, Source
from convcost.model.shape import Shape
from convcost.model.suggestions import nearest

KERAS = (".keras", ".json", ".h5")
SUFFIXES = (".onnx", ".tflite", *KERAS)
MAX_QUOTED_CHARACTERS = 200  # characters of a value, in a message
MAX_MESSAGE_CHARACTERS = 2_000  # of an error of a framework


class ImportRequest(NamedTuple):
    """A model, and the values that it leaves open: its inputs, its size, or dimensions by name."""

    model: str
    inputs: tuple[tuple[int, ...], ...] = ()
    size: tuple[int, ...] | None = None
    dims: tuple[tuple[str, int], ...] = ()
    name: str | None = None
    dtypes: tuple[str, ...] = ()  # the types of the inputs: `int` for indices, or `float`
    fixed: bool = False  # the spec is for this size only


class Imported(NamedTuple):
    """The verified spec of a model as text, with its costs and notes. `read_at` reads the model at
    another size, if that is possible. `gaps` are the notes about what the layers do not count."""

    text: str
    costs: Costs
    notes: tuple[str, ...]
    read_at: Callable[[tuple[int, ...]], LayerGraph] | None = None
    gaps: tuple[str, ...] = ()

    @property
    def counted(self) -> bool:
        """Whether the spec counts the whole model: no layer is uncounted, no operator is left out,
        and the layers have as many numbers as the model stores for them."""
        return not self.gaps and not any(layer.uncounted for layer in self.costs.layers)

    def costs_at(self, size: tuple[int, ...]) -> Costs | str:
        """The costs of the model at another size, or the reason why it refuses the size."""
        from convcost.importing.generalize.verify_at_size import costs_at_size
        from convcost.importing.spec import flat_text

        assert self.read_at is not None
        try:
            return costs_at_size(flat_text(self.read_at(size)), None)
        except ConstraintError as refusal:
            return refusal.message


def read(request: ImportRequest) -> Imported:
    """The model as a verified spec. Raises ConstraintError."""
    from convcost.importing.generalize.search import GeneralizedSpec, generalized_spec
    from convcost.importing.spec import proved_spec
    from convcost.reports.notes import uncounted_note

    graph = layer_graph_of(request)
    if request.name is not None:
        graph = graph._replace(name=request.name)
    if request.fixed:
        graph = graph._replace(sizes=AllowedSizes(fixed=True))
    sizes = [shape.size for _, shape in graph.inputs]
    read_at = partial(_at_other_size, request, graph) if len(sizes) == 1 and sizes[0] else None
    if read_at is None or request.fixed or graph.plain:
        generalized = GeneralizedSpec(proved_spec(graph))
    else:
        generalized = generalized_spec(graph, read_at)
    (network,) = load(Source(request.model, generalized.text))
    counted = costs(network)
    uncounted = uncounted_note(network.name, counted.layers)
    notes = (*_free_layers_note(graph), *graph.notes, *generalized.notes, *uncounted)
    return Imported(generalized.text, counted, notes, read_at, graph.gaps)


def _at_other_size(request: ImportRequest, graph: LayerGraph, size: tuple[int, ...]) -> LayerGraph:
    """The same model at another size. Raises ConstraintError."""
    ((_, shape),) = graph.inputs
    inputs = request.inputs
    if inputs:
        # The channels of tokens are the last axis, and a row of integers has no channels.
        extents = inputs[0]
        channels_last = extents != (shape.channels, *shape.size) == (extents[-1], *extents[:-1])
        dims = (*size, shape.channels) if channels_last else (shape.channels, *size)
        inputs = (size if extents == shape.size else dims,)
    read = layer_graph_of(request._replace(inputs=inputs, size=size), resized=True)
    ((_, input_shape),) = read.inputs
    if input_shape != Shape(shape.channels, size):
        raise ConstraintError("CC401", "it cannot be imported at another size")
    return read


def _free_layers_note(graph: LayerGraph) -> tuple[str, ...]:
    if not graph.free:
        return ()
    listed = ", ".join(f"{name} ×{number}" for name, number in graph.free)
    return (f"left out, as they are free: {listed}",)


def layer_graph_of(request: ImportRequest, *, resized: bool = False) -> LayerGraph:
    """The layers of a model; `resized` if an earlier call read it at another size. Raises
    ConstraintError. No message or note has a whole long value."""
    try:
        graph = _layer_graph_of(request, resized=resized)
        _require_layers(graph)
    except ConstraintError as error:
        error.message, error.help = _shorten_values(error.message), _shorten_values(error.help)
        raise
    notes, gaps = (tuple(map(_shorten_values, texts)) for texts in (graph.notes, graph.gaps))
    return graph._replace(notes=notes, gaps=gaps)


def _require_layers(graph: LayerGraph) -> None:
    """Raises ConstraintError CC401 if a graph has none."""
    if graph.layers:
        return
    constant = () if graph.outputs or graph.gaps else ("its outputs do not depend on its inputs",)
    reason = "; ".join((*constant, *_free_layers_note(graph), *graph.notes))
    raise ConstraintError("CC401", "no operator of the model becomes a layer", reason)


def _shorten_values(message: str) -> str:
    """A message, with each quoted value truncated to MAX_QUOTED_CHARACTERS characters."""
    if len(message) <= MAX_QUOTED_CHARACTERS:
        return message
    text = re.sub(rf"(`[^`]{{{MAX_QUOTED_CHARACTERS}}})[^`]+(?=`)", r"\1…", message)
    return text if len(text) <= MAX_MESSAGE_CHARACTERS else f"{text[:MAX_MESSAGE_CHARACTERS]}…"


def _layer_graph_of(request: ImportRequest, *, resized: bool) -> LayerGraph:
    path = Path(request.model)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or path.is_file():
        _require_file(path)
    if path.exists():
        refuse(path)
    _require_fitting_options(request, suffix)
    if suffix == ".onnx":
        from convcost.importing.frontends.onnx import read as read_onnx

        return read_onnx(path, size=request.size, dims=dict(request.dims), resized=resized)
    if suffix == ".tflite":
        from convcost.importing.frontends.tflite import read as read_tflite

        return read_tflite(path, size=request.size, resized=resized)
    if suffix in KERAS:
        from convcost.importing.frontends.keras import read as read_keras

        return read_keras(path, size=request.size, inputs=request.inputs, resized=resized)
    if is_callable(request.model):
        from convcost.importing.frontends.torch import read as read_torch

        dtypes = tuple("int64" if dtype == "int" else "float32" for dtype in request.dtypes)
        size = None if resized else request.size  # then the inputs have the size
        return read_torch(request.model, inputs=request.inputs, size=size, dtypes=dtypes)
    raise ConstraintError(
        "CC401",
        "the name is not that of a model",
        "a model is a file that ends in .onnx, .tflite, .keras, .h5 or .json, "
        "or package.module:callable",
    )


def _require_fitting_options(request: ImportRequest, suffix: str) -> None:
    if request.dims and suffix != ".onnx":
        raise ConstraintError("CC401", "--dim is for ONNX models", "give --size or --input")
    if request.inputs and suffix in (".onnx", ".tflite"):
        message = "--input is for PyTorch and Keras models"
        format_name, dim = ("an ONNX", " or --dim") if suffix == ".onnx" else ("a .tflite", "")
        raise ConstraintError("CC401", message, f"for {format_name} file, give --size{dim}")


def is_callable(model: str) -> bool:
    """Whether a model is `package.module:callable`, not a file."""
    return ":" in model and not Path(model).is_file()


def _require_file(path: Path) -> None:
    if path.is_file():
        return
    if path.exists():
        kind = "a folder" if path.is_dir() else "a device or a pipe"
        raise ConstraintError("CC404", f"it is {kind}, not a model")
    beside: list[str] = []
    if path.parent.is_dir():
        files = filter(Path.is_file, path.parent.iterdir())  # no link to no file
        beside = [file.name for file in files if file.suffix.lower() in SUFFIXES]
    close = nearest(path.name, beside)
    hint = f"did you mean `{path.parent / close}`?" if close else ""
    raise ConstraintError("CC404", "there is no such file", hint)
