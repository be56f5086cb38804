"""What all commands that take specs share: their options, and arguments to networks."""

import re
from typing import Annotated, Literal, TypeAlias

import typer

from convcost.cli._sources import open_source
from convcost.errors import Refusal, SpecError, UsageError
from convcost.network import Network
from convcost.options import MAX_AXES
from convcost.report import FORMATS, printable
from convcost.spec.entry import Settings
from convcost.spec.figures import variable
from convcost.spec.load import load

LayoutName: TypeAlias = Literal["hwc", "chw"]

SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Replaces a variable of the spec; repeatable."
    ),
]
SizeOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--size", metavar="N|HxW", help="Input size instead of the spec's own."),
]
BatchOption: TypeAlias = Annotated[
    int,
    typer.Option("--batch", min=1, max=10**9, metavar="N", help="Samples: macs and activations."),
]
FormatOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--format", metavar="FORMAT", help=f"{', '.join(FORMATS.modules())}; by default what fits."
    ),
]
OutputOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write a file; its suffix tells the format."
    ),
]
ColorOption: TypeAlias = Annotated[
    str, typer.Option("--color", metavar="WHEN", help="auto, always or never.")
]
WidthOption: TypeAlias = Annotated[
    int | None,
    typer.Option("--width", metavar="N", help="Width of a table; the terminal's if left out."),
]


def settings(assignments: list[str] | None, size: str | None) -> Settings:
    """`--set a=1 --set b=true --size 256x320`. Raises UsageError."""
    variables = []
    for assignment in assignments or []:
        name, equals, value = assignment.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"--set takes name=value, not `{printable(assignment)}`")
        try:
            variables.append((name.strip(), variable(value.strip())))
        except Refusal as refusal:
            raise UsageError(f"--set {printable(name)}: {printable(refusal.message)}") from None
    return Settings(tuple(variables), _size(size))


def _size(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    parts = text.lower().replace("×", "x").split("x")
    numbers = [int(part) for part in parts if re.fullmatch("[0-9]{1,9}", part)]
    if len(numbers) != len(parts) or not all(numbers) or len(parts) > MAX_AXES:
        raise UsageError(f"--size is like 256 or 256x320, not `{printable(text)}`")
    return tuple(numbers)


def read(arguments: list[str], asked: Settings) -> list[Network]:
    """The networks of all arguments; everything that is wrong with any, in one group of errors."""
    networks: list[Network] = []
    errors: list[SpecError | UsageError] = []
    for argument in arguments:
        try:
            source, pick = open_source(argument)
            networks += load(source, asked, pick)
        except (SpecError, UsageError) as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("specs", errors)
    return networks
