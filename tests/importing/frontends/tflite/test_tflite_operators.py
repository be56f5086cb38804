"""Operators of TensorFlow Lite, one by one: the layers, and their params and macs as products."""

import struct

import numpy as np
import pytest
from onnx_models import layer_texts, summed_counts
from tflite_models import (
    RELU,
    RELU6,
    SAME,
    TANH,
    VALID,
    array,
    conv,
    imported_graph,
    ints,
    model,
    node,
)

from convcost.importing.frontends.tflite.operators import NUMBER
from convcost.model.errors import ConstraintError
from convcost.model.shape import Shape

X = (1, 12, 10, 8)
DAMAGED = "cannot be read as TensorFlow Lite: the file is truncated or damaged"
TWICE = "its permutation [0, 1, 2, 2] must have each of the 4 axes once"


def layers(folder, nodes, tensors, **more):
    return layer_texts(imported_graph(folder, model(nodes, {"x": X, **tensors}, **more)))


def refusal(folder, nodes, tensors, **more):
    with pytest.raises(ConstraintError) as caught:
        imported_graph(folder, model(nodes, {"x": X, **tensors}, **more))
    return caught.value.code, caught.value.message


def test_a_convolution_has_its_channels_last_and_its_fused_activation_is_a_layer(tmp_path):
    nodes = [conv("x", "w", "b", "-> y", Padding=SAME, StrideH=2, StrideW=2,
                  FusedActivationFunction=RELU6)]  # fmt: skip
    made = model(nodes, {"x": X, "w": array(4, 3, 3, 8), "b": array(4), "y": (1, 6, 5, 4)})
    graph = imported_graph(tmp_path, made)
    assert layer_texts(graph) == [
        "conv filters=4 kernel=3 stride=2 padding=same bias=True → 6×5×4",
        "relu6 → 6×5×4",
    ]
    assert summed_counts(graph) == (4 * 3 * 3 * 8 + 4, 0, 6 * 5 * 4 * 3 * 3 * 8)


def test_a_convolution_may_have_no_bias_groups_and_a_dilation(tmp_path):
    nodes = [conv("x", "w", "-> y", Padding=VALID, DilationHFactor=2, DilationWFactor=3)]
    made = model(nodes, {"x": X, "w": array(6, 3, 3, 4), "y": (1, 8, 4, 6)})
    graph = imported_graph(tmp_path, made)
    assert layer_texts(graph) == ["conv filters=6 kernel=3 dilation=(2, 3) groups=2 → 8×4×6"]
    assert summed_counts(graph) == (6 * 3 * 3 * 4, 0, 8 * 4 * 6 * 3 * 3 * 4)


def test_a_depthwise_convolution_has_a_multiplier(tmp_path):
    nodes = [conv("x", "w", "b", "-> y", op="DEPTHWISE_CONV_2D", kind="DepthwiseConv2DOptions",
                  Padding=VALID, DepthMultiplier=2)]  # fmt: skip
    made = model(nodes, {"x": X, "w": array(1, 3, 5, 16), "b": array(16), "y": (1, 10, 6, 16)})
    graph = imported_graph(tmp_path, made)
    assert layer_texts(graph) == ["depthwise kernel=(3, 5) multiplier=2 bias=True → 10×6×16"]
    assert summed_counts(graph) == (16 * 3 * 5 + 16, 0, 10 * 6 * 16 * 3 * 5)


def test_convolutions_have_three_dimensions(tmp_path):
    options = {"kind": "Conv3DOptions", "StrideD": 1, "Padding": VALID}
    nodes = [
        conv("x", "w", "-> c", op="CONV_3D", **options),
        conv("to", "v", "c", "-> y", op="CONV_3D_TRANSPOSE", **options | {"StrideD": 2}),
    ]
    tensors = {"x": (1, 6, 8, 8, 3), "w": array(2, 3, 3, 3, 4), "c": (1, 5, 6, 6, 4),
               "to": ints(1, 11, 8, 8, 5), "v": array(3, 3, 3, 5, 4),
               "y": (1, 11, 8, 8, 5)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert layer_texts(graph) == [
        "conv filters=4 kernel=(2, 3, 3) → 5×6×6×4",
        "transposed_conv filters=5 kernel=3 stride=(2, 1, 1) → 11×8×8×5",
    ]
    one, two = 5 * 6 * 6 * 4 * 2 * 3 * 3 * 3, 5 * 6 * 6 * 4 * 3 * 3 * 3 * 5
    assert summed_counts(graph) == (2 * 3 * 3 * 3 * 4 + 3 * 3 * 3 * 5 * 4, 0, one + two)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ((24, 20), "padding=(0, 0, 1, 1)"),
        ((25, 21), ""),
        ((23, 19), "padding=1"),
        ((26, 22), "output_padding=1"),
    ],
)
def test_a_transposed_convolution_is_padded_to_its_output_shape(tmp_path, size, text):
    nodes = [conv("to", "w", "x", "b", "-> y", op="TRANSPOSE_CONV", kind="TransposeConvOptions",
                  StrideH=2, StrideW=2)]  # fmt: skip
    tensors = {"to": ints(1, *size, 5), "w": array(5, 3, 3, 8), "b": array(5), "y": (1, *size, 5)}
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    options = "filters=5 kernel=3 stride=2" + (text and f" {text}") + " bias=True"
    assert layer_texts(graph) == [f"transposed_conv {options} → {size[0]}×{size[1]}×5"]
    assert summed_counts(graph) == (5 * 3 * 3 * 8 + 5, 0, 12 * 10 * 8 * 3 * 3 * 5)


