"""The policy of an updated baseline: without `--allow-growth`, counts may only go down.

A check cannot detect growth over a count that the baseline no longer has. So in a new baseline no
total may grow, and no layer or group under a `grow` rule. Bytes can grow without a count, if the
types of numbers change, so neither may a total of bytes under a `grow` rule. The receptive field is
not a cost, so it may grow.

A network that is renamed and changed can look like a new one and a deleted one. So if an update has
both, each new network is compared with one deleted network.
"""

from collections.abc import Iterable

from convcost.model.costs import total_counts
from convcost.model.measures import PARTS
from convcost.model.network import IN_BYTES, Budget, Limit
from convcost.reports.check.baseline import TOTALS
from convcost.reports.check.evaluate import CheckedNetwork, growth_limits
from convcost.reports.check.finding import Finding
from convcost.reports.check.measures import NO_SPAN

COSTS = tuple(measure for measure in TOTALS if measure not in (*PARTS, "receptive_field"))


def forbid_growth(checked: CheckedNetwork, file: str) -> CheckedNetwork:
    """The network with budgets that allow no growth: of its total, and of the bytes, layers and
    groups under a `grow` rule. `file` is the baseline."""
    both = [total_counts(network.layers) for network in (checked.network, checked.base) if network]
    # A part that is all of its measure would be reported twice.
    parts = (part for part in PARTS if any(counts.rest(part) for counts in both))
    total = Budget(total=tuple(Limit(measure, NO_SPAN, grow=0) for measure in (*COSTS, *parts)))
    growth = [(file, total)]
    for where, budget in checked.budgets:
        growth_budget = only_growth(budget, forbidden=True)
        in_bytes = tuple(limit for limit in growth_budget.total if limit.measure in IN_BYTES)
        growth.append((where, growth_budget._replace(total=in_bytes)))
    return checked._replace(budgets=tuple(growth))


def may_have_grown(finding: Finding) -> bool:
    """Whether growth is not decided, because macs are not known, and the known macs grew, or those
    of more layers are unknown. A later check could not find that growth."""
    if finding.level != "skipped" or finding.base is None:
        return False
    now, before = finding.uncounted
    return finding.found > finding.base or now > before


def only_growth(budget: Budget, *, forbidden: bool = False) -> Budget:
    """The limits of growth of a budget, as they are or without any growth."""

    def select(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        growth = growth_limits(limits)
        return (
            tuple(limit._replace(grow=0, grow_floor=0) for limit in growth) if forbidden else growth
        )

    return budget.with_limits(select)


def pair_networks(new: Iterable[str], deleted: Iterable[str]) -> list[int | None]:
    """Pairs new networks with deleted ones, both by name: for each new one the index of a deleted
    one, or None if none is left. Equal names are paired first, the others in their order."""
    left = dict(enumerate(deleted))
    indices: list[int | None] = []
    for name in new:
        same = next((index for index, old in left.items() if old == name), None)
        indices.append(same)
        if same is not None:
            del left[same]
    rest = iter(left)
    return [next(rest, None) if index is None else index for index in indices]
