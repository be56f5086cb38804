"""Models whose numbers are easily counted wrong: the expected params and macs are products."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from onnx_models import FLOAT, array, imported_graph, ints, model, node, summed_counts

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.model.errors import ConstraintError

BF16 = TensorProto.BFLOAT16
HEADS = (1, 2, 5, 8)
SCORES = [
    node("Transpose", "k", "-> kt", perm=[0, 1, 3, 2]),
    node("MatMul", "q", "kt", "-> s"),
    node("Softmax", "s", "-> p"),
    node("MatMul", "p", "v", "-> y"),
]
PRODUCT = 2 * 5 * 5 * 8  # of two heads, 5 queries, 5 keys, each of 8


INTEGERS: dict[str, Any] = {
    "dense": (
        [node("MatMulInteger", "q", "w", "zero", "-> c")],
        np.ones((8, 4), np.int8),
        (1, 5, 8),
        (4,),
        (8 * 4 + 4, 0, 5 * 8 * 4),
    ),
    "convolution": (
        [node("ConvInteger", "q", "w", "zero", "-> c")],
        np.ones((4, 8, 3, 3), np.int8),
        (1, 8, 12, 10),
        (1, 4, 1, 1),
        (4 * 3 * 3 * 8 + 4, 0, 4 * 3 * 3 * 8 * 10 * 8),
    ),
}


def of(made: ModelProto, kind: int) -> ModelProto:
    """The model with inputs and weights of another type."""
    for entry in made.graph.input:
        entry.type.tensor_type.elem_type = kind
    for tensor in made.graph.initializer:
        data = numpy_helper.to_array(tensor)
        if data.dtype == np.float32:
            other = helper.make_tensor(tensor.name, kind, tensor.dims, data.reshape(-1).tolist())
            tensor.CopyFrom(other)
    return made


def subgraph(name: str, op: str, *read: str) -> GraphProto:
    made = helper.make_empty_tensor_value_info(f"{name}_out")
    return helper.make_graph([helper.make_node(op, read, [made.name])], name, [], [made])


@pytest.mark.parametrize("also", ["s", "p"])
def test_scores_that_are_also_an_output_are_counted_once(tmp_path: Path, also: str) -> None:
    inputs = dict.fromkeys("qkv", HEADS)
    layer_graph = imported_graph(tmp_path, model(SCORES, inputs=inputs, outputs=["y", also]))
    assert summed_counts(layer_graph) == (0, 0, 2 * PRODUCT)


def test_a_softmax_with_two_values_has_one_product_of_scores(tmp_path: Path) -> None:
    nodes = [*SCORES, node("MatMul", "p", "w", "-> z")]
    layer_graph = imported_graph(
        tmp_path, model(nodes, inputs=dict.fromkeys("qkvw", HEADS), outputs=["y", "z"])
    )
    assert summed_counts(layer_graph) == (0, 0, 3 * PRODUCT)


def test_a_softmax_with_one_reader_is_attention(tmp_path: Path) -> None:
    layer_graph = imported_graph(tmp_path, model(SCORES, inputs=dict.fromkeys("qkv", HEADS)))
    assert "attention" in [layer.kind for layer in layer_graph.layers]
    assert "matmul" not in [layer.kind for layer in layer_graph.layers]
    assert summed_counts(layer_graph) == (0, 0, 2 * PRODUCT)


def past(domain: str, *names: str) -> ModelProto:
    inputs: dict[str, list[int | str | None]] = {name: [1, 4, 16] for name in "qkv"}
    inputs |= {"pk": [1, 2, 10, 8], "pv": [1, 2, 10, 8]}
    op = "MultiHeadAttention" if domain else "Attention"
    heads = {"num_heads": 2} if domain else {"q_num_heads": 2, "kv_num_heads": 2}
    nodes = [node(op, *names, "-> y", domain=domain, **heads)]
    made = model(nodes, inputs=inputs, opset=23)
    made.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", FLOAT, [1, 4, 16]))
    return made


@pytest.mark.parametrize(
    "made",
    [
        past("", "q", "k", "v", "", "pk", "pv"),
        past("com.microsoft", "q", "k", "v", "", "", "", "pk", "pv"),
    ],
    ids=["standard", "microsoft"],
)
def test_attention_to_keys_of_earlier_steps_is_uncounted(tmp_path: Path, made: ModelProto) -> None:
    (layer,) = imported_graph(tmp_path, made).layers
    assert (layer.kind, dict(layer.options)["macs"]) == ("custom", "uncounted")


@pytest.mark.parametrize("kind", [FLOAT, TensorProto.FLOAT16, BF16])
def test_weights_are_params_in_any_floating_type(tmp_path: Path, kind: int) -> None:
    nodes = [
        node("Transpose", "w", "-> wt"),
        node("MatMul", "x", "wt", "-> m"),
        node("Unsqueeze", "b", "at", "-> row"),
        node("Add", "m", "row", "-> y"),
    ]
    weights = {"w": array(4, 8), "b": array(4), "at": ints(0)}
    layer_graph = imported_graph(tmp_path, of(model(nodes, weights, (1, 8)), kind))
    assert summed_counts(layer_graph) == (4 * 8 + 4, 0, 4 * 8)


def signed(made: ModelProto, **kinds: str) -> ModelProto:
    """What PyTorch's newer exporter tells of tensors."""
    for name, kind in kinds.items():
        entry = helper.make_tensor_value_info(name, BF16, None)
        entry.metadata_props.add(key="pkg.torch.export.graph_signature.InputSpec.kind", value=kind)
        made.graph.value_info.append(entry)
    return made