@pytest.mark.parametrize(
    ("same", "kernel", "size", "text"),
    [
        (1, 2, (24, 28), " padding=(0, 0, 0, 1)"),
        (1, 3, (24, 28), " padding=(0, 1, 1, 1)"),
        (2, 3, (25, 30), ""),
    ],
)
def test_the_transposed_convolution_of_mediapipe_is_counted(tmp_path, same, kernel, size, text):
    """The stride is 3 along the width and 2 along the height."""
    custom = struct.pack("<3i", same, 3, 2)
    nodes = [node("Convolution2DTransposeBias", "x", "w", "b", "-> y", custom=custom)]
    tensors = {"w": array(5, kernel, kernel, 8), "b": array(5), "y": (1, *size, 5)}
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    options = f"filters=5 kernel={kernel} stride=(2, 3){text} bias=True"
    assert layer_texts(graph) == [f"transposed_conv {options} → {size[0]}×{size[1]}×5"]
    assert summed_counts(graph) == (5 * kernel**2 * 8 + 5, 0, 12 * 10 * 8 * kernel**2 * 5)


def test_the_transposed_convolution_of_mediapipe_without_options_is_not_counted(tmp_path):
    nodes = [node("Convolution2DTransposeBias", "x", "w", "b", "-> y", custom=b"short")]
    tensors = {"w": array(5, 2, 2, 8), "b": array(5), "y": (1, 24, 20, 5)}
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    assert [layer.uncounted for layer in graph.layers] == [True]
    assert summed_counts(graph) == (5 * 2 * 2 * 8 + 5, 0, 0)


def test_pools_and_shuffles_move_no_channels(tmp_path):
    pool = {"kind": "Pool2DOptions", "FilterHeight": 3, "FilterWidth": 2, "StrideH": 2,
            "StrideW": 2}  # fmt: skip
    nodes = [
        node("MAX_POOL_2D", "x", "-> m", Padding=SAME, **pool),
        node("AVERAGE_POOL_2D", "x", "-> a", Padding=VALID, **pool),
        node("DEPTH_TO_SPACE", "x", "-> d", kind="DepthToSpaceOptions", BlockSize=2),
        node("SPACE_TO_DEPTH", "x", "-> s", kind="SpaceToDepthOptions", BlockSize=2),
    ]
    tensors = {"m": (1, 6, 5, 8), "a": (1, 5, 5, 8), "d": (1, 24, 20, 2), "s": (1, 6, 5, 32)}
    assert layers(tmp_path, nodes, tensors, outputs=list(tensors)) == [
        "max_pool kernel=(3, 2) stride=2 padding=same → 6×5×8",
        "avg_pool kernel=(3, 2) stride=2 → 5×5×8",
        "pixel_shuffle factor=2 → 24×20×2",
        "pixel_unshuffle factor=2 → 6×5×32",
    ]


