"""Budgets held against a network: every limit gives one finding, whatever comes of it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from convcost.costs import LayerCost
from convcost.findings import Finding, Growth, Level, Scope, Test
from convcost.network import Budget, Limit, Rule
from convcost.questions.check.measures import Measured, matched, matches, of_layers, of_network

CODES: dict[Test, str] = {"max": "CC201", "min": "CC202", "grow": "CC203", "warn": "CC204"}
TOP = 3
NO_BASE = "there is no base"
NEW = "the layer is new"


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


class _Subject(NamedTuple):
    """What limits of a budget speak of: the network, a layer, or the layers that a pattern matches;
    `was` are its layers in the base, None where there is none for the reason that is given."""

    scope: Scope
    path: str
    now: Sequence[LayerCost]
    was: Sequence[LayerCost] | None
    reason: str = ""


class _Check:
    def __init__(self, held: Held, file: str, budget: Budget) -> None:
        self.held = held
        self.file = file
        self.budget = budget
        self.network = held.network
        self.base = held.base

    def findings(self) -> Iterator[Finding]:
        now = self.network.layers
        was = None if self.base is None else self.base.layers
        whole = _Subject("total", "", now, was, NO_BASE)
        yield from self._all(whole, self.budget.total)
        yield from self._layers()
        for rule in self.budget.groups:
            old = None if was is None else matched(was, rule.match)
            group = _Subject("group", rule.match, matched(now, rule.match), old, NO_BASE)
            yield from self._all(group, rule.limits)

    def _layers(self) -> Iterator[Finding]:
        """Each layer under the first rule that matches it."""
        before = {} if self.base is None else {row.path: row for row in self.base.layers}
        reason = NO_BASE if self.base is None else NEW
        for row in self.network.layers:
            rule = self._rule(row.path)
            old = [before[row.path]] if row.path in before else None
            if rule:
                layer = _Subject("layer", row.path, [row], old, reason)
                yield from self._all(layer, rule.limits)

    def _rule(self, path: str) -> Rule | None:
        return next((rule for rule in self.budget.layers if matches(path, rule.match)), None)

    def _all(self, of: _Subject, limits: Iterable[Limit]) -> Iterator[Finding]:
        for limit in limits:
            yield from self._tests(of, limit)

    def _tests(self, of: _Subject, limit: Limit) -> Iterator[Finding]:
        found = self._found(of, limit, "max")
        open_ = _uncounted(of.now, limit)
        over = limit.max is not None and found > limit.max
        if limit.max is not None:
            level = _held(kept=not over, over="error", unless=open_)
            yield self._finding(of, limit, "max", level, limit.max, open_)
        if limit.warn is not None and not over:
            level = _held(kept=found <= limit.warn, over="warning", unless=open_)
            yield self._finding(of, limit, "warn", level, limit.warn, open_)
        if limit.min is not None:
            kept = self._found(of, limit, "min") >= limit.min
            # What is known is only a part: a least is not held against it.
            level = "skipped" if open_ else "passed" if kept else "error"
            yield self._finding(of, limit, "min", level, limit.min, open_)
        if limit.grow is not None:
            yield self._growth(of, limit, open_)

    def _growth(self, of: _Subject, limit: Limit, open_: str) -> Finding:
        assert limit.grow is not None
        part, whole = limit.grow if isinstance(limit.grow, tuple) else (limit.grow, 0)
        growth = Growth(part, whole, limit.grow_floor, _text(limit))
        base = self._was(of, limit, "grow")
        if base is None or of.was is None:
            return self._finding(of, limit, "grow", "skipped", growth, of.reason)
        unknown = _uncounted(of.was, limit, " in the base")
        if unknown:
            return self._finding(of, limit, "grow", "skipped", growth, open_ or unknown)
        kept = growth.allows(base, self._found(of, limit, "grow"))
        level = _held(kept=kept, over="error", unless=open_)
        return self._finding(of, limit, "grow", level, growth, open_)

    def _found(self, of: _Subject, limit: Limit, test: Test) -> int:
        if of.scope == "total":
            return of_network(self.network, limit, test)
        return of_layers(of.now, limit)

    def _was(self, of: _Subject, limit: Limit, test: Test) -> int | None:
        if of.was is None:
            return None
        if of.scope == "total" and self.base is not None:
            return of_network(self.base, limit, test)
        return of_layers(of.was, limit)

    def _finding(
        self,
        of: _Subject,
        limit: Limit,
        test: Test,
        level: Level,
        bound: int | Growth,
        reason: str,
    ) -> Finding:
        return Finding(
            level,
            CODES[test],
            self.file,
            limit.place if limit.place.line else None,
            self.network.name,
            self.held.spec,
            self.budget.name,
            of.scope,
            of.path,
            limit.measure,
            test,
            bound,
            self._found(of, limit, test),
            self._was(of, limit, test),
            () if of.scope == "layer" else _grown(of.now, of.was, limit),
            self.budget.message,
            reason if level == "skipped" else "",
        )


def _held(*, kept: bool, over: Level, unless: str) -> Level:
    """What is known decides where it is over; else only if nothing is unknown."""
    if not kept:
        return over
    return "skipped" if unless else "passed"


def _uncounted(layers: Iterable[LayerCost], limit: Limit, where: str = "") -> str:
    """`its macs are uncounted: magic`, where that matters to a limit; else nothing."""
    paths = [layer.path for layer in layers if layer.uncounted] if limit.measure == "macs" else []
    if not paths:
        return ""
    whose = "its" if len(paths) == 1 else "their"
    return (
        f"{whose} macs are uncounted{where}: {', '.join(paths[:TOP])}{', …' * (len(paths) > TOP)}"
    )


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
