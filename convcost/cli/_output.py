"""Where an answer goes: the terminal, a pipe, a file; its format, width and colour."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from convcost.cli import _exits
from convcost.cli._files import place, same, write_file
from convcost.cli._reporting import Out
from convcost.cli._styling import refuse_styling, styling
from convcost.cli._units import units_of
from convcost.errors import SpecError, UsageError
from convcost.finding_places import Root
from convcost.names import did_you_mean
from convcost.report import FORMATS, Format, Report, Style, printable
from convcost.rounding import InUnits, Units, shown_in

if TYPE_CHECKING:
    from convcost.cli._plot import Plot

COLORS = ("auto", "always", "never")
MAKERS = {"findings": "`convcost check`"}  # whose reports have what a format may need
ASCII = str.maketrans(
    {
        "×": "x",
        "→": "->",
        "…": "...",
        "−": "-",
        "·": "*",
        "⌊": "floor(",
        "⌋": ")",
        "⌈": "ceil(",
        "⌉": ")",
        "Φ": "Phi",
    }
)


class Target(NamedTuple):
    """One place for an answer; `path` None is standard output."""

    format: Format
    path: Path | None
    style: Style
    units: Units
    digits: int

    @property
    def option(self) -> str:
        return "--output"

    def check(self, report: Report) -> None:
        """Refuses a format that needs what the report has not, and a unit where no count of the
        report can be in it. Raises UsageError."""
        needs = self.format.needs
        if needs and not hasattr(report, needs):
            makers = MAKERS.get(needs, f"reports with {needs}")
            raise UsageError(
                f"the format `{self.format.name}` is for {makers}: it writes {needs}, and there "
                "are none here"
            )
        if isinstance(shown_in(report, self.units, self.digits), InUnits) and not any(
            table.by_row or any(column.scales for column in table.columns)
            for table in report.tables()
        ):
            raise UsageError("--units is for columns of counts, and there is none here")

    def pieces(self, report: Report) -> Iterator[str]:
        return self.format.render(shown_in(report, self.units, self.digits), self.style)


def targets(out: Out) -> "tuple[Target | Plot, ...]":
    """Settles formats and styles from what was asked for and what is there. Raises UsageError."""
    if out.color not in COLORS:
        raise UsageError(f"--color is one of {', '.join(COLORS)}, not `{printable(out.color)}`")
    if out.width is not None and not 20 <= out.width <= 10_000:  # noqa: PLR2004  narrower shows nothing
        raise UsageError(f"--width is a number from 20 to 10,000, not {out.width}")
    units = units_of(out)
    answers = tuple(_target(one, out, units) for one in _asked(out))
    found: tuple[Target | Plot, ...] = (*answers, *_plots(out.plot))
    refuse_styling(out, [target.format for target in answers])
    for number, one in enumerate(found):
        where = None if one.path is None else place(one.path)
        if any(where == (other.path and place(other.path)) for other in found[:number]):
            shown = "standard output" if one.path is None else f"`{printable(str(one.path))}`"
            raise UsageError(f"two outputs go to {shown}")
    return found


def _asked(out: Out) -> tuple[str, ...]:
    """The outputs; a format that none of them leaves to be named is that of standard output."""
    asked = tuple(out.output or ("-",))
    return (*asked, "-") if out.format and all(_own(one)[0] for one in asked) else asked


def _own(output: str) -> tuple[str | None, str]:
    """The format that an output names itself, and its file: `latex:table.tex`, `json:-`."""
    name, colon, file = output.partition(":")
    return (name, file) if colon and FORMATS.get(name) is not None else (None, output)


def _plots(asked: tuple[str, ...]) -> "Iterator[Plot]":
    """Drawing is imported where there is something to draw."""
    if asked:
        from convcost.cli._plot import asked_for

        yield from map(asked_for, asked)


def _target(output: str, out: Out, units: Units) -> Target:
    """`report.html`, `latex:table.tex`, `-`, `json:-`."""
    own, file = _own(output)
    named = own or out.format
    if not file:
        raise UsageError("--output names no file")
    path = None if file == "-" else Path(file)
    terminal = path is None and _is_terminal(sys.stdout)
    name = named or (_by_suffix(path) if path else "table" if terminal else "plain")
    found = FORMATS.get(name)
    if found is None:
        hint = did_you_mean(name, FORMATS.names())
        raise UsageError(f"there is no format `{printable(name)}`; {hint}")
    painted = out.color == "always" or (out.color == "auto" and terminal and wants_color())
    style = Style(
        width=out.width or (_terminal_width() if terminal else None),
        color=painted,
        ascii=path is None and not _speaks_unicode(sys.stdout),
        root=_root(),
        **{field: given for field, (_, given) in styling(out).items()},
    )
    return Target(found, path, style, units, 2 if out.digits is None else out.digits)


def write(
    report: Report,
    where: "Iterable[Target | Plot]",
    sources: Iterable[str] = (),
    text: tuple[str, str] | None = None,
) -> None:
    """Writes the report to each target, and a spec (`text`: the spec and its file) before it: a
    file whole or not at all, and never over a spec that was read."""
    where, sources = tuple(where), tuple(sources)
    for target in where:
        if target.path is not None and any(same(target.path, source) for source in sources):
            shown = printable(str(target.path))
            raise UsageError(f"{target.option} would overwrite the spec `{shown}`")
    # What cannot be drawn, or has nothing to be rounded, is told before anything is written.
    drawn = {target: target.drawn(report) for target in where if not isinstance(target, Target)}
    for target in where:
        if isinstance(target, Target):
            target.check(report)
    if text is not None:
        write_text(*text, sources)
    # Files first: whoever reads standard output may stop reading.
    for target in sorted(where, key=lambda target: target.path is None):
        if not isinstance(target, Target):
            write_file(target.path, iter((drawn[target],)))
        elif target.path is None:
            _print_all(target.pieces(report))
        else:
            write_file(target.path, target.pieces(report))
        if target.path is not None:
            sys.stderr.write(f"wrote {printable(str(target.path))}\n")


def write_text(text: str, file: str, sources: Iterable[str]) -> None:
    """Writes a text to a file, or to standard output if that is `-`; never over a spec read."""
    if file == "-":
        _print_all(iter((text,)))
        return
    path = Path(file)
    if not file:
        raise UsageError("--write names no file")
    if any(same(path, source) for source in sources):
        raise UsageError(f"--write would overwrite the spec `{printable(file)}`")
    write_file(path, iter((text,)))
    sys.stderr.write(f"wrote {printable(file)}\n")


def _print_all(pieces: Iterator[str]) -> None:
    if sys.stdout is None:
        raise UsageError("standard output is closed")
    try:
        for piece in pieces:
            _print(sys.stdout, piece)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough.
        raise SystemExit(_exits.OK) from None
    except OSError as error:
        raise UsageError(f"cannot write to standard output: {error.strerror}") from None


def _print(stream: TextIO, text: str) -> None:
    if not _speaks_unicode(stream):
        text = text.translate(ASCII)
        encoding = stream.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)


@contextmanager
def complaints() -> Iterator[None]:
    """Whatever a user has to mend, of one spec or of several, is said and ends the run with 2."""
    wrong: list[SpecError | UsageError] = []
    try:
        yield
    except* (SpecError, UsageError) as errors:
        for error in errors.exceptions:
            assert isinstance(error, SpecError | UsageError)
            wrong.append(error)
    # Not in the block: Python before 3.11.4 wraps what is raised there in a group.
    if wrong:
        for error in wrong:
            complain(error)
        raise SystemExit(_exits.WRONG)


def complain(error: SpecError | UsageError, *, color: bool | None = None) -> None:
    """Says on standard error what a user has to mend."""
    if color is None:
        color = _is_terminal(sys.stderr) and wants_color()
    if isinstance(error, SpecError):
        from convcost.cli._problems import explained

        _print(sys.stderr, "".join(f"{line}\n" for line in explained(error, color=color)))
        return
    first, *rest = str(error).splitlines()
    prefix = "" if first.startswith("error[") else "error: "
    _print(sys.stderr, "".join(f"{line}\n" for line in (f"{prefix}{first}", *rest)))


def wants_color() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _root() -> Root:
    """The current folder, and the nearest above it that is a repository, for that is where servers
    look for files; without one the current folder. Nothing if it was deleted."""
    try:
        here = Path.cwd()
    except OSError:
        return Root()
    tops = (above for above in (here, *here.parents) if os.path.exists(above / ".git"))  # noqa: PTH110  one that may not be read is none
    top = next(tops, here)
    return Root(str(top), str(here))


def _terminal_width() -> int:
    from shutil import get_terminal_size

    return get_terminal_size((80, 24)).columns


def _speaks_unicode(stream: TextIO | None) -> bool:
    if stream is None:
        return True
    try:
        "×█⌊→".encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _by_suffix(path: Path) -> str:
    known = {suffix: found.name for _, found in FORMATS.items() for suffix in found.suffixes}
    suffix = path.suffix.lower()
    if suffix in known:
        return known[suffix]
    from convcost.cli._plot import SUFFIXES

    if suffix in SUFFIXES:
        shown = printable(str(path))
        raise UsageError(f"`{shown}` would be a picture: ask for it by --plot {shown}")
    listed = ", ".join(sorted(known))
    raise UsageError(
        f"`{printable(path.name)}` tells no format: end it in {listed}, or name one with --format"
    )
