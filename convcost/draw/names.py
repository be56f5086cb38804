"""Names short enough for their room that still tell which one of several is meant."""

from collections.abc import Iterator, Sequence

from convcost.draw.widths import ELLIPSIS, fitted, width_of
from convcost.report import printable

LEAD = 4  # characters kept before the first that differs


def telling(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """What may stand for each path among the others, the best first.

    A name that all of them have at one place says nothing and is left out; of the others stays the
    shortest begin that no other path has, or, if it is a name that somebody gave, the shortest end.
    """
    split = [path.split("/") for path in paths]
    words = _without_shared(split)
    begins = _counted(words)
    ends = _counted([some[::-1] for some in words])
    found = []
    for some in words:
        begin = _shortest(some, begins)
        end = _shortest(some[::-1], ends)[::-1]
        both = [begin, end] if _given(end[0]) else [begin]
        found.append(tuple(dict.fromkeys("/".join(one) for one in both)))
    return found


def _given(name: str) -> bool:
    """Not one that counts layers of a kind, as `conv_1` does."""
    return not name.rpartition("_")[2].isdecimal()


def wrapped(name: str, size: float, room: float) -> list[str]:
    """A path on as few lines as it takes, broken behind its slashes; none if a name is too wide."""
    lines = [""]
    words = printable(name).split("/")
    for number, word in enumerate(words):
        piece = word + "/" * (number + 1 < len(words))
        if lines[-1] and width_of(lines[-1] + piece, size) > room:
            lines.append("")
        lines[-1] += piece
    return lines if all(_fits(line, size, room, bold=False) for line in lines) else []


def _without_shared(split: list[list[str]]) -> list[list[str]]:
    least = min(map(len, split), default=0)
    if len(split) < 2:  # noqa: PLR2004  nothing to be told apart from
        return [some[:1] for some in split]
    shared = {n for n in range(least) if len({some[n] for some in split}) == 1}
    kept = [[word for n, word in enumerate(some) if n not in shared] for some in split]
    return [some or whole for some, whole in zip(kept, split, strict=True)]


def _counted(words: Sequence[Sequence[str]]) -> dict[tuple[str, ...], int]:
    counts: dict[tuple[str, ...], int] = {}
    for some in words:
        for length in range(1, len(some) + 1):
            begin = tuple(some[:length])
            counts[begin] = counts.get(begin, 0) + 1
    return counts


def _shortest(words: Sequence[str], counts: dict[tuple[str, ...], int]) -> list[str]:
    for length in range(1, len(words)):
        if counts[tuple(words[:length])] == 1:
            return list(words[:length])
    return list(words)


def apart(labels: Sequence[str], size: float, room: float, *, bold: bool = False) -> list[str]:
    """Each label as it fits into `room`, cut where it is like others and not where it differs.

    No two labels come out the same, unless they are, or there is room for hardly a letter.
    """
    clean = [printable(label) for label in labels]
    shown = {label: label for label in clean if _fits(label, size, room, bold=bold)}
    taken = set(shown)
    long = [label for label in dict.fromkeys(clean) if label not in shown]
    begins = _counted([label.split("/") for label in dict.fromkeys(clean)])
    for label in long:
        begin = "/".join(_shortest(label.split("/"), begins))
        for words in _cuts(label, begin, clean, size, room, bold=bold):
            if words and words not in taken and _tells(words, label, clean):
                break
        else:
            words = fitted(label, size, room, bold=bold)
        shown[label] = words
        taken.add(words)
    return [shown[label] for label in clean]


def _tells(cut: str, label: str, others: Sequence[str]) -> bool:
    """Whether no other label could have been cut so."""
    first, *inner, last = cut.split(ELLIPSIS) if ELLIPSIS in cut else (cut, "")
    return not any(
        other.startswith(first) and other.endswith(last) and all(part in other for part in inner)
        for other in others
        if other != label
    )


def _shortened(words: Sequence[str], kept: int) -> str:
    """Each name by its first letters and its last two, which count."""
    short = (f"{w[:kept]}{ELLIPSIS}{w[-2:]}" if len(w) > kept + 3 else w for w in words)
    return "/".join(short)


def _cuts(
    label: str, begin: str, all_: Sequence[str], size: float, room: float, *, bold: bool
) -> Iterator[str]:
    """Ways to cut a label, those that keep whole names first."""
    if begin != label:
        whole = f"{begin}/{ELLIPSIS}"
        if _fits(whole, size, room, bold=bold):
            yield whole
    if "/" not in label:
        yield fitted(label, size, room, bold=bold)
    yield from _at_the_difference(label, begin, all_, size, room, bold=bold)
    yield fitted(label, size, room, bold=bold)


def _at_the_difference(
    label: str, begin: str, all_: Sequence[str], size: float, room: float, *, bold: bool
) -> Iterator[str]:
    """From a little before the character that tells it from the nearest other label."""
    alike = max((_common(label, other) for other in all_ if other != label), default=0)
    words = begin.split("/")
    for first in range(1, len(words)):
        short = "/".join((ELLIPSIS, *words[first:]))
        for end in (label[len(begin) :], f"/{ELLIPSIS}" if begin != label else ""):
            if _fits(short + end, size, room, bold=bold):
                yield short + end
    for kept in (4, 3, 2, 1):
        short = _shortened(words, kept) + (f"/{ELLIPSIS}" if begin != label else "")
        if "/" in label and _fits(short, size, room, bold=bold):
            yield short
    start = max(alike - LEAD, 0)
    yield _ended(f"{ELLIPSIS if start else ''}{label[start:]}", size, room, bold=bold)


def _ended(text: str, size: float, room: float, *, bold: bool) -> str:
    """As much of the begin as fits."""
    text = text[: int(4 * room) + 1]
    if _fits(text, size, room, bold=bold):
        return text
    least, most = 0, len(text)
    while least < most:
        kept = (least + most + 1) // 2
        if _fits(text[:kept] + ELLIPSIS, size, room, bold=bold):
            least = kept
        else:
            most = kept - 1
    return text[:least] + ELLIPSIS if least else ""


def _common(one: str, other: str) -> int:
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _fits(text: str, size: float, room: float, *, bold: bool) -> bool:
    return len(text) < 4 * room + 1 and width_of(text, size, bold=bold) <= room
