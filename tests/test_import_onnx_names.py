"""What layers of an ONNX file are called, and which of them share weights."""

import numpy as np
import pytest
from onnx_models import array, drawn, model, node, sums, told


def _named(name: str, *more: str, **attributes):
    made = node(*more, **attributes)
    made.name = name
    return made


def _paths(drawing) -> list[tuple[str, ...]]:
    return [layer.path for layer in drawing.layers]


def test_a_tensor_that_an_exporter_numbered_names_no_layer(tmp_path):
    nodes, before = [], "x"
    for at in ("/stem/stem.0", "/layer1/layer1.0/layer1.0.0", "/layer1/layer1.1/layer1.1.0"):
        weight = f"onnx::Conv_{len(nodes)}"
        nodes.append(_named(f"{at}/Conv", "Conv", before, weight, f"-> {at}/out"))
        before = f"{at}/out"
    weights = {one.input[1]: array(8, 8, 1, 1) for one in nodes}
    nodes.append(_named("/Relu", "Relu", before, "-> y"))
    assert _paths(drawn(tmp_path, model(nodes, weights))) == [
        ("stem", "0"),
        ("layer1", "0", "0"),
        ("layer1", "1", "0"),
        ("relu",),
    ]


NAMES = [
    ("block/conv:0", "block/conv2d", ("block", "conv")),
    ("onnx::Conv_12", "", ("conv",)),
    ("onnx::Conv_12_quantized", "", ("conv",)),
    ("body.0.conv.weight", "", ("body", "0", "conv")),
    ("stem.weight;stem/bias", "", ("stem",)),
]


@pytest.mark.parametrize(("weight", "name", "path"), NAMES)
def test_a_layer_is_called_after_its_weight_or_its_kind(tmp_path, weight, name, path):
    made = model([_named(name, "Conv", "x", weight, "-> y")], {weight: array(8, 8, 1, 1)})
    assert _paths(drawn(tmp_path, made)) == [path]


TABLE = array(50, 16)
LOOK = _named("/tok/Gather", "Gather", "tok.weight", "x", "-> e")
RELU = node("Relu", "e", "-> r")
TIED = {
    "turned by an operator": (
        [
            node("Transpose", "tok.weight", "-> t", perm=[1, 0]),
            _named("/lm_head/MatMul", "MatMul", "r", "t", "-> y"),
        ],
        {},
    ),
    "turned by the exporter": (
        [_named("/lm_head/MatMul", "MatMul", "r", "onnx::MatMul_12", "-> y")],
        {"onnx::MatMul_12": np.ascontiguousarray(TABLE.T)},
    ),
}


def _language(nodes, weights):
    made = model([LOOK, RELU, *nodes], {"tok.weight": TABLE, **weights}, inputs={"x": (1, 7)})
    made.graph.input[0].type.tensor_type.elem_type = 7
    return made


@pytest.mark.parametrize("name", TIED)
def test_a_table_that_a_linear_layer_uses_again_is_counted_once(tmp_path, name):
    drawing = drawn(tmp_path, _language(*TIED[name]))
    assert told(drawing)[2] == "linear features=50 bias=False each_position=True → 7×50"
    assert sums(drawing) == (50 * 16, 0, 7 * 16 * 50)
    assert drawing.layers[2].shares == 0
    assert _paths(drawing) == [("tok",), ("relu",), ("lm_head",)]
    assert drawing.notes == ()


OWN = {
    "other numbers": (TABLE, np.ascontiguousarray(TABLE.T) + 1),
    "one number": (np.zeros((50, 16), np.float32), np.zeros((16, 50), np.float32)),
}


@pytest.mark.parametrize("name", OWN)
def test_a_matrix_of_its_own_is_counted_beside_the_table(tmp_path, name):
    table, matrix = OWN[name]
    last = _named("/lm_head/MatMul", "MatMul", "r", "own", "-> y")
    drawing = drawn(tmp_path, _language([last], {"tok.weight": table, "own": matrix}))
    assert sums(drawing) == (50 * 16 + 16 * 50, 0, 7 * 16 * 50)


def test_numbers_in_another_file_are_not_compared_and_that_is_told(tmp_path):
    made = _language(*TIED["turned by the exporter"])
    turned = made.graph.initializer[1]
    turned.ClearField("raw_data")
    turned.data_location = turned.EXTERNAL
    turned.external_data.add(key="location", value="weights.bin")
    drawing = drawn(tmp_path, made)
    assert sums(drawing) == (50 * 16 + 16 * 50, 0, 7 * 16 * 50)
    (note,) = drawing.notes
    assert note == (
        "whether `onnx::MatMul_12` is the table `tok.weight` turned is not known, as the numbers "
        "lie in another file: both are counted"
    )
