"""Counts in units such as k, M or Ki, rounded from exact integers."""

from typing import TypeAlias

from convcost.reports.table import Cell, CountRange, Difference, Rounded, Table

UNITS = {
    "raw": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip
# The unit of each column by its key; the empty key is for all other columns.
Units: TypeAlias = tuple[tuple[str, str], ...]
DECIMAL = ("T", "G", "M", "k")


def in_units(table: Table, units: Units, digits: int) -> Table:
    """The table with each column of counts, or each row, in a unit that its head names."""
    return _rows_in(table, units, digits) if table.row_keys else _columns_in(table, units, digits)


def _columns_in(table: Table, units: Units, digits: int) -> Table:
    columns = list(table.columns)
    cells = [list(column) for column in zip(*table.rows, strict=True)] or [[] for _ in columns]
    total = list(table.total)
    notes: list[str] = []
    for i, column in enumerate(table.columns):
        unit = _choose(cells[i] + total[i : i + 1], units, column.key)
        if not column.scales or unit == "raw":
            continue
        columns[i] = column._replace(unit=unit)
        cells[i] = [_round_cell(cell, unit, digits) for cell in cells[i]]
        if total:
            total[i] = _round_cell(total[i], unit, digits)
            if not _adds_up(cells[i], total[i]):
                notes.append(
                    f"{column.title} and their total are rounded separately, so they may not add up"
                )
    rows = tuple(zip(*cells, strict=True))
    notes += table.notes
    return table._replace(columns=tuple(columns), rows=rows, total=tuple(total), notes=tuple(notes))


def _adds_up(cells: list[Cell], total: Cell) -> bool:
    """Whether the rounded counts add up to the rounded total. True if the exact counts do not add
    up."""
    counts = [cell for cell in cells if isinstance(cell, Rounded)]
    if not isinstance(total, Rounded) or sum(count.exact for count in counts) != total.exact:
        return True
    return sum(count.digits for count in counts) == total.digits


def _rows_in(table: Table, units: Units, digits: int) -> Table:
    """The table with a unit for each row of counts."""
    rows = []
    for key, (head, *cells) in zip(table.row_keys, table.rows, strict=True):
        unit = _choose(cells, units, key) if key else "raw"
        head = head if unit == "raw" else f"{head} ({unit})"  # noqa: PLW2901
        rows.append((head, *(_round_cell(cell, unit, digits) for cell in cells)))
    return table._replace(rows=tuple(rows))


def _choose(cells: list[Cell], units: Units, key: str) -> str:
    """The unit of a column or row; `auto` is the largest in which its largest count is at least 1.

    Without counts it is `raw`.
    """
    lookup = dict(units)
    unit = next((lookup[word] for word in key.split("_") if word in lookup), lookup.get("", "raw"))
    largest = max(map(_largest, cells), default=0)
    if unit != "auto":
        return unit if largest else "raw"
    return next((unit for unit in DECIMAL if largest >= UNITS[unit]), "raw")


def _largest(cell: Cell) -> int:
    """The largest count of a cell; 0 if it has none."""
    if isinstance(cell, Difference):
        return abs(cell.amount)
    if isinstance(cell, CountRange):
        return cell.most
    return abs(cell) if type(cell) is int else 0


def _round_cell(cell: Cell, unit: str, digits: int) -> Cell:
    if unit == "raw":
        return cell
    if isinstance(cell, Difference | CountRange):
        return cell._replace(scale=UNITS[unit], places=digits)
    return Rounded.of(cell, UNITS[unit], digits) if type(cell) is int else cell
