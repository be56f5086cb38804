import pytest
from support import cost

from convcost.model.kind import Kind
from convcost.model.measures import Count, Counts, Measure, largest, sum_counts

NETWORK = """
input: {channels: 3, size: 8}
layers:
  - {conv: 4, kernel: 3, bias: true}
  - batch_norm
  - relu
"""


@pytest.mark.parametrize("measure", Measure)
def test_every_measure_of_a_network_is_the_sum_over_its_layers(measure):
    costs = cost(NETWORK)
    total = sum(getattr(layer.counts, measure) for layer in costs.layers)
    assert costs.totals.count_of(measure) == Count(total)


@pytest.mark.parametrize("measure", Measure)
def test_a_measure_grows_with_the_batch_if_and_only_if_it_is_per_sample(measure):
    one, five = (cost(NETWORK, batch=batch).totals.count_of(measure).known for batch in (1, 5))
    assert five == (5 if measure.per_sample else 1) * one


def test_params_are_weights_plus_biases():
    counts = Counts(weights=4 * 3 * 3 * 3, biases=4, macs=7)
    assert counts.count_of(Measure.PARAMS) == Count(counts.params) == Count(4 * 3 * 3 * 3 + 4)


def test_a_measure_is_its_name_in_specs_and_in_json():
    assert [f"{measure}" for measure in Measure] == list(Counts().by_measure())
    assert Measure("macs") is Measure.MACS


def test_every_measure_has_a_unit_and_a_meaning():
    assert all(measure.unit and measure.meaning for measure in Measure)


def test_the_sum_of_no_counts_is_zero():
    assert sum_counts([]) == Counts()


def test_every_count_but_activations_is_a_product_of_the_kind():
    assert set(Counts._fields) - {"activations", "frozen", "idle", "uncounted"} <= set(vars(Kind))


def test_active_params_are_all_params_but_the_idle_ones():
    counts = Counts(weights=8 * 64, biases=8, idle=6 * 64)
    assert counts.active == 8 * 64 + 8 - 6 * 64
    assert counts.rest(Measure.ACTIVE) == 6 * 64


@pytest.mark.parametrize("measure", Measure)
def test_only_the_macs_of_a_layer_can_be_unknown(measure):
    counts = sum_counts([Counts(macs=7, uncounted=1), Counts(macs=2), Counts(uncounted=1)])
    assert counts.count_of(measure) == (Count(7 + 2, 2) if measure == Measure.MACS else Count(0))


def test_a_count_without_some_layers_has_no_difference_and_no_whole():
    whole, part, nothing = Count(9), Count(9, 2), Count(0, 1)
    assert [count.exact for count in (whole, part, nothing, Count(0))] == [9, None, None, 0]
    assert [count.shown for count in (whole, part, nothing, Count(0))] == [9, 9, None, 0]
    assert whole - Count(4) == 9 - 4
    assert [whole - part, part - whole, part - part] == [None, None, None]
    assert [bool(count) for count in (whole, nothing, Count(0))] == [True, True, False]


def test_the_largest_count_is_a_lower_bound_if_one_is():
    assert largest([Count(3), Count(9), Count(2, 1)]) == Count(9, 1)
    assert largest([]) == Count(0)