@pytest.mark.parametrize("batch", [4, -1])
def test_blocks_that_become_samples_are_an_axis_of_the_size(tmp_path, batch):
    """As the converter writes a dilated convolution. With an open batch, the file has 1 for it."""
    nodes = [
        node("SPACE_TO_BATCH_ND", "x", "block", "none", "-> s"),
        conv("s", "w", "-> c", Padding=VALID),
        node("MAX_POOL_2D", "c", "-> m", kind="Pool2DOptions", FilterHeight=2, FilterWidth=3,
             StrideH=2, StrideW=3, Padding=VALID),
        node("BATCH_TO_SPACE_ND", "m", "block", "none", "-> y"),
    ]  # fmt: skip
    tensors = {"block": ints(2, 2), "none": np.zeros((2, 2), np.int32), "s": (4, 6, 5, 8),
               "w": array(7, 3, 3, 8), "c": (4, 4, 3, 7), "m": (4, 2, 1, 7),
               "y": (1, 4, 2, 7)}  # fmt: skip
    open_ = {name: (batch, *tensors[name][1:]) for name in "scm"}
    tensors |= {name: (max(batch, 1), *tensors[name][1:]) for name in "scm"}
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}, open_=open_))
    assert layer_texts(graph)[1:3] == [
        "conv filters=7 kernel=(1, 3, 3) → 4×4×3×7",
        "max_pool kernel=(1, 2, 3) → 4×2×1×7",
    ]
    assert summed_counts(graph) == (7 * 3 * 3 * 8, 0, 4 * 4 * 3 * 7 * 3 * 3 * 8)


def test_a_fully_connected_layer_makes_a_matrix_of_its_input_unless_it_keeps_the_dims(tmp_path):
    tensors = {"w": array(5, 8), "b": array(5), "v": array(7, 12 * 10 * 5),
               "k": (1, 12, 10, 5), "y": (1, 7)}  # fmt: skip
    nodes = [
        node("FULLY_CONNECTED", "x", "w", "b", "-> k", kind="FullyConnectedOptions",
             KeepNumDims=True, FusedActivationFunction=RELU),
        node("FULLY_CONNECTED", "k", "v", "-> y", kind="FullyConnectedOptions"),
    ]  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    assert layer_texts(graph) == [
        "linear features=5 each_position=True → 12×10×5",
        "relu → 12×10×5",
        "flatten → 600",
        "linear features=7 bias=False inputs=600 → 7",
    ]
    assert summed_counts(graph) == (5 * 8 + 5 + 7 * 600, 0, 12 * 10 * 5 * 8 + 7 * 600)


def test_a_product_has_weights_or_two_tensors(tmp_path):
    nodes = [
        node("BATCH_MATMUL", "x", "w", "-> q", kind="BatchMatMulOptions", AdjY=True),
        node("BATCH_MATMUL", "q", "x", "-> y", kind="BatchMatMulOptions", AdjY=True),
    ]
    tensors = {"x": (1, 12, 8), "w": array(8, 8), "q": (1, 12, 8), "y": (1, 12, 12)}
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert layer_texts(graph) == [
        "linear features=8 bias=False each_position=True → 12×8",
        "matmul transpose=True → 12×12",
    ]
    assert summed_counts(graph) == (8 * 8, 0, 12 * 8 * 8 + 12 * 12 * 8)


@pytest.mark.parametrize(
    ("op", "kind"),
    [
        *(("ADD", "add"), ("SUB", "subtract"), ("MUL", "multiply"), ("DIV", "divide")),
        *(("MAXIMUM", "maximum"), ("MINIMUM", "minimum")),
    ],
)
def test_two_tensors_are_joined_and_activated(tmp_path, op, kind):
    options = {"ADD": "AddOptions", "SUB": "SubOptions", "MUL": "MulOptions", "DIV": "DivOptions"}
    fused = {"kind": options[op], "FusedActivationFunction": TANH} if op in options else {}
    nodes = [node("RELU", "x", "-> r"), node(op, "x", "r", "-> y", **fused)]
    assert layers(tmp_path, nodes, {"r": X, "y": X}) == [
        "relu → 12×10×8",
        f"{kind} → 12×10×8",
        *(["tanh → 12×10×8"] if fused else []),
    ]


def test_a_stored_tensor_in_a_join_is_a_scale_a_shift_or_a_table(tmp_path):
    nodes = [
        node("RELU", "x", "-> r"),
        node("MUL", "r", "a", "-> m"),
        node("ADD", "m", "b", "-> s"),
        node("ADD", "s", "t", "-> y"),
    ]
    tensors = {"r": X, "a": array(8), "m": X, "b": array(1, 1, 1, 8), "s": X,
               "t": array(1, 12, 10, 8), "y": X}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    assert layer_texts(graph) == [
        "relu → 12×10×8",
        "scale shift=True → 12×10×8",
        f"learned shape={Shape(8, (12, 10))} → 12×10×8",
        "add → 12×10×8",
    ]
    assert summed_counts(graph)[:2] == (8 + 8 + 12 * 10 * 8, 0)