def test_bfloat16_weights_computed_by_the_exporter_are_params(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x", "w", "-> m"), node("Add", "m", "b", "-> y")]
    made = of(model(nodes, {"w": array(8, 4), "b": array(4)}, (1, 5, 8)), BF16)
    layer_graph = imported_graph(tmp_path, signed(made, other="PARAMETER"))
    assert summed_counts(layer_graph) == (8 * 4 + 4, 0, 5 * 8 * 4)


MODULES = {
    "w": "PARAMETER",
    "gain.weight": "PARAMETER",
    "table": "PARAMETER",
    "angles": "BUFFER",
    "lifted_tensor_0": "CONSTANT_TENSOR",
}
SIGNATURE = "pkg.torch.export.ExportedProgram.graph_signature"


def folded(made: ModelProto, name: str, sources: list[str], signature: str) -> ModelProto:
    """What PyTorch's newer exporter tells of a tensor that it computed from others."""
    entry = helper.make_tensor_value_info(name, FLOAT, None)
    entry.metadata_props.add(key="pkg.onnxscript.optimizer.folded_from", value=str(sources))
    made.graph.value_info.append(entry)
    made.graph.metadata_props.add(key=SIGNATURE, value=signature)
    return made


LINES = "# inputs\n" + "".join(f"p_: {kind} target='{name}'\n" for name, kind in MODULES.items())
# Older versions write the whole signature in one line.
SPECS = ", ".join(
    f"InputSpec(kind=<InputKind.{kind}: 2>, arg=TensorArgument(name='p_'), target='{name}')"
    for name, kind in MODULES.items()
)


@pytest.mark.parametrize("signature", [LINES, SPECS], ids=["lines", "one line"])
@pytest.mark.parametrize(
    ("sources", "params", "buffers"),
    [
        (["angles", "val_1", "cos"], 0, 6 * 10 * 8),
        (["angles", "gain.weight"], 6 * 10 * 8, 0),
        (["table", "slice_1", "arange"], 6 * 10 * 8, 0),
        (["lifted_tensor_0"], 0, 0),
        (["arange", "val_3", "cos_1"], 0, 0),
        (["val_3"], 0, 0),
    ],
)
@pytest.mark.parametrize("number", [None, 1.0])
def test_a_tensor_that_the_exporter_computed_is_what_it_is_computed_from(
    tmp_path: Path, sources: list[str], params: int, buffers: int, signature: str,
    number: float | None,
) -> None:  # fmt: skip
    nodes = [node("Conv", "x", "w", "-> c"), node("Mul", "c", "hann", "-> y")]
    table = array(6, 10, 8) + 0.5 if number is None else np.full((6, 10, 8), number, np.float32)
    made = model(nodes, {"w": array(6, 8, 1, 1), "hann": table}, (1, 8, 10, 8))
    layer_graph = imported_graph(tmp_path, folded(made, "hann", sources, signature))
    assert summed_counts(layer_graph)[:2] == (6 * 8 + params, buffers)


def test_a_tensor_created_in_forward_is_a_constant_input_of_concat(tmp_path: Path) -> None:
    nodes = [node("Conv", "x", "w", "-> c"), node("Concat", "c", "zero", "-> y", axis=1)]
    made = model(nodes, {"w": array(6, 8, 1, 1), "zero": array(1, 2, 10, 8)}, (1, 8, 10, 8))
    layer_graph = imported_graph(tmp_path, folded(made, "zero", ["val_1"], LINES))
    assert "constant" in [layer.kind for layer in layer_graph.layers]
    assert summed_counts(layer_graph)[:2] == (6 * 8, 0)
    assert layer_graph.notes == (
        (
            "the file does not have 2 parameters of the model (`gain.weight`, `table`): the "
            "exporter leaves out those that are not used, folds norms, and stores equal tensors "
            "once"
        ),
        "160 numbers of the file are constant, and not counted as params: `zero` (160)",
    )


@pytest.mark.parametrize("op", ["MatMul", "Gemm"])
def test_a_matrix_that_the_code_creates_is_not_a_param_of_a_product(
    op: str, tmp_path: Path
) -> None:
    made = model([node(op, "x", "ones", "-> y")], {"ones": array(8, 4)}, (1, 8))
    made.graph.node[0].metadata_props.add(key="pkg.torch.onnx.fx_node", value="%linear")
    layer_graph = imported_graph(tmp_path, made)
    assert layer_graph.layers[-1].kind == "matmul"
    assert summed_counts(layer_graph) == (0, 0, 8 * 4)
    assert layer_graph.notes == (
        "32 numbers of the file are constant, and not counted as params: `ones` (32)",
    )


@pytest.mark.parametrize(
    ("op", "dims", "macs"),
    [("Conv", (4, 3, 3, 3), 7 * 7 * 4 * 3 * 9), ("ConvTranspose", (3, 4, 3, 3), 9 * 9 * 3 * 4 * 9)],
)
def test_filters_that_the_code_creates_are_not_params_of_a_convolution(
    op: str, dims: tuple[int, ...], macs: int, tmp_path: Path
) -> None:
    made = model([node(op, "x", "ones", "-> y")], {"ones": array(*dims)}, (1, 3, 9, 9))
    made.graph.node[0].metadata_props.add(key="pkg.torch.onnx.fx_node", value="%conv")
    layer_graph = imported_graph(tmp_path, made)
    (layer,) = layer_graph.layers
    assert dict(layer.options)["what"].endswith("conv with fixed weights")
    assert summed_counts(layer_graph) == (0, 0, macs)
    assert layer_graph.notes == (
        "108 numbers of the file are constant, and not counted as params: `ones` (108)",
    )


def test_the_dims_of_a_matrix_of_the_code_are_not_among_its_numbers(tmp_path: Path) -> None:
    nodes = [node("Expand", "zero", "dims", "-> w"), node("Gemm", "x", "w", "-> y")]
    stored = {"zero": np.zeros((), np.float32), "dims": ints(8, 4)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 8)))
    assert (summed_counts(layer_graph), layer_graph.notes) == ((0, 0, 8 * 4), ())


