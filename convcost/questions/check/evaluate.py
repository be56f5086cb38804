"""Budgets held against a network: every limit gives one finding, whatever comes of it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from convcost.costs import LayerCost
from convcost.findings import Finding, Growth, Level, Scope, Test
from convcost.network import Budget, Limit, Rule
from convcost.questions.check.measures import Measured, matched, matches, of_layers, of_network

CODES: dict[Test, str] = {"max": "CC201", "min": "CC202", "grow": "CC203", "warn": "CC204"}
TOP = 3


class Held(NamedTuple):
    """A network, what it was if that is known, and the budgets it is held against, each with the
    name of the file it stands in. `spec` is what the network was read from."""

    spec: str
    network: Measured
    budgets: tuple[tuple[str, Budget], ...]
    base: Measured | None = None


def findings(held: Held) -> tuple[Finding, ...]:
    """All findings of a network, in the order its budgets are written."""
    return tuple(
        finding
        for file, budget in held.budgets
        for finding in _Check(held, file, budget).findings()
    )


class _Check:
    def __init__(self, held: Held, file: str, budget: Budget) -> None:
        self.held = held
        self.file = file
        self.budget = budget
        self.network = held.network
        self.base = held.base

    def findings(self) -> Iterator[Finding]:
        for limit in self.budget.total:
            base = None if self.base is None else of_network(self.base, limit)
            before = None if self.base is None else self.base.layers
            grown = _grown(self.network.layers, before, limit)
            yield from self._tests("total", "", limit, of_network(self.network, limit), base, grown)
        yield from self._layers()
        for rule in self.budget.groups:
            now = matched(self.network.layers, rule.match)
            old = None if self.base is None else matched(self.base.layers, rule.match)
            for limit in rule.limits:
                base = None if old is None else of_layers(old, limit)
                found = of_layers(now, limit)
                grown = _grown(now, old, limit)
                yield from self._tests("group", rule.match, limit, found, base, grown)

    def _layers(self) -> Iterator[Finding]:
        """Each layer under the first rule that matches it."""
        before = {} if self.base is None else {row.path: row for row in self.base.layers}
        for row in self.network.layers:
            rule = self._rule(row.path)
            for limit in rule.limits if rule else ():
                old = before.get(row.path)
                base = None if old is None else of_layers([old], limit)
                found = of_layers([row], limit)
                yield from self._tests("layer", row.path, limit, found, base, ())

    def _rule(self, path: str) -> Rule | None:
        return next((rule for rule in self.budget.layers if matches(path, rule.match)), None)

    def _tests(
        self,
        scope: Scope,
        path: str,
        limit: Limit,
        found: int,
        base: int | None,
        top: tuple[tuple[str, int], ...],
    ) -> Iterator[Finding]:
        def finding(test: Test, level: Level, bound: int | Growth) -> Finding:
            return Finding(
                level,
                CODES[test],
                self.file,
                limit.place if limit.place.line else None,
                self.network.name,
                self.held.spec,
                self.budget.name,
                scope,
                path,
                limit.measure,
                test,
                bound,
                found,
                base,
                top,
                self.budget.message,
            )

        over = limit.max is not None and found > limit.max
        if limit.max is not None:
            yield finding("max", "error" if over else "passed", limit.max)
        if limit.warn is not None and not over:
            yield finding("warn", "warning" if found > limit.warn else "passed", limit.warn)
        if limit.min is not None:
            yield finding("min", "error" if found < limit.min else "passed", limit.min)
        if limit.grow is not None:
            part, whole = limit.grow if isinstance(limit.grow, tuple) else (limit.grow, 0)
            growth = Growth(part, whole, limit.grow_floor, _text(limit))
            if base is None:
                yield finding("grow", "skipped", growth)
            else:
                kept = growth.allows(base, found)
                yield finding("grow", "passed" if kept else "error", growth)


def _text(limit: Limit) -> str:
    """A growth as people write it: `2 %`, `2.5 %`, `1,000`."""
    if not isinstance(limit.grow, tuple):
        return f"{limit.grow:,}"
    part, whole = limit.grow
    hundredths, digits = 100 * part, 0
    while hundredths % whole and digits < 12:  # noqa: PLR2004  figures have no more
        hundredths, digits = hundredths * 10, digits + 1
    number = f"{hundredths // whole:0{digits + 1}d}"
    return f"{number[:-digits]}.{number[-digits:]} %" if digits else f"{number} %"


def _grown(
    now: Sequence[LayerCost], before: Sequence[LayerCost] | None, limit: Limit
) -> tuple[tuple[str, int], ...]:
    """The layers that grew most; without a base the largest."""
    if limit.measure in ("depth", "receptive_field"):
        return ()
    old = {row.path: of_layers([row], limit) for row in before or ()}
    grown = [(row.path, of_layers([row], limit) - old.get(row.path, 0)) for row in now]
    grown.sort(key=lambda item: -item[1])
    return tuple((path, by) for path, by in grown[:TOP] if by > 0)
