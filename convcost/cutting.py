"""Text kept within a number of bytes: long texts are shortened where that may be; then rows are
left out whole, from the end, and are counted."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from typing import NamedTuple, TypeAlias

from convcost.report import ROWS

LONGEST = (1_000, 250, 60)  # bytes of a text, where there is less and less room

Size: TypeAlias = Callable[[str], int]  # of a text, in bytes


class Piece(NamedTuple):
    """Rows, each a line, between what opens and what closes them; `foot` stands right below them.

    Where there is no room for all pieces, that of the highest `rank` is cut first. `shorter` are
    the same rows with no text longer than so many bytes.
    """

    head: str
    rows: tuple[str, ...]
    foot: str = ""
    close: str = ""
    rank: int = 0
    shorter: Callable[[int], tuple[str, ...]] | None = None


class _Shown(NamedTuple):
    """The rows of a piece that there is room for, whole or shorter; None where it is missing."""

    rows: tuple[str, ...]
    fitting: int | None


def whole(opening: str, pieces: Sequence[Piece]) -> Iterator[str]:
    """All of it, an empty line between pieces."""
    return _written(opening, pieces, [_Shown(piece.rows, len(piece.rows)) for piece in pieces])


def cut(opening: str, pieces: Sequence[Piece], most: int, size: Size) -> Iterator[str]:
    """What fits into `most` bytes: the opening always, then pieces by rank, each with as many of
    its first rows as there is room for. Each says how many are missing, and a last line how many
    rows those pieces have that are missing altogether."""
    if sum(map(size, whole(opening, pieces))) <= most:
        return whole(opening, pieces)
    return _written(opening, pieces, _shown(opening, pieces, most, size))


def _written(opening: str, pieces: Sequence[Piece], shown: Sequence[_Shown]) -> Iterator[str]:
    """So many rows of each piece."""
    yield opening
    gap = "\n" if opening else ""
    missing = []
    for piece, (told, count) in zip(pieces, shown, strict=True):
        if count is None:
            missing.append(piece)
            continue
        yield f"{gap}{piece.head}"
        rows = islice(told, count)
        while some := "".join(islice(rows, ROWS)):
            yield some
        yield f"{piece.foot}{_more(len(piece.rows) - count)}{piece.close}"
        gap = "\n"
    if missing:
        yield f"{gap}{_missing(missing)}"


def _shown(opening: str, pieces: Sequence[Piece], most: int, size: Size) -> list[_Shown]:
    """How many rows of each piece there is room for; None where there is none for even one."""
    room = most - size(f"{opening}\n{_missing(pieces)}")
    shown = [_Shown((), None)] * len(pieces)
    for number in sorted(range(len(pieces)), key=lambda number: pieces[number].rank):
        piece = pieces[number]
        left = room - size(f"\n{piece.head}{piece.foot}{piece.close}")
        rows, ends = _fitting(piece, left, size)
        fitting = len(rows)
        if ends[fitting] > left:
            left -= size(_more(fitting))
            fitting = bisect_right(ends, left) - 1
            if fitting <= 0:
                continue
        shown[number] = _Shown(rows, fitting)
        room = left - ends[fitting]
    return shown


def _fitting(piece: Piece, room: int, size: Size) -> tuple[tuple[str, ...], list[int]]:
    """The rows as long as all of them may be, and the bytes of the first n of them."""
    rows, ends = piece.rows, list(accumulate(map(size, piece.rows), initial=0))
    for longest in LONGEST if piece.shorter is not None else ():
        if ends[-1] <= room or piece.shorter is None:
            break
        rows = piece.shorter(longest)
        ends = list(accumulate(map(size, rows), initial=0))
    return rows, ends


def _more(rows: int) -> str:
    """In a piece that was cut; nothing where all rows are there."""
    return f"\n… {_count(rows)}\n" if rows else ""


def _missing(pieces: Sequence[Piece]) -> str:
    return f"… {_count(sum(len(piece.rows) for piece in pieces))} that there was no room for\n"


def _count(rows: int) -> str:
    return "1 more row" if rows == 1 else f"{rows:,} more rows"