def test_parameters_that_the_exporter_used_up_are_in_a_note(tmp_path: Path) -> None:
    """A permuted parameter is stored, and the product of two is another tensor, also if the file
    stores one of them."""
    nodes = [node("MatMul", "x", "permuted", "-> m"), node("MatMul", "m", "table", "-> n"),
             node("MatMul", "n", "other", "-> y")]  # fmt: skip
    stored = {"permuted": array(8, 6), "table": array(6, 6), "other": array(6, 4)}
    made = folded(model(nodes, stored, (1, 8)), "other", ["gain.weight", "table"], LINES)
    layer_graph = imported_graph(tmp_path, folded(made, "permuted", ["w"], ""))
    assert summed_counts(layer_graph) == (8 * 6 + 6 * 6 + 6 * 4, 0, 8 * 6 + 6 * 6 + 6 * 4)
    assert layer_graph.notes == (
        (
            "the exporter computed tensors of the file from 2 parameters of the model "
            "(`gain.weight`, `table`); convcost counts the computed tensors"
        ),
    )


def test_weights_that_the_exporter_transposed_for_each_run_are_counted_once(tmp_path: Path) -> None:
    """As a layer that runs twice. The weights of another layer have equal numbers."""
    nodes = [node("MatMul", "x", "a", "-> h"), node("MatMul", "h", "b", "-> i"),
             node("MatMul", "i", "c", "-> y")]  # fmt: skip
    made = model(nodes, dict.fromkeys("abc", array(8, 8)), (1, 8))
    for name, source in (("a", "w"), ("b", "w"), ("c", "table")):
        made = folded(made, name, [source], LINES)
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (2 * 8 * 8, 0, 3 * 8 * 8)
    assert [layer.shares for layer in layer_graph.layers] == [None, 0, None]


