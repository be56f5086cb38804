"""Weights that are computed from others, slices of others or shared in part: params are what the
file stores, each number once, and macs those of the layer as it runs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import ModelProto, helper, numpy_helper
from onnx_models import FLOAT, array, imported_graph, ints, layer_texts, model, node, summed_counts

from convcost.importing.frontends.onnx import read
from convcost.importing.ir.tensor_views import (
    TensorView,
    elements_outside,
    whole_view,
)
from convcost.importing.spec import proved_spec

ROWS = (1, 5, 8)
MAPS = (1, 8, 12, 10)
WORKED = (
    "the weights of 1 layer are computed from stored tensors; convcost counts the stored "
    "tensors, and no macs for the computation"
)

COPIED = "counted for each of several layers, since equal tensors are stored once"
BYTES = "stored numbers of layers: 48 as int8 (48 bytes)"


def normed(weight: str, gain: str, axes: str) -> list[Any]:
    """g · v/|v|, as PyTorch's weight norm is exported."""
    return [
        node("ReduceL2", weight, axes, "-> length", keepdims=1),
        node("Div", weight, "length", "-> unit"),
        node("Mul", gain, "unit", "-> w"),
    ]


LINEAR = (
    "custom what=linear with weights computed from others params={} macs={} "
    "output=Shape(channels=6, size={})"
)
CONV = 6 * 3 * 3 * 8
PLACES = 10 * 8

