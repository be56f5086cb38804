"""The table of a terminal: fits the width, drops whole columns in their order, cuts no number.

Laid out here and not by rich.Table, which takes 0.9 ms a row, and its console 50 ms to import
(measured): a network has hundreds of rows, and a terminal should show them at once. What rich knows
of the widths of characters is used.
"""

from collections.abc import Callable, Iterator
from itertools import islice

from convcost.report import (
    ROWS,
    Cell,
    Column,
    Report,
    Share,
    Style,
    Table,
    each,
    format,  # noqa: A004
    printable,
    shown,
)

BAR = 12
GAP = "  "
NARROWEST_TEXT = 12
EIGHTHS = " ▏▎▍▌▋▊▉█"
BOLD, DIM, BLUE = "1", "2", "34"


@format("table", "for a terminal: fits its width, with bars and colour")
def render(report: Report, style: Style) -> Iterator[str]:
    for number, table in enumerate(report.tables()):
        yield "\n" if number else ""
        yield from _table(table, style)


def _table(table: Table, style: Style) -> Iterator[str]:
    paint = _painted if style.color else _bare
    columns = [
        each((row[n] for row in table.rows), lambda cell: _cell(cell, style))
        for n in range(len(table.columns))
    ]
    total = [_cell(cell, style, bar=False) for cell in table.total]
    titles = [printable(column.title) for column in table.columns]
    natural = [
        max(map(_cells, (title, *dict.fromkeys(texts), *total[n : n + 1])))
        for n, (title, texts) in enumerate(zip(titles, columns, strict=True))
    ]
    kept = _kept(table.columns, natural, style.width)
    widths = _widths(table.columns, natural, kept, style.width)

    def row(texts: list[str], code: str = "") -> Iterator[str]:
        yield from _row(texts, table.columns, kept, widths, lambda text: paint(code, text))

    # A bar, and a zero that is meant, are shown in another tone than the counts.
    rule = ("-" if style.ascii else "─") * (sum(widths[i] for i in kept) + 2 * (len(kept) - 1))
    yield from _wrapped(table.title, style.width, lambda line: paint(BOLD, line))
    yield "\n"
    yield from row(titles, BOLD)
    yield f"{rule}\n"
    yield from _body(columns, table.columns, kept, widths, _toned if style.color else str)
    if total:
        yield f"{rule}\n"
        yield from row(total, BOLD)
    hidden = [title for i, title in enumerate(titles) if i not in kept]
    notes = [*table.notes, *([f"not shown at this width: {', '.join(hidden)}"] if hidden else [])]
    yield "\n" if notes else ""
    for note in notes:
        yield from _wrapped(note, style.width, lambda line: paint(DIM, line))


# Columns


def _kept(columns: tuple[Column, ...], natural: list[int], width: int | None) -> list[int]:
    """The columns that fit: of those that may go, the highest `drop` goes first."""
    kept = list(range(len(columns)))
    droppable = sorted((i for i in kept if columns[i].drop), key=lambda i: -columns[i].drop)

    def needed() -> int:
        return sum(_least(columns[i], natural[i]) for i in kept) + len(GAP) * (len(kept) - 1)

    while width is not None and droppable and needed() > width:
        kept.remove(droppable.pop(0))
    return kept


def _least(column: Column, natural: int) -> int:
    """What a column needs: all of its width, or where its text may run over lines, a part."""
    return min(natural, column.least) if column.folds else natural


