"""Tensors of the model's own that meet what flows: tables, tokens, single numbers. What is learned
is a layer; what only standardizes the input, or is a number of the code, is none."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import array, imported_graph, ints, layer_texts, model, node, summed_counts

from convcost.importing.spec import proved_spec

BF16 = TensorProto.BFLOAT16
SIGNATURE = "pkg.torch.export.graph_signature.InputSpec.kind"
ROWS = (1, 5, 8)
LINEAR = [node("MatMul", "t", "w", "-> y")]
WEIGHTS = {"w": array(8, 3)}
LAST = 8 * 3  # params of that layer
MACS = 5 * 8 * 3


def signed(made: ModelProto, **kinds: str) -> ModelProto:
    """What PyTorch's newer exporter tells of tensors."""
    for name, kind in kinds.items():
        entry = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        entry.metadata_props.add(key=SIGNATURE, value=kind)
        made.graph.value_info.append(entry)
    return made


def meeting(op: str, name: str, dims: tuple[int, ...]) -> ModelProto:
    """A tensor that meets the model's input, before a linear layer."""
    return model([node(op, "x", name, "-> t"), *LINEAR], {**WEIGHTS, name: array(*dims)}, ROWS)


# name: operator, the tensor's name and dims, (params, buffers)
AT_THE_INPUT: dict[str, Any] = {
    "a table of positions": ("Add", "pos", (1, 5, 8), (5 * 8, 0)),
    "a gate": ("Mul", "gate", (5, 8), (5 * 8, 0)),
    "a table taken off": ("Sub", "pos", (5, 8), (5 * 8, 0)),
    "a scale of a module": ("Mul", "norm.gamma", (8,), (8, 0)),
    "a shift of a module": ("Add", "norm.beta", (8,), (8, 0)),
    "a mean": ("Sub", "m", (8,), (0, 0)),
    "a deviation": ("Div", "norm.s", (8,), (0, 0)),
    "a scale of the file": ("Mul", "s", (8,), (0, 0)),
    "a table named as buffers are": ("Mul", "head.anchors", (5, 8), (0, 5 * 8)),
}


@pytest.mark.parametrize("name", AT_THE_INPUT)
def test_a_tensor_that_meets_the_input_is_learned_unless_it_standardizes_it(
    tmp_path: Path, name: str
) -> None:
    op, tensor, dims, (params, buffers) = AT_THE_INPUT[name]
    layer_graph = imported_graph(tmp_path, meeting(op, tensor, dims))
    assert summed_counts(layer_graph) == (LAST + params, buffers, MACS)
    left = (
        ()
        if params + buffers
        else (f"8 numbers of the file are constant, and not counted as params: `{tensor}` (8)",)
    )
    assert layer_graph.notes == left
    proved_spec(layer_graph)


@pytest.mark.parametrize(("kind", "held"), [("PARAMETER", (40, 0)), ("BUFFER", (0, 40))])
@pytest.mark.parametrize("name", ["anchors", "pos"])
def test_the_exporters_record_of_a_table_outranks_its_name(
    tmp_path: Path, name: str, kind: str, held: tuple[int, int]
) -> None:
    made = signed(meeting("Add", name, (5, 8)), w="PARAMETER", **{name: kind})
    params, buffers = held
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST + params, buffers, MACS)


def test_a_table_of_bfloat16_is_learned(tmp_path: Path) -> None:
    made = meeting("Add", "pos", (5, 8))
    for entry in made.graph.input:
        entry.type.tensor_type.elem_type = BF16
    for tensor in made.graph.initializer:
        data = numpy_helper.to_array(tensor).reshape(-1).tolist()
        tensor.CopyFrom(helper.make_tensor(tensor.name, BF16, tensor.dims, data))
    made = signed(made, w="PARAMETER", pos="PARAMETER")
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST + 5 * 8, 0, MACS)


TOKEN = [
    node("ReduceMean", "x", "last", "-> mean", keepdims=1),
    node("Greater", "mean", "zero", "-> hidden"),
]
NUMBERS = {"last": ints(-1), "zero": np.array(0, np.float32), **WEIGHTS}