def test_a_sum_of_three_tensors_has_all_of_them(tmp_path):
    """One of them is stored, and has a layer of its own."""
    nodes = [node("RELU", "x", "-> r"), node("ADD_N", "x", "t", "r", "-> y")]
    graph = imported_graph(tmp_path, model(nodes, {"x": X, "r": X, "t": array(*X), "y": X}))
    assert [layer.kind for layer in graph.layers] == ["relu", "learned", "add"]
    assert graph.layers[-1].inputs == (-1, 1, 0)
    assert summed_counts(graph) == (12 * 10 * 8, 0, 0)


def test_numbers_of_the_code_and_a_standardization_of_the_input_are_not_params(tmp_path):
    nodes = [
        node("SUB", "x", "mean", "-> c"),
        node("RELU", "c", "-> r"),
        node("MUL", "r", "two", "-> y"),
    ]
    tensors = {"mean": array(8), "c": X, "r": X, "two": np.float32(2), "y": X}
    tensors["two"] = np.asarray(tensors["two"])
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}))
    assert (layer_texts(graph), summed_counts(graph)) == (["relu → 12×10×8"], (0, 0, 0))
    assert graph.notes == (
        "8 numbers of the file are constant, and not counted as params: `mean` (8)",
        f"1 number of the file is {NUMBER}: `two` (1)",
    )


def test_activations_have_their_options(tmp_path):
    ops = ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LOGISTIC", "TANH", "HARD_SWISH", "ELU")
    nodes = [node(op, "x", f"-> {op}") for op in ops]
    nodes.append(node("LEAKY_RELU", "x", "-> l", kind="LeakyReluOptions", Alpha=0.2))
    nodes.append(node("SOFTMAX", "x", "-> s", kind="SoftmaxOptions", Beta=1.0))
    names = [node.outputs[0] for node in nodes]
    found = layers(tmp_path, nodes, dict.fromkeys(names, X), outputs=names)
    assert found == [
        f"{kind} → 12×10×8"
        for kind in (
            *("relu", "relu6", "hard_tanh", "elementwise function=clip", "sigmoid", "tanh"),
            *("hard_swish", "elu", "leaky_relu slope=1/5", "softmax"),
        )
    ]


@pytest.mark.parametrize(
    ("dims", "kind", "params"),
    [
        ((1, 1, 8), "prelu", 8),
        ((1, 1, 1), "prelu", 1),
        ((12, 10, 8), "custom", 12 * 10 * 8),
    ],
)
def test_prelu_has_a_slope_for_each_channel_or_one_or_many(tmp_path, dims, kind, params):
    graph = imported_graph(tmp_path, model([node("PRELU", "x", "a", "-> y")],
                                           {"x": X, "a": array(*dims), "y": X}))  # fmt: skip
    assert summed_counts(graph) == (params, 0, 0)
    assert [layer.kind for layer in graph.layers] == [kind]


def test_views_and_transposes_are_not_layers_until_a_layer_needs_the_order(tmp_path):
    nodes = [
        node("TRANSPOSE", "x", "order", "-> t"),
        node("EXPAND_DIMS", "t", "axis", "-> e"),
        node("SQUEEZE", "e", "-> q", kind="SqueezeOptions", SqueezeDims=(1,)),
        node("TRANSPOSE", "q", "back", "-> b"),
        node("RESHAPE", "b", "flat", "-> f"),
        node("RELU", "f", "-> y"),
    ]
    tensors = {"order": ints(0, 3, 1, 2), "t": (1, 8, 12, 10), "axis": ints(1), "q": (1, 8, 12, 10),
               "e": (1, 1, 8, 12, 10), "back": ints(0, 2, 3, 1), "b": X, "flat": ints(1, -1, 8),
               "f": (1, 120, 8), "y": (1, 120, 8)}  # fmt: skip
    assert layers(tmp_path, nodes, tensors) == [
        "relu → 12×10×8",
        f"reshape shape={Shape(8, (120,))} → 120×8",
    ]


def test_the_shape_of_a_reshape_may_be_an_option(tmp_path):
    nodes = [node("RESHAPE", "x", "-> f", kind="ReshapeOptions", NewShape=(1, -1)),
             node("RELU", "f", "-> y")]  # fmt: skip
    assert layers(tmp_path, nodes, {"f": (1, 960), "y": (1, 960)})[-1] == "flatten → 960"


