"""The command line: one file a command. Only here are files read, texts printed, exits taken.

A command's file is imported when it is called, so that none pays for another's start.
"""

import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from convcost.cli import _exits
from convcost.files.plugins import plug_in

# A file whose command is a word of Python's own ends in an underscore.
MODULES = {
    path.stem.rstrip("_"): path.stem
    for path in sorted(Path(__file__).parent.glob("*.py"))
    if not path.stem.startswith("_")
}
COMMANDS = list(MODULES)
ABOUT = "What a convolutional network costs, exactly: sizes, params and macs from a YAML spec."
EPILOG = "Exit codes: 0 fine, 1 not as it should be, 2 usage or spec error, 70 internal error."


def main() -> None:
    """Runs the command of `sys.argv` and exits."""
    _exits.guard(_run)


def _run() -> None:
    import gc

    # One command, one answer, then the process ends: walking a heap that only grows costs up to
    # half of the time of a large spec and frees nothing.
    gc.disable()
    import typer

    plug_in()
    _no_command(sys.argv[1:])
    app = typer.Typer(
        name="convcost",
        help=ABOUT,
        epilog=EPILOG,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        add_completion=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version_option())
    from convcost.cli._reporting import reporting

    for name in _wanted(sys.argv[1:]):
        module = import_module(f"convcost.cli.{MODULES[name]}")
        app.command(name, epilog=getattr(module, "EPILOG", None))(reporting(module.command))
    app()


def _no_command(arguments: list[str]) -> None:
    """A spec where a command is due: the command was forgotten."""
    first = arguments[0].partition("#")[0] if arguments else ""
    if first not in COMMANDS and first.endswith((".yaml", ".yml")):
        from convcost.cli._output import complaints
        from convcost.errors import UsageError
        from convcost.report import printable

        shown = printable(arguments[0])
        with complaints():
            raise UsageError(f"`{shown}` is no command; did you mean `convcost analyze {shown}`?")


def _wanted(arguments: list[str]) -> list[str]:
    """The command that is called, or all of them where help or a suggestion needs them."""
    named = arguments[0] if arguments else ""
    completing = any(key.startswith("_CONVCOST_COMPLETE") for key in os.environ)
    return [named] if named in COMMANDS and not completing else COMMANDS


def _version_option() -> Callable[..., None]:
    from typing import Annotated

    import typer

    def show(value: bool) -> None:
        if value:
            from convcost import __version__

            typer.echo(f"convcost {__version__}")
            raise typer.Exit

    def convcost(
        version: Annotated[
            bool,
            typer.Option(
                "--version", "-V", callback=show, is_eager=True, help="Print the version."
            ),
        ] = False,
    ) -> None:
        """What a convolutional network costs, exactly: sizes, params and macs from a YAML spec."""

    return convcost
