"""Counts in thousands, millions, Ki: for people, rounded from exact integers, and said to be."""

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

from convcost.report import Cell, Column, Difference, Report, Rounded, Table

UNITS = {
    "raw": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
# The unit of each column by its key; that of all others has an empty one.
Units: TypeAlias = tuple[tuple[str, str], ...]
DECIMAL = ("T", "G", "M", "k")
MOST_DIGITS = 12


class InUnits(NamedTuple):
    """A report whose counts are shown in a unit; its tree keeps every integer."""

    report: Any
    units: Units
    digits: int

    def tables(self) -> Iterator[Table]:
        for table in self.report.tables():
            yield in_units(table, self.units, self.digits)

    def tree(self) -> dict[str, Any]:
        tree: dict[str, Any] = self.report.tree()
        return tree

    def __getattr__(self, name: str) -> Any:
        # What else a report can tell, its pictures for instance, is not rounded.
        return getattr(self.report, name)


def shown_in(report: Report, units: Units, digits: int) -> Report:
    """The report in a unit; itself where its numbers stay as they are."""
    return report if all(unit == "raw" for _, unit in units) else InUnits(report, units, digits)


def in_units(table: Table, units: Units, digits: int) -> Table:
    """The table with each column of counts, or each row, in a unit that is named at its head."""
    return _rows_in(table, units, digits) if table.by_row else _columns_in(table, units, digits)


def _columns_in(table: Table, units: Units, digits: int) -> Table:
    columns = list(table.columns)
    notes: list[str] = []
    rows = [list(row) for row in table.rows]
    total = list(table.total)
    for i, column in enumerate(table.columns):
        if not column.scales:
            continue
        every = [row[i] for row in rows] + total[i : i + 1]
        unit = _unit(every, asked(units, column.key))
        if unit == "raw":
            continue
        columns[i] = column._replace(title=f"{column.title} ({unit})")
        for row in rows:
            row[i] = _rounded(row[i], unit, digits)
        if total:
            exact, total[i] = total[i], _rounded(total[i], unit, digits)
            notes += _gap(column, rows, i, total[i], exact)
    return table._replace(
        columns=tuple(columns),
        rows=tuple(map(tuple, rows)),
        total=tuple(total),
        notes=(*notes, *table.notes),
    )


def _gap(column: Column, rows: list[list[Cell]], i: int, total: Cell, exact: Cell) -> Iterator[str]:
    """A sentence where the numbers that are shown do not come to the total that is shown."""
    cells = [row[i] for row in rows]
    if not isinstance(total, Rounded) or not all(isinstance(cell, Rounded) for cell in cells):
        return
    whole = sum(cell.exact for cell in cells if isinstance(cell, Rounded))
    added = sum(cell.digits for cell in cells if isinstance(cell, Rounded))
    if whole == exact and added != total.digits:
        yield (
            f"{column.title} are rounded one by one: as shown they come to "
            f"{total._replace(digits=added).text}, the exact sum to {total.text}"
        )


def _rows_in(table: Table, units: Units, digits: int) -> Table:
    """A row of counts in a unit of its own; the differences below it in the same."""
    rows, unit = [], "raw"
    for row in table.rows:
        if any(type(cell) is int for cell in row[1:]):
            unit = _unit([*row[1:]], asked(units, str(row[0])))
            head = row[0] if unit == "raw" else f"{row[0]} ({unit})"
            rows.append((head, *(_rounded(cell, unit, digits) for cell in row[1:])))
        else:
            rows.append((row[0], *(_rounded(cell, unit, digits) for cell in row[1:])))
    return table._replace(rows=tuple(rows))


def asked(units: Units, key: str) -> str:
    """The unit of a column: its own, or that of all."""
    own = dict(units)
    words = key.split("_")
    return next((own[word] for word in words if word in own), own.get("", "raw"))


def _unit(cells: list[Cell], units: str) -> str:
    """The unit asked for; by itself the largest that leaves the largest number above 1."""
    counts = [cell.by if isinstance(cell, Difference) else cell for cell in cells]
    largest = max((abs(count) for count in counts if type(count) is int), default=0)
    if units != "auto":
        return units if largest else "raw"
    return next((unit for unit in DECIMAL if largest >= UNITS[unit]), "raw")


def _rounded(cell: Cell, unit: str, digits: int) -> Cell:
    if unit == "raw":
        return cell
    if isinstance(cell, Difference):
        return cell.within(UNITS[unit], digits)
    return Rounded.of(cell, UNITS[unit], digits) if type(cell) is int else cell
