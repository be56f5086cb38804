"""`--units M`, or of single columns: `--units params=k,macs=M`."""

from convcost.cli._reporting import Out
from convcost.costs import MEASURES
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.report import printable
from convcost.rounding import UNITS, Units


def units_of(out: Out) -> Units:
    """The units asked for. Raises UsageError."""
    found = []
    for part in out.units.split(","):
        key, equals, unit = (word.strip() for word in part.rpartition("="))
        if unit not in ("auto", *UNITS):
            hint = did_you_mean(unit, ("auto", *UNITS))
            raise UsageError(f"there is no unit `{printable(unit)}`; {hint}")
        if equals and key not in MEASURES:
            hint = did_you_mean(key, MEASURES)
            raise UsageError(f"there are no counts called `{printable(key)}`; {hint}")
        found.append((key, unit))
    if out.digits is not None and all(unit == "raw" for _, unit in found):
        raise UsageError("--digits is for a unit: add --units auto, or one of k, M, G")
    return tuple(found)