def test_paddings_resizes_and_reductions(tmp_path):
    border = np.array([[0, 0], [1, 2], [1, 2], [0, 0]], np.int32)
    reduced = {"kind": "ReducerOptions", "KeepDims": True}
    nodes = [
        *(node(op, "x", "p", f"-> {op}") for op in ("PAD", "PADV2", "MIRROR_PAD")),
        node("RESIZE_BILINEAR", "x", "big", "-> l"),
        node("RESIZE_NEAREST_NEIGHBOR", "x", "big", "-> n"),
        node("MEAN", "x", "hw", "-> a", **reduced),
        node("REDUCE_MAX", "x", "hw", "-> m", **reduced | {"KeepDims": False}),
        node("SUM", "x", "c", "-> s", **reduced),
    ]
    made = {**dict.fromkeys(("PAD", "PADV2", "MIRROR_PAD"), (1, 15, 13, 8)), "l": (1, 24, 20, 8),
            "n": (1, 24, 20, 8), "a": (1, 1, 1, 8), "m": (1, 8), "s": (1, 12, 10, 1)}  # fmt: skip
    tensors = {"p": border, "big": ints(24, 20), "hw": ints(1, 2), "c": ints(3), **made}
    assert layers(tmp_path, nodes, tensors, outputs=list(made)) == [
        *["pad border=(1, 1, 2, 2) → 15×13×8"] * 3,
        "upsample scale=2 mode=linear → 24×20×8",
        "upsample scale=2 → 24×20×8",
        "global_avg_pool → 1×1×8",
        "global_max_pool → 1×1×8",
        "sum over=channels → 12×10×1",
        "flatten → 8",
    ]


def test_the_parts_of_a_split_are_slices(tmp_path):
    unpack = tuple(f"u{at}" for at in range(12))
    cut = {"kind": "StridedSliceOptions"}
    nodes = [
        node("SPLIT", "axis", "x", "-> a", "b", kind="SplitOptions", NumSplits=2),
        node("SPLIT_V", "x", "parts", "axis", "-> c", "d", kind="SplitVOptions", NumSplits=2),
        node("UNPACK", "x", f"-> {unpack[0]}", *unpack[1:], kind="UnpackOptions", Num=12, Axis=1),
        node("SLICE", "x", "begin", "length", "-> e"),
        node("STRIDED_SLICE", "x", "begin", "end", "by", "-> f", BeginMask=2, EndMask=1 | 8,
             ShrinkAxisMask=4, **cut),
        node("STRIDED_SLICE", "x", "zero", "zero", "one", "-> g", EllipsisMask=1, **cut),
        node("STRIDED_SLICE", "x", "zero", "zero", "one", "-> h", NewAxisMask=1, **cut),
        *(node("RELU", name, f"-> r{name}") for name in ("a", "c", "u3", "e", "f", "g", "h")),
    ]  # fmt: skip
    made = {"a": (1, 12, 10, 4), "b": (1, 12, 10, 4), "c": (1, 12, 10, 3), "d": (1, 12, 10, 5),
            **dict.fromkeys(unpack, (1, 10, 8)), "e": (1, 11, 5, 8), "f": (1, 6, 8), "g": X,
            "h": (1, *X)}  # fmt: skip
    tensors = {"axis": ints(3), "parts": ints(3, -1), "begin": ints(0, 1, 2, 0),
               "length": ints(1, -1, 5, 8), "end": ints(0, 12, 0, 0), "by": ints(1, 2, 1, 1),
               "zero": ints(0), "one": ints(1), **made}  # fmt: skip
    read = ["a", "c", "u3", "e", "f", "g", "h"]
    tensors |= {f"r{name}": made[name] for name in read}
    found = layers(tmp_path, nodes, tensors, outputs=[f"r{name}" for name in read])
    assert [line for line in found if not line.startswith(("relu", "reshape"))] == [
        "slice length=4 → 12×10×4",
        "slice length=3 → 12×10×3",
        "slice length=1 start=3 along=1 → 1×10×8",
        "slice length=11 start=1 along=1 → 11×10×8",
        "slice length=5 start=2 along=2 → 11×5×8",
        "slice length=6 step=2 along=1 → 6×10×8",
        "slice length=1 start=2 along=2 → 6×1×8",
    ]


