"""Limits by a counting convention: the network is counted by it, then checked like any other."""

from collections.abc import Iterable, Iterator

from convcost.model.costs import LayerCost
from convcost.model.measures import Measure
from convcost.model.network import Budget, Limit
from convcost.model.record import NamedTuple
from convcost.reports.check.measures import MeasuredNetwork


class CountedBudget(NamedTuple):
    """The limits of a budget by one convention; `measure` is what findings call it.

    A recounted network has the numbers of the convention as its macs, so these are limits of macs.
    If `convention` is empty, they are limits of convcost's own measures.
    """

    convention: str
    measure: str
    budget: Budget


def conventions_of(budgets: Iterable[Budget]) -> Iterator[str]:
    """The conventions of the limits of budgets."""
    for budget in budgets:
        yield from (part.convention for part in split_budget(budget))


def split_budget(budget: Budget) -> tuple[CountedBudget, ...]:
    """The limits of measures of convcost first, then those of each convention."""
    rules = (*budget.layers, *budget.groups)
    limits = (*budget.total, *(limit for rule in rules for limit in rule.limits))
    keys = dict.fromkeys((limit.convention, limit.label) for limit in limits if limit.convention)
    if not keys:
        return (CountedBudget("", "", budget),)
    return tuple(CountedBudget(*key, _budget_of(budget, *key)) for key in (("", ""), *keys))


def _budget_of(budget: Budget, convention: str, label: str) -> Budget:
    def select(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        if not convention:
            return tuple(limit for limit in limits if not limit.convention)
        return tuple(
            limit._replace(measure=Measure.MACS)
            for limit in limits
            if (limit.convention, limit.label) == (convention, label)
        )

    return budget.with_limits(select)


def recount(network: MeasuredNetwork | None, convention: str) -> MeasuredNetwork | None:
    """The network with the numbers of a convention as its macs; None if only its counts are known,
    as in a baseline file."""
    from convcost.conventions import find_convention

    costs = network and network.costs
    if network is None or costs is None:
        return None
    numbers = find_convention(convention).numbers(costs).layers
    return network.with_layers(map(_recount_layer, costs.layers, numbers))


def _recount_layer(layer: LayerCost, number: int | None) -> LayerCost:
    counts = layer.counts._replace(macs=number or 0, uncounted=int(number is None))
    return layer._replace(counts=counts)