# name: nodes, weights, dims of the input, the layers, (params, buffers, macs)
TABLE: dict[str, Any] = {
    "low rank": (
        [node("MatMul", "a", "b", "-> w"), node("MatMul", "x", "w", "-> m"),
         node("Add", "m", "c", "-> y")],
        {"a": array(8, 2), "b": array(2, 6), "c": array(6)},
        ROWS,
        [LINEAR.format(28, 240, "(5,)") + " input=Shape(channels=8, size=(5,)) → 5×6",
         "scale factor=False shift=True → 5×6"],
        (8 * 2 + 2 * 6 + 6, 0, 5 * 8 * 6),
    ),
    "low rank, of a vector": (
        [node("MatMul", "a", "b", "-> w"), node("Gemm", "x", "w", "-> y", transB=1)],
        {"a": array(6, 2), "b": array(2, 8)},
        (1, 8),
        [LINEAR.format(28, 48, "()") + " → 6"],
        (6 * 2 + 2 * 8, 0, 8 * 6),
    ),
    "a convolution of low rank": (
        [node("MatMul", "a", "b", "-> m"), node("Reshape", "m", "to", "-> w"),
         node("Conv", "x", "w", "-> y")],
        {"a": array(6, 2), "b": array(2, 8 * 9), "to": ints(6, 8, 3, 3)},
        MAPS,
        [("custom what=conv with weights computed from others params=156 macs=34560 "
          "output=Shape(channels=6, size=(10, 8)) input=Shape(channels=8, size=(12, 10)) "
          "→ 10×8×6")],
        (6 * 2 + 2 * 8 * 9, 0, CONV * PLACES),
    ),
    "a summand of low rank": (
        [node("MatMul", "a", "b", "-> m"), node("Add", "v", "m", "-> w"),
         node("MatMul", "x", "w", "-> y")],
        {"v": array(8, 6), "a": array(8, 2), "b": array(2, 6)},
        ROWS,
        ["linear features=6 bias=False each_position=True → 5×6",
         "custom what=more params of the computed weights params=28 macs=0 → 5×6"],
        (8 * 6 + 8 * 2 + 2 * 6, 0, 5 * 8 * 6),
    ),
    "weight norm of a convolution": (
        [*normed("v", "g", "axes"), node("Conv", "x", "w", "b", "-> y")],
        {"v": array(6, 8, 3, 3), "g": array(6, 1, 1, 1), "b": array(6), "axes": ints(1, 2, 3)},
        MAPS,
        ["conv filters=6 kernel=3 → 10×8×6", "scale shift=True → 10×8×6"],
        (CONV + 6 + 6, 0, CONV * PLACES),
    ),
    "weight norm of a linear layer": (
        [*normed("v", "g", "axes"), node("Gemm", "x", "w", "b", "-> y", transB=1)],
        {"v": array(6, 8), "g": array(6, 1), "b": array(6), "axes": ints(1)},
        (1, 8),
        ["linear features=6 → 6",
         "custom what=more params of the computed weights params=6 macs=0 → 6"],
        (6 * 8 + 6 + 6, 0, 6 * 8),
    ),
    "weight norm of a transposed convolution": (
        [*normed("v", "g", "axes"), node("ConvTranspose", "x", "w", "b", "-> y")],
        {"v": array(8, 6, 3, 3), "g": array(8, 1, 1, 1), "b": array(6), "axes": ints(1, 2, 3)},
        MAPS,
        ["transposed_conv filters=6 kernel=3 bias=True → 14×12×6",
         "custom what=more params of the computed weights params=8 macs=0 → 14×12×6"],
        (CONV + 6 + 8, 0, CONV * 12 * 10),
    ),
    "one factor for all weights": (
        [node("Mul", "v", "own.scale", "-> w"), node("Conv", "x", "w", "-> y")],
        {"v": array(6, 8, 3, 3), "own.scale": np.array(3, np.float32)},
        MAPS,
        ["conv filters=6 kernel=3 → 10×8×6",
         "custom what=more params of the computed weights params=1 macs=0 → 10×8×6"],
        (CONV + 1, 0, CONV * PLACES),
    ),
    "a summand of every filter is no gain": (
        [node("Add", "v", "g", "-> w"), node("Conv", "x", "w", "-> y")],
        {"v": array(6, 8, 3, 3), "g": array(6, 1, 1, 1)},
        MAPS,
        ["conv filters=6 kernel=3 → 10×8×6",
         "custom what=more params of the computed weights params=6 macs=0 → 10×8×6"],
        (CONV + 6, 0, CONV * PLACES),
    ),
    "a norm that is applied to weights, with what it keeps": (
        [node("Div", "gamma", "bn.running_var", "-> f"), node("Mul", "v", "f", "-> w"),
         node("Conv", "x", "w", "-> y")],
        {"v": array(6, 8, 3, 3), "gamma": array(6, 1, 1, 1),
         "bn.running_var": array(6, 1, 1, 1)},
        MAPS,
        ["conv filters=6 kernel=3 → 10×8×6", "scale → 10×8×6"],
        (CONV + 6, 0, CONV * PLACES),
    ),
    "weights of more numbers than it runs with": (
        [node("MatMul", "a", "b", "-> w"), node("MatMul", "x", "w", "-> y")],
        {"a": array(8, 50), "b": array(50, 6)},
        ROWS,
        ["linear features=6 bias=False each_position=True → 5×6",
         "custom what=more params of the computed weights params=652 macs=0 → 5×6"],
        (8 * 50 + 50 * 6, 0, 5 * 8 * 6),
    ),
    "whole numbers and a step for each": (
        [node("Cast", "i", "-> f", to=FLOAT), node("Mul", "f", "steps", "-> w"),
         node("MatMul", "x", "w", "-> y")],
        {"i": np.ones((8, 6), np.int8), "steps": array(6)},
        ROWS,
        ["linear features=6 bias=False each_position=True → 5×6"],
        (8 * 6, 0, 5 * 8 * 6),
    ),
    "a table that is computed": (
        [node("Relu", "x", "-> r"), node("MatMul", "a", "b", "-> t"),
         node("Erf", "t", "-> u"), node("Where", "no", "r", "u", "-> y")],
        {"a": array(5, 2), "b": array(2, 8), "no": np.zeros((5, 8), bool)},
        ROWS,
        None,
        (5 * 2 + 2 * 8, 0, 5 * 2 * 8),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_derived_weights_count_the_stored_numbers_and_compute_the_same_output(
    tmp_path: Path, name: str
) -> None:
    nodes, weights, dims, layers, expected = TABLE[name]
    layer_graph = imported_graph(tmp_path, model(nodes, weights, dims))
    assert layers is None or layer_texts(layer_graph) == layers
    assert summed_counts(layer_graph) == expected
    whole = any(weight.dtype == np.int8 for weight in weights.values())
    assert layers is None or layer_graph.notes == ((BYTES,) if whole else (WORKED,))
    proved_spec(layer_graph)


def norm_twice(gains: tuple[str, str]) -> ModelProto:
    nodes, weights = [], {"v": array(8, 8, 3, 3), "axes": ints(1, 2, 3)}
    for at, gain in enumerate(gains):
        weights[gain] = array(8, 1, 1, 1) + at
        nodes += [
            node("ReduceL2", "v", "axes", f"-> l{at}", keepdims=1),
            node("Div", "v", f"l{at}", f"-> u{at}"),
            node("Mul", gain, f"u{at}", f"-> w{at}"),
            node("Conv", f"c{at - 1}" if at else "x", f"w{at}", f"-> c{at}"),
        ]
    return model([*nodes, node("Relu", "c1", "-> y")], weights)


@pytest.mark.parametrize(("gains", "factors"), [(("g", "g"), 8), (("g", "h"), 8 + 8)])
def test_derived_weights_that_two_layers_use_are_counted_once(
    tmp_path: Path, gains: tuple[str, str], factors: int
) -> None:
    layer_graph = imported_graph(tmp_path, norm_twice(gains))
    square = 8 * 3 * 3 * 8
    assert summed_counts(layer_graph) == (square + factors, 0, square * (10 * 8 + 8 * 6))
    assert [layer.kind for layer in layer_graph.layers] == [
        "conv",
        "scale",
        "conv",
        "scale",
        "relu",
    ]
    proved_spec(layer_graph)


def test_low_rank_weights_that_two_layers_use_are_counted_once(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "a", "b", "-> w"),
        node("MatMul", "x", "w", "-> m"),
        node("MatMul", "m", "w", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"a": array(8, 2), "b": array(2, 8)}, ROWS))
    assert summed_counts(layer_graph) == (8 * 2 + 2 * 8, 0, 2 * 5 * 8 * 8)
    assert not [note for note in layer_graph.notes if "counted for each" in note]
    proved_spec(layer_graph)


# Pieces of one tensor


def cut(name: str, start: int, end: int, axis: int = 0) -> tuple[list[Any], dict[str, np.ndarray]]:
    """`w[start:end]` as the tensor `name`."""
    given = {f"{name}{at}": ints(n) for at, n in enumerate((start, end, axis))}
    return [node("Slice", "w", *given, f"-> {name}")], given