def test_a_tensor_that_is_computed_from_parts_of_a_buffer_is_a_constant(tmp_path: Path) -> None:
    """As the steps of a grid. The file stores none of these numbers."""
    nodes = [
        node("Slice", "grid", "one", "ten", "one", "-> a"),
        node("Slice", "grid", "zero", "nine", "one", "-> b"),
        node("Sub", "a", "b", "-> steps"),
        node("Sub", "x", "steps", "-> y"),
    ]
    stored = {"grid": array(8, 10), "zero": ints(0), "one": ints(1), "nine": ints(9)}
    made = model(nodes, {**stored, "ten": ints(10)}, (1, 8, 1))
    layer_graph = imported_graph(tmp_path, signed(made, grid="BUFFER"))
    assert [layer.kind for layer in layer_graph.layers] == ["constant", "subtract"]
    assert summed_counts(layer_graph) == (0, 0, 0)
    assert layer_graph.gaps == ()
    assert layer_graph.notes == (
        "80 numbers of the file are constant, and not counted as params: `grid` (80)",
    )


def test_a_matrix_that_the_code_of_a_pytorch_model_creates_has_no_params(tmp_path: Path) -> None:
    constant = node("Constant", "-> k", value=numpy_helper.from_array(array(8, 3)))
    nodes = [node("MatMul", "x", "w", "-> m"), constant, node("MatMul", "m", "k", "-> y")]
    made = model(nodes, {"w": array(8, 8)}, (1, 5, 8))
    made.producer_name = "pytorch"
    assert summed_counts(imported_graph(tmp_path, made)) == (8 * 8, 8 * 3, 5 * 8 * 8 + 5 * 8 * 3)


