"""Networks that have another file, or another name, since the base."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TypeAlias

from convcost.model.costs import LayerCost
from convcost.reports.check.measures import MeasuredNetwork

MOST_COMPARISONS = 50_000  # of layers; with more, only networks of the same name are paired

Named: TypeAlias = tuple[str, MeasuredNetwork]  # the file of a network, and the network


def pair_similar(new: Sequence[Named], deleted: Sequence[Named]) -> list[int | None]:
    """For each new network the index of the most similar deleted one, or None. Each is paired once.

    Two networks are similar if they share at least half of the layers of the larger one. Layers are
    compared by their kinds and output sizes, so a wider network is similar. If several are as
    similar, those of the same file are first, then those with most equal layers, then those of the
    same name.
    """
    after, before, now, then = (
        [Counter(map(of, one.layers)) for _, one in side]
        for of in (_form, _identity)
        for side in (new, deleted)
    )
    few = len(after) * sum(map(len, before)) <= MOST_COMPARISONS
    by_name: dict[str, list[int]] = {}
    for old, (_, network) in enumerate(deleted):
        by_name.setdefault(network.name, []).append(old)
    pairs = []
    for at, (file, network) in enumerate(new):
        for old in range(len(deleted)) if few else by_name.get(network.name, [])[:1]:
            shared = (after[at] & before[old]).total()
            larger = max(after[at].total(), before[old].total())
            if larger <= 2 * shared:
                other, name = deleted[old][0] != file, deleted[old][1].name != network.name
                equal = (now[at] & then[old]).total()
                pairs.append((-Fraction(shared, larger or 1), other, -equal, name, at, old))
    found: dict[int, int] = {}
    used: set[int] = set()
    for *_, at, old in sorted(pairs):
        if at not in found and old not in used:
            found[at] = old
            used.add(old)
    return [found.get(at) for at in range(len(new))]


def _form(layer: LayerCost) -> tuple[str, tuple[int, ...]]:
    return layer.kind, layer.output.size


def _identity(layer: LayerCost) -> tuple[object, ...]:
    return layer.kind, layer.output, layer.counts
