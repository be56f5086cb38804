"""The options that commands on specs share, and their values."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, TypeAlias

import typer

from convcost.language.network_inputs import Settings
from convcost.language.scalars import parse_extents, parse_variable
from convcost.model.costs import CountingConvention
from convcost.model.errors import UsageError, usage_errors
from convcost.model.measures import MEASURES
from convcost.model.options import MAX_WINDOW_AXES
from convcost.model.suggestions import did_you_mean

A_SPEC = (
    "A spec file, the name of a shipped spec, a model (.onnx, .tflite, .keras, .h5, "
    "module:callable), or - for standard input; #name selects one network."
)
SpecArgument: TypeAlias = Annotated[str, typer.Argument(metavar="SPEC", help=A_SPEC)]
SpecsArgument: TypeAlias = Annotated[list[str], typer.Argument(metavar="SPEC...", help=A_SPEC)]
TopOption: TypeAlias = Annotated[
    int | None, typer.Option("--top", min=1, metavar="N", help="Print only the first N rows.")
]
OutputFileOption: TypeAlias = Annotated[
    str, typer.Option("--output", "-o", metavar="FILE", help="Write a file; - is standard output.")
]
InputOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="CxHxW[:int]",
        help="Shape of an input of a model, channels first, without the batch; repeatable.",
    ),
]
DimOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--dim", metavar="NAME=N", help="A dimension that the model leaves open; repeatable."
    ),
]
SetOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a variable of the spec; repeatable."),
]
SizeOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[INPUT=]N|HxW",
        help="Size of all inputs, or of one; replaces the size in the spec. Repeatable.",
    ),
]
SetListOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=V[,V...]",
        help="Set a variable of the spec; repeatable. A list makes a sweep.",
    ),
]
SizeListOption: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[INPUT=]N|HxW[,...]",
        help="Size of all inputs, or of one; replaces the size in the spec. Repeatable. A list "
        "makes a sweep.",
    ),
]
DeployOption: TypeAlias = Annotated[
    bool,
    typer.Option(
        "--deploy", help="Count as deployed: batch norms folded, dropout and identity removed."
    ),
]
DeviceOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="NAME|FILE", help="A device: stm32h743, h100 and others, or a file."
    ),
]
BatchOption: TypeAlias = Annotated[
    int,
    typer.Option(
        min=1, max=10**9, metavar="N", help="Number of samples that macs and activations count."
    ),
]

CountOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--count",
        metavar="A,B",
        help="Add counts by other conventions, like thop,fvcore; see `convcost conventions`.",
    ),
]


def conventions(names: str | None) -> Sequence[CountingConvention]:
    """The conventions of `--count thop,fvcore`. Raises UsageError."""
    if names is None:
        return ()
    from convcost.conventions import find_conventions

    return find_conventions(names)


def settings(
    assignments: list[str] | None,
    sizes: list[str] | None,
    inputs: list[str] | None = None,
    dims: list[str] | None = None,
) -> Settings:
    """The settings of a command, from the values of `--set`, `--size`, `--input` and `--dim`.

    Raises UsageError, also for several values of one option.
    """
    for option, texts in (("--set", assignments), ("--size", sizes)):
        for text in texts or ():
            if is_sweep([text], None):
                raise UsageError(
                    f"{option} {text}: only one value is possible here; analyze and compare accept "
                    "several, and search has --vary"
                )
    variables = []
    for assignment in assignments or []:
        name, text = name_and_text(assignment)
        variables.append((name, value(name, text)))
    by_input = {name: input_size(text) for name, text in sizes_by_input(sizes).items()}
    return Settings(
        tuple(variables),
        by_input.pop("", None),
        tuple(map(parse_input, inputs or ())),
        tuple(map(parse_dim, dims or ())),
        tuple(by_input.items()),
    )


def sizes_by_input(sizes: list[str] | None) -> dict[str, str]:
    """Maps the name of each input to the text of its `--size`; the key "" means all inputs.

    Raises UsageError.
    """
    size_by_input: dict[str, str] = {}
    for text in sizes or []:
        name, equals, size = text.rpartition("=")
        if equals and not name:
            raise UsageError(f"--size must be like 256 or mask=256, not `{text}`")
        if name in size_by_input:
            raise UsageError(f"--size {name}".rstrip() + " is given twice")
        size_by_input[name] = size
    return size_by_input


def parse_input(text: str) -> tuple[tuple[int, ...], str]:
    """Parses `3x224x224` or `64:int` to the shape, channels first and without the batch, and the
    dtype.

    Raises UsageError.
    """
    numbers, colon, dtype = text.partition(":")
    shape = parse_extents(numbers)
    if not shape or dtype not in (("int", "float") if colon else ("",)):
        raise UsageError(f"--input must be like 3x224x224 or 64:int, not `{text}`")
    return shape, dtype or "float"


def parse_dim(text: str) -> tuple[str, int]:
    """Parses `batch=1` to the name and the number. Raises UsageError."""
    name, _, number = text.rpartition("=")
    dims = parse_extents(number)
    if not name or len(dims) != 1:
        raise UsageError(f"--dim must be like batch=1, not `{text}`")
    return name, dims[0]


def is_sweep(assignments: list[str] | None, sizes: list[str] | None) -> bool:
    """Whether any option has several values."""
    return any("," in text.rpartition("=")[2] for text in (*(assignments or ()), *(sizes or ())))


def names(text: str) -> tuple[str, ...]:
    """Parses `macs, params` to names, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def columns(
    text: str, column_names: Collection[str], conventions: Sequence[CountingConvention] = ()
) -> tuple[str, ...]:
    """Parses `macs,params`, or `all`, to the names of known columns; `thop` to `count thop`, if it
    is one of the conventions. Raises UsageError."""
    if text == "all":
        return tuple(column_names)
    chosen = names(text)
    counts = {convention.name: f"count {convention.name}" for convention in conventions}
    for name in chosen:
        if name not in column_names and name not in counts:
            hint = _suggest_count(name) or did_you_mean(name, (*column_names, *counts), 99)
            raise UsageError(f"there is no column `{name}`; {hint}")
    if not chosen:
        raise UsageError(f"--columns needs one of {', '.join(column_names)}")
    return tuple(name if name in column_names else counts[name] for name in chosen)