def test_a_layer_that_only_a_branch_reads_is_imported(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x", "w", "-> c"),
        node("ReduceMax", "x", "-> top", keepdims=0),
        node("Greater", "top", "zero", "-> is"),
        node("If", "is", "-> y", then_branch=subgraph("a", "Relu", "c"),
             else_branch=subgraph("b", "Neg", "c")),
    ]  # fmt: skip
    weights = {"w": array(4, 8, 3, 3), "zero": np.array(0, np.float32)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert summed_counts(layer_graph) == (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 10 * 8)


RECURRENT = {"w": array(1, 4 * 16, 8), "r": array(1, 4 * 16, 16)}
STEP = 4 * 16 * (8 + 16)


def lstm(tmp_path: Path, extents: list[int | str | None], **given: int) -> LayerGraph:
    nodes = [node("Relu", "x", "-> a"), node("LSTM", "a", "w", "r", "-> y", hidden_size=16)]
    return imported_graph(tmp_path, model(nodes, RECURRENT, extents), dims=given)


@pytest.mark.parametrize(
    ("dims", "given"),
    [
        ([10, 1, 8], {}),
        ([10, 4, 8], {}),
        (["seq", 1, 8], {"seq": 10}),
        (["seq", "batch", 8], {"seq": 10}),
        ([10, "batch", 8], {}),
    ],
)
def test_an_lstm_with_steps_before_samples_is_read(
    tmp_path: Path, dims: list[int | str | None], given: dict[str, int]
) -> None:
    layer_graph = lstm(tmp_path, dims, **given)
    assert summed_counts(layer_graph) == (STEP, 0, 10 * STEP)
    assert [layer.output.size for layer in layer_graph.layers if layer.kind == "lstm"] == [(10,)]


def test_open_steps_are_requested(tmp_path: Path) -> None:
    with pytest.raises(ConstraintError) as caught:
        lstm(tmp_path, ["seq", "batch", 8])
    assert caught.value.code == "CC405"
    assert caught.value.message == "the model leaves `seq` (axis 0 of `x`) open"


@pytest.mark.parametrize("name", ["/fc/Transpose_output_0", "head.mean", "w"])
def test_the_operand_of_a_product_is_a_weight_under_any_name(tmp_path: Path, name: str) -> None:
    nodes = [node("MatMul", "x", name, "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {name: array(8, 3)}, (1, 5, 8)))
    assert summed_counts(layer_graph) == (8 * 3, 0, 5 * 8 * 3)


def test_weights_in_constant_nodes_are_params(tmp_path: Path) -> None:
    constant = node("Constant", "-> k", value=numpy_helper.from_array(array(8, 3)))
    nodes = [node("MatMul", "x", "w", "-> m"), constant, node("MatMul", "m", "k", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {"w": array(8, 8)}, (1, 5, 8)))
    assert summed_counts(layer_graph) == (8 * 8 + 8 * 3, 0, 5 * 8 * 8 + 5 * 8 * 3)


@pytest.mark.parametrize(
    ("nodes", "bias", "params"),
    [
        ([node("Gemm", "x", "m", "b", "-> y")], array(1), 8 + 1),
        ([node("MatMul", "x", "m", "-> h"), node("Add", "h", "b", "-> y")], array(1), 8 + 1),
        ([node("MatMul", "x", "m", "-> h"), node("Add", "h", "b", "-> y")], np.float32(3), 8),
        ([node("Einsum", "x", "m", "-> y", equation="bc,cd->bd")], array(1), 8),
    ],
    ids=["gemm", "sum", "a number of the code", "einsum"],
)
@pytest.mark.parametrize("in_nodes", [False, True])
def test_the_bias_of_one_feature_is_a_param_under_any_name(
    tmp_path: Path, nodes: list[Any], bias: Any, params: int, in_nodes: bool
) -> None:
    """Also in `Constant` nodes of a file with other weights."""
    stored: dict[str, Any] = {"m": array(8, 1), "b": np.asarray(bias)}
    first = [node("Constant", f"-> {name}", value=numpy_helper.from_array(numbers))
             for name, numbers in stored.items() if in_nodes]  # fmt: skip
    more = [*first, *nodes, node("MatMul", "y", "w", "-> z")]
    weights: dict[str, Any] = {"w": array(1, 4), **({} if in_nodes else stored)}
    layer_graph = imported_graph(tmp_path, model(more, weights, (1, 8), outputs=("z",)))
    assert summed_counts(layer_graph) == (params + 4, 0, 8 + 4)


@pytest.mark.parametrize("op", ["Div", "Mul", "Sub"])
def test_a_size_that_is_cast_like_a_tensor_is_a_number_of_the_code(tmp_path: Path, op: str) -> None:
    """As PyTorch's newer exporter writes the scale of attention without its optimizer."""
    nodes = [
        node("Gemm", "x", "w", "-> h"),
        node("Shape", "h", "-> dims"),
        node("Gather", "dims", "last", "-> width"),
        node("CastLike", "width", "h", "-> number"),
        node("Sqrt", "number", "-> root"),
        node(op, "one", "root", "-> scale"),
        node("Mul", "h", "scale", "-> y"),
    ]
    stored = {"w": array(8, 4), "last": ints(-1), "one": np.asarray(np.float32(1))}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 8)))
    assert summed_counts(layer_graph) == (8 * 4, 0, 8 * 4)