def several(*pieces: tuple[str, int, int], axis: int = 0) -> tuple[list[Any], dict[str, Any]]:
    nodes, weights = [], {}
    for piece in pieces:
        more, given = cut(*piece, axis)
        nodes += more
        weights |= given
    return nodes, weights


@pytest.mark.parametrize("axis", [0, 1])
def test_queries_keys_and_values_sliced_from_one_tensor_are_three_layers(
    tmp_path: Path, axis: int
) -> None:
    nodes, weights = several(("q", 0, 8), ("k", 8, 16), ("v", 16, 24), axis=axis)
    nodes += [node("Gemm", "x", name, f"-> {name}y", transB=1 - axis) for name in "qkv"]
    nodes += [node("Sum", "qy", "ky", "vy", "-> y")]
    weights["w"] = array(*((24, 8) if axis == 0 else (8, 24)))
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 8)))
    assert [layer.kind for layer in layer_graph.layers] == ["linear", "linear", "linear", "add"]
    assert summed_counts(layer_graph) == (24 * 8, 0, 3 * 8 * 8)
    assert layer_graph.notes == ()
    proved_spec(layer_graph)


def test_stacked_weights_of_which_one_is_reused_are_counted_once(tmp_path: Path) -> None:
    nodes, before = [], "x"
    for step, place in enumerate((0, 1, 2, 0)):
        nodes += [
            node("Gather", "w", f"at{place}", f"-> w{step}"),
            node("MatMul", before, f"w{step}", f"-> m{step}"),
        ]
        before = f"m{step}"
    weights = {"w": array(3, 8, 8), **{f"at{n}": np.array(n, np.int64) for n in range(3)}}
    layer_graph = imported_graph(
        tmp_path, model([*nodes, node("Relu", before, "-> y")], weights, ROWS)
    )
    assert [layer.shares for layer in layer_graph.layers] == [None, None, None, 0, None]
    assert summed_counts(layer_graph) == (3 * 8 * 8, 0, 4 * 5 * 8 * 8)
    proved_spec(layer_graph)


