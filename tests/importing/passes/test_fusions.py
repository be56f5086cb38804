"""What several layers come to: kinds that a model writes by hand, whoever draws them."""

from collections.abc import Sequence
from typing import Any

import pytest
from onnx_models import layer_texts
from sketch import layers_of

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import Tensor, permuted, reshaped
from convcost.importing.passes.lower.joins import elementwise, product
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.lower.reductions import reduce_axes
from convcost.importing.passes.lower.slices import slice_axis
from convcost.importing.passes.lower.stored_tensors import join_with_learned, learned_tensor
from convcost.importing.passes.lowering import lower
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.spec import proved_spec

ROWS, WIDTH, CHANNELS, AXES = 10, 24, -1, (1, 2)


class Layers:
    """Draws on rows of features, [1, n, c]."""

    def __init__(self) -> None:
        self.builder = GraphBuilder("test", "")
        self.x = self.builder.input("x", (1, ROWS, WIDTH), channel=2)

    def each(self, function: str, x: Tensor) -> Tensor:
        return pointwise(self.builder, "elementwise", x, (function,), {"function": function})

    def plain(self, kind: str, x: Tensor) -> Tensor:
        return pointwise(self.builder, kind, x, (kind,))

    def join(self, kind: str, *x: Tensor) -> Tensor:
        return elementwise(self.builder, kind, list(x), (kind,))

    def over(self, kind: str, x: Tensor, axes: Sequence[int] = (CHANNELS,)) -> Tensor:
        return reduce_axes(self.builder, kind, x, axes, True, (kind,))

    def linear(self, x: Tensor, features: int, name: str) -> Tensor:
        weights = {name: x.dims[-1] * features}
        return lower(self.builder, "linear", (name,), x, features=features, weights=weights)

    def learned(self, kind: str, x: Tensor, name: str) -> Tensor:
        return join_with_learned(self.builder, kind, x, name, (WIDTH,), (name,))

    def half(self, x: Tensor, start: int) -> Tensor:
        return slice_axis(self.builder, x, CHANNELS, start, WIDTH // 2, ("half",))

    def exchanged(self, places: int, rest: int | None = None) -> Tensor:
        rest = ROWS - places if rest is None else rest
        parts = [slice_axis(self.builder, self.x, 1, start, length, ("part",))
                 for start, length in ((places, rest), (0, places))]  # fmt: skip
        return lower(self.builder, "concat", ("concat",), *parts, axis=1)

    def layers(self, y: Tensor) -> list[str]:
        layer_graph = rewrite(self.builder.graph([y]))
        assert proved_spec(layer_graph)
        return [line.partition(" → ")[0] for line in layer_texts(layer_graph)]


def squares(on: Layers, x: Tensor, axes: Sequence[int] = (CHANNELS,)) -> Tensor:
    return on.over("mean", on.each("square", x), axes)


def centred(on: Layers, axes: Sequence[int] = (CHANNELS,)) -> Tensor:
    return on.join("subtract", on.x, on.over("mean", on.x, axes))


def shares(on: Layers, x: Tensor) -> Tensor:
    top = on.each("exp", x)
    return on.join("divide", top, on.over("sum", top))


def cube(on: Layers) -> Tensor:
    return on.join("multiply", on.join("multiply", on.x, on.x), on.x)


def scaled(on: Layers, x: Tensor) -> Tensor:
    return on.learned("add", on.learned("multiply", x, "g"), "b")


PATTERNS: dict[str, tuple[Any, list[str]]] = {
    "silu": (lambda on: on.join("multiply", on.x, on.plain("sigmoid", on.x)), ["silu"]),
    "hard swish": (lambda on: on.join("multiply", on.x, on.plain("relu6", on.x)), ["hard_swish"]),
    "gelu": (lambda on: on.join("multiply", on.x, on.each("erf", on.x)), ["gelu"]),
    "gelu by tanh": (
        lambda on: on.join("multiply", on.x,
                           on.plain("tanh", on.join("add", on.x, on.each("power", on.x)))),
        ["gelu"],
    ),
    "gelu by tanh of products": (
        lambda on: on.join("multiply", on.plain("tanh", on.join("add", cube(on), on.x)), on.x),
        ["gelu"],
    ),
    "a gate of two tensors": (
        lambda on: on.join("multiply", on.x,
                           on.plain("tanh", on.join("add", on.x, on.each("exp", on.x)))),
        ["elementwise function=exp", "add", "tanh", "multiply"],
    ),
    "roll": (lambda on: on.exchanged(3), ["roll places=-3"]),
    "roll to the right": (lambda on: on.exchanged(ROWS - 2), ["roll places=2"]),
    "a part that is left out": (
        lambda on: on.exchanged(3, rest=ROWS - 4),
        ["slice length=6 start=3 along=1", "slice length=3 along=1", "concat along=1"],
    ),
    "mish": (
        lambda on: on.join("multiply", on.plain("tanh", on.plain("softplus", on.x)), on.x),
        ["mish"],
    ),
    "log sigmoid": (lambda on: on.each("log", on.plain("sigmoid", on.x)), ["log_sigmoid"]),
    "glu": (
        lambda on: on.join("multiply", on.half(on.x, 0),
                           on.plain("sigmoid", on.half(on.x, WIDTH // 2))),
        ["glu"],
    ),
    "the halves the other way round": (
        lambda on: on.join("multiply", on.half(on.x, WIDTH // 2),
                           on.plain("sigmoid", on.half(on.x, 0))),
        ["slice length=12 start=12", "slice length=12", "sigmoid", "multiply"],
    ),
    "l2 norm": (
        lambda on: on.join("divide", on.x,
                           on.each("sqrt", on.over("sum", on.each("square", on.x)))),
        ["l2_norm"],
    ),
    "rms norm by a division": (
        lambda on: on.join("divide", on.x, on.each("sqrt", squares(on, on.x))),
        ["rms_norm scale=False"],
    ),
    "rms norm with a factor": (
        lambda on: on.learned("multiply", on.join("multiply", on.x,
                                                  on.each("rsqrt", squares(on, on.x))), "g"),
        ["rms_norm"],
    ),
    "layer norm": (
        lambda on: scaled(on, on.join("divide", centred(on),
                                      on.each("sqrt", squares(on, centred(on))))),
        ["layer_norm"],
    ),
    "layer norm of a whole sample": (
        lambda on: on.join("divide", centred(on, AXES),
                           on.each("sqrt", squares(on, centred(on, AXES), AXES))),
        ["layer_norm scale=False shift=False over=all"],
    ),
    "rms norm of a whole sample": (
        lambda on: on.join("divide", on.x, on.each("sqrt", squares(on, on.x, AXES))),
        ["rms_norm scale=False over=all"],
    ),
    "instance norm": (
        lambda on: on.join("divide", centred(on, [1]),
                           on.each("sqrt", squares(on, centred(on, [1]), [1]))),
        ["instance_norm scale=False shift=False"],
    ),
    "means over different axes": (
        lambda on: on.join("divide", centred(on, [1]),
                           on.each("sqrt", squares(on, centred(on, [1])))),
        [*["global_avg_pool", "subtract"] * 2, "elementwise function=square",
         "mean over=channels", "elementwise function=sqrt", "divide"],
    ),
    "softmax": (
        lambda on: shares(on, on.join("subtract", on.x, on.over("max", on.x))), ["softmax"],
    ),
    "softmax without a maximum": (lambda on: shares(on, on.x), ["softmax"]),
    "a sum of another tensor": (
        lambda on: on.join("divide", on.each("exp", on.x), on.over("sum", on.each("exp", on.x))),
        ["elementwise function=exp", "elementwise function=exp", "sum over=channels", "divide"],
    ),
    "a gate of another tensor": (
        lambda on: on.join("multiply", on.x, on.plain("sigmoid", on.linear(on.x, WIDTH, "w"))),
        ["linear features=24 bias=False each_position=True", "sigmoid", "multiply"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_imported_as_one_layer_of_its_kind(name):
    draw, layers = PATTERNS[name]
    on = Layers()
    assert on.layers(draw(on)) == layers


def test_an_unnamed_layer_gets_the_name_of_the_new_kind():
    on = Layers()
    gate = on.plain("sigmoid", on.x)
    named = elementwise(on.builder, "multiply", [on.x, gate], ("block", "product"))
    y = elementwise(on.builder, "multiply", [named, on.plain("sigmoid", named)], ("multiply",))
    paths = [layer.path for layer in rewrite(on.builder.graph([y])).layers]
    assert paths == [("block", "product"), ("silu",)]


def frozen(on: Layers, *, learned: str = "", steps: int = 1) -> Tensor:
    """x·s + (b − m·s) with s = w·v, by stored tensors; that named `learned` is a param."""
    dims = (1, steps, WIDTH)
    w, v, b, m = (
        learned_tensor(on.builder, name, dims, ("norm", name), neighbour=on.x.source,
                       buffer=name != learned)
        for name in "wvbm"
    )  # fmt: skip
    scale = on.join("multiply", w, v)
    shift = on.join("subtract", b, on.join("multiply", m, scale))
    return on.join("add", on.join("multiply", on.x, scale), shift)


def test_a_norm_of_stored_statistics_is_a_batch_norm_of_buffers():
    on = Layers()
    graph = rewrite(on.builder.graph([frozen(on)]))
    (layer,) = graph.layers
    assert layer_texts(graph) == ["batch_norm buffer=True → 10×24"]
    assert (layer.params, layer.buffers, layer.macs) == (0, 4 * WIDTH, 0)
    assert layers_of(proved_spec(graph)) == "  - {batch_norm: , buffer: true}\n"


@pytest.mark.parametrize("options", [{"learned": "w"}, {"learned": "m"}, {"steps": ROWS}], ids=str)
def test_a_sum_of_products_with_other_stored_tensors_is_not_a_batch_norm(options):
    on = Layers()
    kinds = [layer.kind for layer in rewrite(on.builder.graph([frozen(on, **options)])).layers]
    assert "batch_norm" not in kinds
    assert kinds.count("learned") == 4


def test_a_stored_tensor_next_to_a_layer_that_a_pattern_removes_keeps_a_neighbour():
    on = Layers()
    gate = on.plain("sigmoid", on.x)
    table = learned_tensor(on.builder, "t", (1, 2, WIDTH), ("table",), neighbour=gate.source)
    y = on.join("multiply", on.x, gate)
    graph = rewrite(on.builder.graph([lower(on.builder, "concat", ("concat",), y, table, axis=1)]))
    inputs = {layer.kind: layer.inputs for layer in graph.layers}
    assert inputs == {"learned": (-1,), "silu": (-1,), "concat": (1, 0)}


def attention(on: Layers, heads: int, *, also: bool = False) -> Tensor:
    """Projections, products in heads, and the heads side by side again."""
    sides = [on.linear(on.x, WIDTH, name) for name in ("query", "key", "value")]
    apart = (1, ROWS, heads, WIDTH // heads)
    query, key, value = (permuted(reshaped(x, apart), (0, 2, 1, 3)) for x in sides)
    turned = permuted(key, (0, 1, 3, 2))
    scores = product(on.builder, "matmul", [query, turned], ("scores",))
    weights = on.plain("softmax", scores)
    seen = product(on.builder, "matmul", [weights, value], ("seen",))
    y = reshaped(permuted(seen, (0, 2, 1, 3)), (1, ROWS, WIDTH))
    return on.join("add", y, reduce_axes(on.builder, "mean", scores, [1, 2, 3], True, ("m",))) \
        if also else y  # fmt: skip


@pytest.mark.parametrize("heads", [1, 4])
def test_attention_by_hand_is_attention_and_keeps_its_projections(heads):
    on = Layers()
    layers = on.layers(attention(on, heads))
    projection = "linear features=24 bias=False each_position=True"
    assert layers[:3] == [projection] * 3
    assert layers[3:] == ["attention heads=4" if heads == 4 else "attention"]
    layer_graph = rewrite(on.builder.graph([]))
    assert sum(layer.params for layer in layer_graph.layers) == 3 * WIDTH * WIDTH


def test_products_of_scores_that_others_read_stay_as_they_are():
    on = Layers()
    layers = on.layers(attention(on, 4, also=True))
    assert len([line for line in layers if line.startswith("matmul")]) == 2


def test_attention_heads_are_found_if_the_sequence_is_a_flattened_feature_map():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 4, 5, 24), channel=3)
    split = []
    for name in ("query", "key", "value"):
        y = lower(builder, "linear", (name,), x, features=24, weights={name: 24 * 24})
        split.append(permuted(reshaped(y, (1, 20, 3, 8)), (0, 2, 1, 3)))
    y = permuted(lower(builder, "attention", ("attention",), *split), (0, 2, 1, 3))
    graph = rewrite(builder.graph([reshaped(y, (1, 4, 5, 24))]))
    assert layer_texts(graph)[3:] == [
        *["reshape shape=Shape(channels=24, size=(20,)) → 20×24"] * 3,
        "attention heads=3 → 20×24",
        "reshape shape=Shape(channels=24, size=(4, 5)) → 4×5×24",
    ]
    assert sum(layer.macs for layer in graph.layers) == 3 * 20 * 24 * 24 + 2 * 20 * 20 * 24
    assert proved_spec(graph)


def test_windows_of_positions_are_not_heads():
    on = Layers()
    split = [permuted(reshaped(on.linear(on.x, WIDTH, name), (1, 2, 5, WIDTH)), (0, 2, 1, 3))
             for name in ("query", "key", "value")]  # fmt: skip
    y = permuted(lower(on.builder, "attention", ("attention",), *split), (0, 2, 1, 3))
    assert on.layers(reshaped(y, (1, ROWS, WIDTH)))[3:] == [
        *["reshape shape=Shape(channels=24, size=(5, 2))"] * 3,
        "attention",
        "reshape shape=Shape(channels=24, size=(10,))",
    ]


def test_a_reduction_that_removes_its_axes_is_one_layer():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 6, 4, 5, 3), channel=1)
    y = lower(builder, "max", ("max",), x, axes=[2, 4], keep=False)
    graph = rewrite(builder.graph([lower(builder, "sum", ("sum",), y, axes=[1, 2], keep=True)]))
    assert layer_texts(graph)[-2:] == ["max over=(1, 3) keep=False → 5×6", "sum over=all → 1×1"]


def test_an_instance_norm_of_groups_of_channels_is_a_group_norm():
    builder = GraphBuilder("test", "")
    x = builder.input("x", (1, 6, 4, 5), channel=1)
    plain: dict[str, Any] = {"scale": False, "shift": False}
    y = lower(builder, "instance_norm", ("norm",), reshaped(x, (1, 3, 40)), **plain)
    y = join_with_learned(builder, "multiply", reshaped(y, x.dims), "g", (6, 1, 1), ("norm",))
    assert layer_texts(rewrite(builder.graph([y]))) == ["group_norm shift=False groups=3 → 4×5×6"]
