"""Integers and exact ratios as text. Nothing here is a float."""


def format_count(number: int) -> str:
    """Formats an integer with grouped digits: `1,582,671,872`."""
    return f"{number:,}"


def counted(count: int, noun: str) -> str:
    """Formats a count with its noun: `1 layer`, `1,582 layers`, `2 axes`, `2 branches`."""
    plural = "axes" if noun == "axis" else f"{noun}es" if noun.endswith("ch") else f"{noun}s"
    return f"{format_count(count)} {noun if count == 1 else plural}"


def group_digits(formula: str) -> str:
    """Groups the digits of the numbers in a formula: `64 × 1,024 = 65,536`."""
    import re

    return re.sub("[0-9]{4,}", lambda number: format_count(int(number[0])), formula)


def format_percent(part: int, whole: int) -> str:
    """A share in percent, `40.6 %`, rounded half up from the exact ratio; `0.0 %` if `whole` is 0.

    If only the rounded share is nothing or all, it is `<0.1 %` or `>99.9 %`.
    """
    text = _percent(part, whole, 1)
    if not whole or part in (0, whole) or text not in ("0.0 %", "100.0 %"):
        return text
    if 2 * part < whole:
        return "<0.1 %"
    return ">99.9 %" if part < whole else ">100.0 %"


def format_change(part: int, whole: int, places: int = 1) -> str:
    """A relative change, `+0.6 %`, with as many decimals as it needs to be visible: `+0.0002 %`."""
    places = visible_places(part, whole, places + 2) - 2
    return f"{'+' if part > 0 else ''}{_percent(part, whole, places)}"


def _percent(part: int, whole: int, places: int) -> str:
    number = _rounded(100 * part, whole, places) if whole else 0
    sign = "-" if part < 0 and number else ""
    return f"{sign}{number // 10**places}.{number % 10**places:0{places}d} %"


def _rounded(part: int, whole: int, places: int) -> int:
    """The quotient without its sign, in units of the last decimal, rounded half up."""
    scale: int = 10**places
    return (2 * abs(part) * scale + whole) // (2 * whole)


def visible_places(part: int, whole: int, least: int) -> int:
    """The fewest decimals, `least` or more, with which a quotient is rounded to 0 or 1 only if it
    is 0 or 1."""
    places = least
    while abs(part) not in (0, whole) and _rounded(part, whole, places) in (0, 10**places):
        places += 1
    return places


def format_difference(number: int) -> str:
    """A difference with its sign: `+864`, `-229,888`, `0`."""
    return f"{number:+,}" if number else "0"


def format_ratio(larger: int, smaller: int) -> str:
    """A ratio, `16.94`, rounded half up from the exact one.

    If the numbers differ, it has as many decimals as it needs not to be 1.
    """
    places = visible_places(larger, smaller, 2)
    scaled = _rounded(larger, smaller, places)
    return f"{scaled // 10**places:,}.{scaled % 10**places:0{places}d}"