OVERLAPS = {
    "a part after the whole": (("w", "p"), (0, 8), 24 * 8),
    "the whole after a part": (("p", "w"), (0, 8), 24 * 8),
    "a part of a part": (("p", "r"), (0, 16), 16 * 8),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_elements_shared_by_two_layers_are_counted_once(tmp_path: Path, name: str) -> None:
    used, span, stored = OVERLAPS[name]
    nodes, weights = several(("p", *span), ("r", 4, 12))
    nodes = [node for node in nodes if node.output[0] in used]
    nodes += [node("Gemm", "x", name, f"-> {name}y", transB=1) for name in used]
    rows = {"w": 24, "p": span[1], "r": 8}
    outputs = [f"{name}y" for name in used]
    made = model(nodes, {**weights, "w": array(24, 8)}, (1, 8), outputs)
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (stored, 0, sum(8 * rows[name] for name in used))
    assert [layer.kind for layer in layer_graph.layers] == ["linear", "custom"]
    assert "uncounted" not in [dict(layer.options).get("macs") for layer in layer_graph.layers]
    proved_spec(layer_graph)


def test_an_unused_part_is_reported(tmp_path: Path) -> None:
    nodes, weights = cut("p", 0, 8)
    nodes += [node("Gemm", "x", "p", "-> y", transB=1)]
    layer_graph = imported_graph(tmp_path, model(nodes, {**weights, "w": array(24, 8)}, (1, 8)))
    assert summed_counts(layer_graph) == (8 * 8, 0, 8 * 8)
    assert layer_graph.notes == (f"{16 * 8} numbers of the file are in no layer: `w` ({16 * 8})",)


def test_a_partly_used_table_is_counted_with_all_its_elements(tmp_path: Path) -> None:
    nodes, weights = cut("p", 0, 5)
    nodes = [node("Relu", "x", "-> r"), *nodes, node("Add", "r", "p", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {**weights, "w": array(24, 8)}, ROWS))
    assert summed_counts(layer_graph) == (24 * 8, 0, 0)


# Biases


OWN_BIASES = {
    "convolutions": (
        lambda bias, x, y: [node("Conv", x, "w", *bias, f"-> {y}")],
        {"w": array(8, 8, 1, 1)}, MAPS, 8 * 8, 12 * 10,
    ),
    "transposed convolutions": (
        lambda bias, x, y: [node("ConvTranspose", x, "w", *bias, f"-> {y}")],
        {"w": array(8, 8, 1, 1)}, MAPS, 8 * 8, 12 * 10,
    ),
    "Gemm": (
        lambda bias, x, y: [node("Gemm", x, "w", *bias, f"-> {y}")],
        {"w": array(8, 8)}, (1, 8), 8 * 8, 1,
    ),
    "MatMul": (
        lambda bias, x, y: [node("MatMul", x, "w", f"-> {y}m"),
                            *(node("Add", f"{y}m", bia, f"-> {y}") for bia in bias),
                            *([] if bias else [node("Identity", f"{y}m", f"-> {y}")])],
        {"w": array(8, 8)}, ROWS, 8 * 8, 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("biases", ["bc", "b", "bb"])
@pytest.mark.parametrize("name", OWN_BIASES)
def test_layers_that_share_weights_have_separate_biases(
    tmp_path: Path, name: str, biases: str
) -> None:
    build, weights, dims, stored, places = OWN_BIASES[name]
    nodes = [*build(biases[:1], "x", "h"), node("Relu", "h", "-> r")]
    nodes += [*build(biases[1:], "r", "s"), node("Relu", "s", "-> y")]
    own = {one: array(8) + at for at, one in enumerate(dict.fromkeys(biases))}
    layer_graph = imported_graph(tmp_path, model(nodes, {**weights, **own}, dims))
    assert summed_counts(layer_graph) == (stored + 8 * len(own), 0, 2 * stored * places)
    apart = [layer.kind for layer in layer_graph.layers].count("scale")
    assert apart == (0 if biases == "bb" else len(biases))
    assert not [note for note in layer_graph.notes if "counted for each" in note]
    proved_spec(layer_graph)


def test_a_table_and_a_linear_layer_with_a_bias_share_the_table(tmp_path: Path) -> None:
    nodes = [
        node("Gather", "w", "x", "-> e"),
        node("Transpose", "w", "-> t", perm=[1, 0]),
        node("MatMul", "e", "t", "-> m"),
        node("Add", "m", "b", "-> y"),
    ]
    made = model(nodes, {"w": array(50, 16), "b": array(50)}, inputs={"x": (1, 7)})
    made.graph.input[0].type.tensor_type.elem_type = 7
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (50 * 16 + 50, 0, 7 * 16 * 50)
    proved_spec(layer_graph)


@pytest.mark.parametrize("stored", ["initializers", "nodes"])
def test_filled_tensors_are_weights_however_their_shapes_are_stored(tmp_path, stored):
    shapes = {"s": ints(4, 3, 3, 3), "t": ints(8, 4, 3, 3)}
    nodes = [
        node("ConstantOfShape", "s", "-> v"),
        node("ConstantOfShape", "t", "-> w"),
        node("Conv", "x", "v", "-> a"),
        node("Conv", "a", "w", "-> y"),
    ]
    if stored == "nodes":
        constants = {name: numpy_helper.from_array(dims) for name, dims in shapes.items()}
        nodes = [node("Constant", f"-> {n}", value=value) for n, value in constants.items()] + nodes
        shapes = {}
    graph = imported_graph(tmp_path, model(nodes, shapes, (1, 3, 8, 8)))
    assert summed_counts(graph) == (
        4 * 3 * 3 * 3 + 8 * 4 * 3 * 3,
        0,
        4 * 3 * 3 * 3 * 6 * 6 + 8 * 4 * 3 * 3 * 4 * 4,
    )


def test_a_sparse_constant_is_a_weight_with_all_its_elements(tmp_path: Path) -> None:
    numbers, places = (numpy_helper.from_array(np.array(one), "w") for one in ([1.0, 2.0], [3, 9]))
    sparse = helper.make_sparse_tensor(numbers, places, [8, 6])
    nodes = [node("Constant", "-> w", sparse_value=sparse), node("MatMul", "x", "w", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, inputs={"x": ROWS}))
    assert layer_texts(layer_graph) == ["linear features=6 bias=False each_position=True → 5×6"]
    assert summed_counts(layer_graph) == (8 * 6, 0, 5 * 8 * 6)
    assert layer_graph.notes == ()


def test_weights_of_a_convolution_that_a_product_uses_again_are_counted_once(
    tmp_path: Path,
) -> None:
    nodes = [
        node("Conv", "x", "w", "-> h"),
        node("GlobalAveragePool", "h", "-> p"),
        node("Reshape", "p", "rows", "-> r"),
        node("Reshape", "w", "matrix", "-> m"),
        node("MatMul", "r", "m", "-> y"),
    ]
    weights = {"w": array(8, 8, 1, 1), "rows": ints(1, 8), "matrix": ints(8, 8)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert summed_counts(layer_graph) == (8 * 8, 0, 8 * 8 * 12 * 10 + 8 * 8)
    assert layer_graph.notes == ()
    proved_spec(layer_graph)


def test_equal_tensors_of_norms_of_two_kinds_are_counted_for_each(tmp_path: Path) -> None:
    nodes = [
        node("InstanceNormalization", "x", "g", "b", "-> h"),
        node("Transpose", "h", "-> t", perm=[0, 2, 3, 1]),
        node("LayerNormalization", "t", "g", "b", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"g": array(8), "b": array(8) + 1}))
    assert summed_counts(layer_graph)[0] == 2 * (8 + 8)
    assert layer_graph.notes == (f"16 numbers of the file are {COPIED}: `b` (8), `g` (8)",)
    proved_spec(layer_graph)


def test_equal_weights_of_one_number_are_not_shared(tmp_path: Path) -> None:
    nodes = [node("Conv", "x", "w", "b", "-> h"), node("Conv", "h", "w", "c", "-> y")]
    weights = {"w": np.zeros((8, 8, 1, 1), np.float32), "b": array(8), "c": array(8) + 1}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert summed_counts(layer_graph)[0] == 2 * (8 * 8 + 8)
    assert layer_graph.notes == (f"64 numbers of the file are {COPIED}: `w` (64)",)


# Views


@st.composite
def views(draw: st.DrawFn) -> tuple[TensorView, np.ndarray]:
    """A view, and the numbers of its elements as NumPy has them."""
    view, data = whole_view("w", (4, 6, 5)), np.arange(4 * 6 * 5).reshape(4, 6, 5)
    for _ in range(draw(st.integers(0, 3))):
        axis = draw(st.integers(0, 2))
        extent = data.shape[axis]
        start = draw(st.integers(0, extent - 1))
        kept = range(start, draw(st.integers(start + 1, extent)), draw(st.integers(1, 3)))
        kept = kept[::-1] if draw(st.booleans()) else kept
        data = np.take(data, kept, axis)
        steps = list(view.steps)
        begin = view.start + kept.start * steps[axis]
        steps[axis] *= kept.step
        view = view._replace(start=begin, dims=data.shape, steps=tuple(steps))
        order = draw(st.permutations(range(3)))
        data = data.transpose(order)
        view = view._replace(dims=data.shape, steps=tuple(view.steps[name] for name in order))
    return view, data


@given(views(), st.lists(views(), max_size=3))
def test_elements_in_no_other_view_are_counted(
    one: tuple[TensorView, np.ndarray], others: list[tuple[TensorView, np.ndarray]]
) -> None:
    taken = {int(n) for _, data in others for n in data.reshape(-1)}
    left = {int(n) for n in one[1].reshape(-1)} - taken
    assert elements_outside(one[0], [view for view, _ in others]) == len(left)


@given(views(), views())
def test_views_have_equal_keys_exactly_if_they_have_the_same_elements(
    one: tuple[TensorView, np.ndarray], other: tuple[TensorView, np.ndarray]
) -> None:
    same = set(one[1].reshape(-1).tolist()) == set(other[1].reshape(-1).tolist())
    assert (one[0].key == other[0].key) is same
    if one[1].size == 4 * 6 * 5:
        assert one[0].key == "w"


def sequence(op: str, outputs: tuple[str, ...], *read: str, **attributes: Any) -> Any:
    return helper.make_node(op, read, outputs, **attributes)


def test_pieces_that_come_out_of_a_sequence_are_weights(tmp_path: Path) -> None:
    nodes = [
        sequence("SplitToSequence", ("parts",), "w", "lengths", axis=0),
        sequence("SequenceAt", ("q",), "parts", "first"),
        sequence("SequenceAt", ("k",), "parts", "second"),
        node("Transpose", "q", "-> qt", perm=[1, 0]),
        node("Transpose", "k", "-> kt", perm=[1, 0]),
        node("MatMul", "x", "qt", "-> a"),
        node("MatMul", "x", "kt", "-> b"),
    ]
    weights = {"w": array(24, 8), "lengths": ints(8, 16)}
    weights |= {"first": np.array(0, np.int64), "second": np.array(1, np.int64)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, ROWS, ["a", "b"]))
    assert [layer.kind for layer in layer_graph.layers] == ["linear", "linear"]
    assert summed_counts(layer_graph) == (24 * 8, 0, 5 * 8 * 24)


def test_a_table_that_shares_a_slice_with_a_layer_counts_the_rest(
    tmp_path: Path,
) -> None:
    nodes, weights = several(("p", 0, 8))
    nodes += [
        node("Gemm", "x", "p", "-> a", transB=1),
        node("Relu", "x", "-> r"),
        node("MatMul", "r", "wide", "-> m"),
        node("Reshape", "m", "to", "-> n"),
        node("Add", "n", "w", "-> b"),
    ]
    weights |= {"w": array(24, 8), "wide": array(8, 24 * 8) * 2, "to": ints(24, 8)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 8), ["a", "b"]))
    assert summed_counts(layer_graph) == (24 * 8 + 8 * 24 * 8, 0, 8 * 8 + 8 * 24 * 8)
    proved_spec(layer_graph)


