"""Pairs the layers of two networks: unchanged, changed, renamed, added and removed layers."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TypeAlias

from convcost.model.costs import LayerCost
from convcost.model.kind import KINDS
from convcost.model.measures import Count, Measure
from convcost.model.record import NamedTuple
from convcost.reports.sequence_alignment import align

NONE = Count(0)
WHOLE_PATH = 1000  # a depth that is greater than that of any path
MAX_DEPTH = 3  # depth of the groups that are paired as a whole
COSTS = Measure.PARAMS, Measure.BUFFERS, Measure.MACS
NUMBERS = re.compile(r"(?<!\d)\d+(?=/|$)")

Pair: TypeAlias = tuple[Count, Count]  # the counts before and after
Gap: TypeAlias = tuple[range, range]  # the old and the new layers that are not paired
Keys: TypeAlias = Sequence[object]  # one a layer; layers with equal keys are paired


class LayerChange(NamedTuple):
    """A layer before and after a change; None if the network has no such layer."""

    before: LayerCost | None
    after: LayerCost | None

    @property
    def path(self) -> str:
        """The path after the change; of a removed layer, the path before."""
        layer = self.after or self.before
        assert layer
        return layer.path

    @property
    def label(self) -> str:
        """The path, or `old → new` for a renamed layer."""
        was = self.before.path if self.before else self.path
        return self.path if was == self.path else f"{was} → {self.path}"

    def counts(self, measure: Measure) -> Pair:
        """The counts before and after; 0 for a layer that does not exist."""
        rows = self.before, self.after
        before, after = (row.counts.count_of(measure) if row else NONE for row in rows)
        return before, after

    def difference(self, measure: Measure) -> int | None:
        """The count after the change minus the count before; None if one of both is not known."""
        before, after = self.counts(measure)
        return after - before

    @property
    def state(self) -> str:
        """`added`, `removed`, `changed`, `renamed` or `unchanged`. A layer is also unchanged if its
        path differs only in numbers: `conv_3` instead of `conv_2`."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        if layer_identity(self.before) != layer_identity(self.after):
            return "changed"
        same = _unnumbered(self.before.path) == _unnumbered(self.after.path)
        return "unchanged" if same else "renamed"


def size_of_change(counts: Pair) -> int:
    """How much a count changes, in either direction, without what is not known. Sorts changes."""
    before, after = counts
    return abs(after.known - before.known)


def pair_layers(before: Sequence[LayerCost], after: Sequence[LayerCost]) -> tuple[LayerChange, ...]:
    """One change for each layer of both networks, in the order of the second network.

    A removed layer is at its old place. The networks are aligned as sequences: first equal groups,
    the outermost first, then equal layers, then similar layers. If several alignments are possible,
    the names decide. The remaining layers are paired if they have the same path, or the same kinds
    at the same place.
    """
    old_of = _Pairing(before, after).old_of
    paired, position = set(old_of.values()), 0
    changes: list[LayerChange] = []

    def removed(end: int) -> Iterator[LayerChange]:
        return (LayerChange(before[n], None) for n in range(position, end) if n not in paired)

    for index, layer in enumerate(after):
        old = old_of.get(index)
        if old is not None:
            changes += removed(old)
            position = max(position, old + 1)
        changes.append(LayerChange(None if old is None else before[old], layer))
    return (*changes, *removed(len(before)))


