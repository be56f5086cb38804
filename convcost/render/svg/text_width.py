"""How wide a text is, and how much of it fits.

The advances are those of DejaVu Sans, the widest of the usual sans serif fonts: a text that fits
in it also fits in Helvetica, Arial, Segoe UI and Roboto.
"""

from bisect import bisect

ELLIPSIS = "…"

# Thousandths of the font size, for the characters from space to tilde.
PLAIN = (
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)  # fmt: skip
OTHERS = {"×": 838, "·": 318, "…": 1000, "→": 838, "−": 838, "–": 500, "é": 615}
MAX_ADVANCE = 1450  # width of the widest Latin, Greek or Cyrillic letter; an ideogram has 1000
ADVANCES = OTHERS | {chr(code): advance for code, advance in enumerate(PLAIN, ord(" "))}
BOLD = 1.16  # at most, letter by letter, and 1.105 for digits


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """The width in the unit of `size`, never less than the real one."""
    total = sum([ADVANCES.get(character, MAX_ADVANCE) for character in text])
    return total * size / 1000 * (BOLD if bold else 1)


def fits(text: str, size: float, room: float, *, bold: bool = False) -> bool:
    # No character is narrower than a quarter of a pixel.
    return len(text) <= 4 * room and width_of(text, size, bold=bold) <= room


def fit(text: str, size: float, room: float, *, bold: bool = False) -> str:
    """The text, or as much of it as fits, with an ellipsis in the middle, because the end of a path
    distinguishes it better than its middle."""
    if fits(text, size, room, bold=bold):
        return text

    def cut(length: int) -> str:
        return f"{text[: (length + 1) // 2]}{ELLIPSIS}{text[len(text) - length // 2 :]}"

    most = min(len(text) - 1, int(4 * room) + 1)
    length = bisect(range(most + 1), room, key=lambda n: width_of(cut(n), size, bold=bold)) - 1
    return cut(length) if length > 0 else ""
