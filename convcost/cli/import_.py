"""`convcost import`: what would a model be as a spec?"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _exits, _networks, _output
from convcost.cli._files import write_file
from convcost.costs import costs
from convcost.errors import Refusal, UsageError
from convcost.importing.fronts import Asked, Imported, read
from convcost.report import printable
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
        typer.Argument(metavar="MODEL", help="File .onnx, .keras, .json; or module:callable."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Where the spec goes.")
    ] = "-",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="CxHxW", help="What the model takes; repeatable."),
    ] = None,
    size: _networks.SizeOption = None,
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
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if a layer of the model is uncounted.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file that is there already.")
    ] = False,
) -> None:
    """A model as a spec: ONNX, PyTorch or Keras in, YAML out, once."""
    with _output.complaints():
        file = None if output == "-" or check is not None else Path(output)
        if file is not None and file.exists() and not force:
            shown = printable(output)
            raise UsageError(
                f"`{shown}` is there already: --force writes over it, --check {shown} tells "
                "whether it still describes the model"
            )
        asked = Asked(
            model,
            tuple(map(_dims, input_ or ())),
            None if size is None else _networks.extent(size),
            tuple(map(_dim, dim or ())),
            name,
        )
        try:
            imported = read(asked)
        except Refusal as refusal:
            raise UsageError(_told(model, refusal)) from None
        if check is not None:
            raise SystemExit(_checked(imported, check, strict=strict))
        if file is None:
            _output.write_text(imported.text, "-", ())
        else:
            write_file(file, iter((imported.text,)))
        _tell(imported, "" if file is None else output)
        if strict and imported.uncounted:
            raise SystemExit(_exits.OVER)


def _dims(text: str) -> tuple[int, ...]:
    """`3x224x224`, channels first."""
    parts = text.lower().replace("×", "x").split("x")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 10**9 for part in parts):
        raise UsageError(f"--input is like 3x224x224, not `{printable(text)}`")
    return tuple(map(int, parts))


def _dim(text: str) -> tuple[str, int]:
    name, equals, number = text.rpartition("=")
    if not (equals and name and number.isascii() and number.isdigit() and 0 < int(number) < 10**9):
        raise UsageError(f"--dim is like batch=1, not `{printable(text)}`")
    return name, int(number)


def _told(model: str, refusal: Refusal) -> str:
    hint = f"\nhelp: {printable(refusal.help)}" if refusal.help else ""
    return f"error[{refusal.code}]: {printable(model)}: {printable(refusal.message)}{hint}"


def _tell(imported: Imported, written: str) -> None:
    """On standard error: what the spec comes to, and what else is to be known of it."""
    totals = imported.costs.totals
    number = len(imported.costs.layers)
    layers = "1 layer" if number == 1 else f"{grouped(number)} layers"
    say = [f"wrote {printable(written)}"] if written else []
    counts = f"{layers}, {grouped(totals.params)} params, {grouped(totals.macs)} macs"
    say.append(f"{printable(imported.costs.network.name)}: {counts}")
    say += [printable(note) for note in imported.notes]
    sys.stderr.write("".join(f"{line}\n" for line in say))


def _checked(imported: Imported, spec: str, *, strict: bool) -> int:
    """Says which layers differ from those of a spec; the exit code."""
    from convcost.files.sources import open_source
    from convcost.importing.describes import Describes
    from convcost.report import FORMATS, Style
    from convcost.spec.load import load

    source, pick = open_source(spec)
    networks = load(source, pick=pick)
    if len(networks) > 1:
        raise UsageError(f"`{printable(spec)}` holds several networks: pick one by #name")
    answer = Describes(imported.costs, costs(networks[0]))
    plain = FORMATS.get("plain")
    assert plain is not None
    _output.write_text("".join(plain.render(answer, Style())), "-", ())
    return _exits.OK if answer.same and not (strict and imported.uncounted) else _exits.OVER