def test_numbers_that_are_cast_like_an_integer_are_integers(tmp_path: Path) -> None:
    """As the positions that PyTorch's newer exporter adds to the indices of a pool."""
    nodes = [
        node("CastLike", "zero", "rows", "-> first"),
        node("CastLike", "one", "rows", "-> step"),
        node("Range", "first", "rows", "step", "-> positions"),
        node("Mul", "positions", "rows", "-> places"),
        node("Gather", "table", "places", "-> taken"),
        node("Add", "x", "taken", "-> y"),
    ]
    zero, one = (np.asarray(np.float32(number)) for number in (0, 1))
    stored = {"zero": zero, "one": one, "rows": np.array(3), "table": array(9, 8)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 3, 8)))
    assert summed_counts(layer_graph) == (9 * 8, 0, 0)


def test_the_quantized_bias_that_is_added_to_one_feature_is_a_param(tmp_path: Path) -> None:
    inputs = ("q", "s", "z", "w", "s", "z", "s", "z")
    nodes = [
        node("QuantizeLinear", "x", "s", "z", "-> q"),
        node("QLinearMatMul", *inputs, "-> p"),
        node("QLinearAdd", "p", "s", "z", "b", "s", "z", "s", "z", "-> o", domain="com.microsoft"),
        node("DequantizeLinear", "o", "s", "z", "-> y"),
    ]
    stored: dict[str, Any] = {
        "w": np.ones((8, 1), np.uint8),
        "b": np.ones(1, np.uint8),
        "s": np.asarray(np.float32(0.1)),
        "z": np.asarray(np.uint8(0)),
    }
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 5, 8)))
    assert summed_counts(layer_graph) == (8 + 1, 0, 5 * 8)


@pytest.mark.parametrize("name", INTEGERS)
def test_the_integers_that_are_added_to_a_product_of_integers_are_its_bias(
    tmp_path: Path, name: str
) -> None:
    product, weights, dims, bias, counts = INTEGERS[name]
    nodes = [
        node("DynamicQuantizeLinear", "x", "-> q", "s", "zero"),
        *product,
        node("Add", "c", "b", "-> i"),
        node("Cast", "i", "-> f", to=FLOAT),
        node("Mul", "f", "s", "-> y"),
    ]
    stored = {"w": weights, "b": np.ones(bias, np.int32)}
    assert summed_counts(imported_graph(tmp_path, model(nodes, stored, dims))) == counts


def test_integers_in_parts_that_are_dequantized_together_are_weights(tmp_path: Path) -> None:
    nodes = [
        node("Concat", "v", "w", "-> c", axis=0),
        node("DequantizeLinear", "c", "s", "-> f"),
        node("Conv", "x", "f", "-> y"),
    ]
    stored: dict[str, Any] = {name: np.ones((4, 8, 1, 1), np.int8) for name in "vw"}
    stored["s"] = np.asarray(np.float32(0.1))
    counts = (2 * 4 * 8, 0, 2 * 4 * 8 * 12 * 10)
    assert summed_counts(imported_graph(tmp_path, model(nodes, stored, (1, 8, 12, 10)))) == counts


