"""`convcost import`: a model of a framework as a spec."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from convcost.cli import _networks, _output, _process
from convcost.cli._files import write_file
from convcost.commands.import_ import check_model, import_model, keep_sections
from convcost.importing.driver import Imported, ImportRequest
from convcost.model.errors import UsageError, printable
from convcost.model.measures import Measure
from convcost.model.number_format import counted, format_count
from convcost.reports.table import cell_text, count_cell, plain_text
from convcost.sources.spec_files import SUFFIXES, is_source

EPILOG = """\b
Examples:
  convcost import resnet50.onnx -o resnet50.yaml
  convcost import torchvision.models:resnet50 --input 3x224x224 -o resnet50.yaml
  convcost import detector.onnx --size 320 --dim batch=1
  convcost import resnet50.onnx --check resnet50.yaml

Exit codes: 0: success, 1: the spec no longer describes the model, or a layer is uncounted with
--strict, 2: usage error, or the model cannot be read."""


def command(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL", help="A .onnx, .tflite, .keras, .h5 or .json file, or module:callable."
        ),
    ],
    output: _networks.OutputFileOption = "-",
    input_: _networks.InputOption = None,
    size: Annotated[
        str | None, typer.Option(metavar="N|HxW", help="Input size, if the model leaves it open.")
    ] = None,
    dim: _networks.DimOption = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the network in the spec.")
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Write nothing; check that SPEC describes the model."),
    ] = None,
    fixed: Annotated[
        bool, typer.Option("--fixed", help="Import for this input size only; skip other sizes.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a layer of the model is uncounted.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option("--force", help="Overwrite a file; keep its budget and published figures."),
    ] = False,
) -> None:
    """Convert an ONNX, TFLite, PyTorch or Keras model to a spec."""
    if check is not None and output != "-":
        raise UsageError("--check writes no spec; use it without --output")
    file = None if output == "-" else _target(output, model, force=force)
    inputs = [_networks.parse_input(text) for text in input_ or ()]
    request = ImportRequest(
        model=model,
        inputs=tuple(dims for dims, _ in inputs),
        size=None if size is None else _networks.input_size(size),
        dims=tuple(map(_networks.parse_dim, dim or ())),
        name=name,
        dtypes=tuple(dtype for _, dtype in inputs),
        fixed=fixed,
    )
    if check is not None:
        raise SystemExit(_check(request, check, strict=strict))
    with _output.show_progress(f"reading {model}"):
        imported = import_model(request)
    old_sections: tuple[str, ...] = ()
    if file is None:
        _output.write_text(imported.text, "-", ())
    else:
        text, old_sections = keep_sections(file, imported.text)
        write_file(file, iter((text,)))
    _summarize(imported, "" if file is None else output, old_sections)
    if strict and not imported.counted:
        raise SystemExit(_process.FAILED)


def _target(output: str, model: str, *, force: bool) -> Path:
    """The file to write. Raises UsageError."""
    file = Path(output)
    if file.suffix not in SUFFIXES:
        raise UsageError(f"--output must end in .yaml for a spec, not `{output}`")
    if is_source(file, model):
        raise UsageError(f"--output would overwrite the model `{output}`")
    if file.exists() and not force:
        raise UsageError(
            f"`{output}` exists already; overwrite it with --force, or check with "
            f"--check {quote(output)} that it still describes the model"
        )
    return file


def _summarize(imported: Imported, written: str, old_sections: tuple[str, ...]) -> None:
    """Prints the costs of the imported spec and the notes on it to standard error."""
    totals = imported.costs.totals
    layers = counted(len(imported.costs.layers), "layer")
    lines = [f"wrote {written}"] if written else []
    if old_sections:
        lines.append(f"kept from the old file: {', '.join(old_sections)}")
    counts = f"{layers}, {format_count(totals.params)} params"
    if totals.frozen:
        counts += f", {format_count(totals.trainable)} of them trainable"
    counts += f", {cell_text(count_cell(totals.count_of(Measure.MACS)))} macs"
    lines.append(f"{imported.costs.network.name}: {counts}")
    _process.write_messages(*lines, *imported.notes)


def _check(request: ImportRequest, spec: str, *, strict: bool) -> int:
    """Prints the layers in which the model and the spec differ, and returns the exit code."""
    with _output.show_progress(f"comparing {request.model} with {spec}"):
        imported, answer, at, notes = check_model(request, spec)
    table = answer.difference_table()
    first, *others = (printable(line) for line in (*answer.lines(at), *notes))
    lines = [first]
    if table is not None:
        lines += ["", *"".join(plain_text((table,))).rstrip("\n").split("\n")]
    text = "".join(f"{line}\n" for line in (*lines, *others))
    _output.write_text(text, "-", ())
    return _process.OK if answer.is_same and (imported.counted or not strict) else _process.FAILED