def test_a_token_inserted_by_where_is_learned(tmp_path: Path) -> None:
    nodes = [*TOKEN, node("Where", "hidden", "mask", "x", "-> t"), *LINEAR]
    layer_graph = imported_graph(tmp_path, model(nodes, {**NUMBERS, "mask": array(1, 1, 8)}, ROWS))
    assert summed_counts(layer_graph) == (LAST + 8, 0, MACS)
    token = next(layer for layer in layer_graph.layers if layer.kind == "learned")
    assert (token.output.text, token.params) == ("1×8", 8)
    assert layer_graph.notes == ()
    proved_spec(layer_graph)


def test_a_token_at_constant_positions_is_learned(tmp_path: Path) -> None:
    nodes = [node("Where", "hidden", "mask", "x", "-> t"), *LINEAR]
    weights = {**WEIGHTS, "hidden": np.eye(5, 8) > 0, "mask": array(1, 1, 8)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, ROWS))
    assert summed_counts(layer_graph) == (LAST + 8, 0, MACS)


def test_a_where_with_a_single_number_is_a_free_mask(tmp_path: Path) -> None:
    nodes = [node("Where", "no", "low", "x", "-> t"), *LINEAR]
    weights = {**WEIGHTS, "no": np.zeros((5, 8), bool), "low": np.array(-1e9, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, ROWS))
    assert layer_texts(layer_graph) == ["linear features=3 bias=False each_position=True → 5×3"]


# Single numbers


def single(name: str, producer: str = "", *before: Any) -> ModelProto:
    nodes = [node("MatMul", "x", "w", "-> t"), *before]
    last = before[-1].output[0] if before else name
    nodes.append(node("Mul", "t", last, "-> y"))
    made = model(nodes, {**WEIGHTS, name: np.array(2.5, np.float32)}, ROWS)
    made.producer_name = producer
    return made


EXP = node("Exp", "logit_scale", "-> e")
# name: the model, whether the number is a parameter, whether a note names it
SINGLE: dict[str, Any] = {
    "of a module": (single("head.scale"), True, False),
    "of PyTorch's module itself": (single("logit_scale", "pytorch"), True, False),
    "of PyTorch's, and worked on": (single("logit_scale", "pytorch", EXP), True, False),
    "that the exporter says is a parameter": (
        signed(single("alpha"), alpha="PARAMETER", w="PARAMETER"), True, False,
    ),
    "that the exporter says is a buffer": (
        signed(single("alpha", "pytorch"), alpha="BUFFER", w="PARAMETER"), False, False,
    ),
    "of another exporter": (single("alpha", "tf2onnx"), False, True),
    "that the exporter of PyTorch computed": (single("onnx::Mul_12", "pytorch"), False, False),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
def test_a_single_number_of_a_module_is_a_parameter(tmp_path: Path, name: str) -> None:
    made, learned, left = SINGLE[name]
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (LAST + learned, 0, MACS)
    assert ("scale" in [layer.kind for layer in layer_graph.layers]) is learned
    (key,) = (tensor.name for tensor in made.graph.initializer if not tensor.dims)
    why = "treated as a number of the code, and not counted as params"
    note = f"1 number of the file is {why}: `{key}` (1)"
    assert layer_graph.notes == ((note,) if left else ())
    proved_spec(layer_graph)


def test_a_learned_number_in_attention_is_counted(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "k", "-> kt", perm=[0, 1, 3, 2]),
        node("MatMul", "q", "kt", "-> s"),
        node("Mul", "s", "own.temperature", "-> m"),
        node("Softmax", "m", "-> p"),
        node("MatMul", "p", "v", "-> y"),
    ]
    weights = {"own.temperature": np.array(2.5, np.float32)}
    layer_graph = imported_graph(
        tmp_path, model(nodes, weights, inputs=dict.fromkeys("qkv", (1, 2, 5, 8)))
    )
    assert summed_counts(layer_graph) == (1, 0, 2 * 2 * 5 * 5 * 8)