def test_a_bias_with_a_part_set_to_zero_is_counted_with_all_its_elements(tmp_path: Path) -> None:
    """As PyTorch's newer exporter writes it: its numbers may lie in another file."""
    nodes = [
        node("Cast", "from", "-> starts", to=7),
        node("Slice", "b", "starts", "to", "-> part"),
        node("Shape", "part", "-> s"),
        node("Expand", "zero", "s", "-> zeros"),
        node("ScatterND", "b", "at", "zeros", "-> bias"),
        node("MatMul", "x", "w", "-> m"),
        node("Add", "m", "bias", "-> y"),
    ]
    weights = {"w": array(8, 6), "b": array(6), "from": ints(2), "to": ints(4)}
    weights |= {"zero": np.array(0, np.float32), "at": np.array([[2], [3]], np.int64)}
    made = model(nodes, weights, ROWS)
    (bias,) = (tensor for tensor in made.graph.initializer if tensor.name == "b")
    bias.ClearField("raw_data")
    bias.data_location = bias.EXTERNAL
    bias.external_data.add(key="location", value="weights.bin")
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (8 * 6 + 6, 0, 5 * 8 * 6)
    proved_spec(layer_graph)


def test_views_can_begin_inside_other_views() -> None:
    whole = whole_view("w", (24,))
    ten = [whole._replace(start=start, dims=(10,)) for start in (0, 5, 10)]
    assert elements_outside(ten[1], [ten[0]]) == 5
    assert elements_outside(ten[1], [ten[2]]) == 5
    assert elements_outside(ten[1], [ten[0], ten[2]]) == 0


