"""Learned factors and summands become options of the layer before them, whoever draws them."""

from typing import Any

import pytest

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.stored_tensors import join_with_learned
from convcost.importing.passes.lower.windows import SlidingWindow
from convcost.importing.passes.lowering import lower
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.spec import proved_spec

ROWS, WIDTH = 10, 24


class Layers:
    """Draws on rows of features, [1, n, c]."""

    def __init__(self) -> None:
        self.builder = GraphBuilder("test", "")
        self.x = self.builder.input("x", (1, ROWS, WIDTH), channel=2)

    def linear(self, x: Tensor, key: str, features: int = WIDTH) -> Tensor:
        weights = {key: WIDTH * features}
        return lower(self.builder, "linear", (key,), x, features=features, weights=weights)

    def norm(self, x: Tensor, axes: tuple[int, ...] = (-1,)) -> Tensor:
        return lower(self.builder, "layer_norm", ("norm",), x, axes=axes, scale=False, shift=False)

    def learned(self, kind: str, x: Tensor, key: str, *dims: int) -> Tensor:
        return join_with_learned(self.builder, kind, x, key, dims or x.dims[-1:], (key,))

    def graph(self, *outputs: Tensor) -> LayerGraph:
        graph = rewrite(self.builder.graph(outputs))
        assert proved_spec(graph)
        return graph


def found(graph: LayerGraph) -> list[tuple[str, dict, int, int | None]]:
    hidden = ("each_position", "features")
    return [
        (
            layer.kind,
            {k: v for k, v in layer.options if k not in hidden},
            layer.params,
            layer.shares,
        )
        for layer in graph.layers
    ]


def test_a_learned_summand_is_the_bias_of_a_linear_layer():
    on = Layers()
    y = on.learned("add", on.linear(on.x, "w", 5), "b")
    assert found(on.graph(y)) == [("linear", {}, WIDTH * 5 + 5, None)]


def test_a_learned_summand_is_the_bias_of_a_deformable_convolution():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 4, 8, 8), channel=1)
    offsets = builder.input("offsets", (1, 18, 6, 6), channel=1)
    window = SlidingWindow((3, 3), (1, 1))
    given: dict[str, Any] = {
        "filters": 5,
        "window": window,
        "groups": 1,
        "offset_groups": 1,
        "bias": False,
    }
    weights = {"w": 5 * 4 * 9}
    y = lower(builder, "deformable_conv", ("w",), x, offsets, weights=weights, **given)
    graph = rewrite(
        builder.graph([join_with_learned(builder, "add", y, "b", (1, 5, 1, 1), ("b",))])
    )
    options = {"filters": 5, "kernel": 3, "bias": True}
    assert found(graph) == [("deformable_conv", options, 5 * 4 * 9 + 5, None)]


def test_a_learned_summand_is_not_a_bias_of_a_layer_with_a_bias_for_each_position():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 4, 8, 8), channel=1)
    window, weights = SlidingWindow((3, 3), (1, 1)), {"w": 36 * 5 * 4 * 9}
    given: dict[str, Any] = {"filters": 5, "window": window, "bias": False}
    y = lower(builder, "locally_connected", ("w",), x, weights=weights, **given)
    graph = rewrite(
        builder.graph([join_with_learned(builder, "add", y, "b", (1, 5, 1, 1), ("b",))])
    )
    assert found(graph) == [
        ("locally_connected", {"filters": 5, "kernel": 3}, 36 * 5 * 4 * 9, None),
        ("scale", {"factor": False, "shift": True}, 5, None),
    ]


def test_a_learned_summand_is_the_bias_of_a_convolution_with_one_filter():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 3, 8, 8), channel=1)
    window = SlidingWindow((1, 1), (1, 1))
    y = lower(builder, "conv", ("w",), x, filters=1, window=window, weights={"w": 3})
    graph = rewrite(builder.graph([join_with_learned(builder, "add", y, "b", (1,), ("b",))]))
    assert found(graph) == [("conv", {"filters": 1, "kernel": 1, "bias": True}, 3 + 1, None)]


def test_a_learned_factor_is_not_the_bias_of_a_linear_layer():
    on = Layers()
    y = on.learned("multiply", on.linear(on.x, "w"), "g")
    linear = ("linear", {"bias": False}, WIDTH * WIDTH, None)
    assert found(on.graph(y)) == [linear, ("scale", {}, WIDTH, None)]


def test_a_sum_of_a_tensor_that_others_read_too_is_a_separate_layer():
    on = Layers()
    product = on.linear(on.x, "w")
    graph = on.graph(on.learned("add", product, "b"), product)
    assert [layer.kind for layer in graph.layers] == ["linear", "scale"]


@pytest.mark.parametrize("first", ["own", "other"])
def test_layers_that_share_weights_and_bias_are_merged_together(first):
    """Whichever of the two sums comes first."""
    on = Layers()
    one = on.linear(on.x, "w")
    if first == "own":
        other = on.linear(on.learned("add", one, "b"), "w")
        outputs = [on.learned("add", other, "b")]
    else:
        other = on.linear(lower(on.builder, "relu", ("relu",), on.x), "w")
        outputs = [on.learned("add", x, "b") for x in (other, one)]
    linears = [one for one in found(on.graph(*outputs)) if one[0] != "relu"]
    shared = ("linear", {}, 0, 0)
    assert linears == [("linear", {}, WIDTH * WIDTH + WIDTH, None), shared]


def test_layers_that_share_weights_but_not_the_bias_have_a_scale_layer_for_each_bias():
    on = Layers()
    y = on.learned("add", on.linear(on.x, "w"), "b")
    y = on.learned("add", on.linear(y, "w"), "c")
    shift = ("scale", {"factor": False, "shift": True}, WIDTH, None)
    assert found(on.graph(y)) == [
        ("linear", {"bias": False}, WIDTH * WIDTH, None),
        shift,
        ("linear", {"bias": False}, 0, 0),
        shift,
    ]


def test_a_norm_gets_a_factor_and_then_a_summand():
    on = Layers()
    y = on.learned("add", on.learned("multiply", on.norm(on.x), "g"), "b")
    assert found(on.graph(y)) == [("layer_norm", {}, 2 * WIDTH, None)]


def test_a_norm_gets_no_factor_after_a_summand():
    on = Layers()
    y = on.learned("multiply", on.learned("add", on.norm(on.x), "b"), "g")
    assert found(on.graph(y)) == [
        ("layer_norm", {"scale": False}, WIDTH, None),
        ("scale", {}, WIDTH, None),
    ]


def test_a_norm_over_all_elements_gets_tables():
    on = Layers()
    y = on.norm(on.x, (1, 2))
    for kind, key in (("multiply", "g"), ("add", "b")):
        y = on.learned(kind, y, key, ROWS, WIDTH)
    assert found(on.graph(y)) == [("layer_norm", {"over": "all"}, 2 * ROWS * WIDTH, None)]


@pytest.mark.parametrize(
    ("frozen", "stated"),
    [({"w"}, "weights"), ({"b"}, "biases"), ({"w", "b"}, True), (set(), False)],
)
def test_the_merged_layer_states_which_params_are_frozen(frozen, stated):
    on = Layers()
    on.builder.frozen |= frozen
    (layer,) = on.graph(on.learned("add", on.linear(on.x, "w"), "b")).layers
    sizes = {"w": WIDTH * WIDTH, "b": WIDTH}
    assert (layer.frozen, layer.frozen_params) == (stated, sum(sizes[key] for key in frozen))
