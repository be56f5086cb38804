"""Writes reports to the terminal, a pipe or files, and errors to standard error."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from os.path import samestat
from pathlib import Path
from stat import S_ISCHR, S_ISREG
from typing import TYPE_CHECKING, TextIO

from convcost.cli import _process
from convcost.cli._reporting import OutputOptions, check_format_options
from convcost.model.errors import SpecError, UsageError, printable
from convcost.model.measures import MEASURES
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean
from convcost.render import FORMATS, Format, Style, all_formats, find_format
from convcost.reports.report import Report, Root

if TYPE_CHECKING:
    from convcost.cli._plot import ChartOutput
    from convcost.reports.display_units import Units

STDOUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")


class ReportOutput(NamedTuple):
    """A report in one format, to a file or, if `path` is None, to standard output."""

    format: Format
    path: Path | None
    style: Style

    @property
    def option(self) -> str:
        return "--output"

    def prepare(self, report: Report) -> Iterator[str]:
        """The text, piece by piece. Raises UsageError if the report has nothing for the format, or
        no counts for a unit."""
        if self.style.units and not any(
            any(table.row_keys) or any(column.scales for column in table.columns)
            for table in report.tables()
        ):
            raise UsageError("--units applies to columns of counts, and this report has none")
        return self.format.write(report, self.style)


def parse_outputs(
    options: OutputOptions, *other_files: str | None
) -> "tuple[ReportOutput | ChartOutput, ...]":
    """The outputs that the options ask for. The command itself writes `other_files`.

    Raises UsageError, also if two of all these write to one file.
    """
    units = _units(options)
    names = options.output or ("-",)
    if options.format and all(_split_format(name)[0] for name in names):
        names = (*names, "-")  # every file has its own format: --format is for standard output
    reports = [_report_output(name, options, units) for name in names]
    check_format_options(options, [output.format for output in reports])
    charts: list[ChartOutput] = []
    if options.plot:
        from convcost.cli._plot import chart_output

        charts = [chart_output(text) for text in options.plot]
    outputs: tuple[ReportOutput | ChartOutput, ...] = (*reports, *charts)
    paths = [output.path for output in outputs]
    paths += [Path(file) for file in other_files if file and file != "-"]
    files = list(map(_identity, paths))
    for number, path in enumerate(paths):
        if files[number] in files[:number]:
            file = "standard output" if path is None else f"`{path}`"
            raise UsageError(f"two outputs write to {file}; give each its own file")
    return outputs


def _identity(path: Path | None) -> object:
    """Equal for two outputs to one file; None for standard output. A device, such as `/dev/null`,
    differs from every output, because it loses nothing if it is written twice."""
    if path is None:
        return None
    try:
        status = path.stat()
        if S_ISCHR(status.st_mode):
            return object()
        redirected = S_ISREG(status.st_mode) and samestat(status, os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # there is no such file, or standard output is closed
        redirected = False
    return None if redirected or str(path) in STDOUT else os.path.realpath(path)


def _units(options: OutputOptions) -> "Units":
    """Parses `M`, a unit for all columns of counts, or `params=k,macs=M`, units for single columns.

    Raises UsageError.
    """
    if options.units == "raw" and options.digits is None:
        return ()
    from convcost.reports.display_units import UNITS

    units = ("auto", *UNITS)
    column_units: list[tuple[str, str]] = []
    for part in options.units.split(","):
        key, equals, unit = (word.strip() for word in part.rpartition("="))
        if unit not in units:
            raise UsageError(f"there is no unit `{unit}`; {did_you_mean(unit, units)}")
        if equals and key not in MEASURES:
            raise UsageError(f"there is no measure `{key}`; {did_you_mean(key, MEASURES)}")
        if key in dict(column_units):
            columns = f"for {key}" if key else "for all columns"
            hint = "write params=M,macs=G for units of single columns"
            raise UsageError(f"--units gives two units {columns}: {options.units}", help=hint)
        column_units.append((key, unit))
    if any(unit != "raw" for _, unit in column_units):
        return tuple(column_units)
    if options.digits is not None:
        raise UsageError("--digits needs a unit; add --units auto, or one of k, M, G")
    return ()


def _split_format(output: str) -> tuple[str | None, str]:
    """Splits `latex:table.tex` or `json:-` into format and file; the format is None for
    `table.tex`."""
    name, colon, file = output.partition(":")
    return (name, file) if colon and FORMATS.get(name) is not None else (None, output)


def _report_output(output: str, options: OutputOptions, units: "Units") -> ReportOutput:
    name, file = _split_format(output)
    if not file:
        raise UsageError("--output has no file name")
    path = None if file == "-" else Path(file)
    terminal = path is None and _is_terminal(sys.stdout)
    name = name or options.format
    name = name or (_format_of_suffix(path) if path else "table" if terminal else "plain")
    style = Style(
        width=options.width or (_terminal_width() if terminal else None),
        color=options.color == "always"
        or (options.color == "auto" and terminal and _wants_color()),
        ascii=path is None and not _process.has_unicode(sys.stdout),
        encoding=getattr(sys.stdout, "encoding", None) or "ascii",
        root=_root(),
        options=options.format_options,
        units=units,
        digits=2 if options.digits is None else options.digits,
    )
    return ReportOutput(find_format(name), path, style)


def write(
    report: Report,
    outputs: "Iterable[ReportOutput | ChartOutput]",
    sources: Iterable[str | None] = (),
    text: tuple[str, str] | None = None,
) -> None:
    """Writes a report to each output. If `text` is given, first writes the text of a spec to its
    file.

    Writes nothing if an output would overwrite one of the source files, or cannot be made. A source
    is None if its option is not given.
    """
    outputs = tuple(outputs)
    read = [source for source in sources if source is not None]
    for output in outputs:
        if output.path is not None and _is_read(output.path, read):
            raise UsageError(f"{output.option} would overwrite the input `{output.path}`")
    prepared = [(output.path, output.prepare(report)) for output in outputs]
    if text is not None:
        write_text(*text, read)
    # Files first: the reader of standard output may stop reading.
    for path, pieces in sorted(prepared, key=lambda item: item[0] is None):
        if path is not None:
            _write_file(path, pieces)
        else:
            _print_all(pieces)


def write_text(text: str, file: str, sources: Iterable[str]) -> None:
    """Writes a text to a file, or to standard output for `-`, but never over a source file."""
    if file == "-":
        _print_all(iter((text,)))
        return
    path = Path(file)
    if not file:
        raise UsageError("--write has no file name")
    if _is_read(path, sources):
        raise UsageError(f"--write would overwrite the spec `{file}`")
    _write_file(path, iter((text,)))


def _write_file(path: Path, pieces: Iterator[str] | Iterator[bytes]) -> None:
    from convcost.cli._files import write_file

    write_file(path, pieces)
    _process.write_messages(f"wrote {path}")


def _is_read(path: Path, sources: Iterable[str]) -> bool:
    from convcost.sources.spec_files import is_source

    return any(is_source(path, source) for source in sources)


def _print_all(pieces: Iterator[str | bytes]) -> None:
    for piece in pieces:
        assert isinstance(piece, str)  # charts go to files
        _process.write(sys.stdout, piece)
        if _process.is_broken():
            break
    sys.stdout.flush()
    if _process.write_error():
        raise UsageError(_process.write_error())


@contextmanager
def report_errors() -> Iterator[None]:
    """Prints the errors of one spec or of several, and ends the run with exit code 2."""
    all_errors: list[SpecError | UsageError] = []
    try:
        yield
    except* (SpecError, UsageError) as errors:
        for error in errors.exceptions:
            assert isinstance(error, SpecError | UsageError)
            all_errors.append(error)
    # Not in the block: Python before 3.11.4 wraps what is raised there in a group.
    if all_errors:
        for error in all_errors:
            print_error(error)
        raise SystemExit(_process.ERROR)


def print_error(error: SpecError | UsageError) -> None:
    """Prints an error on standard error."""
    if isinstance(error, SpecError):
        from convcost.cli._problems import diagnostics

        color = _is_terminal(sys.stderr) and _wants_color()
        _process.write(sys.stderr, diagnostics(error, color=color))
        return
    first, *rest = error.args
    prefix = "" if first.startswith("error[") else "error: "
    _process.write_messages(f"{prefix}{first}", *rest)


@contextmanager
def show_progress(text: str) -> Iterator[None]:
    """Shows a text on a terminal while the block runs, and nothing elsewhere."""
    if not _is_terminal(sys.stderr):
        yield
        return
    from rich.console import Console
    from rich.text import Text

    with Console(file=sys.stderr).status(Text(printable(text)), spinner="line"):
        yield


def _wants_color() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _root() -> Root:
    """The root of the repository, and the current folder. Servers name files relative to the root.

    Outside of a repository the current folder is the root; both are empty if it was deleted.
    """
    try:
        here = Path.cwd()
    except OSError:
        return Root()
    tops = (above for above in (here, *here.parents) if os.path.exists(above / ".git"))  # noqa: PTH110  no error for an unreadable one
    top = next(tops, here)
    return Root(str(top), str(here))


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).columns


def _format_of_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    output_format = FORMATS.get(suffix[1:])  # `csv`: no other format is imported
    if output_format is not None and suffix in output_format.suffixes:
        return output_format.name
    name_by_suffix = {suffix: form.name for form in all_formats() for suffix in form.suffixes}
    if suffix in name_by_suffix:
        return name_by_suffix[suffix]
    from convcost.cli._plot import SUFFIXES

    if suffix in SUFFIXES:
        from shlex import quote

        raise UsageError(f"`{path}` is a chart; write it with --plot {quote(str(path))}")
    raise UsageError(
        f"no format has the suffix of `{path.name}`; use {', '.join(sorted(name_by_suffix))}, or "
        "name a format with --format"
    )