def test_a_learned_number_in_a_gate_is_counted(tmp_path: Path) -> None:
    nodes = [
        node("Mul", "x", "own.beta", "-> b"),
        node("Sigmoid", "b", "-> s"),
        node("Mul", "x", "s", "-> y"),
    ]
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"own.beta": np.array(2.5, np.float32)}, ROWS)
    )
    assert summed_counts(layer_graph) == (1, 0, 0)


def test_a_learned_exponent_is_counted(tmp_path: Path) -> None:
    nodes = [
        node("Pow", "x", "pool.p", "-> a"),
        node("GlobalAveragePool", "a", "-> m"),
        node("Reciprocal", "pool.p", "-> r"),
        node("Pow", "m", "r", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"pool.p": np.array([3], np.float32)}))
    assert summed_counts(layer_graph) == (1, 0, 0)
    proved_spec(layer_graph)


def test_the_scale_of_a_quantizer_is_not_a_parameter(tmp_path: Path) -> None:
    nodes = [
        node("DynamicQuantizeLinear", "x", "-> q", "-> s", "-> z"),
        node("MatMulInteger", "q", "w", "z", "-> i"),
        node("Cast", "i", "-> f", to=TensorProto.FLOAT),
        node("Mul", "s", "fc.weight_scale", "-> both"),
        node("Mul", "f", "both", "-> y"),
    ]
    weights: dict[str, np.ndarray] = {
        "w": np.ones((8, 3), np.int8),
        "fc.weight_scale": np.array(0.5, np.float32),
    }
    made = model(nodes, weights, ROWS)
    made.producer_name = "onnx.quantize"
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST, 0, MACS)


LAYERED: dict[str, Any] = {
    "a bias of Gemm": ([node("Gemm", "x", "w", "b", "-> y")], {"w": (8, 1), "b": (1,)}, (1, 8)),
    "a bias of Gemm for all": (
        [node("Gemm", "x", "w", "b", "-> y")], {"w": (8, 3), "b": (1,)}, (1, 8),
    ),
    "a matrix": ([node("MatMul", "x", "w", "-> y")], {"w": (1, 1)}, (1, 5, 1)),
    "a filter": ([node("Conv", "x", "w", "-> y")], {"w": (1, 1, 1, 1)}, (1, 1, 5, 5)),
    "a slope": ([node("PRelu", "x", "w", "-> y")], {"w": (1,)}, (1, 8, 5, 5)),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERED)
def test_a_single_number_of_a_layer_is_learned_for_every_exporter(
    tmp_path: Path, name: str
) -> None:
    nodes, weights, dims = LAYERED[name]
    made = model(nodes, {key: array(*one) for key, one in weights.items()}, dims)
    made.producer_name = "tf2onnx"
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph)[0] == sum(int(np.prod(weight)) for weight in weights.values())
    assert layer_graph.notes == ()


def test_a_norm_of_one_channel_learns_a_scale_of_1(tmp_path: Path) -> None:
    weights = {"s": np.ones(1, np.float32), "b": np.zeros(1, np.float32)}
    weights |= {"m": array(1), "v": array(1)}
    made = model([node("BatchNormalization", "x", *weights, "-> y")], weights, (1, 1, 5, 5))
    assert summed_counts(imported_graph(tmp_path, made)) == (1 + 1, 1 + 1, 0)


