"""Networks that have another file, or another name, since the base."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import TypeAlias

from convcost.model.costs import LayerCost
from convcost.reports.check.measures import MeasuredNetwork

MOST_COMPARISONS = 50_000  # comparisons of layers; with more, names and params pair networks

Named: TypeAlias = tuple[str, MeasuredNetwork]  # the file of a network, and the network


def pair_similar(new: Sequence[Named], deleted: Sequence[Named]) -> list[int | None]:
    """For each new network the index of the most similar deleted one, or None. Each is paired once.

    Two networks are similar if they share at least half of the layers of the larger one. Layers are
    compared by their kinds and output sizes, so a wider network is similar. If several are as
    similar, those of the same file are first, then those with most equal layers, then those of the
    same name. If there are too many networks to compare, only similar ones of the same name are
    paired so, and the rest by params, the largest first. So a change of many networks hides no
    growth.
    """
    found: dict[int, int] = {}
    used: set[int] = set()
    pairs, complete = _similar_pairs(new, deleted)
    for at, old in pairs:
        if at not in found and old not in used:
            found[at] = old
            used.add(old)
    if not complete:
        rest = (set(range(len(new))) - found.keys(), set(range(len(deleted))) - used)
        both = (new, deleted)
        found |= zip(*map(_largest_first, both, rest), strict=False)
    return [found.get(at) for at in range(len(new))]


def _largest_first(networks: Sequence[Named], chosen: Iterable[int]) -> list[int]:
    return sorted(chosen, key=lambda index: -networks[index][1].total("params"))


def pair_equal(new: Sequence[Named], deleted: Sequence[Named]) -> list[int | None]:
    """For each new network the index of a deleted one with equal layers, if each new network has
    one of its own; else None for all. Of several, those of the same name are first."""
    left: dict[object, list[int]] = {}
    for old, (_, network) in enumerate(deleted):
        left.setdefault(_layers(network), []).append(old)
    found: list[int | None] = []
    for _, network in new:
        equal = left.get(_layers(network))
        if not equal:
            return [None] * len(new)
        best = min(equal, key=lambda old: deleted[old][1].name != network.name)
        equal.remove(best)
        found.append(best)
    return found


def find_similar(new: Sequence[Named], deleted: Sequence[Named]) -> list[int | None]:
    """For each new network the index of the most similar deleted one, or None. Several can have the
    same one."""
    found: dict[int, int] = {}
    for at, old in _similar_pairs(new, deleted)[0]:
        found.setdefault(at, old)
    return [found.get(at) for at in range(len(new))]


def same_layers(one: MeasuredNetwork, other: MeasuredNetwork) -> bool:
    """Whether two networks have layers of the same kinds, outputs and counts."""
    return _layers(one) == _layers(other)


def _layers(network: MeasuredNetwork) -> object:
    """How often the network has each layer, regardless of names and order."""
    return frozenset(Counter(map(_identity, network.layers)).items())


def _similar_pairs(
    new: Sequence[Named], deleted: Sequence[Named]
) -> tuple[list[tuple[int, int]], bool]:
    """The indices of all similar networks, the most similar pair first, and whether all networks
    were compared, not only those of the same name."""
    after, before, now, then = (
        [Counter(map(of, one.layers)) for _, one in side]
        for of in (_form, _identity)
        for side in (new, deleted)
    )
    # A network has at most twice the layers of a similar one.
    by_size = sorted(range(len(deleted)), key=lambda old: len(deleted[old][1].layers))
    sizes = [len(deleted[old][1].layers) for old in by_size]
    forms = list(accumulate((len(before[old]) for old in by_size), initial=0))
    ranges = [
        (bisect_left(sizes, (count + 1) // 2), bisect_right(sizes, 2 * count))
        for count in (len(network.layers) for _, network in new)
    ]
    few = sum(forms[last] - forms[first] for first, last in ranges) <= MOST_COMPARISONS
    by_name: dict[str, list[int]] = {}
    for old, (_, network) in enumerate(deleted):
        by_name.setdefault(network.name, []).append(old)
    pairs = []
    for at, ((file, network), (first, last)) in enumerate(zip(new, ranges, strict=True)):
        for old in by_size[first:last] if few else by_name.get(network.name, [])[:1]:
            shared = (after[at] & before[old]).total()
            larger = max(after[at].total(), before[old].total())
            if larger <= 2 * shared:
                other, name = deleted[old][0] != file, deleted[old][1].name != network.name
                equal = (now[at] & then[old]).total()
                pairs.append((-Fraction(shared, larger or 1), other, -equal, name, at, old))
    return [(at, old) for *_, at, old in sorted(pairs)], few


def _form(layer: LayerCost) -> tuple[str, tuple[int, ...]]:
    return layer.kind, layer.output.size


def _identity(layer: LayerCost) -> tuple[object, ...]:
    return layer.kind, layer.output, layer.counts
