"""Which deleted network a new one was."""

import pytest
from support import cost

from convcost.reports.check import moved_networks
from convcost.reports.check.measures import measure_network
from convcost.reports.check.moved_networks import pair_similar


def network(name, *layers):
    text = f"name: {name}\ninput: {{channels: 3, size: 16}}\nlayers: [{', '.join(layers)}]"
    return measure_network(cost(text))


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
    found = pair_similar([("a", network("x", *new))], [("b", network("y", *old))])
    assert found == [0 if paired else None]


def test_the_same_file_then_equal_layers_then_the_same_name_decide():
    one, wide = network("one", *convs(2)), network("wide", *convs(2, width=9))
    assert pair_similar([("a", one)], [("b", one), ("a", wide)]) == [1]
    assert pair_similar([("a", one)], [("b", wide), ("c", one)]) == [1]
    same = wide._replace(name="one")
    assert pair_similar([("a", same)], [("b", wide), ("c", same)]) == [1]
    assert pair_similar([("a", one), ("a", wide)], [("a", wide)]) == [None, 0]


def test_too_many_networks_are_paired_by_their_names_then_by_their_params(monkeypatch):
    monkeypatch.setattr(moved_networks, "MOST_COMPARISONS", 0)
    one, other = network("one", *convs(2)), network("other", *convs(2))
    assert pair_similar([("a", one)], [("b", other), ("c", one)]) == [1]
    small, large = (network(f"n{n}", *convs(3, width=n)) for n in (2, 9))
    assert pair_similar([("a", one), ("b", small)], [("c", large), ("d", other)]) == [0, 1]
    assert pair_similar([("b", small), ("a", one)], [("d", other)]) == [None, 0]


def test_networks_of_another_size_do_not_use_up_the_comparisons(monkeypatch):
    monkeypatch.setattr(moved_networks, "MOST_COMPARISONS", 1)
    one, wide = network("one", *convs(3)), network("wide", *convs(3, width=9))
    others = [("d", network(f"other{number}", *convs(1))) for number in range(9)]
    others += [("d", network(f"more{number}", *convs(7))) for number in range(9)]
    assert pair_similar([*others, ("b", wide)], [("a", one)])[-1] == 0
    assert pair_similar([("b", wide)], [*others, ("a", one)]) == [len(others)]
