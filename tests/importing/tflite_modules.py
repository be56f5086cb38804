"""Modules of `route_modules.py` as files of TensorFlow Lite: what a converter writes for them, with
the channels last."""

from typing import Any

import numpy as np
from tflite_models import VALID, Node, array, conv, ints, model, node

IMAGE, MAPS, ROWS, FEATURES = (1, 32, 32, 3), (1, 30, 30, 8), (1, 16, 32), (1, 16, 8)
HEADS, SCORES = (1, 4, 16, 8), (1, 4, 16, 16)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


def dense(*names: str, **options: Any) -> Node:
    return node(
        "FULLY_CONNECTED", *names, kind="FullyConnectedOptions", KeepNumDims=True, **options
    )


def product(*names: str, **options: Any) -> Node:
    return node("BATCH_MATMUL", *names, kind="BatchMatMulOptions", **options)


def mean(*names: str, keep: bool = True) -> Node:
    return node("MEAN", *names, kind="ReducerOptions", KeepDims=keep)


def after_conv(*nodes: Node, **tensors: Any) -> bytes:
    """Operators after a convolution, whose output is `c`."""
    held = {"x": IMAGE, "w": array(8, 3, 3, 3), "b": array(8), "c": MAPS, "y": MAPS, **tensors}
    return model([conv("x", "w", "b", "-> c", Padding=VALID), *nodes], held)


def after_linear(*nodes: Node, **tensors: Any) -> bytes:
    """Operators after a linear layer at each position, whose output is `c`."""
    held = {"x": ROWS, "w": array(8, 32), "b": array(8), "c": FEATURES, "y": FEATURES, **tensors}
    return model([dense("x", "w", "b", "-> c"), *nodes], held)


def of_image(*nodes: Node, **tensors: Any) -> bytes:
    return model(nodes, {"x": IMAGE, **tensors})


POOL = {"StrideH": 2, "StrideW": 2, "FilterHeight": 2, "FilterWidth": 2, "Padding": VALID}
STRIDES = {"StrideD": 1, "StrideH": 1, "StrideW": 1, "Padding": VALID,
           "DilationDFactor": 1, "DilationHFactor": 1, "DilationWFactor": 1}  # fmt: skip
BORDER = np.array([[0, 0], [2, 2], [2, 2], [0, 0]], np.int32)

