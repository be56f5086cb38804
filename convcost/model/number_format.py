"""Integers and exact ratios as text. Nothing here is a float."""


def format_count(number: int) -> str:
    """Formats an integer with grouped digits: `1,582,671,872`."""
    return f"{number:,}"


def counted(count: int, noun: str) -> str:
    """Formats a count with its noun: `1 layer`, `1,582 layers`."""
    return f"{format_count(count)} {noun}{'s' * (count != 1)}"


def group_digits(formula: str) -> str:
    """Groups the digits of the numbers in a formula: `64 × 1,024 = 65,536`."""
    import re

    return re.sub("[0-9]{4,}", lambda number: format_count(int(number[0])), formula)


def format_percent(part: int, whole: int, places: int = 1) -> str:
    """A ratio in percent, `40.6 %`, rounded half up from the exact ratio; `0.0 %` if `whole` is
    0."""
    if not whole:
        return f"0.{0:0{places}d} %"
    scale = 10**places
    tenths = (2 * abs(part) * 100 * scale + whole) // (2 * whole)
    sign = "-" if part < 0 and tenths else ""
    return f"{sign}{tenths // scale}.{tenths % scale:0{places}d} %"


def format_change(part: int, whole: int, places: int = 1) -> str:
    """A relative change, `+0.6 %`, with as many decimals as it needs to be visible: `+0.0002 %`."""
    return f"{'+' * (part > 0)}{format_percent(part, whole, _places(part, whole, places))}"


def _places(part: int, whole: int, least: int) -> int:
    """The fewest decimals with which `part`, in percent of `whole`, does not round to 0."""
    places = least
    while part and 2 * abs(part) * 100 * 10**places < whole:
        places += 1
    return places


def format_difference(number: int) -> str:
    """A difference with its sign: `+864`, `-229,888`, `0`."""
    return f"{number:+,}" if number else "0"


def format_ratio(larger: int, smaller: int) -> str:
    """A ratio, `16.94`, rounded half up from the exact one.

    If the numbers differ, it has as many decimals as it needs not to be 1.
    """
    places = max(2, _places(larger - smaller, smaller, 0) + 2)
    scaled = (2 * larger * 10**places + smaller) // (2 * smaller)
    return f"{scaled // 10**places:,}.{scaled % 10**places:0{places}d}"
