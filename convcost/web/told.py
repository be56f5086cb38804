"""What a page says of a report: its own page, in the unit asked for, or one made of its tables."""

from convcost.pages import Chapter, Page, Part, Section, Stage, Staged
from convcost.report import Report, Table
from convcost.rounding import InUnits, Units, in_units


def page_of(report: Report) -> Page:
    page = getattr(report, "page", None)
    if page is None:
        return _of_tables(report)
    told: Page = page()
    if isinstance(report, InUnits):
        return _scaled(told, report.units, report.digits)
    return told


# Of tables


def _of_tables(report: Report) -> Page:
    """A section for each table; the name of what was asked is in the schema of the tree."""
    schema = report.tree().get("schema", "")
    question = schema.partition("/")[0].rpartition(".")[2] if isinstance(schema, str) else ""
    tables = tuple(report.tables())
    pictures = getattr(report, "pictures", None)
    shown = tuple(pictures()) if pictures else ()
    drawn = (Section("Pictures", shown),) if shown else ()
    if len(tables) == 1:
        (table,) = tables
        title, source = _parted(table)
        sections = (Section("", (table,)), *drawn)
        return Page(question, title, (Chapter(title, source, sections=sections),))
    titled = tuple(Section(table.title, (table,)) for table in tables)
    return Page(question, question, (Chapter("", sections=(*titled, *drawn)),))


def _parted(table: Table) -> tuple[str, str]:
    """`GoogLeNet (Szegedy et al.)` as the name and what stands in brackets."""
    before, after = f"{table.name} (", ")"
    if table.name and table.title.startswith(before) and table.title.endswith(after):
        return table.name, table.title[len(before) : -len(after)]
    return table.title, ""


# In a unit


def _scaled(page: Page, units: Units, digits: int) -> Page:
    """Tables in the unit; the facts of a chapter and its pictures stay exact."""

    def scaled(part: Part) -> Part:
        if isinstance(part, Table):
            return in_units(part, units, digits)
        return _staged(part, units, digits) if isinstance(part, Staged) else part

    return page._replace(
        chapters=tuple(
            chapter._replace(
                sections=tuple(
                    section._replace(parts=tuple(map(scaled, section.parts)))
                    for section in chapter.sections
                )
            )
            for chapter in page.chapters
        )
    )


def _staged(staged: Staged, units: Units, digits: int) -> Staged:
    """Rows and sums in one unit: they stand in one column."""
    table = staged.table
    sums = tuple(stage.sums for stage in staged.stages if stage.sums)
    scaled = in_units(table._replace(rows=table.rows + sums), units, digits)
    noted = in_units(table, units, digits).notes
    left = iter(scaled.rows[len(table.rows) :])
    stages = tuple(
        Stage(stage.start, stage.stop, next(left)) if stage.sums else stage
        for stage in staged.stages
    )
    return staged._replace(
        table=scaled._replace(rows=scaled.rows[: len(table.rows)], notes=noted), stages=stages
    )