FILES: dict[str, bytes] = {
    "linear": model([dense("x", "w", "b", "-> y")],
                    {"x": ROWS, "w": array(8, 32), "b": array(8), "y": FEATURES}),
    "linear_without_bias": model([dense("x", "w", "-> y")],
                                 {"x": ROWS, "w": array(8, 32), "y": FEATURES}),
    "leaky_relu": after_conv(
        node("LEAKY_RELU", "c", "-> y", kind="LeakyReluOptions", Alpha=0.2)),
    "prelu": after_conv(node("PRELU", "c", "a", "-> y"), a=array(1, 1, 8)),
    "relu6": after_conv(node("RELU6", "c", "-> y")),
    "hard_tanh": after_conv(node("RELU_N1_TO_1", "c", "-> y")),
    "clamp": after_conv(node("RELU6", "c", "-> y")),
    "clamp_from_zero": after_conv(node("RELU", "c", "-> y")),
    "clamp_to_one": after_conv(node("RELU_0_TO_1", "c", "-> y")),
    "gelu": after_linear(node("GELU", "c", "-> y")),
    "silu": after_conv(node("LOGISTIC", "c", "-> s"), node("MUL", "c", "s", "-> y"), s=MAPS),
    "hard_swish": after_conv(node("HARD_SWISH", "c", "-> y")),
    "hard_swish_by_hand": after_conv(
        node("ADD", "c", "three", "-> a"), node("RELU6", "a", "-> r"),
        node("MUL", "c", "r", "-> m"), node("DIV", "m", "six", "-> y"),
        three=number(3), six=number(6), a=MAPS, r=MAPS, m=MAPS),
    "softmax": after_linear(node("SOFTMAX", "c", "-> y")),
    "log_softmax": after_linear(node("LOG_SOFTMAX", "c", "-> y")),
    "layer_norm": after_linear(
        mean("c", "last", "-> m"), node("SUB", "c", "m", "-> d"), node("SQUARE", "d", "-> q"),
        mean("q", "last", "-> v"), node("ADD", "v", "tiny", "-> e"), node("RSQRT", "e", "-> r"),
        node("MUL", "d", "r", "-> n"), node("MUL", "n", "g", "-> s"), node("ADD", "s", "h", "-> y"),
        last=ints(2), tiny=number(1e-5), g=array(8), h=array(8), m=(1, 16, 1), d=FEATURES,
        q=FEATURES, v=(1, 16, 1), e=(1, 16, 1), r=(1, 16, 1), n=FEATURES, s=FEATURES),
    "local_response_norm": after_conv(
        node("LOCAL_RESPONSE_NORMALIZATION", "c", "-> y",
             kind="LocalResponseNormalizationOptions", Radius=2)),
    "l2_norm": after_linear(node("L2_NORMALIZATION", "c", "-> y")),
    "avg_pool": after_conv(
        node("AVERAGE_POOL_2D", "c", "-> y", kind="Pool2DOptions", **POOL), y=(1, 15, 15, 8)),
    "adaptive_pool": after_conv(mean("c", "size", "-> y"), size=ints(1, 2), y=(1, 1, 1, 8)),
    "groups": model([conv("x", "w", "b", "-> y", Padding=VALID)],
                    {"x": (1, 9, 9, 4), "w": array(8, 3, 3, 2), "b": array(8), "y": (1, 7, 7, 8)}),
    "conv3d": model(
        [node("CONV_3D", "x", "w", "b", "-> y", kind="Conv3DOptions", **STRIDES)],
        {"x": (1, 8, 10, 10, 2), "w": array(3, 3, 3, 2, 4), "b": array(4), "y": (1, 6, 8, 8, 4)}),
    "attention": model(
        [product("x", "x", "-> s", AdjY=True), node("SOFTMAX", "s", "-> p"),
         product("p", "x", "-> y")],
        {"x": HEADS, "s": SCORES, "p": SCORES, "y": HEADS}),
    "product": model([product("x", "x", "-> y", AdjY=True)], {"x": ROWS, "y": (1, 16, 16)}),
    "squeeze_and_excite": model(
        [conv("x", "w", "b", "-> c", Padding=VALID), mean("c", "size", "-> m"),
         conv("m", "v", "d", "-> l", Padding=VALID, FusedActivationFunction=1),
         conv("l", "u", "e", "-> g", Padding=VALID), node("LOGISTIC", "g", "-> s"),
         node("MUL", "c", "s", "-> y")],
        {"x": IMAGE, "w": array(16, 3, 3, 3), "b": array(16), "c": (1, 30, 30, 16),
         "size": ints(1, 2), "m": (1, 1, 1, 16), "v": array(4, 1, 1, 16), "d": array(4),
         "l": (1, 1, 1, 4), "u": array(16, 1, 1, 4), "e": array(16) + 1, "g": (1, 1, 1, 16),
         "s": (1, 1, 1, 16), "y": (1, 30, 30, 16)}),
    "upsample": after_conv(node("RESIZE_BILINEAR", "c", "to", "-> y"),
                           to=ints(60, 60), y=(1, 60, 60, 8)),
    "upsample_to_a_size": after_conv(node("RESIZE_NEAREST_NEIGHBOR", "c", "to", "-> y"),
                                     to=ints(17, 19), y=(1, 17, 19, 8)),
    "pixel_shuffle": after_conv(
        node("DEPTH_TO_SPACE", "c", "-> y", kind="DepthToSpaceOptions", BlockSize=2),
        y=(1, 60, 60, 2)),
    "pixel_unshuffle": of_image(
        node("SPACE_TO_DEPTH", "x", "-> y", kind="SpaceToDepthOptions", BlockSize=2),
        y=(1, 16, 16, 12)),
    "scale": after_conv(node("MUL", "c", "g", "-> y"), g=array(8)),
    "chunks": after_conv(
        node("SPLIT", "three", "c", "-> l", "r", kind="SplitOptions", NumSplits=2),
        node("CONCATENATION", "r", "l", "-> y", kind="ConcatenationOptions", Axis=3),
        three=ints(3), l=(1, 30, 30, 4), r=(1, 30, 30, 4)),
    "every_other": after_conv(
        node("STRIDED_SLICE", "c", "begin", "end", "step", "-> y", kind="StridedSliceOptions",
             BeginMask=0, EndMask=15),
        begin=ints(0, 0, 1, 0), end=ints(0, 0, 0, 0), step=ints(1, 2, 2, 1), y=(1, 15, 15, 8)),
    "pad": of_image(
        node("PAD", "x", "border", "-> p"), conv("p", "w", "b", "-> y", Padding=VALID),
        border=BORDER, p=(1, 36, 36, 3), w=array(8, 3, 3, 3), b=array(8), y=(1, 34, 34, 8)),
    "reflect": of_image(
        node("MIRROR_PAD", "x", "border", "-> p"), conv("p", "w", "b", "-> y", Padding=VALID),
        border=BORDER, p=(1, 36, 36, 3), w=array(8, 3, 3, 3), b=array(8), y=(1, 34, 34, 8)),
    "mean": after_linear(mean("c", "one", "-> y", keep=False), one=ints(1), y=(1, 8)),
}  # fmt: skip
