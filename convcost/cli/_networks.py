"""What all commands that take specs share: their options, and arguments to networks."""

import re
from typing import Annotated, Any, Literal, TypeAlias

import typer

from convcost.errors import Refusal, UsageError
from convcost.options import MAX_AXES
from convcost.report import printable
from convcost.spec.entry import Settings
from convcost.spec.figures import variable

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
SetListOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=V[,V...]",
        help="Replaces a variable of the spec; repeatable. Lists make a sweep.",
    ),
]
SizeListOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--size",
        metavar="N|HxW[,...]",
        help="Input size instead of the spec's own. A list makes a sweep.",
    ),
]
BatchOption: TypeAlias = Annotated[
    int,
    typer.Option("--batch", min=1, max=10**9, metavar="N", help="Samples: macs and activations."),
]


def settings(assignments: list[str] | None, size: str | None) -> Settings:
    """`--set a=1 --set b=true --size 256x320`. Raises UsageError."""
    variables = []
    for assignment in assignments or []:
        name, text = assigned(assignment)
        _refuse_list(f"--set {printable(name)}", text)
        variables.append((name, value(name, text)))
    if size is not None:
        _refuse_list("--size", size)
    return Settings(tuple(variables), None if size is None else extent(size))


def lists(assignments: list[str] | None, size: str | None) -> bool:
    """Whether any of them is a list, so that a sweep is asked for."""
    return any("," in text.partition("=")[2] for text in assignments or []) or "," in (size or "")


def _refuse_list(option: str, text: str) -> None:
    if "," in text:
        raise UsageError(f"{option} takes one value here, not the list `{printable(text)}`")


def assigned(assignment: str) -> tuple[str, str]:
    """`name=value` as name and text. Raises UsageError."""
    name, equals, text = assignment.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set takes name=value, not `{printable(assignment)}`")
    return name.strip(), text.strip()


def value(name: str, text: str) -> Any:
    """One value of a variable. Raises UsageError."""
    try:
        return variable(text)
    except Refusal as refusal:
        raise UsageError(f"--set {printable(name)}: {printable(refusal.message)}") from None


def extent(text: str) -> tuple[int, ...]:
    """One input size, `256` or `256x320`. Raises UsageError."""
    parts = text.lower().replace("×", "x").split("x")
    numbers = [int(part) for part in parts if re.fullmatch("[0-9]{1,9}", part)]
    if len(numbers) != len(parts) or not all(numbers) or len(parts) > MAX_AXES:
        raise UsageError(f"--size is like 256 or 256x320, not `{printable(text)}`")
    return tuple(numbers)
