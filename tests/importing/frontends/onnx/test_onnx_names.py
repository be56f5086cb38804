"""What layers of an ONNX file are called, and which of them share weights."""

import numpy as np
import pytest
from onnx_models import array, imported_graph, layer_texts, model, node, summed_counts

from convcost.model.errors import ConstraintError


def _named(name: str, *more: str, **attributes):
    made = node(*more, **attributes)
    made.name = name
    return made


def _paths(layer_graph) -> list[tuple[str, ...]]:
    return [layer.path for layer in layer_graph.layers]


def test_a_numbered_tensor_does_not_name_a_layer(tmp_path):
    nodes, before = [], "x"
    for at in ("/stem/stem.0", "/layer1/layer1.0/layer1.0.0", "/layer1/layer1.1/layer1.1.0"):
        weight = f"onnx::Conv_{len(nodes)}"
        nodes.append(_named(f"{at}/Conv", "Conv", before, weight, f"-> {at}/out"))
        before = f"{at}/out"
    weights = {node.input[1]: array(8, 8, 1, 1) for node in nodes}
    nodes.append(_named("/Relu", "Relu", before, "-> y"))
    assert _paths(imported_graph(tmp_path, model(nodes, weights))) == [
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
def test_a_layer_has_the_name_of_its_weight_or_its_kind(tmp_path, weight, name, path):
    made = model([_named(name, "Conv", "x", weight, "-> y")], {weight: array(8, 8, 1, 1)})
    assert _paths(imported_graph(tmp_path, made)) == [path]


def test_a_name_has_at_most_64_modules(tmp_path):
    made = model([_named("/b" + "/a" * 1_000 + "/Relu", "Relu", "x", "-> y")])
    assert _paths(imported_graph(tmp_path, made)) == [("a",) * 64]


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
def test_a_table_that_a_linear_layer_reuses_is_counted_once(tmp_path, name):
    layer_graph = imported_graph(tmp_path, _language(*TIED[name]))
    assert layer_texts(layer_graph)[2] == "linear features=50 bias=False each_position=True → 7×50"
    assert summed_counts(layer_graph) == (50 * 16, 0, 7 * 16 * 50)
    assert layer_graph.layers[2].shares == 0
    assert _paths(layer_graph) == [("tok",), ("relu",), ("lm_head",)]
    assert layer_graph.notes == ()


OWN = {
    "other numbers": (TABLE, np.ascontiguousarray(TABLE.T) + 1),
    "one number": (np.zeros((50, 16), np.float32), np.zeros((16, 50), np.float32)),
}


@pytest.mark.parametrize("name", OWN)
def test_a_separate_output_matrix_is_counted_in_addition_to_the_table(tmp_path, name):
    table, matrix = OWN[name]
    last = _named("/lm_head/MatMul", "MatMul", "r", "own", "-> y")
    layer_graph = imported_graph(tmp_path, _language([last], {"tok.weight": table, "own": matrix}))
    assert summed_counts(layer_graph) == (50 * 16 + 16 * 50, 0, 7 * 16 * 50)


BACK = [
    node("MatMul", "x", "w", "-> m"),
    node("Relu", "m", "-> r"),
    node("MatMul", "r", "v", "-> y"),
]


@pytest.mark.parametrize("width", [8, 16])
def test_a_matrix_that_is_also_used_transposed_is_counted_once(tmp_path, width):
    """An autoencoder with tied weights: the exporter stores the transposed matrix too."""
    matrix = TABLE[:16, :width]
    weights = {"w": matrix, "v": np.ascontiguousarray(matrix.T)}
    layer_graph = imported_graph(tmp_path, model(BACK, weights, (1, 7, 16)))
    assert summed_counts(layer_graph) == (16 * width, 0, 2 * 7 * 16 * width)


def test_two_identity_matrices_are_two_weights(tmp_path):
    weights = {name: np.eye(16, dtype=np.float32) for name in "wv"}
    layer_graph = imported_graph(tmp_path, model(BACK, weights, (1, 7, 16)))
    assert summed_counts(layer_graph) == (2 * 16 * 16, 0, 2 * 7 * 16 * 16)


def _outside(made, *places):
    """The model with its weights in `weights.bin`, each at the place that is given for it."""
    for tensor, (offset, length) in zip(made.graph.initializer, places, strict=True):
        tensor.ClearField("raw_data")
        tensor.data_location = tensor.EXTERNAL
        tensor.external_data.add(key="location", value="weights.bin")
        tensor.external_data.add(key="offset", value=str(offset))
        tensor.external_data.add(key="length", value=str(length))
    return made


SIZE = TABLE.nbytes


@pytest.mark.parametrize("same", [True, False])
def test_weights_in_an_external_file_are_compared_if_the_file_exists(tmp_path, same):
    made = _outside(_language(*TIED["turned by the exporter"]), (0, SIZE), (SIZE, SIZE))
    turned = np.ascontiguousarray(TABLE.T) + (0 if same else 1)
    (tmp_path / "weights.bin").write_bytes(TABLE.tobytes() + turned.tobytes())
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (50 * 16 + (0 if same else 16 * 50), 0, 7 * 16 * 50)
    assert layer_graph.notes == ()


@pytest.mark.parametrize("also", [True, False])
def test_tensors_at_the_same_offset_of_a_file_are_counted_once(tmp_path, also):
    nodes = [node("Conv", "x", "v", "-> a"), node("Conv", "a", "w", "-> y")]
    weights = {"v": array(8, 8, 1, 1), "w": array(8, 8, 1, 1)}
    place = (256, 4 * 8 * 8)
    made = _outside(model(nodes, weights), place, place if also else (512, 4 * 8 * 8))
    once = 8 * 8
    assert summed_counts(imported_graph(tmp_path, made))[0] == (once if also else 2 * once)


@pytest.mark.parametrize("key", ["offset", "length"])
def test_a_tensor_outside_its_file_is_refused(tmp_path, key):
    made = _outside(model([node("Conv", "x", "w", "-> y")], {"w": array(8, 8, 1, 1)}), (0, 256))
    for entry in made.graph.initializer[0].external_data:
        if entry.key == key:
            entry.value = "-1"
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.code == "CC404"
    assert caught.value.message == "the tensor `w` has no valid position in its file"


@pytest.mark.parametrize("there", ["nothing", "too little", "a folder", "a link"])
def test_an_unreadable_external_file_is_reported(tmp_path, there):
    made = _outside(_language(*TIED["turned by the exporter"]), (0, SIZE), (SIZE, SIZE))
    target = tmp_path / "weights.bin"
    if there == "too little":
        target.write_bytes(TABLE.tobytes())
    elif there == "a folder":
        target.mkdir()
    elif there == "a link":
        (tmp_path / "elsewhere").write_bytes(TABLE.tobytes() * 2)
        target.symlink_to(tmp_path / "elsewhere")
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (50 * 16 + 16 * 50, 0, 7 * 16 * 50)
    (note,) = layer_graph.notes
    assert note == (
        "whether `onnx::MatMul_12` is the table `tok.weight` transposed is not known, as the "
        "numbers "
        "cannot be read: both are counted"
    )
