"""Which front end reads a model: by its file's name, or a callable of Python."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from convcost.costs import Costs, costs
from convcost.errors import Refusal, Source
from convcost.importing.drawing import Drawing
from convcost.names import nearest
from convcost.shapes import Shape
from convcost.spec.load import load
from convcost.spec.sizes import Sizes

KERAS = (".keras", ".json", ".h5")
SUFFIXES = (".onnx", *KERAS)
UNDRAWN = "not drawn: "


class Asked(NamedTuple):
    """A model and what it leaves open: what comes in, by size or by the names of dimensions."""

    model: str
    inputs: tuple[tuple[int, ...], ...] = ()
    size: tuple[int, ...] | None = None
    dims: tuple[tuple[str, int], ...] = ()
    name: str | None = None
    dtypes: tuple[str, ...] = ()  # of the inputs: `int` for indices, `float`
    fixed: bool = False  # the spec is for this size alone


class Imported(NamedTuple):
    """A model as the text of a spec, proved, and what that comes to; `notes` are what else is to be
    known of it. `again` draws it at another size, if it has one."""

    text: str
    costs: Costs
    notes: tuple[str, ...]
    again: Callable[[tuple[int, ...]], Drawing] | None = None

    @property
    def counted(self) -> bool:
        """Whether the macs of all layers are known, and all of the model is drawn."""
        undrawn = any(note.startswith(UNDRAWN) for note in self.notes)
        return not undrawn and not any(layer.uncounted for layer in self.costs.layers)

    def anew(self, size: tuple[int, ...]) -> Costs | str:
        """The costs of the model at another size, or why it refuses."""
        from convcost.importing.spec import plainly
        from convcost.importing.sweep.hold import at

        assert self.again is not None
        try:
            return at(plainly(self.again(size)), None)
        except Refusal as refusal:
            return refusal.message


def read(asked: Asked) -> Imported:
    """The model as a proved spec. Raises Refusal."""
    from convcost.importing.spec import specced
    from convcost.importing.sweep.settle import Swept, swept
    from convcost.questions.uncounted import uncounted

    drawing = drawn(asked)
    if asked.name is not None:
        drawing = drawing._replace(name=asked.name)
    if asked.fixed:
        drawing = drawing._replace(sizes=Sizes(fixed=True))
    sizes = [shape.size for _, shape in drawing.inputs]
    again = partial(_again, asked, drawing) if len(sizes) == 1 and sizes[0] else None
    if again is None or asked.fixed or drawing.plain:
        made = Swept(specced(drawing))
    else:
        made = swept(drawing, again)
    (network,) = load(Source(asked.model, made.text))
    counted = costs(network)
    notes = (*_free(drawing), *drawing.notes, *made.notes, *uncounted((counted,)))
    return Imported(made.text, counted, notes, again)


def _again(asked: Asked, drawing: Drawing, size: tuple[int, ...]) -> Drawing:
    """The same model at another size. Raises Refusal."""
    ((_, shape),) = drawing.inputs
    again = _drawn_at(asked, shape, size)
    ((_, found),) = again.inputs
    if found != Shape(shape.channels, size):
        raise Refusal("CC401", "it cannot be drawn at another size")
    return again


def _drawn_at(asked: Asked, shape: Shape, size: tuple[int, ...]) -> Drawing:
    path = Path(asked.model)
    given = asked.inputs
    if given:
        # Tokens have their channels last.
        last = given[0] != (shape.channels, *shape.size) == (given[0][-1], *given[0][:-1])
        given = ((*size, shape.channels) if last else (shape.channels, *size),)
    if path.suffix.lower() == ".onnx":
        from convcost.importing.from_onnx import read as read_onnx

        return read_onnx(path, size=size, dims=dict(asked.dims), again=True)
    if path.suffix.lower() not in KERAS:
        return drawn(asked._replace(inputs=given, size=None))
    from convcost.importing.from_keras import read as read_keras

    return read_keras(path, size=size, inputs=given, anyway=True)


def _free(drawing: Drawing) -> tuple[str, ...]:
    if not drawing.free:
        return ()
    listed = ", ".join(f"{name} ×{number}" for name, number in drawing.free)
    return (f"left out, as they are free: {listed}",)


def drawn(asked: Asked) -> Drawing:
    """The layers of a model. Raises Refusal."""
    path = Path(asked.model)
    suffix = path.suffix.lower()
    if suffix in SUFFIXES or path.is_file():
        _there(path)
    if asked.dims and suffix != ".onnx":
        raise Refusal("CC401", "--dim is for ONNX models", "give --size or --input")
    if suffix == ".onnx":
        if asked.inputs:
            message = "--input is for PyTorch and Keras models"
            raise Refusal("CC401", message, "what an ONNX file leaves open is --size and --dim")
        from convcost.importing.from_onnx import read as read_onnx

        return read_onnx(path, size=asked.size, dims=dict(asked.dims))
    if suffix in KERAS:
        from convcost.importing.from_keras import read as read_keras

        return read_keras(path, size=asked.size, inputs=asked.inputs)
    if is_callable(asked.model):
        from convcost.importing.from_torch import read as read_torch

        dtypes = tuple("int64" if dtype == "int" else "float32" for dtype in asked.dtypes)
        return read_torch(asked.model, inputs=asked.inputs, size=asked.size, dtypes=dtypes)
    raise Refusal(
        "CC401",
        "no model is called like that",
        "a model is a file that ends in .onnx, .keras, .h5 or .json, or package.module:callable",
    )


def is_callable(model: str) -> bool:
    """Whether a model is `package.module:callable`, not a file."""
    return ":" in model and not Path(model).is_file()


def _there(path: Path) -> None:
    if path.is_file():
        return
    if path.exists():
        raise Refusal("CC404", "it is a folder, not a model")
    beside: list[str] = []
    if path.parent.is_dir():
        beside = [file.name for file in path.parent.iterdir() if file.suffix.lower() in SUFFIXES]
    close = nearest(path.name, beside)
    hint = f"did you mean `{path.parent / close}`?" if close else ""
    raise Refusal("CC404", "there is no such file", hint)