@pytest.mark.parametrize("features", [1, 4])
def test_the_bias_of_a_quantized_gemm_is_a_param(tmp_path: Path, features: int) -> None:
    """As ONNX Runtime's quantizer writes it, with integers of 4 bytes."""
    inputs = ("q", "s", "z", "w", "s", "z", "b", "s", "z")
    nodes = [
        node("QuantizeLinear", "x", "s", "z", "-> q"),
        node("QGemm", *inputs, "-> p", domain="com.microsoft", transB=1),
        node("DequantizeLinear", "p", "s", "z", "-> y"),
    ]
    stored: dict[str, Any] = {
        "w": np.ones((features, 8), np.uint8),
        "b": np.ones(features, np.int32),
        "s": np.asarray(np.float32(0.1)),
        "z": np.asarray(np.uint8(0)),
    }
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 8)))
    assert summed_counts(layer_graph) == (features * 8 + features, 0, features * 8)


@pytest.mark.parametrize("filters", [1, 2])
def test_the_quantized_bias_of_one_filter_is_a_param_under_any_name(
    tmp_path: Path, filters: int
) -> None:
    stored: dict[str, Any] = {
        "w": np.ones((filters, 8, 3, 3), np.int8),
        "b": np.ones(filters, np.int32),
    }
    scales = {f"{name}_scale": np.ones(filters, np.float32) for name in stored}
    nodes = [
        *(node("DequantizeLinear", name, f"{name}_scale", f"-> {name}_real", axis=0)
          for name in stored),
        node("Conv", "x", "w_real", "b_real", "-> y"),
    ]  # fmt: skip
    weights = filters * 8 * 3 * 3
    layer_graph = imported_graph(tmp_path, model(nodes, stored | scales))
    assert summed_counts(layer_graph) == (weights + filters, 0, weights * 10 * 8)


def test_weights_in_a_list_of_floats_are_params(tmp_path: Path) -> None:
    nodes = [
        node("Constant", "-> list", value_floats=[0.5] * (8 * 3)),
        node("Reshape", "list", "sides", "-> k"),
        node("Constant", "-> b", value_floats=[1.0, 2.0, 3.0]),
        node("Gemm", "x", "k", "b", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"sides": np.array([8, 3])}, (1, 8)))
    assert summed_counts(layer_graph) == (8 * 3 + 3, 0, 8 * 3)
    assert layer_graph.notes == ()


def test_a_tensor_that_the_exporter_records_as_a_buffer_is_a_buffer(tmp_path: Path) -> None:
    made = model([node("MatMul", "x", "basis", "-> y")], {"basis": array(8, 3)}, (1, 5, 8))
    assert summed_counts(imported_graph(tmp_path, signed(made, basis="BUFFER"))) == (
        0,
        8 * 3,
        5 * 8 * 3,
    )


@pytest.mark.parametrize(
    ("op", "dims", "message"),
    [
        (
            "Add",
            (4, 5, 8),
            "Add `a`: `c` is for 4 samples, but the import is for one",
        ),
        (
            "MatMul",
            (4, 8, 8),
            "MatMul `a`: `c` is for 4 samples, but the import is for one",
        ),
    ],
)
def test_constants_for_several_samples_are_refused(
    tmp_path: Path, op: str, dims: tuple[int, ...], message: str
) -> None:
    nodes = [node(op, "x", "c", "-> a"), node("MatMul", "a", "w", "-> y")]
    made = model(nodes, {"c": array(*dims), "w": array(8, 3)}, (4, 5, 8))
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert (caught.value.code, caught.value.message) == ("CC405", message)