def test_a_norm_can_use_one_tensor_as_scale_and_shift(tmp_path: Path) -> None:
    """Exporters keep one of two that are equal: both begin at zero."""
    nodes = [node("BatchNormalization", "x", "zero", "zero", "mean", "var", "-> y")]
    weights = {"zero": array(8), "mean": array(8), "var": array(8)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert summed_counts(layer_graph) == (2 * 8, 2 * 8, 0)
    assert layer_graph.notes == (f"8 numbers of the file are {COPIED}: `zero` (8)",)
    proved_spec(layer_graph)


@pytest.mark.parametrize("lowest", [-np.inf, np.finfo(np.float32).min])
def test_a_mask_that_is_added_is_no_parameter_whatever_its_name(
    tmp_path: Path, lowest: float
) -> None:
    nodes = [node("Gemm", "x", "w", "-> h"), node("Add", "h", "m.table", "-> y")]
    mask = np.array([[0, 0, 0, lowest]], np.float32)
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"w": array(8, 4), "m.table": mask}, (1, 8))
    )
    assert summed_counts(layer_graph) == (8 * 4, 0, 8 * 4)


def test_a_new_norm_can_use_its_scale_and_shift_as_statistics(tmp_path: Path) -> None:
    """The variance starts at one, as the scale, and the mean at zero, as the shift."""
    ends = [("x", "h"), ("h", "y")]
    nodes = [node("BatchNormalization", x, "s", "b", "b", "s", f"-> {y}") for x, y in ends]
    stored = {"s": np.ones(8, np.float32), "b": np.zeros(8, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored))
    assert [(layer.params, layer.buffers) for layer in layer_graph.layers] == [(2 * 8, 2 * 8)] * 2
    assert layer_graph.notes == (f"16 numbers of the file are {COPIED}: `b` (8), `s` (8)",)
    proved_spec(layer_graph)


def test_a_table_from_which_the_weights_of_a_product_are_computed_is_counted_once(
    tmp_path: Path,
) -> None:
    """As the code book of a quantizer, which computes distances to its rows, then looks one up."""
    nodes = [
        node("Mul", "codes", "two", "-> doubled"),
        node("Concat", "codes", "doubled", "-> rows", axis=0),
        node("Transpose", "rows", "-> weights", perm=[1, 0]),
        node("MatMul", "x", "weights", "-> scores"),
        node("ArgMax", "scores", "-> best", axis=2, keepdims=0),
        node("Gather", "codes", "best", "-> y"),
    ]
    stored = {"codes": array(12, 4), "two": np.array(2, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 7, 4)))
    assert summed_counts(layer_graph) == (12 * 4, 0, 7 * 4 * (2 * 12))
    assert not [note for note in layer_graph.notes if COPIED in note]
    proved_spec(layer_graph)


def test_layers_that_share_weights_transitively_are_counted_once(tmp_path: Path) -> None:
    """As the steps of an RNN that was taken apart: the first has no step before it."""
    nodes = [node("BatchNormalization", "x", "s", "a", "m", "v", "-> x0")]
    nodes += [
        node(
            "BatchNormalization",
            f"x{n}",
            "s",
            "b",
            "m",
            "v",
            f"-> {'y' if n == 2 else f'x{n + 1}'}",
        )
        for n in range(3)
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {name: array(8) for name in "sabmv"}))
    assert [layer.params for layer in layer_graph.layers] == [2 * 8, 2 * 8, 0, 0]
    assert [layer.buffers for layer in layer_graph.layers] == [2 * 8, 2 * 8, 0, 0]
    listed = "`m` (8), `s` (8), `v` (8)"
    assert layer_graph.notes == (f"{3 * 8} numbers of the file are {COPIED}: {listed}",)


def test_new_norms_are_not_one_module(tmp_path: Path) -> None:
    """Their ones and zeros are stored once for all."""
    nodes = [node("LayerNormalization", x, "s", "b", f"-> {y}") for x, y in ("xh", "hi", "iy")]
    stored = {"s": np.ones(10, np.float32), "b": np.zeros(10, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, MAPS))
    assert summed_counts(layer_graph) == (3 * (10 + 10), 0, 0)
    assert layer_graph.notes == (f"20 numbers of the file are {COPIED}: `b` (10), `s` (10)",)
    proved_spec(layer_graph)


def test_a_slope_of_one_number_is_shared(tmp_path: Path) -> None:
    nodes = [node("PRelu", "x", "s", "-> h"), node("PRelu", "h", "s", "-> y")]
    assert summed_counts(imported_graph(tmp_path, model(nodes, {"s": array(1, 1, 1)}))) == (1, 0, 0)


def test_a_product_that_runs_twice_shares_its_bias_of_zeros_too(tmp_path: Path) -> None:
    nodes = [node("Gemm", "x", "w", "b", "-> h"), node("Gemm", "h", "w", "b", "-> y")]
    stored = {"w": array(8, 8), "b": np.zeros(8, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 8)))
    assert summed_counts(layer_graph) == (8 * 8 + 8, 0, 2 * 8 * 8)
    assert layer_graph.notes == ()


@pytest.mark.parametrize(("numbers", "times"), [(array(7, 8), 1), (np.ones((7, 8), "f4"), 2)])
def test_a_table_that_is_also_the_weights_of_a_product_is_counted_once(
    tmp_path: Path, numbers: np.ndarray, times: int
) -> None:
    """As the memory of a network that reads and writes it. Tables of equal numbers may differ."""
    nodes = [node("Mul", "x", "m", "-> p"), node("MatMul", "w", "m", "-> v"),
             node("Add", "p", "v", "-> y")]  # fmt: skip
    inputs = {"x": (1, 7, 8), "w": (1, 1, 7)}
    layer_graph = imported_graph(tmp_path, model(nodes, {"m": numbers}, inputs=inputs))
    assert summed_counts(layer_graph) == (times * 7 * 8, 0, 7 * 8)
    proved_spec(layer_graph)


