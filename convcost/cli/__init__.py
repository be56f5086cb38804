"""The command line: one file for each command, with its options, its help and its exit codes.

The file of a command is imported only when the command is called, so no command slows down the
start of another.
"""

import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from convcost.cli import _process
from convcost.model.errors import UsageError, printable
from convcost.model.registry import PACKAGE, modules_in, plugin_errors
from convcost.sources.plugins import plug_in, plugin_folders

if TYPE_CHECKING:
    import typer

VERSION = "--version", "-V"
COMPLETION = "_CONVCOST_COMPLETE"  # a shell sets it; typer then completes, and runs no command
ABOUT = "Exact costs of convolutional networks: sizes, params and macs from a YAML spec."
EPILOG = (
    "Exit codes: 0: success, 1: a check failed, 2: usage or spec error, 70: internal error, "
    "130: interrupted."
)


def main() -> None:
    """The console script: runs the command of `sys.argv`, then ends the process at once."""
    import gc

    # The process ends with its one command. Walking a heap that only grows takes up to half of the
    # time of a large spec and frees nothing.
    gc.disable()
    _process.run_and_exit(run)


def run(arguments: list[str] | None = None) -> int:
    """Runs one command in this process and returns its exit code.

    The arguments are those of `sys.argv` by default. The command writes to the current `sys.stdout`
    and `sys.stderr`, and never raises SystemExit.
    """
    return _process.exit_code(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> None:
    from typer import BadParameter
    from typer.main import get_command

    from convcost.cli._output import print_error, report_errors
    from convcost.cli._reporting import is_completing
    from convcost.model.suggestions import MAX_COMPARED_IN_CALL, limited_suggestions

    command_line = sys.argv[1:] if arguments is None else arguments
    # The usage errors of click, or of the copy of click in typer.
    usage_error: Any = BadParameter.__mro__[1]
    try:
        with limited_suggestions(MAX_COMPARED_IN_CALL), report_errors():
            plug_in()
            __path__.extend(folder for folder in plugin_folders("cli") if folder not in __path__)
            command = get_command(_app(command_line))
            code = command(command_line, prog_name="convcost", standalone_mode=False)
    except usage_error as error:
        if command_line:  # without arguments, the message is the help
            error.message = printable(error.message)
        name = getattr(error, "option_name", "")
        if name and hasattr(error, "possibilities"):  # the option is unknown
            _suggest_options(error, name)
        error.show()
        raise SystemExit(_process.ERROR) from None
    except (KeyError, ValueError):
        if not is_completing():
            raise
        # typer does not check what bash sets; other shells need nothing.
        invalid = "a completion for bash needs COMP_WORDS, and a number in COMP_CWORD"
        print_error(UsageError(invalid))
        raise SystemExit(_process.ERROR) from None
    except SystemExit as stop:
        if os.environ.get(COMPLETION) and stop.code:
            # typer refused the request with 1, the code of a failed check.
            raise SystemExit(_process.ERROR) from None
        raise
    raise SystemExit(code)


def _suggest_options(error: Any, name: str) -> None:
    """Suggests for an unknown option the commands that have it, or options that are nearly equal.

    typer compares names with their dashes, so it suggests `--base` for `--set`, and its oldest
    version prints several suggestions as a tuple.
    """
    from difflib import get_close_matches

    from typer.main import get_command

    commands: Any = getattr(get_command(_app([])), "commands", {})
    having = [
        command
        for command, own_command in commands.items()
        if any(name in option.opts for option in own_command.params)
    ]
    option_names = [option.lstrip("-") for option in error.possibilities or ()]
    near = get_close_matches(name.lstrip("-"), option_names)
    error.possibilities = []
    if having:
        error.message += f". These commands have it: {', '.join(having)}"
    elif near:
        error.message += f"; did you mean {' or '.join(f'`--{option}`' for option in near)}?"


def command_files() -> dict[str, Path]:
    """The file of each command, by the command's name; none of them is imported.

    The file of a command that is a Python keyword ends in an underscore.
    """
    return {name.rstrip("_"): file for name, file in modules_in(__path__).items()}


def _app(arguments: list[str]) -> "typer.Typer":
    """The program with the command that is called, or with all commands for help, a suggestion or
    shell completion. Raises UsageError if the command cannot be imported."""
    import typer

    from convcost.cli._output import print_error
    from convcost.cli._reporting import is_completing

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

    def show_version(value: bool) -> None:
        if value:
            from convcost import __version__

            typer.echo(f"convcost {__version__}")
            raise typer.Exit

    option = typer.Option(*VERSION, callback=show_version, is_eager=True, help="Print the version.")

    @app.callback()
    def convcost(version: Annotated[bool, option] = False) -> None:
        pass

    called = arguments[0] if arguments else ""
    if called in VERSION:
        return app
    files = command_files()
    if called in files and not is_completing():
        _add_command(app, called, files[called], arguments)
        return app
    if called.partition("#")[0].endswith((".yaml", ".yml")):  # the command was forgotten
        from shlex import quote

        message = f"`{called}` is not a command; did you mean `convcost analyze {quote(called)}`?"
        raise UsageError(message)
    for name, file in files.items():
        try:
            _add_command(app, name, file, arguments)
        except UsageError as error:
            print_error(error)
    return app


def _add_command(app: "typer.Typer", name: str, file: Path, arguments: list[str]) -> None:
    import typer
    from typer.main import get_command

    from convcost.cli._reporting import with_output_options

    stem = file.parent.name if file.name == "__init__.py" else file.stem
    with plugin_errors(file):
        module = import_module(f"convcost.cli.{stem}")
        if not hasattr(module, "command"):
            raise UsageError(f"`{file}` has no function `command`; the file of a command needs one")
        command = with_output_options(module.command, arguments[1:])
        if not file.is_relative_to(PACKAGE):
            # typer reads annotations when the program is built, where no error names a file.
            trial = typer.Typer(add_completion=False)
            trial.command()(command)
            get_command(trial)
        app.command(name, epilog=getattr(module, "EPILOG", None))(command)
