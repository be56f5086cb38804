"""The ratchet of a baseline: without leave it only goes down.

What a baseline forgets, no check can hold a change against. So a new one may not be larger than
the last, in any total, and in no layer or group that a `grow` rule speaks of. The receptive field
is no cost: it may grow unless a budget limits that, too.
"""

from collections.abc import Iterable

from convcost.network import Budget, Limit, Rule
from convcost.questions.check.baseline import TOTALS
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import NOWHERE

FREE = ("receptive_field",)


def ratcheted(of: Held, file: str) -> Held:
    """A network held against not growing at all, in what the baseline `file` is to keep of it."""
    limited = {limit.measure for _, budget in of.budgets for limit in budget.total if _grows(limit)}
    kept = [measure for measure in TOTALS if measure not in FREE or measure in limited]
    total = Budget(total=tuple(Limit(measure, NOWHERE, grow=0) for measure in kept))
    budgets = ((where, _rules(budget)) for where, budget in of.budgets)
    asked = tuple(one for one in budgets if one[1].layers or one[1].groups)
    return of._replace(budgets=((file, total), *asked))


def _rules(budget: Budget) -> Budget:
    return budget._replace(total=(), layers=_still(budget.layers), groups=_still(budget.groups))


def _still(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The same patterns in the same order, as the first that matches a layer counts."""
    return tuple(
        rule._replace(
            limits=tuple(
                Limit(limit.measure, limit.place, grow=0, dtype=limit.dtype)
                for limit in rule.limits
                if _grows(limit)
            )
        )
        for rule in rules
    )


def _grows(limit: Limit) -> bool:
    return limit.grow is not None