def test_computed_weights_with_a_bias_of_zeros_created_in_forward_have_no_params(
    tmp_path: Path,
) -> None:
    nodes = [
        node("Constant", "-> dims", value_ints=[4]),
        node("Constant", "-> zero", value=numpy_helper.from_array(np.asarray(np.float32(0)))),
        node("Expand", "zero", "dims", "-> b"),
        node("Conv", "x", "w", "b", "-> c"),
        node("Conv", "c", "v", "-> y"),
    ]
    inputs = {"x": (1, 8, 6, 5), "w": (4, 8, 1, 1)}
    layer_graph = imported_graph(tmp_path, model(nodes, {"v": array(2, 4, 1, 1)}, inputs=inputs))
    assert summed_counts(layer_graph) == (2 * 4, 0, 6 * 5 * 4 * (8 + 2))
    assert layer_graph.notes == ()


def test_the_vectors_of_a_spectral_norm_are_not_params(tmp_path: Path) -> None:
    """As PyTorch's older exporter writes it. `weight_v` alone is a direction of a weight norm."""
    nodes = [
        node("MatMul", "l.weight_orig", "l.weight_v", "-> a"),
        node("MatMul", "l.weight_u", "a", "-> sigma"),
        node("Div", "l.weight_orig", "sigma", "-> w"),
        node("Gemm", "x", "w", "-> y", transB=1),
    ]
    stored = {"l.weight_orig": array(4, 20), "l.weight_u": array(4), "l.weight_v": array(20)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 20)))
    assert layer_texts(layer_graph) == ["linear features=4 bias=False → 4"]
    assert summed_counts(layer_graph) == (4 * 20, 0, 4 * 20)
    assert layer_graph.notes == (
        (
            "20 numbers of the file are used to compute weights, and not counted as params: "
            "`l.weight_v` (20)"
        ),
    )


def test_a_product_of_a_constant_shares_its_weights_with_later_ones(tmp_path: Path) -> None:
    """As a cell that begins with a state of zeros, step by step."""
    nodes = [
        node("Constant", "-> dims", value_ints=[1, 8]),
        node("Expand", "zero", "dims", "-> h"),
        node("Gemm", "h", "w", "b", "-> p", transB=1),
        node("Add", "x", "p", "-> s"),
        node("Gemm", "s", "w", "b", "-> q", transB=1),
        node("Add", "x", "q", "-> y"),
    ]
    stored = {"zero": np.asarray(np.float32(0)), "w": array(8, 8), "b": array(8)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 8)))
    assert summed_counts(layer_graph) == (8 * 8 + 8, 0, 2 * 8 * 8)
    assert layer_graph.notes == ()


@pytest.mark.parametrize(
    ("op", "dims", "places"),
    [("Conv", (4, 8, 3, 3), 10 * 8), ("ConvTranspose", (8, 4, 3, 3), 12 * 10)],
)
def test_filters_and_biases_of_the_code_in_nodes_are_not_params(
    tmp_path: Path, op: str, dims: tuple[int, ...], places: int
) -> None:
    """PyTorch's older exporter writes tensors of the code as `Constant` nodes."""
    made = model([node(op, "x", "w", "b", "-> h"), node("Conv", "h", "c", "-> y")],
                 {"c": array(6, 4, 1, 1)}, MAPS)  # fmt: skip
    made.producer_name = "pytorch"
    for name, numbers in (("w", array(*dims)), ("b", array(4))):
        value = numpy_helper.from_array(numbers)
        made.graph.node.insert(0, helper.make_node("Constant", [], [name], value=value))
    layer_graph = imported_graph(tmp_path, made)
    outputs = (12 - 2) * (10 - 2) if op == "Conv" else (12 + 2) * (10 + 2)
    macs = 4 * 8 * 3 * 3 * places + 6 * 4 * outputs
    assert summed_counts(layer_graph) == (6 * 4, 4 * 8 * 3 * 3, macs)
    assert layer_graph.notes == (
        "4 numbers of the file are constant, and not counted as params: `b` (4)",
    )


def test_nodes_have_the_weights_of_a_file_without_others(tmp_path: Path) -> None:
    """As of a frozen script module."""
    made = model([node("Conv", "x", "/w", "/b", "-> h"), node("Conv", "h", "/c", "-> y")], {}, MAPS)
    made.producer_name = "pytorch"
    for name, numbers in (("/w", array(4, 8, 3, 3)), ("/b", array(4)), ("/c", array(6, 4, 1, 1))):
        value = numpy_helper.from_array(numbers)
        made.graph.node.insert(0, helper.make_node("Constant", [], [name], value=value))
    params = 4 * 8 * 3 * 3 + 4 + 6 * 4
    assert summed_counts(imported_graph(tmp_path, made))[:2] == (params, 0)


