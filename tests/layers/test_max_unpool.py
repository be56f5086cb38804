"""max_unpool gives back the size that a max pool had."""

import pytest
from support import cost, messages

INPUT = "input: {channels: 8, size: 12}\n"


def spec(*layers):
    return f"{INPUT}layers: [{', '.join(layers)}]"


@pytest.mark.parametrize("kernel", ["2", "3", "[2, 3]"])
def test_max_unpool_restores_the_size_before_a_pool(kernel):
    costs = cost(spec(f"{{max_pool: {kernel}}}", f"{{max_unpool: {kernel}}}"))
    assert costs.layers[-1].output.text == "12×12×8"


def test_max_unpool_has_no_params_and_no_macs():
    totals = cost(spec("{max_pool: 2}", "{max_unpool: 2}")).totals
    assert (totals.params, totals.macs) == (0, 0)


def test_a_size_that_is_not_a_multiple_of_the_stride_is_reached_by_output_padding():
    costs = cost(spec("{max_pool: 5}", "{max_unpool: 5, output_padding: 2}"))
    assert costs.layers[-1].output.text == "12×12×8"


def test_output_padding_is_smaller_than_the_stride():
    assert messages(spec("{max_pool: 2}", "{max_unpool: 2, output_padding: 2}")) == [
        "2:26 CC304 output_padding 2 must be smaller than stride 2 or dilation 1"
    ]
