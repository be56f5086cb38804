"""Networks that have another file, or another name, since the base."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

from convcost.model.costs import LayerCost
from convcost.model.record import NamedTuple
from convcost.reports.check.measures import MeasuredNetwork, NetworkInFile
from convcost.reports.layer_changes import kind_and_size, layer_identity

MAX_COMPARISONS = 1_000_000  # comparisons of layers; with more, only names pair networks

# The share of the layers of the larger network that both have, and how many of them are equal. As
# floats, shares of networks of up to 10⁷ layers compare like fractions.
Likeness: TypeAlias = tuple[float, int]
UNLIKE: Likeness = (0.0, 0)
LEAST_SHARE = 0.5  # of similar networks


def pair_similar(
    new: Sequence[NetworkInFile], deleted: Sequence[NetworkInFile]
) -> list[int | None]:
    """For each new network the index of the most similar deleted one, or None. Each is paired once.

    Two networks are similar if they share at least half of the layers of the larger one. Layers are
    compared by their kinds, and by their output sizes or their strides, so a wider network and one
    with another input size are similar. If several are as similar, those of the same file are
    first, then those with most equal layers, then those of the same name. If there are too many
    networks to compare, only similar ones of the same name are paired.
    """
    old_by_new: dict[int, int] = {}
    used: set[int] = set()
    for pair in _similar_pairs(new, deleted):
        if pair.new not in old_by_new and pair.old not in used:
            old_by_new[pair.new] = pair.old
            used.add(pair.old)
    return [old_by_new.get(index) for index in range(len(new))]


def are_too_many(new: Sequence[NetworkInFile], deleted: Sequence[NetworkInFile]) -> bool:
    """Whether these are too many networks to compare each new one with each deleted one."""
    different = sum(len(set(map(layer_identity, network.layers))) for _, network in deleted)
    return len(new) * different > MAX_COMPARISONS


def pair_equal(new: Sequence[NetworkInFile], deleted: Sequence[NetworkInFile]) -> list[int | None]:
    """For each new network the index of a deleted one with equal layers, if each new network has
    one of its own; else None for all. Of several, those of the same name are first."""
    left: dict[object, dict[str, list[int]]] = {}  # deleted networks by layers and name
    for old in reversed(range(len(deleted))):
        network = deleted[old].network
        left.setdefault(_layers_key(network), {}).setdefault(network.name, []).append(old)
    indices: list[int | None] = []
    for _, network in new:
        equal = left.get(_layers_key(network))
        if not equal:
            return [None] * len(new)
        name = network.name if network.name in equal else next(iter(equal))
        indices.append(equal[name].pop())
        if not equal[name]:
            del equal[name]
    return indices


def find_closer(
    new: Sequence[NetworkInFile],
    before: Sequence[MeasuredNetwork | None],
    old: Sequence[NetworkInFile],
    namesakes: Sequence[MeasuredNetwork | None],
) -> list[int | None]:
    """For each network the index of the most similar old one that it may replace, or None.

    It must be more like that than like its own version `before`, if it has one, and more like it
    than the network that has its name now, one of `namesakes`. Several can have the same one.
    """

    @cache
    def likeness_to_before(index: int) -> Likeness:
        return _likeness(new[index].network, before[index])

    @cache
    def likeness_to_namesake(index: int) -> Likeness:
        return _likeness(namesakes[index], old[index].network)

    indices: list[int | None] = [None] * len(new)
    for pair in _similar_pairs(new, old):
        least = max(likeness_to_before(pair.new), likeness_to_namesake(pair.old))
        if indices[pair.new] is None and pair.likeness > least:
            indices[pair.new] = pair.old
    return indices


def are_similar(first: MeasuredNetwork, second: MeasuredNetwork) -> bool:
    """Whether two networks share at least half of the layers of the larger one."""
    return _likeness(first, second) != UNLIKE


def _likeness(first: MeasuredNetwork | None, second: MeasuredNetwork | None) -> Likeness:
    if first is None or second is None:
        return UNLIKE
    pairs = _similar_pairs([NetworkInFile("", first)], [NetworkInFile("", second)])
    return next((pair.likeness for pair in pairs), UNLIKE)


def same_layers(first: MeasuredNetwork, second: MeasuredNetwork) -> bool:
    """Whether two networks have layers of the same kinds, outputs and counts."""
    return _layers_key(first) == _layers_key(second)


def _layers_key(network: MeasuredNetwork) -> object:
    """A key that is equal for two networks if both have the same layers equally often, regardless
    of names and order."""
    return frozenset(Counter(map(layer_identity, network.layers)).items())


class _SimilarPair(NamedTuple):
    """The indices of a new network and of an old one that is similar."""

    likeness: Likeness
    new: int
    old: int


def _similar_pairs(
    new: Sequence[NetworkInFile], deleted: Sequence[NetworkInFile]
) -> Iterator[_SimilarPair]:
    """All pairs of similar networks, the most similar pair first; of too many networks, only pairs
    with the same name."""
    forms: dict[object, _Form] = {}  # networks with equal layers have one, and are compared once
    after, before = ([_form(network, forms) for _, network in each] for each in (new, deleted))
    likeness = cache(_likeness_of_forms)
    few = not are_too_many(new, deleted)
    by_name: dict[str, list[int]] = {}
    for old, (_, network) in enumerate(deleted):
        by_name.setdefault(network.name, []).append(old)
    pairs = []
    for index, (file, network) in enumerate(new):
        for old in range(len(deleted)) if few else by_name.get(network.name, [])[:1]:
            share, equal = likeness(after[index], before[old])
            if share >= LEAST_SHARE:
                old_file, old_network = deleted[old]
                other_name = old_network.name != network.name
                pairs.append((-share, old_file != file, -equal, other_name, index, old))
    pairs.sort()
    return (_SimilarPair((-share, -equal), index, old) for share, _, equal, _, index, old in pairs)


class _Form:
    """How often a network has each layer: `equal` by kind, output and counts; `similar` by kind and
    output size, and by kind and stride."""

    def __init__(self, network: MeasuredNetwork) -> None:
        layers = network.layers
        self.size = len(layers)
        self.equal = Counter(map(layer_identity, layers))
        self.similar = (
            Counter(map(kind_and_size, layers)),
            Counter(_by_stride(layer, network) for layer in layers),
        )

    @property
    def key(self) -> object:
        return tuple([frozenset(counts.items()) for counts in (self.equal, *self.similar)])


def _form(network: MeasuredNetwork, form_by_key: dict[object, _Form]) -> _Form:
    form = _Form(network)
    return form_by_key.setdefault(form.key, form)


def _likeness_of_forms(now: _Form, then: _Form) -> Likeness:
    shared, larger = max(map(_count_shared, now.similar, then.similar)), max(now.size, then.size)
    return shared / larger if larger else 1.0, _count_shared(now.equal, then.equal)


def _count_shared(now: Counter[object], then: Counter[object]) -> int:
    """How many entries two counts share."""
    return sum([min(now[key], then[key]) for key in now.keys() & then.keys()])


def _by_stride(layer: LayerCost, network: MeasuredNetwork) -> object:
    """A key that stays the same at another input size: the kind, and the powers of two that are
    nearest to the strides from the first input."""
    size = network.inputs[0][1].size if network.inputs else ()
    if len(size) != len(layer.output.size):
        return layer.kind, len(layer.output.size)
    # 17/12 is just over the square root of 2.
    sizes = zip(size, layer.output.size, strict=True)
    strides = (17 * before // (12 * after or 1) for before, after in sizes)
    return layer.kind, *(stride.bit_length() for stride in strides)
