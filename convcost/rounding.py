"""Counts in thousands, millions, Ki: for people, rounded from exact integers, and said to be."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.report import Cell, Column, Report, Rounded, Table

UNITS = {
    "raw": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
DECIMAL = ("T", "G", "M", "k")
MOST_DIGITS = 12


class InUnits(NamedTuple):
    """A report whose counts are shown in a unit; its tree keeps every integer."""

    report: Any
    units: str
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


def shown_in(report: Report, units: str, digits: int) -> Report:
    """The report in a unit; itself where its numbers stay as they are."""
    return report if units == "raw" else InUnits(report, units, digits)


def in_units(table: Table, units: str, digits: int) -> Table:
    """The table with each column of counts, or each row, in a unit that is named at its head."""
    return _rows_in(table, units, digits) if table.by_row else _columns_in(table, units, digits)


def _columns_in(table: Table, units: str, digits: int) -> Table:
    columns = list(table.columns)
    notes: list[str] = []
    rows = [list(row) for row in table.rows]
    total = list(table.total)
    for i, column in enumerate(table.columns):
        if not column.scales:
            continue
        every = [row[i] for row in rows] + total[i : i + 1]
        unit = _unit(every, units)
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


def _rows_in(table: Table, units: str, digits: int) -> Table:
    rows = []
    for row in table.rows:
        unit = _unit([*row[1:]], units)
        if unit == "raw":
            rows.append(row)
        else:
            head = f"{row[0]} ({unit})"
            rows.append((head, *(_rounded(cell, unit, digits) for cell in row[1:])))
    return table._replace(rows=tuple(rows))


def _unit(cells: list[Cell], units: str) -> str:
    """The unit asked for; by itself the largest that leaves the largest number above 1."""
    largest = max((abs(cell) for cell in cells if type(cell) is int), default=0)
    if units != "auto":
        return units if largest else "raw"
    return next((unit for unit in DECIMAL if largest >= UNITS[unit]), "raw")


def _rounded(cell: Cell, unit: str, digits: int) -> Cell:
    """Rounded half up, away from zero, from the exact integer."""
    if type(cell) is not int:
        return cell
    scaled = (2 * abs(cell) * 10**digits + UNITS[unit]) // (2 * UNITS[unit])
    return Rounded(scaled if cell >= 0 else -scaled, digits, cell)