class _Pairing:
    """Pairs layers. `old_of` maps the index of each paired new layer to that of its old layer."""

    def __init__(self, before: Sequence[LayerCost], after: Sequence[LayerCost]) -> None:
        self.before, self.after = before, after
        self.old_of: dict[int, int] = {}
        self.gaps: list[Gap] = [(range(len(before)), range(len(after)))]
        deepest = max((layer.path.count("/") for layer in (*before, *after)), default=0)
        self.depths = (*range(1, min(deepest, MAX_DEPTH) + 1), WHOLE_PATH)
        self._pair_groups(*(list(map(layer_identity, side)) for side in (before, after)))
        if self.gaps:
            self._pair_similar_layers()
        self._pair_paths()
        self._pair_kinds()
        self._unpair_lone_layers()

    def _pair_similar_layers(self) -> None:
        groups = self._known_groups()
        new_groups = {group: group for group in groups.values()}
        old_places = [_place(layer.path, groups) for layer in self.before]
        new_places = [_place(layer.path, new_groups) for layer in self.after]
        for similarity in (_weights, _output, kind_and_size):
            self._pair_groups(
                list(zip(old_places, map(similarity, self.before), strict=True)),
                list(zip(new_places, map(similarity, self.after), strict=True)),
            )

    def _pair_groups(self, old_keys: Keys, new_keys: Keys) -> None:
        """Pairs groups with equal keys, the outermost first, and single layers last."""
        for depth in self.depths:
            gaps, self.gaps = self.gaps, []
            for gap in gaps:
                self._pair_gap(gap, depth, old_keys, new_keys)

    def _pair_gap(self, gap: Gap, depth: int, old_keys: Keys, new_keys: Keys) -> None:
        ids: dict[Keys, int] = {}
        old, new = _groups(self.before, gap[0], depth), _groups(self.after, gap[1], depth)
        old_ids, new_ids = _numbers(old, old_keys, ids), _numbers(new, new_keys, ids)

        def likeness(i: int, j: int) -> int:
            paths = self.before[old[i].start].path, self.after[new[j].start].path
            first, second = ("/".join(path.split("/")[:depth]) for path in paths)
            return (first == second) + (_unnumbered(first) == _unnumbered(second))

        start = gap[0].start, gap[1].start
        for i, j in align(old_ids, new_ids, likeness):
            self.old_of.update(zip(new[j], old[i], strict=True))
            self._add_gap(start, (old[i].start, new[j].start))
            start = old[i].stop, new[j].stop
        self._add_gap(start, (gap[0].stop, gap[1].stop))

    def _add_gap(self, start: tuple[int, int], stop: tuple[int, int]) -> None:
        old, new = map(range, start, stop)
        if old and new:
            self.gaps.append((old, new))

    def _known_groups(self) -> dict[str, str]:
        """Maps each old group to the new group that has most of its layers."""
        votes = Counter(
            (_parent(self.before[old].path), _parent(self.after[new].path))
            for new, old in self.old_of.items()
        )
        return dict(reversed([pair for pair, _ in votes.most_common()]))

    def _pair_paths(self) -> None:
        """Pairs the remaining layers with the same path, in any order."""
        paired = set(self.old_of.values())
        old = {layer.path: n for n, layer in enumerate(self.before) if n not in paired}
        for n, layer in enumerate(self.after):
            if n not in self.old_of and layer.path in old:
                self.old_of[n] = old[layer.path]

    def _pair_kinds(self) -> None:
        """Pairs the remaining layers of a gap if both networks have the same kinds there.

        An example is a layer that was renamed and grew.
        """
        paired = set(self.old_of.values())
        for gap in self.gaps:
            old = [n for n in gap[0] if n not in paired]
            new = [n for n in gap[1] if n not in self.old_of]
            if [self.before[n].kind for n in old] == [self.after[n].kind for n in new]:
                self.old_of.update(zip(new, old, strict=True))

    def _unpair_lone_layers(self) -> None:
        """Unpairs layers that are alike in their kind and shape only, such as two of many relus.

        Evidence that two layers are one is a cost or a name, or the evidence of a neighbour that
        both have. Networks without costs have no such evidence, and stay paired.
        """
        if not any(map(_has_own_cost, (*self.before, *self.after))):
            return
        pairs = sorted(self.old_of.items())
        certain = {new for new, old in pairs if self._is_evident(old, new)}
        for step, order in ((-1, pairs), (1, reversed(pairs))):
            certain.update(
                new
                for new, old in order
                if new + step in certain and self.old_of[new + step] == old + step
            )
        self.old_of = {new: old for new, old in pairs if new in certain}

    def _is_evident(self, old: int, new: int) -> bool:
        before, after = self.before[old], self.after[new]
        same_name = _unnumbered(before.path) == _unnumbered(after.path)
        return same_name or (_has_own_cost(before) and _has_own_cost(after))


def _has_own_cost(layer: LayerCost) -> bool:
    """Whether a layer has a cost. The params of a norm follow from the layer before it."""
    if _is_norm(layer.kind):
        return False
    return any(layer.counts.count_of(measure) for measure in COSTS)


@lru_cache
def _is_norm(kind: str) -> bool:
    """Whether a kind is a norm. A baseline can name kinds that are not here, such as those of a
    plug-in."""
    kind_class = KINDS.get(kind)
    return kind_class is not None and kind_class.is_norm


def _groups(layers: Sequence[LayerCost], span: range, depth: int) -> list[range]:
    if depth == WHOLE_PATH:
        return [range(n, n + 1) for n in span]
    groups = (list(run) for _, run in groupby(span, lambda n: layers[n].path.split("/")[:depth]))
    return [range(run[0], run[-1] + 1) for run in groups]


def _numbers(groups: Iterable[range], keys: Keys, ids: dict[Keys, int]) -> list[int]:
    """A number for each group, the same for groups with equal layers."""
    contents = (tuple(keys[group.start : group.stop]) for group in groups)
    return [ids.setdefault(content, len(ids)) for content in contents]


def layer_identity(layer: LayerCost) -> object:
    return layer.kind, layer.output, layer.counts


def _weights(layer: LayerCost) -> tuple[object, ...]:
    """A key that stays the same at another input size: the kind, channels and params."""
    return layer.kind, layer.output.channels, layer.weights, layer.biases, layer.buffers


def _output(layer: LayerCost) -> tuple[object, ...]:
    return layer.kind, layer.output


def kind_and_size(layer: LayerCost) -> object:
    """A key that stays the same with other channels: the kind and the output size."""
    return layer.kind, layer.output.size


def _place(path: str, groups: Mapping[str, str]) -> str:
    """A key for the place of a layer: its path in the new network.

    Unknown groups, which `groups` does not map, lose their numbers.
    """
    group = _parent(path)
    while group and group not in groups:
        group = group.rpartition("/")[0]
    return groups.get(group, group) + _unnumbered(f"/{path}"[len(group) :])


def _parent(path: str) -> str:
    """The group of a layer: `/a/b` for the layer `a/b/c`, empty for the network itself."""
    return f"/{path}".rpartition("/")[0]


def _unnumbered(path: str) -> str:
    """The path without the numbers at the ends of its names."""
    return NUMBERS.sub("", path)