def test_tensors_are_concatenated_and_stacked(tmp_path):
    nodes = [
        node("RELU", "x", "-> r"),
        node("CONCATENATION", "x", "r", "-> c", kind="ConcatenationOptions", Axis=-1,
             FusedActivationFunction=RELU),
        node("PACK", "x", "r", "-> y", kind="PackOptions", ValuesCount=2, Axis=1),
    ]  # fmt: skip
    made = {"c": (1, 12, 10, 16), "y": (1, 2, 12, 10, 8)}
    assert layers(tmp_path, nodes, {"r": X, **made}, outputs=list(made)) == [
        "relu → 12×10×8",
        "concat → 12×10×16",
        "relu → 12×10×16",
        *[f"reshape shape={Shape(8, (1, 12, 10))} → 1×12×10×8"] * 2,
        "concat along=1 → 2×12×10×8",
    ]


@pytest.mark.parametrize("op", ["GATHER", "EMBEDDING_LOOKUP"])
def test_rows_of_a_stored_table_are_an_embedding(tmp_path, op):
    inputs = ("t", "x") if op == "GATHER" else ("x", "t")
    made = model([node(op, *inputs, "-> y")], {"x": (1, 6), "t": array(50, 4), "y": (1, 6, 4)},
                 types={"x": "INT32"})  # fmt: skip
    graph = imported_graph(tmp_path, made)
    assert layer_texts(graph) == ["embedding channels=4 rows=50 → 6×4"]
    assert summed_counts(graph) == (50 * 4, 0, 0)


def test_comparisons_have_the_shape_that_their_inputs_broadcast_to(tmp_path):
    nodes = [
        node("RELU", "x", "-> r"),
        node("GREATER", "r", "low", "-> g"),
        node("SELECT_V2", "g", "x", "row", "-> y"),
    ]
    tensors = {"r": X, "low": np.asarray(np.float32(2)), "g": X, "row": array(1, 1, 1, 8), "y": X}
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}, types={"g": "BOOL"}))
    assert [(layer.kind, layer.params, layer.macs) for layer in graph.layers] == [
        *[("relu", 0, 0), ("custom", 0, 0), ("learned", 8, 0), ("custom", 0, 0)]
    ]
    why = "constant, and not counted as params"
    assert graph.notes == (f"1 number of the file is {why}: `low` (1)",)


def test_entries_of_a_tensor_are_taken_along_an_axis(tmp_path):
    nodes = [
        node("GATHER", "x", "at", "-> g", kind="GatherOptions", Axis=2),
        node("GATHER", "t", "n", "-> w", kind="GatherOptions", Axis=1),
    ]
    tensors = {"at": ints(3, 1), "g": (1, 12, 2, 8), "t": array(5, 7, 2), "n": (1, 6),
               "w": (5, 1, 6, 2)}  # fmt: skip
    made = model(nodes, {"x": X, **tensors}, inputs=["x", "n"], outputs=["g", "w"],
                 types={"n": "INT32"})  # fmt: skip
    graph = imported_graph(tmp_path, made)
    assert [(layer.kind, layer.output.text) for layer in graph.layers] == [
        *[("custom", "12×2×8"), ("custom", "5×1×6×2")]
    ]
    assert summed_counts(graph) == (5 * 7 * 2, 0, 0)


def test_a_fourier_transform_has_the_macs_of_its_two_axes(tmp_path):
    """Rows of 16 real numbers, 2·16·4 / 2 each; then 9 columns of 8, 2·8·3 each."""
    x, y = (3, 8, 16), (3, 8, 9)
    nodes = [node("RFFT2D", "x", "n", "-> y"), node("REVERSE_V2", "y", "axes", "-> z")]
    tensors = {"x": x, "n": ints(8, 16), "y": y, "axes": ints(0), "z": y}
    graph = imported_graph(tmp_path, model(nodes, tensors, outputs=["z"]))
    assert [layer.kind for layer in graph.layers] == ["custom", "custom"]
    assert graph.notes == ()  # `n` and `axes` are options
    assert summed_counts(graph) == (0, 0, 3 * 8 * 16 * 4 + 3 * 9 * 2 * 8 * 3)


def test_a_product_that_is_not_a_layer_has_no_weights(tmp_path):
    """The weights of the first are computed; those of the second are a matrix for each row."""
    nodes = [
        node("FULLY_CONNECTED", "x", "v", "b", "-> f", kind="FullyConnectedOptions"),
        node("BATCH_MATMUL", "x", "w", "-> y", kind="BatchMatMulOptions", AdjX=True),
    ]
    tensors = {"x": (6, 5), "v": (7, 5), "b": array(7), "f": (6, 7), "w": array(3, 6, 4),
               "y": (3, 5, 4)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, tensors, inputs=["x", "v"], outputs=["f", "y"]))
    assert [layer.kind for layer in graph.layers if layer.macs] == ["matmul"] * 2
    assert summed_counts(graph) == (7 + 3 * 6 * 4, 0, 6 * 5 * 7 + 3 * 5 * 6 * 4)


