"""The width of a text on a terminal."""

import re

# Latin, Greek, punctuation, arrows, mathematics, rules and bars, without marks: one column for each
# character.
NARROW = re.compile(
    "[\0-\u02ff\u0370-\u0482\u2010-\u2027\u2030-\u205e\u2070-\u20cf\u2100-\u2319\u2500-\u259f]*"
)


def is_narrow(text: str) -> bool:
    """Whether each character surely has one terminal column. rich, which knows the others, needs
    20 ms to import."""
    return text.isascii() or NARROW.fullmatch(text) is not None


def width_of(text: str) -> int:
    """The width of a text in terminal columns."""
    if is_narrow(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
