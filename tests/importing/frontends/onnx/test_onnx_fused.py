"""Operators that ONNX Runtime's optimizer and quantizer write: what each stands for is counted."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import array, imported_graph, ints, layer_texts, model, node, summed_counts

from convcost.importing.frontends.onnx import read
from convcost.model.errors import ConstraintError

DOMAIN = "com.microsoft"
ROWS, WIDTH = 10, 24
PAIRS = 2 * ROWS * ROWS * WIDTH  # macs of attention in any number of heads
SCALE = {"s": np.float32(0.1), "z": np.int8(0)}


def fused(op, *names, **attributes):
    return node(op, *names, domain=DOMAIN, **attributes)


def bytes_of(*dims):
    return np.ones(dims, np.int8)


NORM = {"g": array(WIDTH), "b": array(WIDTH), "c": array(WIDTH)}

# name: nodes, weights, layers, (params, buffers, macs)
TABLE: dict[str, Any] = {
    "DynamicQuantizeMatMul": (
        [fused("DynamicQuantizeMatMul", "x", "w", "s", "z", "b", "-> y")],
        {"w": bytes_of(WIDTH, 8), "b": array(8), **SCALE},
        ["linear features=8 each_position=True → 10×8"],
        (WIDTH * 8 + 8, 0, ROWS * WIDTH * 8),
    ),
    "MatMulIntegerToFloat": (
        [
            node("DynamicQuantizeLinear", "x", "-> q", "xs", "xz"),
            fused("MatMulIntegerToFloat", "q", "w", "xs", "s", "xz", "z", "-> y"),
        ],
        {"w": bytes_of(WIDTH, 8), **SCALE},
        ["linear features=8 bias=False each_position=True → 10×8"],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "MatMulNBits of 4 bits": (
        [fused("MatMulNBits", "x", "w", "s", "-> y", K=WIDTH, N=8, bits=4, block_size=16)],
        {"w": np.zeros((8, 2, 8), np.uint8), "s": array(8 * 2)},
        ["linear features=8 bias=False each_position=True → 10×8"],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "MatMulNBits of 8 bits with a bias": (
        [
            fused(
                "MatMulNBits",
                "x",
                "w",
                "s",
                "",
                "",
                "b",
                "-> y",
                K=WIDTH,
                N=8,
                bits=8,
                block_size=24,
            )
        ],
        {"w": np.zeros((8, 1, WIDTH), np.uint8), "s": array(8), "b": array(8)},
        ["linear features=8 each_position=True → 10×8"],
        (WIDTH * 8 + 8, 0, ROWS * WIDTH * 8),
    ),
    "FusedMatMul that turns its weights": (
        [fused("FusedMatMul", "x", "w", "-> y", transB=1)],
        {"w": array(8, WIDTH)},
        ["linear features=8 bias=False each_position=True → 10×8"],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "TransposeMatMul": (
        [fused("TransposeMatMul", "x", "w", "-> y", transB=1)],
        {"w": array(8, WIDTH)},
        ["linear features=8 bias=False each_position=True → 10×8"],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "RotaryEmbedding": (
        [
            node("MatMul", "x", "w", "-> q"),
            fused("RotaryEmbedding", "q", "at", "cos", "sin", "-> y", num_heads=2),
        ],
        {"w": array(WIDTH, 8), "at": ints(0), "cos": array(64, 2), "sin": array(64, 2)},
        [
            "linear features=8 bias=False each_position=True → 10×8",
            "custom what=rotary embedding params=0 macs=0 → 10×8",
        ],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "SkipGroupNorm": (
        [
            node("MatMul", "x", "w", "-> q"),
            node("Unsqueeze", "q", "first", "-> r"),
            fused("SkipGroupNorm", "r", "g", "b", "r", "-> y", groups=2, activation=0),
        ],
        {"w": array(WIDTH, 8), "first": ints(1), "g": array(8), "b": array(8)},
        [
            "linear features=8 bias=False each_position=True → 10×8",
            "reshape shape=Shape(channels=8, size=(1, 10)) → 1×10×8",
            "add → 1×10×8",
            "group_norm groups=2 → 1×10×8",
        ],
        (WIDTH * 8 + 2 * 8, 0, ROWS * WIDTH * 8),
    ),
    "GemmFastGelu": (
        [fused("GemmFastGelu", "x", "w", "b", "-> y")],
        {"w": array(WIDTH, 8), "b": array(8)},
        ["linear features=8 each_position=True → 10×8", "gelu → 10×8"],
        (WIDTH * 8 + 8, 0, ROWS * WIDTH * 8),
    ),
    "Attention": (
        [fused("Attention", "x", "w", "b", "-> y", num_heads=4)],
        {"w": array(WIDTH, 3 * WIDTH), "b": array(3 * WIDTH)},
        [
            "linear features=72 each_position=True → 10×72",
            "slice length=24 → 10×24",
            "slice length=24 start=24 → 10×24",
            "slice length=24 start=48 → 10×24",
            "attention heads=4 → 10×24",
        ],
        (WIDTH * 72 + 72, 0, ROWS * WIDTH * 72 + PAIRS),
    ),
    "QAttention": (
        [
            node("DynamicQuantizeLinear", "x", "-> q", "xs", "xz"),
            fused("QAttention", "q", "w", "b", "xs", "s", "", "xz", "z", "-> y", num_heads=4),
        ],
        {"w": bytes_of(WIDTH, 3 * WIDTH), "b": array(3 * WIDTH), **SCALE},
        [
            "linear features=72 each_position=True → 10×72",
            "slice length=24 → 10×24",
            "slice length=24 start=24 → 10×24",
            "slice length=24 start=48 → 10×24",
            "attention heads=4 → 10×24",
        ],
        (WIDTH * 72 + 72, 0, ROWS * WIDTH * 72 + PAIRS),
    ),
    "MultiHeadAttention with biases": (
        [
            node("MatMul", "x", "w", "-> m"),
            fused("MultiHeadAttention", "m", "m", "m", "b", "-> y", num_heads=4),
        ],
        {"w": array(WIDTH, WIDTH), "b": array(3 * WIDTH)},
        [
            "linear features=24 bias=False each_position=True → 10×24",
            *["scale factor=False shift=True → 10×24"] * 3,
            "attention heads=4 → 10×24",
        ],
        (WIDTH * WIDTH + 3 * WIDTH, 0, ROWS * WIDTH * WIDTH + PAIRS),
    ),
    "SkipLayerNormalization with a bias": (
        [fused("SkipLayerNormalization", "x", "x", "g", "b", "c", "-> y")],
        NORM,
        ["add → 10×24", "scale factor=False shift=True → 10×24", "layer_norm → 10×24"],
        (3 * WIDTH, 0, 0),
    ),
    "SkipSimplifiedLayerNormalization": (
        [
            fused("SkipSimplifiedLayerNormalization", "x", "x", "g", "-> n", "", "", "t"),
            node("Add", "n", "t", "-> y"),
        ],
        NORM,
        ["add → 10×24", "rms_norm → 10×24", "add → 10×24"],
        (WIDTH, 0, 0),
    ),
    "BiasGelu": (
        [node("MatMul", "x", "w", "-> m"), fused("BiasGelu", "m", "b", "-> y")],
        {"w": array(WIDTH, WIDTH), **NORM},
        ["linear features=24 each_position=True → 10×24", "gelu → 10×24"],
        (WIDTH * WIDTH + WIDTH, 0, ROWS * WIDTH * WIDTH),
    ),
    "QLinearAdd of a bias": (
        [
            node("QuantizeLinear", "x", "s", "z", "-> q"),
            node("QLinearMatMul", "q", "s", "z", "w", "s", "z", "s", "z", "-> m"),
            fused("QLinearAdd", "m", "s", "z", "b8", "s", "z", "s", "z", "-> a"),
            node("DequantizeLinear", "a", "s", "z", "-> y"),
        ],
        {"w": bytes_of(WIDTH, WIDTH), "b8": bytes_of(WIDTH), **SCALE},
        ["linear features=24 each_position=True → 10×24"],
        (WIDTH * WIDTH + WIDTH, 0, ROWS * WIDTH * WIDTH),
    ),
    "integers that are scaled for each feature": (
        [
            node("DynamicQuantizeLinear", "x", "-> q", "xs", "xz"),
            node("MatMulInteger", "q", "w", "xz", "z", "-> i"),
            node("Cast", "i", "-> m", to=1),
            node("Mul", "xs", "ws", "-> scale"),
            node("Mul", "m", "scale", "-> y"),
        ],
        {"w": bytes_of(WIDTH, 8), "ws": array(8), "z": np.int8(0)},
        ["linear features=8 bias=False each_position=True → 10×8"],
        (WIDTH * 8, 0, ROWS * WIDTH * 8),
    ),
    "QOrderedMatMul": (
        [fused("QOrderedMatMul", "x", "s", "w", "s", "s", "b", "-> y")],
        {"w": bytes_of(WIDTH, 8), "b": array(8), **SCALE},
        ["linear features=8 each_position=True → 10×8"],
        (WIDTH * 8 + 8, 0, ROWS * WIDTH * 8),
    ),
    "QOrderedLayerNormalization": (
        [fused("QOrderedLayerNormalization", "x", "s", "g", "b", "s", "-> y")],
        {**NORM, **SCALE},
        ["layer_norm → 10×24"],
        (2 * WIDTH, 0, 0),
    ),
    "GroupQueryAttention of one packed tensor": (
        [
            node("MatMul", "x", "w", "-> qkv"),
            fused(
                "GroupQueryAttention",
                "qkv",
                "",
                "",
                "",
                "",
                "n",
                "t",
                "-> y",
                num_heads=4,
                kv_num_heads=2,
            ),
        ],
        {"w": array(WIDTH, 2 * WIDTH), "n": np.int32(9), "t": np.int32(10)},
        [
            "linear features=48 bias=False each_position=True → 10×48",
            "slice length=24 → 10×24",
            "slice length=12 start=24 → 10×12",
            "slice length=12 start=36 → 10×12",
            "attention heads=4 → 10×24",
        ],
        (WIDTH * 2 * WIDTH, 0, ROWS * WIDTH * 2 * WIDTH + PAIRS),
    ),
    "MoE": (
        [fused("MoE", "x", "r", "w1", "b1", "w2", "b2", "-> y", k=2)],
        {
            "r": array(ROWS, 4),
            "w1": array(4, 48, WIDTH),
            "b1": array(4, 48),
            "w2": array(4, WIDTH, 48),
            "b2": array(4, WIDTH),
        },
        [
            (
                f"custom what=experts params={4 * (2 * 48 * WIDTH + 48 + WIDTH)} "
                f"macs={ROWS * 2 * 2 * 48 * WIDTH} input=Shape(channels=24, size=(10,)) → 10×24"
            )
        ],
        (4 * (2 * 48 * WIDTH + 48 + WIDTH), 0, ROWS * 2 * 2 * 48 * WIDTH),
    ),
    "QMoE of 4 bits": (
        [fused("QMoE", "x", "r", "w1", "s1", "", "w2", "s2", "-> y", k=1)],
        {
            "r": array(ROWS, 4),
            "w1": np.zeros((4, 48, WIDTH // 2), np.uint8),
            "s1": array(4, 48),
            "w2": np.zeros((4, WIDTH, 48 // 2), np.uint8),
            "s2": array(4, WIDTH),
        },
        [
            (
                f"custom what=experts params={4 * 2 * 48 * WIDTH} macs={ROWS * 2 * 48 * WIDTH} "
                "input=Shape(channels=24, size=(10,)) → 10×24"
            )
        ],
        (4 * 2 * 48 * WIDTH, 0, ROWS * 2 * 48 * WIDTH),
    ),
    "FastGelu without a bias": (
        [node("MatMul", "x", "w", "-> m"), fused("FastGelu", "m", "-> y")],
        {"w": array(WIDTH, WIDTH)},
        ["linear features=24 bias=False each_position=True → 10×24", "gelu → 10×24"],
        (WIDTH * WIDTH, 0, ROWS * WIDTH * WIDTH),
    ),
}


@pytest.mark.parametrize("name", TABLE)
def test_a_fused_operator_is_counted_as_the_operators_it_replaces(name, tmp_path):
    nodes, weights, layers, expected = TABLE[name]
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, ROWS, WIDTH)))
    assert (layer_texts(layer_graph), summed_counts(layer_graph)) == (layers, expected)


def test_a_quantized_lstm_is_an_lstm(tmp_path):
    weights = {"w": bytes_of(1, 64, 128), "r": bytes_of(1, 32, 128), "b": array(1, 256),
               "ws": array(1), "rs": array(1)}  # fmt: skip
    names = ("x", "w", "r", "b", "", "", "", "", "ws", "", "rs", "", "-> y")
    nodes = [fused("DynamicQuantizeLSTM", *names, hidden_size=32)]
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (50, 1, 64)))
    assert summed_counts(layer_graph) == (
        4 * 32 * (64 + 32) + 2 * 4 * 32,
        0,
        50 * 4 * 32 * (64 + 32),
    )


def test_embeddings_that_are_normalized_are_three_tables_and_a_norm(tmp_path):
    tables = {"words": array(30, WIDTH), "places": array(16, WIDTH), "kinds": array(2, WIDTH)}
    names = ("x", "x", "words", "places", "kinds", "g", "b", "-> y", "mask")
    nodes = [fused("EmbedLayerNormalization", *names)]
    layer_graph = imported_graph(tmp_path, model(nodes, {**tables, **NORM}, (1, ROWS)))
    assert summed_counts(layer_graph) == ((30 + 16 + 2) * WIDTH + 2 * WIDTH, 0, 0)


def test_packed_weights_are_noted_with_their_bytes(tmp_path):
    nodes, weights, _, _ = TABLE["MatMulNBits of 4 bits"]
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, ROWS, WIDTH)))
    assert layer_graph.notes == (
        (
            "16 numbers of the file are used as scales or zero points, and not counted as params: "
            "`s` (16)"
        ),
        "stored numbers of layers: 192 as uint4 (128 bytes)",
    )


def test_weights_of_an_unknown_operator_are_counted_if_they_are_integers_too(tmp_path):
    made = model(
        [fused("Mystery", "x", "w", "axes", "-> m"), node("Relu", "m", "-> y")],
        {"w": bytes_of(WIDTH, 8), "axes": ints(1, 2)},
        (1, ROWS, WIDTH),
    )
    made.graph.value_info.add(name="m").type.CopyFrom(made.graph.input[0].type)
    layer_graph = imported_graph(tmp_path, made)
    assert layer_graph.layers[0].uncounted
    assert summed_counts(layer_graph)[0] == WIDTH * 8
    assert layer_graph.notes == ("stored numbers of layers: 192 as int8 (192 bytes)",)


def test_windows_over_channels_last_are_as_ever(tmp_path):
    nodes = [
        fused("NhwcConv", "x", "w", "b", "-> c", pads=[1] * 4),
        fused("NhwcMaxPool", "c", "-> y", kernel_shape=[2, 2], strides=[2, 2]),
    ]
    weights = {"w": array(4, 8, 3, 3), "b": array(4)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 12, 10, 8)))
    layers = ["conv filters=4 kernel=3 padding=1 bias=True → 12×10×4", "max_pool kernel=2 → 6×5×4"]
    assert layer_texts(layer_graph)[-2:] == layers
    assert summed_counts(layer_graph) == (4 * 8 * 9 + 4, 0, 4 * 8 * 9 * 12 * 10)


def test_a_fused_convolution_adds_a_tensor_before_its_activation(tmp_path):
    nodes = [
        node("Conv", "x", "w", "-> c"),
        fused("FusedConv", "x", "w2", "b", "c", "-> y", activation="Relu"),
    ]
    weights = {"w": array(8, 8, 1, 1), "w2": array(8, 8, 1, 1), "b": array(8)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 8, 12, 10)))
    kinds = [layer.kind for layer in layer_graph.layers]
    assert kinds == ["conv", "conv", "add", "relu"]


def test_quantized_embeddings_are_tables_and_a_norm(tmp_path):
    tables = {"words": bytes_of(30, WIDTH), "places": bytes_of(16, WIDTH)}
    names = ("x", "", "words", "places", "", "g8", "b8", "", "s", "s", "", "s", "s", "-> y")
    weights = {**tables, "g8": bytes_of(WIDTH), "b8": bytes_of(WIDTH), **SCALE}
    made = model([fused("QEmbedLayerNormalization", *names)], weights, (1, ROWS))
    assert summed_counts(imported_graph(tmp_path, made)) == ((30 + 16) * WIDTH + 2 * WIDTH, 0, 0)


def int4(name, *dims):
    return helper.make_tensor(
        name, TensorProto.INT4, dims, bytes(int(np.prod(dims)) // 2), raw=True
    )


def test_blocks_of_four_bits_are_weights_and_their_scales_are_none(tmp_path):
    nodes = [
        node("DequantizeLinear", "w", "s", "-> f", axis=0, block_size=8),
        node("MatMul", "x", "f", "-> y"),
    ]
    made = model(nodes, {"s": array(3, 8)}, (1, ROWS, WIDTH), opset=21)
    made.graph.initializer.append(int4("w", WIDTH, 8))
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (WIDTH * 8, 0, ROWS * WIDTH * 8)
    assert layer_graph.notes == (
        (
            "24 numbers of the file are used as scales or zero points, and not counted as params: "
            "`s` (24)"
        ),
        "stored numbers of layers: 192 as int4 (96 bytes)",
    )


def test_numbers_of_the_code_are_none_of_a_quantized_model_either(tmp_path):
    nodes = [
        node("DequantizeLinear", "w", "s", "-> f"),
        node("Conv", "x", "f", "-> c"),
        node("DequantizeLinear", "half", "s", "-> h"),
        node("Mul", "c", "h", "-> y"),
    ]
    weights = {"w": bytes_of(4, 8, 1, 1), "half": np.int8(5), "s": np.float32(0.1)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 8, 12, 10)))
    assert [layer.kind for layer in layer_graph.layers] == ["conv"]


UNKNOWN = [
    *("DecoderMaskedMultiHeadAttention", "DecoderMaskedSelfAttention", "DecoderAttention"),
    *("PackedAttention", "PackedMultiHeadAttention", "LongformerAttention", "SparseAttention"),
    *("QOrderedAttention", "QLinearReduceMean", "QLinearWhere", "MatMulFpQ4"),
    *("WordConvEmbedding", "GatedRelativePositionBias", "Attention", "GroupQueryAttention"),
]


@pytest.mark.parametrize("weights", [bytes_of(WIDTH, 8), array(WIDTH, 8)], ids=["int8", "float"])
@pytest.mark.parametrize("op", UNKNOWN)
def test_weights_of_an_operator_that_is_not_counted_are_its_params(op, weights, tmp_path):
    """As its form is not one that convcost knows."""
    nodes = [fused(op, "x", "w", "w", "w", "x", "w", "-> m"), node("Relu", "m", "-> y")]
    made = model(nodes, {"w": weights}, (1, ROWS, WIDTH))
    made.graph.value_info.add(name="m").type.CopyFrom(made.graph.input[0].type)
    layer_graph = imported_graph(tmp_path, made)
    assert layer_graph.layers[0].uncounted
    assert summed_counts(layer_graph)[0] == WIDTH * 8


def test_a_file_for_one_processor_says_what_to_do(tmp_path):
    made = model([node("Conv", "x", "w", "-> y", domain="com.microsoft.nchwc")],
                 {"w": array(8, 8, 1, 1)})  # fmt: skip
    with pytest.raises(ConstraintError) as refusal:
        imported_graph(tmp_path, made)
    assert refusal.value.help == (
        "ONNX Runtime optimized this file for one processor: import the original file, or save it "
        "with ORT_ENABLE_EXTENDED instead of ORT_ENABLE_ALL"
    )


QKV = [node("MatMul", "x", f"w{side}", f"-> {side}") for side in "qkv"]
SIDES = {f"w{side}": array(WIDTH, WIDTH) for side in "qkv"}
MASKED: dict[str, Any] = {
    "standard": node("Attention", "q", "k", "v", "t", "-> y", q_num_heads=4, kv_num_heads=4),
    "without projections": fused("MultiHeadAttention", "q", "k", "v", "", "", "t", "-> y",
                                 num_heads=4),
}  # fmt: skip


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("name", MASKED)
def test_a_table_that_attention_adds_to_its_scores_is_learned(name, heads, tmp_path):
    stored = {**SIDES, "t": array(1, heads, ROWS, ROWS)}
    layer_graph = imported_graph(tmp_path, model([*QKV, MASKED[name]], stored, (1, ROWS, WIDTH)))
    params = 3 * WIDTH * WIDTH + heads * ROWS * ROWS
    assert summed_counts(layer_graph) == (params, 0, ROWS * 3 * WIDTH * WIDTH + PAIRS)


def test_a_table_that_attention_with_projections_adds_is_learned(tmp_path):
    nodes = [fused("Attention", "x", "w", "b", "", "", "t", "-> y", num_heads=4)]
    stored = {"w": array(WIDTH, 3 * WIDTH), "b": array(3 * WIDTH), "t": array(1, 4, ROWS, ROWS)}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, ROWS, WIDTH)))
    params = WIDTH * 3 * WIDTH + 3 * WIDTH + 4 * ROWS * ROWS
    assert summed_counts(layer_graph) == (params, 0, ROWS * 3 * WIDTH * WIDTH + PAIRS)


def test_a_mask_of_the_code_that_attention_adds_is_not_a_param(tmp_path):
    mask = helper.make_node("Constant", [], ["t"], value=numpy_helper.from_array(array(ROWS, ROWS)))
    made = model([mask, *QKV, MASKED["standard"]], SIDES, (1, ROWS, WIDTH))
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph)[0] == 3 * WIDTH * WIDTH
    assert layer_graph.layers[-1].kind == "attention"
    assert layer_graph.notes == (
        f"{ROWS * ROWS} numbers of the file are constant, and not counted as params: `t` (100)",
    )


SCORES = [*QKV, node("Transpose", "k", "-> kt", perm=[0, 2, 1]), node("MatMul", "q", "kt", "-> s")]
ADDED = [*SCORES, node("Add", "s", "t", "-> m"), node("Softmax", "m", "-> p"),
         node("MatMul", "p", "v", "-> y")]  # fmt: skip


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("lowest", [-np.inf, -1e9, -1e4])
@pytest.mark.parametrize("nodes", [ADDED, [*QKV, MASKED["standard"]]])
def test_a_stored_mask_of_zeros_and_one_large_negative_number_is_not_a_param(
    nodes, lowest, external, tmp_path
):
    """It has no name of a mask, and perhaps a file of its own."""
    mask = np.where(np.tri(ROWS), 0, lowest).astype(np.float32)[None]
    made = model(nodes, {**SIDES, "t": mask}, (1, ROWS, WIDTH))
    path = tmp_path / "model.onnx"
    onnx.save(made, path, save_as_external_data=external, size_threshold=0)
    layer_graph = read(path)
    params, macs = 3 * WIDTH * WIDTH, ROWS * 3 * WIDTH * WIDTH + PAIRS
    assert summed_counts(layer_graph) == (params, 0, macs)
    assert layer_graph.layers[-1].kind == "attention"
    assert layer_graph.notes == (
        "100 numbers of the file are masks, and not counted as params: `t` (100)",
    )


def test_a_mask_with_distances_is_not_a_param(tmp_path):
    """As in attention with linear biases: −∞ above the diagonal, and the distance below it."""
    distances = np.arange(ROWS) - np.arange(ROWS)[:, None]
    table = np.where(distances > 0, -np.inf, distances).astype(np.float32)[None]
    layer_graph = imported_graph(tmp_path, model(ADDED, {**SIDES, "t": table}, (1, ROWS, WIDTH)))
    assert summed_counts(layer_graph)[0] == 3 * WIDTH * WIDTH


@pytest.mark.parametrize("numbers", [(0, -1e4, 1), (0, -999, -999), (-1e4, -1e5, 0), (1, -1e4, 1)])
def test_a_stored_table_of_other_numbers_is_learned(numbers, tmp_path):
    table = np.resize(np.array(numbers, np.float32), (1, ROWS, ROWS))
    layer_graph = imported_graph(tmp_path, model(ADDED, {**SIDES, "t": table}, (1, ROWS, WIDTH)))
    assert summed_counts(layer_graph)[0] == 3 * WIDTH * WIDTH + ROWS * ROWS


def test_a_learned_score_of_grouped_attention_is_a_param_of_an_uncounted_layer(tmp_path):
    inputs = ("q", "k", "v", "", "", "n", "n", "", "", "", "", "sink")
    nodes = [*QKV, fused("GroupQueryAttention", *inputs, "-> y", num_heads=4, kv_num_heads=4)]
    stored = {**SIDES, "n": np.array([ROWS - 1], np.int32), "sink": array(4)}
    made = model(nodes, stored, (1, ROWS, WIDTH))
    made.graph.output[0].type.CopyFrom(made.graph.input[0].type)
    layer_graph = imported_graph(tmp_path, made)
    assert layer_graph.layers[-1].uncounted
    assert summed_counts(layer_graph)[0] == 3 * WIDTH * WIDTH + 4


@pytest.mark.parametrize("past", [False, True])
def test_tables_of_rotary_positions_are_not_params(past, tmp_path):
    inputs = ("q", "k", "v", *(("x", "x") if past else ("", "")), "n", "n", "cos", "sin")
    nodes = [*QKV, fused("GroupQueryAttention", *inputs, "-> y", num_heads=4, kv_num_heads=4)]
    tables = {"cos": array(16, 3), "sin": array(16, 3)}
    stored = {**SIDES, "n": np.array([ROWS - 1], np.int32), **tables}
    made = model(nodes, stored, (1, ROWS, WIDTH))
    made.graph.output[0].type.CopyFrom(made.graph.input[0].type)
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph)[0] == 3 * WIDTH * WIDTH
    assert layer_graph.notes == (
        (
            "96 numbers of the file are tables of rotary positions, and not counted as params: "
            "`cos` (48), `sin` (48)"
        ),
    )
    assert layer_graph.gaps == ()


def test_integers_and_attributes_that_an_unknown_operator_reads_are_named(tmp_path):
    nodes = [fused("MatMulFpQ4", "x", "w", "-> m", table=[0.5] * 17), node("Relu", "m", "-> y")]
    made = model(nodes, {"w": np.ones(640, np.uint8)}, (1, ROWS, WIDTH))
    made.graph.value_info.add(name="m").type.CopyFrom(made.graph.input[0].type)
    layer_graph = imported_graph(tmp_path, made)
    lost = "left out: 17 numbers in attributes of MatMulFpQ4 `m`"
    assert layer_graph.gaps == (lost,)
    assert layer_graph.notes == (
        lost,
        (
            "640 numbers of the file are integers that an uncounted operator reads, and not "
            "counted as params: `w` (640)"
        ),
    )


def test_integers_of_two_bytes_are_weights_of_an_unknown_operator(tmp_path):
    nodes = [fused("MatMulInteger16", "x", "w", "-> m"), node("Relu", "m", "-> y")]
    made = model(nodes, {"w": np.ones((WIDTH, WIDTH), np.int16)}, (1, ROWS, WIDTH))
    made.graph.value_info.add(name="m").type.CopyFrom(made.graph.input[0].type)
    assert summed_counts(imported_graph(tmp_path, made))[0] == WIDTH * WIDTH
