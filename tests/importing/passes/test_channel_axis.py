"""Which axis of an input has the channels."""

from onnx import TensorProto
from onnx_models import array, imported_graph, ints, model, node

KEYS = [
    node("Reshape", "k", "apart", "-> h"),
    node("Transpose", "h", "-> t", perm=[0, 2, 3, 1]),
    node("MatMul", "q", "t", "-> y"),
]


def shapes(tmp_path, nodes, weights, **inputs):
    return [
        shape.text
        for _, shape in imported_graph(tmp_path, model(nodes, weights, inputs=inputs)).inputs
    ]


def test_the_channels_of_keys_are_those_that_are_split_into_heads(tmp_path):
    """The product sums the second-to-last axis of the keys [1, heads, c/heads, t]."""
    found = shapes(tmp_path, KEYS, {"apart": ints(1, 6, 3, 8)}, k=(1, 6, 24), q=(1, 3, 4, 8))
    assert found == ["6×24", "4×8×3"]


def test_a_matrix_from_the_left_sums_the_axis_before_the_last(tmp_path):
    nodes = [node("Squeeze", "x", "first", "-> m"), node("MatMul", "w", "m", "-> y")]
    weights = {"first": ints(0), "w": array(4, 6)}
    assert shapes(tmp_path, nodes, weights, x=(1, 6, 24)) == ["24×6"]


def test_a_mean_that_keeps_the_last_axis_is_over_the_channels(tmp_path):
    nodes = [node("ReduceMean", "x", "last", "-> m"), node("Sub", "x", "m", "-> y")]
    assert shapes(tmp_path, nodes, {"last": ints(-1)}, x=(1, 9, 6)) == ["9×6"]
    nodes = [node("ReduceMean", "x", "last", "-> y", keepdims=0)]
    assert shapes(tmp_path, nodes, {"last": ints(-1)}, x=(1, 9, 6)) == ["6×9"]


TO_CONV = [node("Unsqueeze", "x", "second", "-> u"), node("Conv", "u", "w", "-> y")]
SECOND = ints(1)


def test_samples_that_get_an_axis_of_channels_before_a_convolution_are_positions(tmp_path):
    weights = {"second": SECOND, "w": array(8, 1, 5)}
    assert shapes(tmp_path, TO_CONV, weights, x=(1, 1600)) == ["1600×1"]


def test_a_row_that_a_linear_layer_reads_has_channels(tmp_path):
    nodes = [node("MatMul", "x", "m", "-> z"), node("Relu", "z", "-> r"), *TO_CONV]
    nodes[2] = node("Unsqueeze", "r", "second", "-> u")
    weights = {"second": SECOND, "w": array(8, 1, 5), "m": array(20, 9)}
    assert shapes(tmp_path, nodes, weights, x=(1, 20)) == ["20"]


def test_an_image_of_one_row_has_its_own_channels(tmp_path):
    nodes = [node("Conv", "x", "w", "-> y")]
    assert shapes(tmp_path, nodes, {"w": array(8, 1, 5)}, x=(1, 1, 20)) == ["20×1"]


def test_indices_are_positions_and_their_number_may_change(tmp_path):
    nodes = [node("Gather", "table", "x", "-> e"), node("MatMul", "e", "m", "-> y")]
    made = model(nodes, {"table": array(30, 8), "m": array(8, 3)}, inputs={"x": (1, "t")})
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    graph = imported_graph(tmp_path, made, size=(12,))
    assert [shape.text for _, shape in graph.inputs] == ["12×1"]
    assert sum(layer.macs for layer in graph.layers) == 12 * 8 * 3


def test_the_size_of_indices_is_that_of_a_mask_with_the_same_dimension(tmp_path):
    nodes = [
        node("Gather", "table", "x", "-> e"),
        node("Unsqueeze", "mask", "last", "-> m"),
        node("Mul", "e", "m", "-> y"),
    ]
    weights = {"table": array(30, 8), "last": ints(2)}
    made = model(nodes, weights, inputs={"x": ("n", "t"), "mask": ("n", "t")})
    made.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    graph = imported_graph(tmp_path, made, size=(12,))
    assert [shape.text for _, shape in graph.inputs] == ["12×1", "12"]
