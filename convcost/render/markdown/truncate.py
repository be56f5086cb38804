"""Markdown within a number of bytes: long texts are shortened, then whole rows are left out."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TypeAlias

from convcost.model.number_format import counted
from convcost.model.record import NamedTuple

TEXT_LIMITS = (1_000, 250, 60)  # bytes of a text, tried in this order until the rows fit

SizeOf: TypeAlias = Callable[[str], int]  # the size of a text in bytes


MAX_CHARACTER_BYTES = 10  # of an escape or a word, in an output without Unicode


def utf8_size(text: str) -> int:
    return len(text.encode())


def ascii_size(text: str) -> int:
    """The largest size that a text can have as ASCII."""
    return sum(1 if character.isascii() else MAX_CHARACTER_BYTES for character in text)


class Piece(NamedTuple):
    """Rows, each a line, between `head` and `close`; `foot` is directly below the rows.

    If there is no room for all pieces, the one with the highest `rank` is truncated first.
    `shorten` gives the same rows with no text longer than a number of bytes.
    """

    head: str
    rows: tuple[str, ...]
    foot: str = ""
    close: str = ""
    rank: int = 0
    shorten: Callable[[int], tuple[str, ...]] | None = None


def truncate(
    opening: str, pieces: Sequence[Piece], limit: int | None, size: SizeOf
) -> Iterator[str]:
    """At most `limit` bytes: always the opening, then the pieces by rank with the rows that fit.

    If rows of a piece are left out, it ends with their number. A last line counts the rows of the
    pieces that are left out.
    """
    whole = [piece.rows for piece in pieces]
    if limit is None or sum(map(size, _text(opening, pieces, whole))) <= limit:
        return _text(opening, pieces, whole)
    count = sum(len(piece.rows) for piece in pieces)
    room = limit - size(f"{opening}\n{_left_out(count)}")
    piece_rows: list[tuple[str, ...] | None] = [None] * len(pieces)
    for number in sorted(range(len(pieces)), key=lambda number: pieces[number].rank):
        piece = pieces[number]
        frame = size(f"\n{piece.head}{piece.foot}{_more_rows(count)}{piece.close}")
        rows = _rows_that_fit(piece, room - frame, size)
        if rows or (not piece.rows and frame <= room):
            piece_rows[number] = rows
            room -= frame + sum(map(size, rows))
    return _text(opening, pieces, piece_rows)


def _rows_that_fit(piece: Piece, room: int, size: SizeOf) -> tuple[str, ...]:
    """The first rows that fit into the room; shortened if not all of them fit as they are."""
    rows = piece.rows
    for longest in TEXT_LIMITS:
        if piece.shorten is None or sum(map(size, rows)) <= room:
            break
        rows = piece.shorten(longest)
    return rows[: bisect_right(list(accumulate(map(size, rows))), room)]


def _text(
    opening: str, pieces: Sequence[Piece], piece_rows: Sequence[tuple[str, ...] | None]
) -> Iterator[str]:
    yield opening
    gap = "\n" if opening else ""
    missing = 0
    for piece, rows in zip(pieces, piece_rows, strict=True):
        if rows is None:
            missing += len(piece.rows)
            continue
        yield f"{gap}{piece.head}"
        yield from rows
        yield f"{piece.foot}{_more_rows(len(piece.rows) - len(rows))}{piece.close}"
        gap = "\n"
    if None in piece_rows:
        yield f"{gap}{_left_out(missing)}"


def _more_rows(rows: int) -> str:
    return f"\n… {counted(rows, 'more row')}\n" if rows else ""


def _left_out(rows: int) -> str:
    return f"… {counted(rows, 'more row')} beyond the size limit\n"
