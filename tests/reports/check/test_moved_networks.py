"""Which deleted network a new one was."""

import pytest
from support import cost

from convcost.reports.check import moved_networks
from convcost.reports.check.measures import NetworkInFile, measure_network
from convcost.reports.check.moved_networks import are_too_many, pair_equal, pair_similar


def network(name, *layers, size=16):
    text = f"name: {name}\ninput: {{channels: 3, size: {size}}}\nlayers: [{', '.join(layers)}]"
    return measure_network(cost(text))


def call(function, *lists):
    """Calls a function of lists of networks; the networks are pairs of a file and a network."""
    return function(*([NetworkInFile(*pair) for pair in pairs] for pairs in lists))


def convs(count, width=4):
    return [f"{{conv: {width}, kernel: 3, padding: 1}}"] * count


@pytest.mark.parametrize(
    ("new", "old", "paired"),
    [
        (convs(4), convs(4, width=400), True),  # channels do not count
        (convs(4), convs(8), True),  # half of the layers of the larger one
        (convs(4), convs(9), False),
        (convs(9), convs(4), False),
        (convs(2), ["{max_pool: 3, stride: 1, padding: 1}"] * 2, False),
    ],
)
def test_networks_that_share_half_of_their_layers_are_similar(new, old, paired):
    found = call(pair_similar, [("a", network("x", *new))], [("b", network("y", *old))])
    assert found == [0 if paired else None]


def test_a_network_with_another_input_size_is_similar():
    layers = ["{conv: 8, kernel: 3, stride: 2, padding: 1}", "{max_pool: 3, stride: 2}", "{relu: }"]
    old, head = (
        network("x", *layers, size=224),
        ["{global_avg_pool: }", "{flatten: }", "{linear: 9}"],
    )
    for size in (160, 225, 299):
        wide = [layer.replace("8", "16") for layer in layers]
        assert call(pair_similar, [("a", network("y", *wide, size=size))], [("b", old)]) == [0]
    assert call(pair_similar, [("a", network("y", *head, size=448))], [("b", old)]) == [None]


def test_the_same_file_then_equal_layers_then_the_same_name_decide():
    one, wide = network("one", *convs(2)), network("wide", *convs(2, width=9))
    assert call(pair_similar, [("a", one)], [("b", one), ("a", wide)]) == [1]
    assert call(pair_similar, [("a", one)], [("b", wide), ("c", one)]) == [1]
    same = wide._replace(name="one")
    assert call(pair_similar, [("a", same)], [("b", wide), ("c", same)]) == [1]
    assert call(pair_similar, [("a", one), ("a", wide)], [("a", wide)]) == [None, 0]


def test_networks_that_only_moved_are_paired_by_name_first():
    one, two, three = (network(name, *convs(2)) for name in ("one", "two", "three"))
    new = [("a", two), ("a", one), ("a", two)]
    assert call(pair_equal, new, [("b", one), ("b", three), ("b", two)]) == [2, 0, 1]
    assert call(pair_equal, new, [("b", one), ("b", two)]) == [None, None, None]
    assert call(pair_equal, new[:2], [("b", one), ("b", network("two", *convs(3)))]) == [None, None]


def test_networks_with_equal_layers_are_compared_once(monkeypatch):
    compared = []
    likeness = moved_networks._likeness_of_forms

    def comparing(now, then):
        compared.append((now.size, then.size))
        return likeness(now, then)

    monkeypatch.setattr(moved_networks, "_likeness_of_forms", comparing)
    new = [(f"a{n}", network(f"n{n}", *convs(2 + n % 2))) for n in range(4)]
    old = [(f"b{n}", network(f"o{n}", *convs(2, width=9))) for n in range(4)]
    assert call(pair_similar, new, old) == [0, 2, 1, 3]
    assert sorted(compared) == [(2, 2), (3, 2)]


def test_networks_without_layers_are_similar():
    empty = network("x", *convs(1))._replace(layers=())
    assert call(pair_similar, [("a", empty)], [("b", empty)]) == [0]


def test_of_too_many_networks_only_those_with_the_same_name_are_paired(monkeypatch):
    monkeypatch.setattr(moved_networks, "MAX_COMPARISONS", 0)
    one, other = network("one", *convs(2)), network("other", *convs(2))
    assert call(pair_similar, [("a", one)], [("b", other), ("c", one)]) == [1]
    assert call(pair_similar, [("a", one)], [("b", other)]) == [None]
    assert call(are_too_many, [("a", one)], [("b", other)])
    assert not call(are_too_many, [("a", one)], [])


def test_each_different_layer_of_a_deleted_network_is_a_comparison(monkeypatch):
    monkeypatch.setattr(moved_networks, "MAX_COMPARISONS", 2 * 5)
    layers = [f"{{conv: {filters}, kernel: 1}}" for filters in range(1, 6)]
    new, old = network("new", *convs(5)), network("old", *layers)
    assert not call(are_too_many, [("a", new)] * 2, [("b", old)])
    assert call(are_too_many, [("a", new)] * 3, [("b", old)])
