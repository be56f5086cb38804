"""The options of every command that reports: in which formats, to where, in which units.

A command takes them as one parameter, `out`; here it gets the options for it.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer

from convcost.report import FORMATS


class Out(NamedTuple):
    """What was asked for of the answer; nothing is checked yet."""

    format: str | None = None
    output: tuple[str, ...] = ()
    units: str = "raw"
    digits: int | None = None
    color: str = "auto"
    width: int | None = None
    caption: str = ""
    label: str = ""
    longtable: bool = False
    siunitx: bool = False
    csv_raw: bool = False
    max_bytes: int | None = None
    comment_key: str = ""
    plot: tuple[str, ...] = ()


def _options(
    format: Annotated[  # noqa: A002  the name of the option
        str | None,
        typer.Option(
            metavar="FORMAT", help=f"{', '.join(FORMATS.modules())}; by default what fits."
        ),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(
            "--output",
            "-o",
            metavar="[FORMAT:]FILE",
            help="Write a file, its suffix tells the format; repeatable, - is standard output.",
        ),
    ] = None,
    units: Annotated[
        str,
        typer.Option(
            metavar="UNIT",
            help="auto, raw, k, M, G, T, Ki, Mi, Gi, Ti; or of columns: params=k,macs=M.",
        ),
    ] = "raw",
    digits: Annotated[
        int | None,
        typer.Option(min=0, max=12, metavar="N", help="Decimals of a number in a unit; 2."),
    ] = None,
    color: Annotated[str, typer.Option(metavar="WHEN", help="auto, always or never.")] = "auto",
    width: Annotated[
        int | None,
        typer.Option(metavar="N", help="Width of a table; the terminal's if left out."),
    ] = None,
    caption: Annotated[
        str, typer.Option(metavar="TEXT", help="latex: a float with this caption.")
    ] = "",
    label: Annotated[str, typer.Option(metavar="NAME", help="latex: its label.")] = "",
    longtable: Annotated[
        bool, typer.Option("--longtable", help="latex: a table that runs over pages.")
    ] = False,
    siunitx: Annotated[
        bool, typer.Option("--siunitx", help="latex: S columns, numbers left to siunitx.")
    ] = False,
    csv_raw: Annotated[
        bool, typer.Option("--csv-raw", help="csv, tsv: leave text that looks like a formula.")
    ] = False,
    max_bytes: Annotated[
        int | None,
        typer.Option(metavar="N", help="markdown: at most so long, rows beyond it are left out."),
    ] = None,
    comment_key: Annotated[
        str, typer.Option(metavar="KEY", help="markdown: names the comment in a hidden first line.")
    ] = "",
    plot: Annotated[
        list[str] | None,
        typer.Option(
            "--plot",
            metavar="[KIND:]FILE",
            help="Draw a picture of the report into a .svg, .png or .pdf; repeatable.",
        ),
    ] = None,
) -> None: ...


def reporting(command: Callable[..., None]) -> Callable[..., None]:
    """The command, with the options that its parameter `out` stands for."""
    own = inspect.signature(command, eval_str=True).parameters
    if "out" not in own:
        return command
    shared = inspect.signature(_options).parameters

    def run(**given: Any) -> None:
        asked = {name: given.pop(name) for name in shared}
        asked["output"] = tuple(asked["output"] or ())
        asked["plot"] = tuple(asked["plot"] or ())
        command(**given, out=Out(**asked))

    parameters = [parameter for name, parameter in own.items() if name != "out"]
    run.__signature__ = inspect.Signature([*parameters, *shared.values()])  # type: ignore[attr-defined]
    run.__doc__ = command.__doc__
    return run