@pytest.mark.parametrize("stored", [True, False])
def test_an_lstm_has_four_gates_with_one_bias_each(tmp_path, stored):
    """Its first states are variables, or stored zeros."""
    dims = {"w": (7, 5), "u": (7, 7), "b": (7,)}
    gates = {f"{name}{at}": array(*dims[name]) for name in dims for at in range(4)}
    names = [f"{name}{at}" for name in "wu" for at in range(4)]
    inputs = ["x", *names, "", "", "", *(f"b{at}" for at in range(4)), "", "", "h", "c"]
    kind = "UnidirectionalSequenceLSTMOptions"
    nodes = [node("UNIDIRECTIONAL_SEQUENCE_LSTM", *inputs, "-> y", kind=kind,
                  FusedActivationFunction=TANH)]  # fmt: skip
    state = np.zeros((1, 7), np.float32) if stored else (1, 7)
    tensors = {"x": (1, 12, 5), **gates, "h": state, "c": state, "y": (1, 12, 7)}
    states = {"same": {"c": "h"}} if stored else {"variable": ["h", "c"]}
    graph = imported_graph(tmp_path, model(nodes, tensors, **states))
    assert layer_texts(graph) == ["lstm hidden=7 one_bias=True → 12×7"]
    assert graph.gaps == ()
    assert summed_counts(graph) == (4 * 7 * (5 + 7 + 1), 0, 12 * 4 * 7 * (5 + 7))


@pytest.mark.parametrize("state", ["zeros", "learned"])
def test_an_initial_state_of_zeros_of_a_loop_is_not_learned(tmp_path, state):
    first = np.zeros((1, 7), np.float32) if state == "zeros" else array(1, 7)
    nodes = [node("WHILE", "x", "h", "-> y", "z")]
    graph = imported_graph(tmp_path, model(nodes, {"x": X, "h": first, "y": X, "z": (1, 7)}))
    assert summed_counts(graph) == (0 if state == "zeros" else 7, 0, 0)
    named = ("7 numbers of the file are constant, and not counted as params: `h` (7)",)
    assert graph.notes == (named if state == "zeros" else ())


def test_an_operator_that_convcost_does_not_know_is_named_and_not_counted(tmp_path):
    nodes = [node("TFLite_Wavelet", "x", "w", "b", "-> y", "z"), node("RELU", "z", "-> r")]
    tensors = {"w": array(4, 8), "b": array(1), "y": (1, 3, 3, 5), "z": (1, 3, 3, 2),
               "r": (1, 3, 3, 2)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, {"x": X, **tensors}, outputs=["y", "r"]))
    assert [layer.uncounted for layer in graph.layers] == [True, True, False]
    assert [dict(layer.options)["what"] for layer in graph.layers[:2]] == [
        "custom TFLite_Wavelet",
        "custom TFLite_Wavelet, output 2",
    ]
    assert summed_counts(graph) == (4 * 8 + 1, 0, 0)


def test_the_second_output_of_an_unknown_operator_may_be_a_scalar(tmp_path):
    nodes = [node("TFLite_Wavelet", "x", "-> y", "z")]
    made = model(nodes, {"x": X, "y": (1, 3, 3, 5), "z": ()}, outputs=["y", "z"])
    assert [layer.output.text for layer in imported_graph(tmp_path, made).layers] == ["3×3×5", "1"]


def test_a_custom_operator_with_the_name_of_another_is_still_custom(tmp_path):
    graph = imported_graph(tmp_path, model([node("relu", "x", "-> y")], {"x": X, "y": X}))
    assert [layer.uncounted for layer in graph.layers] == [True]


def test_an_operator_whose_output_shape_depends_on_the_data_is_left_out_with_all_after_it(tmp_path):
    nodes = [
        node("WHERE", "x", "-> at"),
        node("CAST", "at", "-> y"),
        node("RELU", "x", "-> r"),
    ]
    graph = imported_graph(tmp_path, model(nodes, {"x": X, "at": (1, 4), "y": (1, 4), "r": X},
                                           outputs=["y", "r"], open_={"at": (-1, -1)}))  # fmt: skip
    assert layer_texts(graph) == ["relu → 12×10×8"]
    assert graph.notes == (
        "left out: 2 tensors from WHERE on, because the shape depends on the data",
    )


