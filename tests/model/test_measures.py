import pytest
from support import cost

from convcost.model.kind import Kind
from convcost.model.measures import Counts, Measure, sum_counts

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
    assert costs.totals[measure] == sum(layer.counts[measure] for layer in costs.layers)
    assert costs.totals[measure] == getattr(costs.totals, measure)


@pytest.mark.parametrize("measure", Measure)
def test_a_measure_grows_with_the_batch_if_and_only_if_it_is_per_sample(measure):
    one, five = cost(NETWORK).totals, cost(NETWORK, batch=5).totals
    assert five[measure] == (5 if measure.per_sample else 1) * one[measure]


def test_params_are_weights_plus_biases():
    counts = Counts(weights=4 * 3 * 3 * 3, biases=4, macs=7)
    assert counts[Measure.PARAMS] == counts.params == 4 * 3 * 3 * 3 + 4


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