def _widths(
    columns: tuple[Column, ...], natural: list[int], kept: list[int], width: int | None
) -> dict[int, int]:
    """Numbers get what they need; texts share what is left, the shorter ones first."""
    widths = {i: natural[i] for i in kept}
    if width is None:
        return widths
    texts = sorted((i for i in kept if columns[i].folds), key=lambda i: natural[i])
    fixed = sum(natural[i] for i in kept if not columns[i].folds)
    left = width - fixed - len(GAP) * (len(kept) - 1)
    for position, i in enumerate(texts):
        fair = max(left // (len(texts) - position), NARROWEST_TEXT)
        widths[i] = min(natural[i], fair)
        left -= widths[i]
    return widths


# Lines


def _body(
    texts: list[list[str]],
    columns: tuple[Column, ...],
    kept: list[int],
    widths: dict[int, int],
    tone: Callable[[str], str],
) -> Iterator[str]:
    """All rows: column by column where a row has one line, which most have."""
    padded = [
        each(texts[i], lambda text, i=i: _padded(text, widths[i], columns[i].align, tone))  # type: ignore[misc]
        for i in kept
    ]
    long = {
        number
        for i in kept
        if columns[i].folds
        for number, text in enumerate(texts[i])
        if len(text) > widths[i] or not (text.isascii() or _cells(text) <= widths[i])
    }
    lines = map(GAP.join, zip(*padded, strict=True))
    if not long:
        while piece := [line.rstrip() for line in islice(lines, ROWS)]:
            yield "\n".join((*piece, ""))
        return
    for number, line in enumerate(lines):
        if number in long:
            yield from _row([column[number] for column in texts], columns, kept, widths, tone)
        else:
            yield line.rstrip() + "\n"


def _padded(text: str, width: int, align: str, tone: Callable[[str], str]) -> str:
    space = " " * (width - _cells(text))
    told = tone(text) if text else ""
    return space + told if align == "right" else told + space


def _row(
    texts: list[str],
    columns: tuple[Column, ...],
    kept: list[int],
    widths: dict[int, int],
    tone: Callable[[str], str],
) -> Iterator[str]:
    """One row, on as many lines as its longest text needs."""
    folded = [_folded(texts[i], widths[i]) if columns[i].folds else [texts[i]] for i in kept]
    for number in range(max(map(len, folded))):
        cells = []
        for i, parts in zip(kept, folded, strict=True):
            text = parts[number] if number < len(parts) else ""
            cells.append(_padded(text, widths[i], columns[i].align, tone))
        yield GAP.join(cells).rstrip() + "\n"


def _folded(text: str, width: int) -> list[str]:
    """A text over lines of a width: between words, after a slash, or where it must be."""
    if _cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.replace("/", "/\0").replace(" ", " \0").split("\0"):
        if line and _cells(line + word.rstrip()) > width:
            lines.append(line.rstrip())
            line = ""
        while _cells(word) > width:
            cut = next(n for n in range(len(word), 0, -1) if n == 1 or _cells(word[:n]) <= width)
            lines.append(word[:cut])
            word = word[cut:]  # noqa: PLW2901
        line += word
    return [*lines, line.rstrip()] if line.strip() else lines


def _wrapped(text: str, width: int | None, paint: Callable[[str], str]) -> Iterator[str]:
    text = printable(text)
    for line in [text] if width is None else _folded(text, width):
        yield paint(line) + "\n"


def _cells(text: str) -> int:
    """Columns of a terminal that a text takes."""
    if text.isascii() or not any(character > "\u02ff" for character in text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


# Cells


def _cell(cell: Cell, style: Style, *, bar: bool = True) -> str:
    if not isinstance(cell, Share):
        return shown(cell)
    share = shown(cell).rjust(7)
    return f"{share} {_bar(cell, style)}".rstrip() if bar else share


def _bar(share: Share, style: Style) -> str:
    if share.part <= 0 or share.whole <= 0:
        return ""
    if style.ascii:
        return "#" * max(1, share.part * BAR // share.whole)
    eighths = max(1, share.part * BAR * 8 // share.whole)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _painted(code: str, text: str) -> str:
    return f"\x1b[{code}m{text}\x1b[0m"


def _bare(_code: str, text: str) -> str:
    return text


def _toned(text: str) -> str:
    """Zeros step back, bars stand out."""
    if text in ("0", "  0.0 %"):
        return _painted(DIM, text)
    share, sign, bar = text.partition("% ")
    return f"{share}{sign}{_painted(BLUE, bar)}" if sign and bar else text