def test_all_calls_of_a_function_have_the_tensors_in_its_nodes(tmp_path: Path) -> None:
    """Two nodes of a function with equal numbers are two tensors."""
    values = {"w": array(8, 8, 3, 3), "b": array(8), "v": array(8, 8, 3, 3)}
    inner = [
        *(node("Constant", f"-> {name}", value=numpy_helper.from_array(numbers))
          for name, numbers in values.items()),
        node("Conv", "x", "w", "b", "-> h", pads=[1] * 4),
        node("Conv", "h", "v", "-> y", pads=[1] * 4),
    ]  # fmt: skip
    calls = [node("Own", before, f"-> {after}", domain="own") for before, after in ("xa", "ay")]
    made = model(calls, {}, MAPS)
    opsets = [helper.make_opsetid("", 20)]
    made.functions.append(helper.make_function("own", "Own", ["x"], ["y"], inner, opsets))
    params, macs = 2 * 8 * 8 * 3 * 3 + 8, 4 * 8 * 8 * 3 * 3 * 12 * 10
    assert summed_counts(imported_graph(tmp_path, made)) == (params, 0, macs)


def test_parts_of_a_product_of_a_constant_have_one_product(tmp_path: Path) -> None:
    """As the first step of a GRU cell, whose state is zero."""
    nodes = [
        node("Gemm", "zeros", "w", "b", "-> first"),
        node("Split", "first", "-> one", "two", axis=-1, num_outputs=2),
        node("Add", "x", "one", "-> a"),
        node("Add", "a", "two", "-> h"),
        node("Gemm", "h", "w", "b", "-> y"),
    ]
    made = model(nodes, {"w": array(8, 16), "b": array(16)}, (1, 8))
    made.producer_name = "pytorch"
    zeros = numpy_helper.from_array(np.zeros((1, 8), np.float32))
    made.graph.node.insert(0, helper.make_node("Constant", [], ["zeros"], value=zeros))
    layer_graph = imported_graph(tmp_path, made)
    assert [layer.kind for layer in layer_graph.layers] == [
        "learned", "linear", "slice", "add", "slice", "add", "linear",
    ]  # fmt: skip
    assert summed_counts(layer_graph) == (8 * 16 + 16, 8, 2 * 8 * 16)
    assert layer_graph.notes == ()


def test_large_weights_in_a_file_of_their_own_are_compared(tmp_path: Path) -> None:
    """A convolution of other dilation shares the weights if their numbers differ."""
    nodes = [node("Conv", "x", "w", "b", "-> h", pads=[1] * 4),
             node("Conv", "h", "w", "c", "-> y", pads=[2] * 4, dilations=[2, 2])]  # fmt: skip
    for weights, times in ((array(80, 80, 3, 3), 1), (np.zeros((80, 80, 3, 3), np.float32), 2)):
        stored = {"w": weights, "b": array(80), "c": array(80) + 1}
        path = tmp_path / f"{times}.onnx"
        onnx.save(model(nodes, stored, (1, 80, 6, 5)), path, save_as_external_data=True,
                  location=f"{times}.bin")  # fmt: skip
        assert summed_counts(read(path))[0] == times * 80 * 80 * 9 + 2 * 80


@pytest.mark.parametrize("order", [("c", "w"), ("w", "c")], ids=" + ".join)
@pytest.mark.parametrize("times", [1, 2, 100])
def test_a_sum_of_stored_tensors_holds_each_once_in_any_order(tmp_path, order, times):
    nodes, before = [], "c"
    for n in range(times):
        names = [before if name == "c" else name for name in order]
        nodes.append(node("Add", *names, f"-> s{n}"))
        before = f"s{n}"
    nodes += [node("Relu", "x", "-> r"), node("Add", "r", before, "-> y")]
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"c": array(8), "w": array(8) + 1}, dims=(1, 8))
    )
    assert summed_counts(layer_graph) == (8 + 8, 0, 0)
    proved_spec(layer_graph)


TABLES = {
    "distinct numbers": (array(5, 8), 5 * 8),
    "equal numbers": (np.ones((5, 8), np.float32), 2 * 5 * 8),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_several_layers_is_counted_once_if_its_numbers_are_distinct(
    tmp_path: Path, name: str
) -> None:
    """Tables of equal numbers may be those of two modules, since equal tensors are stored once."""
    table, params = TABLES[name]
    nodes = [node("MatMul", "x", "w", "-> m"), node("Mul", "m", "t", "-> h")]
    nodes += [node("MatMul", "h", "u", "-> n"), node("Mul", "n", "t", "-> y")]
    stored = {"w": array(8, 8), "u": array(8, 8) + 1, "t": table}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, ROWS))
    assert summed_counts(layer_graph) == (2 * 8 * 8 + params, 0, 2 * 5 * 8 * 8)
    proved_spec(layer_graph)


def test_a_table_whose_numbers_cannot_be_read_is_counted_for_each_layer(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x", "w", "-> m"), node("Mul", "m", "t", "-> h")]
    nodes += [node("MatMul", "h", "u", "-> n"), node("Mul", "n", "t", "-> y")]
    stored = {"w": array(8, 8), "u": array(8, 8) + 1, "t": array(5, 8)}
    path = tmp_path / "stripped.onnx"
    onnx.save(model(nodes, stored, ROWS), path, save_as_external_data=True, location="gone.bin",
              size_threshold=0)  # fmt: skip
    (tmp_path / "gone.bin").unlink()
    assert summed_counts(read(path)) == (2 * 8 * 8 + 2 * 5 * 8, 0, 2 * 5 * 8 * 8)