def test_a_bias_with_one_row_for_each_sample_is_accepted(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x", "w", "-> a"), node("Add", "a", "c", "-> y")]
    made = model(nodes, {"c": array(1, 4, 3), "w": array(8, 3)}, (4, 4, 8))
    assert summed_counts(imported_graph(tmp_path, made)) == (8 * 3 + 4 * 3, 0, 4 * 8 * 3)


@pytest.mark.parametrize("extent", [10**9, 2**33, 2**62])
def test_a_list_that_fills_all_memory_is_refused(tmp_path: Path, extent: int) -> None:
    one = numpy_helper.from_array(ints(1))
    nodes = [
        node("ConstantOfShape", "n", "-> ones", value=one),
        node("Mul", "ones", "minus", "-> shape"),
        node("Expand", "x", "shape", "-> y"),
    ]
    made = model(nodes, {"n": ints(extent), "minus": np.array(-1, np.int64)}, (1, 8))
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.code == "CC404"
    assert caught.value.message == (f"Expand `y` has an output of {extent:,} axes, more than 64")


@pytest.mark.parametrize("where", ["name", "location"])
def test_a_name_that_is_not_text_is_refused(tmp_path: Path, where: str) -> None:
    made = model([node("MatMul", "x", "w", "-> y", name="pr@d")], {"w": array(8, 3)}, (1, 8))
    tensor = made.graph.initializer[0]
    if where == "location":
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="pr@d")
    path = tmp_path / "model.onnx"
    path.write_bytes(made.SerializeToString().replace(b"pr@d", b"pr\xffd"))
    from convcost.importing.frontends.onnx import read

    with pytest.raises(ConstraintError) as caught:
        read(path)
    assert caught.value.code == "CC404"
    assert caught.value.message == r"the name b'pr\xffd' is not UTF-8 text"


@pytest.mark.parametrize("name", ["w", "/fc/Transpose_output_0_quantized"])
@pytest.mark.parametrize("case", INTEGERS)
def test_a_dynamically_quantized_model_is_read_in_its_float_form(
    tmp_path: Path, case: str, name: str
) -> None:
    product, weights, dims, bias, expected = INTEGERS[case]
    (quantized,) = (node(one.op_type, "q", name, "zero", "-> c") for one in product)
    nodes = [
        node("DynamicQuantizeLinear", "x", "-> q", "-> scale", "-> zero"),
        quantized,
        node("Cast", "c", "-> f", to=FLOAT),
        node("Mul", "scale", "step", "-> both"),
        node("Mul", "f", "both", "-> g"),
        node("Add", "g", "b", "-> y"),
    ]
    given: dict[str, np.ndarray] = {
        name: weights,
        "step": np.array(0.5, np.float32),
        "b": array(*bias),
    }
    assert summed_counts(imported_graph(tmp_path, model(nodes, given, dims))) == expected


def test_parts_of_a_weight_are_weights(tmp_path: Path) -> None:
    nodes = [
        node("Split", "w", "-> one", "-> two", axis=1, num_outputs=2),
        node("MatMul", "x", "one", "-> a"),
        node("MatMul", "x", "two", "-> b"),
        node("Mul", "a", "b", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"w": array(8, 6)}, (1, 5, 8)))
    assert summed_counts(layer_graph) == (8 * 6, 0, 2 * 5 * 8 * 3)
    assert not [note for note in layer_graph.notes if "in no layer" in note]


@pytest.mark.parametrize(
    ("op", "alpha", "layer"),
    [
        ("LeakyRelu", 0.2, ("leaky_relu", {"slope": Fraction(1, 5)})),
        ("LeakyRelu", 0.01, ("leaky_relu", {})),
        ("Elu", 0.5, ("elu", {"alpha": Fraction(1, 2)})),
        ("Elu", 2.0, ("elu", {"alpha": 2})),
        ("Elu", 1.0, ("elu", {})),
        ("Celu", 0.25, ("celu", {"alpha": Fraction(1, 4)})),
    ],
)
def test_the_factor_of_an_activation_stays(
    tmp_path: Path, op: str, alpha: float, layer: tuple[str, dict[str, Any]]
) -> None:
    (found,) = imported_graph(tmp_path, model([node(op, "x", "-> y", alpha=alpha)])).layers
    assert (found.kind, dict(found.options)) == layer


def test_a_norm_that_runs_twice_is_counted_once(tmp_path: Path) -> None:
    parts = ("g", "b", "m", "v")
    nodes = [
        node("BatchNormalization", "x", *parts, "-> a"),
        node("Relu", "a", "-> r"),
        node("BatchNormalization", "r", *parts, "-> y"),
    ]
    weights = {name: array(8) + at for at, name in enumerate(parts)}
    assert summed_counts(imported_graph(tmp_path, model(nodes, weights)))[:2] == (2 * 8, 2 * 8)
