"""Budgets applied to a network: one finding for each test of each limit."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache

from convcost.model.costs import LayerCost
from convcost.model.errors import UsageError
from convcost.model.measures import CONVENTION
from convcost.model.network import IN_BYTES, Budget, Limit, Rule
from convcost.model.record import NamedTuple
from convcost.reports.check.by_convention import conventions_of, recount, split_budget
from convcost.reports.check.finding import Finding, Growth, Level, Scope, Test
from convcost.reports.check.measures import (
    LOWER,
    OF_NETWORK,
    PEAK,
    LayerIndex,
    MeasuredNetwork,
    add_counts,
    count_by_path,
)
from convcost.reports.layer_changes import pair_layers
from convcost.reports.notes import WHY_BOUND, convention_notes, first_texts
from convcost.reports.row_order import RowsLeftOut, first_rows

CODES: dict[Test, str] = {"max": "CC201", "min": "CC202", "grow": "CC203", "warn": "CC204"}
TOP = 3  # layers that a finding names
MAX_FINDINGS = 100_000  # of all networks of a spec
MAX_GROUPED = 5_000_000  # layers of all groups of a spec, each once for each limit
NO_BASE = "there is no base"
NO_TENSORS = "a baseline file has counts, and no tensors"
NEW_LAYER = "the layer is new"
NEW_NETWORK = "the network is new"
UPPER = "receptive_field"  # it may be an upper bound
BOUND = f"it is {WHY_BOUND}"


class CheckedNetwork(NamedTuple):
    """A network, its base if known, and its budgets, each with the name of the file it is in.

    `spec` is the name of the spec that the network was read from. `no_base` says why there is no
    base, and what to do.
    """

    spec: str
    network: MeasuredNetwork
    budgets: tuple[tuple[str, Budget], ...]
    base: MeasuredNetwork | None = None
    no_base: str = NO_BASE


def counting_notes(networks: Iterable[CheckedNetwork]) -> tuple[str, ...]:
    """What macs and the conventions of the budgets count."""
    budgets = (budget for checked in networks for _, budget in checked.budgets)
    return (CONVENTION, *convention_notes(conventions_of(budgets)))


def growth_limits(limits: Iterable[Limit]) -> tuple[Limit, ...]:
    """The limits of growth among limits."""
    growing = (limit for limit in limits if limit.grow is not None)
    return tuple(limit._replace(max=None, min=None, warn=None) for limit in growing)


def evaluate(networks: Iterable[CheckedNetwork]) -> Iterator[Finding]:
    """All findings of each network, in the order of its budgets. Raises UsageError if the limits of
    one spec are too many, because each limit of a rule in `layers` is one for each layer, or if its
    groups have too many layers."""
    counts: Counter[str] = Counter()
    grouped: Counter[str] = Counter()
    for checked in networks:
        for finding in _evaluate(checked, grouped):
            counts[checked.spec] += 1
            if counts[checked.spec] > MAX_FINDINGS:
                raise UsageError(
                    f"the budgets for `{checked.spec}` have more than {MAX_FINDINGS:,} limits, "
                    "each once for each layer that it applies to",
                    help="use fewer limits in `layers`, or limits in `groups`",
                )
            yield finding


def _evaluate(checked: CheckedNetwork, grouped: Counter[str]) -> Iterator[Finding]:
    """The findings of a network. Adds the layers of its groups to those of its spec."""
    targets = cache(lambda convention: _targets(checked, convention, grouped))
    for file, budget in checked.budgets:
        for convention, measure, limited in split_budget(budget):
            for target, limits in targets(convention).limits_by_target(limited):
                for limit in limits:
                    for finding in _findings(checked.spec, file, budget, target, limit):
                        yield finding._replace(measure=measure) if measure else finding


def _targets(checked: CheckedNetwork, convention: str, grouped: Counter[str]) -> "_Targets":
    """What the budgets limit. With a convention, its numbers replace the macs."""
    if not convention:
        return _Targets(checked, checked.no_base, grouped)
    network, base = (recount(network, convention) for network in (checked.network, checked.base))
    assert network is not None
    reason = f"the base has no numbers by {convention}" if checked.base else checked.no_base
    return _Targets(checked._replace(network=network, base=base), reason, grouped)


class _Counts(NamedTuple):
    """The counts of one measure; `top` are the layers that grew most, or without a base the
    largest, and `left_out` is how many more there are. `uncounted` are the numbers of layers that
    are not in `found` and in `base`."""

    found: int
    base: int | None
    top: tuple[tuple[str, int], ...] = ()
    left_out: RowsLeftOut = RowsLeftOut()
    uncounted: tuple[int, int] = (0, 0)


class _CountsOfLayers(NamedTuple):
    """The counts of the layers of a network and of its base, by path. `grown` has the growth of
    each layer that grew; without a base, its count."""

    now: Mapping[str, int]
    base: Mapping[str, int]
    grown: Mapping[str, int]


class _Target:
    """What a limit applies to: the network, a layer, or the layers that a pattern matches.

    `network` and `base` contain only these layers. `base` is None if the base has none of them, and
    `reason` says why. `of_layers` returns the counts of all layers of the network. Each count is
    computed once, because many budgets can limit one network.
    """

    def __init__(
        self,
        scope: Scope,
        path: str,
        network: MeasuredNetwork,
        base: MeasuredNetwork | None,
        of_layers: Callable[[str, str], _CountsOfLayers],
        reason: str,
    ) -> None:
        self.scope = scope
        self.path = path
        self.network = network
        self.base = base
        self.of_layers = of_layers
        self.reason = reason
        self.counts = cache(self._counts)
        self.unknown = cache(self._unknown)

    def _counts(self, measure: str, dtype: str, test: Test) -> _Counts:
        """The counts of a measure; `base` is None if the base does not know the measure. A peak
        names its largest tensors if there is no base, and other measures the layers that grew."""
        base_network = self.base if self.base and self.base.knows(measure, test) else None
        if measure in (*PEAK, *OF_NETWORK):
            base = base_network.total(measure, dtype, test) if base_network else None
            if measure in OF_NETWORK or not self.network.layers:
                total = self.network.total(measure, dtype, test)
                return _Counts(total, base, uncounted=self._uncounted(measure))
            peak = self.network.peak(dtype)
            stored = self.network.total("flash", dtype) if measure == "memory" else 0
            tensors = () if self.base else self.network.peak_tensors(peak)
            return _largest(_Counts(peak.bytes + stored, base), tensors)
        return self._layer_counts(measure, dtype, base_network)

    def _layer_counts(self, measure: str, dtype: str, previous: MeasuredNetwork | None) -> _Counts:
        """The counts of a measure that adds up over layers."""
        counts = self.of_layers(measure, dtype)
        paths = [layer.path for layer in self.network.layers]
        count = add_counts(map(counts.now.__getitem__, paths), measure)
        before = (counts.base[layer.path] for layer in previous.layers) if previous else ()
        base = add_counts(before, measure) if previous else None
        grown = counts.grown
        layers = () if self.scope == "layer" else [(p, grown[p]) for p in paths if p in grown]
        return _largest(_Counts(count, base, uncounted=self._uncounted(measure)), layers)

    def _uncounted(self, measure: str) -> tuple[int, int]:
        """How many layers are not in a count, now and in the base."""
        if measure not in LOWER:
            return 0, 0
        return self.network.uncounted, self.base.uncounted if self.base else 0

    def reason_of(self, measure: str) -> str:
        """Why the base has no count of a measure."""
        is_known_measure = self.base is None or self.base.knows(measure)
        return self.reason if is_known_measure else f"{NO_TENSORS}, so its {measure} is not known"

    def _unknown(self, measure: str) -> tuple[str, str]:
        """Why only a bound of a measure is known, now and in the base; empty if it is exact."""
        if measure == UPPER:
            bounded = self.network.field_is_bound, self.base and self.base.field_is_bound
            now, before = (BOUND if is_bound else "" for is_bound in bounded)
            return now, before and f"in the base, {before}"
        if measure not in LOWER:
            return "", ""
        layers = self.base.layers if self.base else ()
        return _unknown_macs(self.network.layers), _unknown_macs(layers, " in the base")


def _largest(counts: _Counts, layers: Sequence[tuple[str, int]]) -> _Counts:
    """The counts with the largest of the layers."""
    top, left_out = first_rows(layers, TOP, "count", lambda layer, _: layer[1])
    return counts._replace(top=tuple(top), left_out=left_out)


class _Targets:
    """What the budgets of a network limit.

    A rule limits the layers that it matches by their current paths. It also limits the growth of
    those that it matched in the base, so that a new name hides no growth. `grouped` has the layers
    of all groups of each spec, each layer once for each limit.
    """

    def __init__(self, checked: CheckedNetwork, reason: str, grouped: Counter[str]) -> None:
        self.network, self.base, self.reason = checked.network, checked.base, reason
        self._spec, self._grouped = checked.spec, grouped
        before = self.base.layers if self.base else ()
        changes = pair_layers(before, self.network.layers) if before else ()
        self.old = {
            change.path: change.before for change in changes if change.before and change.after
        }
        self.of_layers = cache(self._of_layers)
        self.total = _Target("total", "", self.network, self.base, self.of_layers, reason)
        self.layers = LayerIndex(self.network.layers)
        now = {change.before.path: change.path for change in changes if change.before}
        self.before = LayerIndex(before, [{layer.path, now[layer.path]} for layer in before])
        old = [self.old.get(layer.path, layer).path for layer in self.network.layers]
        new = [layer.path for layer in self.network.layers]
        # The current layers by the paths that they had in the base, and by both paths.
        self.by_old_path, self.by_both_paths = self.layers, self.layers
        if old != new:
            self.by_old_path = LayerIndex(self.network.layers, [{path} for path in old])
            self.by_both_paths = LayerIndex(
                self.network.layers, list(map(set, zip(new, old, strict=True)))
            )

    def limits_by_target(self, budget: Budget) -> Iterator[tuple[_Target, tuple[Limit, ...]]]:
        """The total, the layers, each by the first rule that matches it, and the groups. Raises
        UsageError if the groups have too many layers."""
        yield self.total, budget.total
        if budget.layers:
            rules = self.layers.first_rules(budget.layers)
            old_rules = rules
            if self.by_old_path is not self.layers:
                old_rules = self.by_old_path.first_rules(budget.layers)
            for layer, rule, old in zip(self.network.layers, rules, old_rules, strict=True):
                limits = rule.limits if rule else ()
                if old is not None and old is not rule:
                    limits += growth_limits(old.limits)
                if limits:
                    yield self._layer(layer), limits
        for rule in budget.groups:
            layers, members = (
                index.matching(rule.match) for index in (self.layers, self.by_both_paths)
            )
            self._grouped[self._spec] += len(members) * len(rule.limits)
            if self._grouped[self._spec] > MAX_GROUPED:
                raise UsageError(
                    f"the groups of the budgets for `{self._spec}` need more than "
                    f"{MAX_GROUPED:,} counts of its layers",
                    help="use fewer limits, or groups of fewer layers",
                )
            base = self.base and self.base.with_layers(self.before.matching(rule.match))
            limits = rule.limits
            if len(layers) < len(members):
                yield self._group(rule, members, base), growth_limits(limits)
                limits = tuple(limit._replace(grow=None) for limit in limits)
            if layers or any(limit.min is not None for limit in limits):
                yield self._group(rule, layers, base), limits

    def _group(self, rule: Rule, layers: list[LayerCost], base: MeasuredNetwork | None) -> _Target:
        network = self.network.with_layers(layers)
        return _Target("group", rule.match, network, base, self.of_layers, self.reason)

    def _layer(self, layer: LayerCost) -> _Target:
        network, before = self.network.with_layers([layer]), self.old.get(layer.path)
        base = self.base.with_layers([before]) if self.base and before else None
        reason = NEW_LAYER if self.base else self.reason
        return _Target("layer", layer.path, network, base, self.of_layers, reason)

    def _of_layers(self, measure: str, dtype: str) -> _CountsOfLayers:
        network, base = self.network, self.base
        now = count_by_path(network.layers, measure, network.dtypes(dtype))
        before = count_by_path(base.layers, measure, base.dtypes(dtype)) if base else {}
        old = {path: before[layer.path] for path, layer in self.old.items()}
        grown = {path: by for path, count in now.items() if (by := count - old.get(path, 0)) > 0}
        if measure in LOWER:
            for path, layer in self.old.items():
                if layer.counts.uncounted:  # nobody knows whether it grew
                    grown.pop(path, None)
        return _CountsOfLayers(now, before, grown)


def _findings(
    spec: str, file: str, budget: Budget, target: _Target, limit: Limit
) -> Iterator[Finding]:
    """A finding for each test of a limit. If `max` is exceeded, `warn` has no finding."""
    unknown, unknown_base = target.unknown(limit.measure)
    in_bytes = limit.measure in IN_BYTES
    dtype = target.network.dtypes(limit.dtype).text if in_bytes else ""

    def counts(test: Test) -> _Counts:
        # Only a receptive field has another count for a `min`.
        return target.counts(limit.measure, limit.dtype, test if limit.measure == UPPER else "max")

    def finding(test: Test, level: Level, bound: int | Growth, reason: str = unknown) -> Finding:
        return Finding(
            level=level,
            code=CODES[test],
            file=file,
            span=limit.span if limit.span.line else None,
            network=target.network.name,
            spec=spec,
            budget=budget.name,
            scope=target.scope,
            path=target.path,
            measure=limit.measure,
            test=test,
            limit=bound,
            message=budget.message,
            reason=reason if level == "skipped" else "",
            dtype=dtype,
            **counts(test)._asdict(),
        )

    count, base = counts("max").found, counts("max").base
    exceeds_max = limit.max is not None and count > limit.max
    if limit.max is not None:
        yield finding("max", _level("error", limit, unknown, within=not exceeds_max), limit.max)
    if limit.warn is not None and not exceeds_max:
        level = _level("warning", limit, unknown, within=count <= limit.warn)
        yield finding("warn", level, limit.warn)
    if limit.min is not None:
        within = counts("min").found >= limit.min
        level = _level("error", limit, unknown, within=within, above=False)
        yield finding("min", level, limit.min)
    if limit.grow is not None:
        part, whole = limit.grow if isinstance(limit.grow, tuple) else (limit.grow, 0)
        growth = Growth(part, whole, limit.grow_floor, _growth_text(part, whole))
        if base is None:
            yield finding("grow", "skipped", growth, target.reason_of(limit.measure))
            return
        within = growth.allows(base, count)
        # Growth over a base of more macs would be less.
        if unknown_base and (unknown or not within or limit.measure not in LOWER):
            yield finding("grow", "skipped", growth, unknown or unknown_base)
        else:
            yield finding("grow", _level("error", limit, unknown, within=within), growth)


def _level(
    exceeded: Level, limit: Limit, unknown: str, *, within: bool, above: bool = True
) -> Level:
    """The level of a finding; `above` is whether the test looks for counts above the limit.

    If only a bound of the count is known, the test is skipped unless every count with this bound
    has the same result.
    """
    certain = within == ((limit.measure == UPPER) == above)
    if unknown and not certain:
        return "skipped"
    return "passed" if within else exceeded


def _unknown_macs(layers: Iterable[LayerCost], where: str = "") -> str:
    """Which layers have uncounted macs, as the reason `its macs are uncounted: magic`; empty if
    there are none."""
    paths = [layer.path for layer in layers if layer.uncounted]
    if not paths:
        return ""
    whose = "its" if len(paths) == 1 else "their"
    return f"{whose} macs are uncounted{where}: {first_texts(paths, TOP)}"


def _growth_text(part: int, whole: int) -> str:
    """The allowed growth as text: a share, `2.5 %`, or a count, `1,000`."""
    from decimal import Decimal

    return f"{(Decimal(100 * part) / whole).normalize():f} %" if whole else f"{part:,}"