def test_a_shape_that_the_model_computes_is_known_at_import(tmp_path):
    cut = {"kind": "StridedSliceOptions", "ShrinkAxisMask": 1}
    nodes = [
        node("SHAPE", "x", "-> s"),
        node("STRIDED_SLICE", "s", "zero", "one", "one", "-> n", **cut),
        node("PACK", "n", "rest", "-> to", kind="PackOptions", ValuesCount=2),
        node("RESHAPE", "x", "to", "-> f"),
        node("FULLY_CONNECTED", "f", "w", "-> y", kind="FullyConnectedOptions"),
    ]
    tensors = {"s": (4,), "zero": ints(0), "one": ints(1), "n": (), "to": (2,), "f": (1, 960),
               "rest": np.asarray(np.int32(-1)), "w": array(5, 960), "y": (1, 5)}  # fmt: skip
    open_ = {"x": (-1, 12, 10, 8), "f": (-1, -1), "y": (-1, 5)}
    types = dict.fromkeys(("s", "n", "to"), "INT32")
    assert layers(tmp_path, nodes, tensors, open_=open_, types=types) == [
        "flatten → 960",
        "linear features=5 bias=False inputs=960 → 5",
    ]


@pytest.mark.parametrize(
    ("nodes", "tensors", "expected"),
    [
        (
            [node("TRANSPOSE", "x", "order", "-> y")],
            {"order": ints(0, 1, 2, 2), "y": X},
            ("CC404", f"TRANSPOSE `y`: {TWICE}"),
        ),
        (
            [node("RESHAPE", "x", "to", "-> y")],
            {"to": ints(1, 7), "y": (1, 7)},
            ("CC402", "RESHAPE `y`: 960 elements cannot have the shape [1, 7]"),
        ),
        (
            [node("FULLY_CONNECTED", "x", "w", "-> y")],
            {"w": array(5, 7), "y": (1, 5)},
            ("CC402", "FULLY_CONNECTED `y`: 960 elements cannot be split into rows of 7"),
        ),
        (
            [node("SPLIT_V", "x", "parts", "axis", "-> y", "z")],
            {"parts": ints(3, 3), "axis": ints(3), "y": X, "z": X},
            ("CC404", "SPLIT_V `y`: its parts [3, 3] are not the 8 entries of axis 3"),
        ),
        (
            [node("RELU", "x", "-> y")],
            {"y": (1, 12, 10, 9)},
            ("CC402", "RELU `y`: has the shape 1×12×10×8, but the file has 1×12×10×9"),
        ),
        (
            [node("RELU", "z", "-> y"), node("RELU", "x", "-> z")],
            {"y": X, "z": X},
            ("CC404", "RELU `y`: `z` is read before it is computed"),
        ),
        (
            [node("RELU", "x", "-> y", "z")],
            {"y": X, "z": X},
            ("CC404", f"RELU `y`: its inputs or options {DAMAGED}"),
        ),
    ],
)  # fmt: skip
def test_a_model_that_contradicts_itself_is_refused(tmp_path, nodes, tensors, expected):
    assert refusal(tmp_path, nodes, tensors) == expected


def test_an_operator_of_a_newer_schema_is_named_by_its_number(tmp_path):
    nodes = [node("RELU", "x", "-> y", kind="AddOptions")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tflite.BuiltinOperator.RELU", 250)
        patch.setattr("tflite.BuiltinOptions.AddOptions", 200)
        made = model(nodes, {"x": X, "y": X})
    graph = imported_graph(tmp_path, made)
    assert [dict(layer.options)["what"] for layer in graph.layers] == ["operator 250"]
    assert graph.layers[0].uncounted


@pytest.mark.parametrize("known", [True, False])
def test_options_that_the_model_computes_leave_the_shape_and_no_macs_behind(tmp_path, known):
    """A slice states the shape in the file; the macs of a convolution are not known."""
    nodes = [
        node("CAST", "x", "-> to"),
        node("SLICE", "r", "to", "to", "-> y") if known
        else conv("to", "w", "r", "-> y", op="TRANSPOSE_CONV", kind="TransposeConvOptions"),
    ]  # fmt: skip
    tensors = {"x": (4,), "to": (4,), "r": X, "w": array(5, 3, 3, 8), "y": (1, 3, 3, 5)}
    made = model(nodes, tensors, inputs=["x", "r"], types={"x": "INT32", "to": "INT32"})
    graph = imported_graph(tmp_path, made)
    (layer,) = [layer for layer in graph.layers if layer.kind == "custom"]
    assert (layer.uncounted, layer.params) == (not known, 0 if known else 5 * 3 * 3 * 8)
