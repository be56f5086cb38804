"""Networks to a comparison: at least two, and the one that is named as the baseline."""

from collections.abc import Sequence

from convcost.costs import Costs
from convcost.errors import UsageError
from convcost.names import did_you_mean
from convcost.questions.compare import Comparison
from convcost.report import printable


def compared(networks: Sequence[Costs], baseline: str | None) -> Comparison:
    """Raises UsageError if there is only one, or none has the name."""
    if len(networks) < 2:  # noqa: PLR2004  a comparison
        found = "this is one" if networks else "there is none"
        raise UsageError(f"compare takes two networks or more, {found}")
    names = [costs.network.name for costs in networks]
    return Comparison(tuple(networks), position(names, baseline))


def position(names: Sequence[str], name: str | None, full: Sequence[str] = ()) -> int:
    """Which network is meant; `full` are longer names of the same. Raises UsageError."""
    if name is None:
        return 0
    if name in full:
        return full.index(name)
    if name not in names:
        hint = did_you_mean(name, names)
        raise UsageError(f"there is no network `{printable(name)}` among these; {hint}")
    return names.index(name)
