"""The formats, one in each file or folder: a function that writes a report as text.

A format is found by its name: a new file here, or in `render/` of a folder that CONVCOST_PLUGINS
names, is all that a new format needs. It declares the file names that it is for, its own options
with their help, and what it needs of a report:

    MARK = FormatOption("shout_mark", "What ends each line.", default="!")


    @format("shout", "titles in capital letters", ".shout", options=(MARK,))
    def render(report: Report, style: Style) -> Iterator[str]:
        for table in style.tables(report):
            yield f"{table.title.upper()}{style.option(MARK)}\\n"

`convcost analyze --help` then offers `--shout-mark`, and `-o net.shout` writes the format.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from keyword import iskeyword
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from convcost.model.errors import DefinitionError, UsageError, encodable
from convcost.model.record import NamedTuple
from convcost.model.registry import Registry
from convcost.model.suggestions import did_you_mean
from convcost.reports.report import Report, Root

if TYPE_CHECKING:
    from convcost.reports.display_units import Units
    from convcost.reports.table import Table

T = TypeVar("T")
NEEDS = ("", "findings", "charts")  # what a format can need of a report


class FormatOption(NamedTuple, Generic[T]):
    """An option of a format: `max_bytes` is `--max-bytes` on the command line.

    `type` is str, int or bool. `check` says whether a value is allowed; `expected` completes the
    message for one that is not: "--max-bytes must be 1,000 or more, not 5".
    """

    name: str
    help: str
    default: T
    type: type = str
    metavar: str | None = None
    check: Callable[[T], bool] | None = None
    expected: str = ""

    @property
    def flag(self) -> str:
        return f"--{self.name.replace('_', '-')}"


class Style(NamedTuple):
    """What the target of a report can show, and the options given for its format.

    `width` is in characters, None if there is no limit. `ascii` is true if the target cannot show
    Unicode; then `encoding` is what it can show. Formats for other programs name files relative to
    `root`, so that the output is the same on every machine. `options` has the values that were
    given, by the names of the options. Counts are in `units`, with `digits` decimals; without units
    they are exact.
    """

    width: int | None = None
    color: bool = False
    ascii: bool = False
    encoding: str = "ascii"
    root: Root = Root()
    options: Mapping[str, Any] = {}
    units: "Units" = ()
    digits: int = 2

    def tables(self, report: Report) -> "Iterator[Table]":
        """The tables for people, with their counts in the units."""
        if not self.units:
            return report.tables()
        from convcost.reports.display_units import in_units

        return (in_units(table, self.units, self.digits) for table in report.tables())

    def encodable_tables(self, report: Report) -> "Iterator[Table]":
        """The tables for a format that aligns columns: with texts that the target can show."""
        tables = self.tables(report)
        if not self.ascii:
            return tables
        return (table.with_texts(lambda text: encodable(text, self.encoding)) for table in tables)

    def paint(self, text: str, codes: str) -> str:
        """A text with its ANSI codes, such as "1" for bold, if it has some and there is colour."""
        return f"\x1b[{codes}m{text}\x1b[0m" if self.color and codes and text else text

    def option(self, option: FormatOption[T]) -> T:
        """The value of an option; its default if none was given."""
        value: T = self.options.get(option.name, option.default)
        return value


# The first argument is a Report, or what the format `needs`.
Render: TypeAlias = Callable[[Any, Style], Iterator[str]]


class Format(NamedTuple):
    """How reports are written; see `format` for the fields."""

    name: str
    meaning: str
    render: Render
    suffixes: tuple[str, ...] = ()
    options: tuple[FormatOption[Any], ...] = ()
    needs: str = ""
    for_readers: bool = False

    def write(self, report: Report, style: Style) -> Iterator[str]:
        """The text, piece by piece. Raises UsageError if the report lacks what the format needs."""
        if self.needs != "findings":
            return self.render(report.for_readers() if self.for_readers else report, style)
        result = report.check_result()
        if result is None:
            raise UsageError(
                f"the format `{self.name}` writes the {self.needs} of `convcost check`; this "
                f"report has no {self.needs}"
            )
        return self.render(result, style)


def check_definition(name: str, form: Format) -> None:
    """Raises DefinitionError for a declaration that no command line can offer."""
    label = f"the format `{name}`"
    if not re.fullmatch(r"[\w.-]*\w[\w.-]*", name):
        raise DefinitionError(f"{label} needs a name of letters, digits, `_`, `-` and `.`")
    if form.needs not in NEEDS:
        raise DefinitionError(f"{label} needs `{form.needs}`; {did_you_mean(form.needs, NEEDS)}")
    for suffix in form.suffixes:
        if not re.fullmatch(r"\.[a-z0-9_-]+", suffix):
            raise DefinitionError(
                f"{label} has the suffix `{suffix}`; write a dot and small letters, like `.csv`"
            )
    for option in form.options:
        name = option.name
        if not name.isidentifier() or iskeyword(name):
            raise DefinitionError(f"{label} has the option `{name}`; write a word like `max_bytes`")
        of_type = option.default is None or isinstance(option.default, option.type)
        if option.type not in (str, int, bool) or not of_type:
            raise DefinitionError(
                f"the option `{name}` of {label} must be of type str, int or bool, like its default"
            )


FORMATS: Registry[Format] = Registry("convcost.render", check=check_definition)


def find_format(name: str) -> Format:
    """The format of that name. Raises UsageError if there is none."""
    output_format = FORMATS.get(name)
    if output_format is None:
        names = FORMATS.names()
        suffixes = {suffix: form.name for form in all_formats() for suffix in form.suffixes}
        hint = did_you_mean(suffixes.get(f".{name}", name), names, len(names))
        raise UsageError(f"there is no format `{name}`; {hint}")
    return output_format


def all_formats() -> list[Format]:
    """All formats, without plug-ins that cannot be imported."""
    return [FORMATS[name] for name in FORMATS.names()]


def format(  # noqa: A001
    name: str,
    meaning: str,
    *suffixes: str,
    options: tuple[FormatOption[Any], ...] = (),
    needs: str = "",
    for_readers: bool = False,
) -> Callable[[Render], Render]:
    """Registers a function that writes a report, piece by piece, as the format `name`.

    `suffixes` are the endings of file names that ask for the format. A format that needs "findings"
    gets the CheckResult of a check instead of a report; one that needs "charts" is offered where a
    report has some. One `for_readers` leaves out rows that only a program or a log needs.
    """

    def register(render: Render) -> Render:
        FORMATS.add(name, Format(name, meaning, render, suffixes, options, needs, for_readers))
        return render

    return register
