"""Text kept within a number of bytes: rows are left out whole, from the end, and are counted."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple, TypeAlias

from convcost.report import ROWS

Size: TypeAlias = Callable[[str], int]  # of a text, in bytes


class Piece(NamedTuple):
    """Rows, each a line, between what opens and what closes them; `foot` stands right below them.

    Where there is no room for all pieces, that of the highest `rank` is cut first.
    """

    head: str
    rows: tuple[str, ...]
    foot: str = ""
    close: str = ""
    rank: int = 0


def whole(opening: str, pieces: Sequence[Piece]) -> Iterator[str]:
    """All of it, an empty line between pieces."""
    return _written(opening, pieces, [len(piece.rows) for piece in pieces])


def cut(opening: str, pieces: Sequence[Piece], most: int, size: Size) -> Iterator[str]:
    """What fits into `most` bytes: the opening always, then pieces by rank, each with as many of
    its first rows as there is room for. Each says how many are missing, and a last line how many
    rows those pieces have that are missing altogether."""
    if sum(map(size, whole(opening, pieces))) <= most:
        return whole(opening, pieces)
    return _written(opening, pieces, _shown(opening, pieces, most, size))


def _written(opening: str, pieces: Sequence[Piece], shown: Sequence[int | None]) -> Iterator[str]:
    """So many rows of each piece; a piece of None is missing."""
    yield opening
    gap = "\n" if opening else ""
    missing = []
    for piece, count in zip(pieces, shown, strict=True):
        if count is None:
            missing.append(piece)
            continue
        yield f"{gap}{piece.head}"
        rows = islice(piece.rows, count)
        while some := "".join(islice(rows, ROWS)):
            yield some
        yield f"{piece.foot}{_more(len(piece.rows) - count)}{piece.close}"
        gap = "\n"
    if missing:
        yield f"{gap}{_missing(missing)}"


def _shown(opening: str, pieces: Sequence[Piece], most: int, size: Size) -> list[int | None]:
    """How many rows of each piece there is room for; None where there is none for even one."""
    room = most - size(f"{opening}\n{_missing(pieces)}")
    shown: list[int | None] = [None] * len(pieces)
    for number in sorted(range(len(pieces)), key=lambda number: pieces[number].rank):
        piece = pieces[number]
        ends = list(accumulate(map(size, piece.rows), initial=0))  # bytes of the first n rows
        left = room - size(f"\n{piece.head}{piece.foot}{piece.close}")
        fitting = len(piece.rows)
        if ends[fitting] > left:
            left -= size(_more(fitting))
            fitting = bisect_right(ends, left) - 1
            if fitting <= 0:
                continue
        shown[number] = fitting
        room = left - ends[fitting]
    return shown


def _more(rows: int) -> str:
    """In a piece that was cut; nothing where all rows are there."""
    return f"\n… {_count(rows)}\n" if rows else ""


def _missing(pieces: Sequence[Piece]) -> str:
    return f"… {_count(sum(len(piece.rows) for piece in pieces))} that there was no room for\n"


def _count(rows: int) -> str:
    return "1 more row" if rows == 1 else f"{rows:,} more rows"
