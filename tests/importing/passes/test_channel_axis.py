"""Which axis of an input with three axes has the channels."""

from onnx_models import array, drawn, ints, model, node

KEYS = [
    node("Reshape", "k", "apart", "-> h"),
    node("Transpose", "h", "-> t", perm=[0, 2, 3, 1]),
    node("MatMul", "q", "t", "-> y"),
]


def shapes(tmp_path, nodes, weights, **inputs):
    return [shape.text for _, shape in drawn(tmp_path, model(nodes, weights, inputs=inputs)).inputs]


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
