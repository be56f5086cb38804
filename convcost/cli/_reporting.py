"""The options of every command that reports: formats, files, units, colour.

A command has them as one parameter, `out: Annotated[OutputOptions, …]`. The annotation says what
its report has: "counts" (columns that a unit scales), "charts", "findings". The command line then
has the options that this report can use.
"""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import Parameter
from typing import Annotated, Any, Literal, NamedTuple, get_args

import typer

from convcost.model.errors import UsageError
from convcost.render import FORMATS, Format, FormatOption, all_formats


class OutputOptions(NamedTuple):  # from typing, not from record: inspect reads its signature
    """The output options as given, not checked yet.

    `format_options` has the options that only some formats have.
    """

    format: Annotated[str | None, typer.Option(metavar="FORMAT")] = None
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT:]FILE",
            help="Write a file; its suffix names the format. Repeatable; - is standard output.",
        ),
    ] = None
    units: Annotated[
        str,
        typer.Option(
            metavar="UNIT",
            help="auto, raw or a unit: k, M, G, T, Ki, Mi, Gi, Ti; by column: params=k,macs=M.",
        ),
    ] = "raw"
    digits: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=12, help="Decimals of a number in a unit; 2 by default."
        ),
    ] = None
    color: Annotated[
        Literal["auto", "always", "never"],
        typer.Option(metavar="WHEN", help="When to use colour: auto, always or never."),
    ] = "auto"
    width: Annotated[
        int | None,
        typer.Option(
            min=20,
            max=10_000,
            metavar="N",
            help="Width of a table in characters; by default the width of the terminal.",
        ),
    ] = None
    plot: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[CHART:]FILE",
            help="Write a chart of the report to a .svg, .png or .pdf file; repeatable.",
        ),
    ] = None
    format_options: Mapping[str, Any] = {}


NEEDS = {"units": "counts", "digits": "counts", "plot": "charts"}


def with_output_options(
    command: Callable[..., None], arguments: Sequence[str]
) -> Callable[..., None]:
    """The command with the output options in place of its parameter `out`.

    Options that only some formats have are left out if the arguments use none of them, because
    convcost must import every format to add them. `--help` needs them too.
    """
    parameter_by_name = dict(inspect.signature(command, eval_str=True).parameters)
    if "out" not in parameter_by_name:
        return command
    provides = ("", *get_args(parameter_by_name.pop("out").annotation)[1:])
    common = {
        name: parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(OutputOptions).parameters.items()
        if name != "format_options" and NEEDS.get(name, "") in provides
    }
    special: dict[str, Parameter] = {}
    flags = _flags((*parameter_by_name.values(), *common.values()))
    if is_completing() or not flags.issuperset(_flags_of_call(arguments)):
        formats = [form for form in all_formats() if form.needs in provides]
        special = {parameter.name: parameter for parameter in _format_parameters(formats, flags)}
        names = ", ".join(form.name for form in formats)
        text = f"{names}; by default table on a terminal, plain in a pipe."
        option = typer.Option(metavar="FORMAT", help=text)
        common["format"] = common["format"].replace(annotation=Annotated[str | None, option])

    def run(**given: Any) -> None:
        values = {name: given.pop(name) for name in special}
        # None and False are the defaults: the user did not give the option.
        chosen = {name: v for name, v in values.items() if v is not None and v is not False}
        shared = {name: given.pop(name) for name in common}
        command(**given, out=OutputOptions(**shared, format_options=chosen))

    parameters = [*parameter_by_name.values(), *common.values(), *special.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__doc__ = command.__doc__
    return run


def is_completing() -> bool:
    """Whether a shell asks for the completion of a command line."""
    return any(key.startswith("_CONVCOST_COMPLETE") for key in os.environ)


def _flags_of_call(arguments: Sequence[str]) -> Iterator[str]:
    """The long flags of a command line, and `-h`."""
    for argument in arguments:
        if argument == "--":
            return
        if argument.startswith("--") or argument == "-h":
            yield argument.partition("=")[0]


def _flags(parameters: Sequence[Parameter]) -> set[str]:
    """All flags that parameters declare, or that typer makes from their names."""
    options = (option for parameter in parameters for option in get_args(parameter.annotation))
    # typer keeps the first argument of Option as its default, although it is a flag in Annotated.
    listed = [
        (getattr(each, "default", None), *(getattr(each, "param_decls", None) or ()))
        for each in options
    ]
    declared = [flag for flags in listed for flag in flags if isinstance(flag, str)]
    flags = {flag for text in declared for flag in text.split("/")}
    return flags | {f"--{parameter.name.replace('_', '-')}" for parameter in parameters}


def _format_parameters(formats: Sequence[Format], flags: set[str]) -> Iterator[Parameter]:
    """One parameter for each option; formats can share an option.

    Raises UsageError if the format of a plug-in has an option that the command has without it.
    """
    users: dict[FormatOption[Any], list[str]] = {}
    for form in formats:
        for option in form.options:
            users.setdefault(option, []).append(form.name)
    used_flags = flags | {"--help"}
    plugins_last = sorted(users.items(), key=lambda user: any(map(FORMATS.plugin_file, user[1])))
    for option, names in plugins_last:
        if option.flag in used_flags:
            file = FORMATS.plugin_file(names[0])
            raise UsageError(
                f"the plug-in `{file}` is not valid: the command has an option {option.flag} "
                "already; rename that of the format"
            )
        used_flags.add(option.flag)
        text = f"{', '.join(names)}: {option.help}"
        info = typer.Option(option.flag, metavar=option.metavar, help=text)
        type_ = bool if option.type is bool else option.type | None
        yield Parameter(
            option.name,
            Parameter.KEYWORD_ONLY,
            default=False if option.type is bool else None,
            annotation=Annotated[type_, info],
        )


def check_format_options(options: OutputOptions, written: Sequence[Format]) -> None:
    """Raises UsageError for a value that is not allowed, and for an option of a format that is not
    written."""
    for name, value in options.format_options.items():
        declared = [(form.name, option) for form in all_formats() for option in form.options]
        users = [user for user, option in declared if option.name == name]
        option = next(option for _, option in declared if option.name == name)
        if not any(form.name in users for form in written):
            raise UsageError(
                f"{option.flag} works only with format {' or '.join(users)}; "
                f"add `--format {users[0]}`"
            )
        if option.check is not None and not option.check(value):
            shown = f"`{value}`" if isinstance(value, str) else f"{value:,}"
            raise UsageError(f"{option.flag} must be {option.expected}, not {shown}")
