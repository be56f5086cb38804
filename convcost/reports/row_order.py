"""Rows in the order of `--sort`, and the first of them for `--top`."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, TypeAlias, TypeVar

from convcost.model.measures import Count
from convcost.model.number_format import counted, format_count
from convcost.model.record import NamedTuple

Row = TypeVar("Row")
Value: TypeAlias = Callable[[Row, str], Any]  # the value of a row that a key names
NAMES = ("path", "network")  # keys with the smallest first; of all others, the largest is first


class RowsLeftOut(NamedTuple):
    """How many rows are left out. `tied` of them have the values of the last row that is shown.
    `keys` name these values, such as `macs`."""

    rows: int = 0
    tied: int = 0
    keys: str = ""

    def notes(self, noun: str = "row", more: str = "") -> Iterator[str]:
        """The note `7 more rows; 2 of them have the same macs as the last row`, if rows are left
        out. `more` follows the number of rows."""
        if not self.rows:
            return
        has = "have" if self.tied > 1 else "has"
        whose = "it" if self.rows == 1 else f"{format_count(self.tied)} of them"
        same = f"the same {self.keys.replace('_', ' ')} as the last {noun}"
        tied = f"; {whose} {has} {same}" if self.tied else ""
        yield f"{counted(self.rows, f'more {noun}')}{more}{tied}"


def sort_keys(sort: str | None) -> list[str]:
    """The keys of `params,-macs`, the most important first."""
    return [key.strip() for key in (sort or "").split(",") if key.strip()]


def sort_rows(rows: Sequence[Row], sort: str | None, value: Value[Row]) -> list[Row]:
    """The rows by each key in turn; a `-` before a key reverses its order. Equal rows keep their
    order. A row whose value is None, or a `Count` that does not show, is last."""
    ordered = list(rows)
    for key in reversed(sort_keys(sort)):
        name = key.removeprefix("-")
        values = [(_shown(value(row, name)), row) for row in ordered]
        pairs = [pair for pair in values if pair[0] is not None]
        pairs.sort(key=itemgetter(0), reverse=(key == name) != (name in NAMES))
        ordered = [row for _, row in pairs]
        ordered += [row for shown, row in values if shown is None]
    return ordered


def _shown(value: Any) -> Any:
    return value.shown if isinstance(value, Count) else value


def _is_exact(value: Any) -> bool:
    return value.exact is not None if isinstance(value, Count) else value is not None


def first_rows(
    rows: Sequence[Row], top: int | None, sort: str | None, value: Value[Row]
) -> tuple[list[Row], RowsLeftOut]:
    """The first `top` rows in the order of `sort`, and how many more there are."""
    ordered = sort_rows(rows, sort, value)
    if top is None or top >= len(ordered):
        return ordered, RowsLeftOut()
    names = [key.removeprefix("-") for key in sort_keys(sort)]

    def values(row: Row) -> tuple[Any, ...]:
        return tuple(value(row, name) for name in names)

    last, others = values(ordered[top - 1]), ordered[top:]
    tied = 0
    if all(map(_is_exact, last)):  # nobody knows which lower bounds are equal
        tied = sum(values(row) == last for row in others) if names else 0
    return ordered[:top], RowsLeftOut(len(others), tied, " and ".join(names))
