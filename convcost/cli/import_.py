"""`convcost import`: what would a model be as a spec?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from convcost.cli import _exits, _networks, _output
from convcost.cli._files import same, write_file
from convcost.costs import costs
from convcost.errors import Refusal, UsageError
from convcost.files.sources import SUFFIXES, open_source
from convcost.importing.fronts import Asked, Imported, read
from convcost.report import Table, printable
from convcost.units import grouped

EPILOG = """Examples:

  convcost import resnet50.onnx -o resnet50.yaml

  convcost import detector.onnx --size 320 --dim batch=1

  convcost import torchvision.models:resnet50 --input 3x224x224 -o resnet50.yaml

  convcost import model.keras -o model.yaml

  convcost import resnet50.onnx --check resnet50.yaml

Exit codes: 0 fine, 1 the spec no longer describes the model, or --strict and a layer is uncounted,
2 the model cannot be read, or a usage error."""


def command(
    model: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="File .onnx, .keras, .h5, .json; or module:callable."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the spec goes.")
    ] = "-",
    input_: Annotated[
        list[str] | None,
        typer.Option(
            "--input",
            metavar="CxHxW[:int]",
            help="What a model takes, without the batch, channels first; repeatable.",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(metavar="N|HxW", help="The size of what it takes, where that is open."),
    ] = None,
    dim: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=N", help="A dimension the model leaves open; repeatable."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The network's name instead of its own.")
    ] = None,
    check: Annotated[
        str | None,
        typer.Option(metavar="SPEC", help="Write nothing: does that spec describe the model?"),
    ] = None,
    fixed: Annotated[
        bool,
        typer.Option("--fixed", help="A spec for this size alone: it is held against no other."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a layer of the model is uncounted.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there; its budget stays.")
    ] = False,
) -> None:
    """A model as a spec: ONNX, PyTorch or Keras in, YAML out, once."""
    with _output.complaints():
        if check is not None and output != "-":
            raise UsageError("--check writes no spec: it goes without --output")
        file = None if output == "-" else _target(output, model, force=force)
        inputs = [_dims(text) for text in input_ or ()]
        asked = Asked(
            model,
            tuple(dims for dims, _ in inputs),
            None if size is None else _networks.extent(size),
            tuple(map(_dim, dim or ())),
            name,
            tuple(dtype for _, dtype in inputs),
            fixed,
        )
        if check is not None:
            raise SystemExit(_checked(asked, check, strict=strict))
        imported = _read(asked)
        stays: tuple[str, ...] = ()
        if file is None:
            _output.write_text(imported.text, "-", ())
        else:
            text, stays = _kept(file, imported.text)
            write_file(file, iter((text,)))
        _tell(imported, "" if file is None else output, stays)
        if strict and not imported.counted:
            raise SystemExit(_exits.OVER)


def _target(output: str, model: str, *, force: bool) -> Path:
    """Where the spec goes. Raises UsageError."""
    shown = printable(output)
    file = Path(output)
    if file.suffix not in SUFFIXES:
        raise UsageError(f"a spec ends in .yaml, `{shown}` does not")
    if same(file, model):
        raise UsageError(f"--output would overwrite the model `{shown}`")
    if file.exists() and not force:
        raise UsageError(
            f"`{shown}` is there already: --force writes over it, --check {shown} tells "
            "whether it still describes the model"
        )
    return file


def _read(asked: Asked) -> Imported:
    try:
        return read(asked)
    except Refusal as refusal:
        raise UsageError(_told(asked.model, refusal)) from None


def _dims(text: str) -> tuple[tuple[int, ...], str]:
    """`3x224x224`, channels first and without the batch; `64:int` for indices."""
    extents, colon, dtype = text.partition(":")
    parts = extents.lower().replace("×", "x").split("x")
    numbers = all(part.isascii() and part.isdigit() and 0 < int(part) < 10**9 for part in parts)
    if not numbers or dtype not in (("int", "float") if colon else ("",)):
        raise UsageError(f"--input is like 3x224x224, or 64:int, not `{printable(text)}`")
    return tuple(map(int, parts)), dtype or "float"


def _dim(text: str) -> tuple[str, int]:
    name, equals, number = text.rpartition("=")
    if not (equals and name and number.isascii() and number.isdigit() and 0 < int(number) < 10**9):
        raise UsageError(f"--dim is like batch=1, not `{printable(text)}`")
    return name, int(number)


def _told(model: str, refusal: Refusal) -> str:
    hint = f"\nhelp: {printable(refusal.help)}" if refusal.help else ""
    return f"error[{refusal.code}]: {printable(model)}: {printable(refusal.message)}{hint}"


def _kept(file: Path, text: str) -> tuple[str, tuple[str, ...]]:
    """The text with what stays of the file that it is written over. Raises UsageError."""
    from convcost.importing.kept import kept

    if not file.exists():
        return text, ()
    try:
        old = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return text, ()
    try:
        return kept(old, text)
    except Refusal as refusal:
        raise UsageError(_told(str(file), refusal)) from None


def _tell(imported: Imported, written: str, stays: tuple[str, ...]) -> None:
    """On standard error: what the spec comes to, and what else is to be known of it."""
    totals = imported.costs.totals
    number = len(imported.costs.layers)
    layers = "1 layer" if number == 1 else f"{grouped(number)} layers"
    say = [f"wrote {printable(written)}"] if written else []
    if stays:
        say.append(f"kept as they were: {', '.join(map(printable, stays))}")
    counts = f"{layers}, {grouped(totals.params)} params, {grouped(totals.macs)} macs"
    say.append(f"{printable(imported.costs.network.name)}: {counts}")
    say += [printable(note) for note in imported.notes]
    sys.stderr.write("".join(f"{line}\n" for line in say))


def _checked(asked: Asked, spec: str, *, strict: bool) -> int:
    """Says which layers differ from those of a spec; the exit code. What a module takes is what the
    spec takes, unless it is given."""
    from convcost.importing.check import checked
    from convcost.report import FORMATS, Style
    from convcost.spec.entry import Settings
    from convcost.spec.load import load

    source, pick = open_source(spec)
    networks = load(source, pick=pick)
    if len(networks) > 1:
        raise UsageError(f"`{printable(spec)}` holds several networks: pick one by #name")
    try:
        found = checked(asked, lambda size: costs(load(source, Settings((), size), pick)[0]))
    except Refusal as refusal:
        raise UsageError(_told(asked.model, refusal)) from None
    imported, answer, at, notes = found
    table = answer.differing()
    head, *rest = (*answer.lines(at), *notes)
    told = [printable(head)]
    if table is not None:
        plain = FORMATS.get("plain")
        assert plain is not None
        pieces = "".join(plain.render(Tables((table,)), Style()))
        told += ["", *pieces.rstrip("\n").split("\n")]
    text = "".join(f"{line}\n" for line in (*told, *map(printable, rest)))
    _output.write_text(text, "-", ())
    return _exits.OK if answer.same and (imported.counted or not strict) else _exits.OVER


class Tables(NamedTuple):
    """Tables as a report."""

    all: tuple[Table, ...]

    def tables(self) -> Iterator[Table]:
        yield from self.all

    def tree(self) -> dict[str, Any]:
        return {}