def test_weights_that_the_exporter_records_as_buffers_are_not_params(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x", "blur", "-> a", group=8),
        node("Conv", "a", "fixed", "b", "-> c"),
        node("Conv", "c", "fixed", "-> d"),
        node("ConvTranspose", "d", "wide", "e", "-> f"),
        node("GlobalAveragePool", "f", "-> g"),
        node("Flatten", "g", "-> h"),
        node("Gemm", "h", "matrix", "i", "-> y", transB=1),
    ]
    weights = {"blur": array(8, 1, 3, 3), "fixed": array(8, 8, 1, 1), "wide": array(8, 4, 2, 2)}
    kinds = dict.fromkeys((*weights, "matrix"), "BUFFER") | dict.fromkeys("bei", "PARAMETER")
    weights |= {"matrix": array(6, 4), "b": array(8), "e": array(4), "i": array(6)}
    layer_graph = imported_graph(tmp_path, signed(model(nodes, weights), **kinds))
    macs = 8 * 9 * 10 * 8 + 2 * 8 * 8 * 10 * 8 + 8 * 4 * 2 * 2 * 10 * 8 + 4 * 6
    assert summed_counts(layer_graph) == (8 + 4 + 6, 8 * 9 + 8 * 8 + 8 * 4 * 2 * 2 + 6 * 4, macs)
    small, large = "Shape(channels=8, size=(10, 8))", "Shape(channels=4, size=(11, 9))"
    assert layer_texts(layer_graph)[:4] == [
        "depthwise kernel=3 buffer=True → 10×8×8",
        "conv filters=8 kernel=1 bias=True buffer=True → 10×8×8",
        f"custom what=conv with buffers as weights params=0 macs=5120 input={small} → 10×8×8",
        (
            "custom what=transposed_conv with buffers as weights params=0 macs=10240 "
            f"output={large} input={small} buffers=128 → 11×9×4"
        ),
    ]
    proved_spec(layer_graph)


def test_learned_bounds_are_params(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x", "w", "-> a"),
        node("Max", "a", "low", "-> b"),
        node("Min", "b", "high", "-> c"),
        node("Clip", "gain", "", "most", "-> g"),
        node("Mul", "c", "g", "-> y"),
    ]
    weights = {"w": array(8, 6), "low": array(6), "high": array(1), "gain": array()}
    kinds = dict.fromkeys(weights, "PARAMETER")
    weights["most"] = np.array(4, np.float32)
    layer_graph = imported_graph(tmp_path, signed(model(nodes, weights, ROWS), **kinds))
    assert summed_counts(layer_graph) == (8 * 6 + 6 + 1 + 1, 0, 5 * 8 * 6)
    assert layer_graph.notes == ()
    proved_spec(layer_graph)


def test_a_tensor_that_the_code_creates_is_not_a_param(tmp_path: Path) -> None:
    made = meeting("Add", "zeros_like", (5, 8))
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST + 5 * 8, 0, MACS)
    # The key with which PyTorch's newer exporter describes a node.
    made.graph.node[0].metadata_props.add(key="pkg.torch.onnx.fx_node", value="%add")
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST, 0, MACS)
    signed(made, zeros_like="PARAMETER")
    assert summed_counts(imported_graph(tmp_path, made)) == (LAST + 5 * 8, 0, MACS)


@pytest.mark.parametrize(("op", "dims"), [("GatherND", (1, 7, 1)), ("GatherElements", (1, 16))])
def test_a_table_whose_elements_the_input_selects_is_learned(
    tmp_path: Path, op: str, dims: tuple[int, ...]
) -> None:
    made = model([node(op, "w", "x", "-> y")], {"w": array(50, 16)}, inputs={"x": dims})
    made.graph.input[0].type.tensor_type.elem_type = 7
    layer_graph = imported_graph(tmp_path, made)
    assert (summed_counts(layer_graph), layer_graph.gaps) == ((50 * 16, 0, 0), ())


def test_the_values_of_a_one_hot_are_no_params(tmp_path: Path) -> None:
    nodes = [node("OneHot", "x", "depth", "values", "-> h"), node("MatMul", "h", "w", "-> y")]
    stored = {"depth": np.array(50), "values": array(2), "w": array(50, 16)}
    made = model(nodes, stored, inputs={"x": (1, 7)})
    made.graph.input[0].type.tensor_type.elem_type = 7
    layer_graph = imported_graph(tmp_path, made)
    assert (summed_counts(layer_graph), layer_graph.gaps) == ((50 * 16, 0, 7 * 50 * 16), ())
