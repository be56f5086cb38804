"""The ratchet of a baseline: without leave it only goes down.

What a baseline forgets, no check can hold a change against. So a new one may not be larger than
the last, in any total, and in no layer or group that a `grow` rule speaks of. The receptive field
is no cost: it may grow unless a budget limits that, too.

What is new has nothing to be held against, and what is deleted nobody holds against anything; a new
name for the same thing is both. So where both are, in one update, the new is held against the
deleted: networks each against one of those, new layers under a `grow` rule together against the
deleted layers under it.
"""

from collections.abc import Iterable, Iterator, Sequence

from convcost.network import Budget, Limit, Rule
from convcost.questions.check.baseline import TOTALS
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import NOWHERE, Measured, matches

TOP = 3
FREE = ("receptive_field",)
NOTHING = Measured("", (), 0, 0)


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


def paired(new: Sequence[Measured], deleted: Sequence[Measured]) -> list[Measured | None]:
    """What each new network is held against: of those that are deleted the one that is most like
    it, each once; of too few of them nothing at all, so that all of it is growth. None where
    nothing is deleted: then it is new, and no other name for something."""
    if not deleted:
        return [None] * len(new)
    paths = {id(one): {layer.path for layer in one.layers} for one in (*new, *deleted)}

    def alike(pair: tuple[int, int]) -> tuple[int, int, tuple[int, int]]:
        one, old = new[pair[0]], deleted[pair[1]]
        return -(one.name == old.name), -len(paths[id(one)] & paths[id(old)]), pair

    every = ((at, of) for at in range(len(new)) for of in range(len(deleted)))
    found: dict[int, int] = {}
    taken: set[int] = set()
    for at, of in sorted(every, key=alike):
        if at not in found and of not in taken:
            found[at] = of
            taken.add(of)
    return [deleted[found[at]] if at in found else NOTHING for at in range(len(new))]


def renamed_layers(of: Held) -> Iterator[Held]:
    """New layers under each rule of growth beside the deleted ones under it, where there are both:
    networks of those layers alone, and a budget that does not let their sum grow."""
    if of.base is None:
        return
    new, deleted = _apart(of.network, of.base), _apart(of.base, of.network)
    for where, budget in of.budgets:
        for rule in _still(budget.layers):
            mine, theirs = (_under(rule, budget.layers, one) for one in (new, deleted))
            if rule.limits and mine.layers and theirs.layers:
                names = (", ".join(row.path for row in one.layers[:TOP]) for one in (mine, theirs))
                message = "new layers ({}) held against deleted ones ({})".format(*names)
                held = budget._replace(total=(), layers=(), groups=(rule,), message=message)
                yield Held(of.spec, mine, ((where, held),), theirs)


def _apart(network: Measured, other: Measured) -> Measured:
    """With the layers alone that the other has not."""
    paths = {layer.path for layer in other.layers}
    return network._replace(
        layers=tuple(layer for layer in network.layers if layer.path not in paths)
    )


def _under(rule: Rule, rules: Iterable[Rule], network: Measured) -> Measured:
    """With the layers alone of which this rule is the first that matches."""
    first = rule.match
    mine = []
    for layer in network.layers:
        found = next((one.match for one in rules if matches(layer.path, one.match)), None)
        if found == first:
            mine.append(layer)
    return network._replace(layers=tuple(mine))