def sort_key(
    text: str | None,
    *others: str,
    measures: Sequence[str] = tuple(MEASURES),
    conventions: Sequence[CountingConvention] | None = None,
) -> str | None:
    """Returns the sort keys of `params,-macs`, after a check that each is a measure, one of the
    other keys, or the name of a convention. `conventions` is None for a command without `--count`.

    A `-` before a key reverses the order. Raises UsageError.
    """
    if text is None:
        return None
    key_names = (*measures, *others, *(convention.name for convention in conventions or ()))
    keys = names(text)
    for key in keys:
        name = key.removeprefix("-")
        if name not in key_names:
            hint = "" if conventions is None else _suggest_count(name)
            hint = hint or did_you_mean(name, key_names, len(key_names))
            raise UsageError(f"cannot sort by `{name}`; {hint}")
    if not keys:
        raise UsageError(f"--sort needs one of {', '.join(key_names)}")
    return ",".join(keys)


def _suggest_count(name: str) -> str:
    from convcost.conventions import suggest_count

    return suggest_count(name)


def name_and_text(assignment: str) -> tuple[str, str]:
    """Splits `name=value` into the name and the text of the value. Raises UsageError."""
    name, equals, text = assignment.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"--set needs name=value, not `{assignment}`")
    return name.strip(), text.strip()


def value(name: str, text: str) -> Any:
    """Parses the value of a variable. Raises UsageError."""
    with usage_errors(f"--set {name}: "):
        return parse_variable(text)


def input_size(text: str) -> tuple[int, ...]:
    """Parses one input size, `256` or `256x320`. Raises UsageError."""
    size = parse_extents(text)
    if not size or len(size) > MAX_WINDOW_AXES:
        raise UsageError(f"--size must be like 256 or 256x320, not `{text}`")
    return size
