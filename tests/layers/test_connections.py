"""A convolution whose filters see some channels only, as C3 of LeNet-5."""

from support import cost, problems, shipped

from convcost.conventions import find_convention

SEEN = [3] * 6 + [4] * 9 + [6]  # how many maps each filter of C3 sees, Table I of the paper


def test_c3_of_lenet_has_the_params_and_connections_of_its_paper():
    costs = shipped("lenet5")
    layer = next(n for n, layer in enumerate(costs.layers) if layer.path == "C3")
    assert costs.layers[layer].params == sum(SEEN) * 5 * 5 + 16 == 1516
    connections = find_convention("connections").numbers(costs)
    assert connections.layers[layer] == 1516 * 10 * 10 == 151_600
    assert connections.total == 340_908


def conv(connections, filters=2, more=""):
    return (
        "input: {channels: 3, size: 4}\n"
        f"layers: [{{conv: {filters}, kernel: 1, connections: {connections}{more}}}]"
    )


def test_each_connection_has_a_kernel():
    totals = cost(conv("[[1, 2], [3]]", 2, ", bias: true")).totals
    assert (totals.weights, totals.biases, totals.macs) == (3, 2, 3 * 4 * 4)


def test_all_connections_are_a_plain_convolution():
    assert cost(conv("[[1, 2, 3], [3, 2, 1]]")).totals == cost(conv("")).totals


def problem_messages(text):
    return [problem.message for problem in problems(text)]


def test_connections_that_do_not_fit_are_refused():
    assert problem_messages(conv("[[1]]")) == ["conv has 2 filters and connections for 1"]
    assert problem_messages(conv("[[1], [4]]")) == [
        "connections name channel 4, and the input has 3 channels"
    ]
    assert problem_messages(conv("[[1], [1, 1]]")) == [
        "`connections` of conv must not repeat channel 1: [1, 1]"
    ]
    assert problem_messages(conv("[[1], []]")) == [
        (
            "`connections` of conv must be a list of lists of channels, one for each filter, "
            "not [[1], []]"
        )
    ]
    assert problem_messages(conv("[[1], [0]]")) == [
        "`connections` of conv must be a whole number of at least 1, not 0"
    ]
    assert problem_messages(conv("[[1], [2]]", 2, ", groups: 2")) == [
        "conv accepts `connections` or `groups`, not both"
    ]
    assert problem_messages(conv("[[[1]], [2]]")) == [
        (
            "`connections` of conv must be a list of lists: for each filter the channels that it "
            "is connected to, from 1, not a list"
        )
    ]


def test_connections_may_be_expressions():
    text = "vars: {n: 2}\n" + conv("[[1, n], [n + 1]]")
    assert cost(text).totals.weights == 3
