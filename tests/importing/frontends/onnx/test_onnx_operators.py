"""What each operator of ONNX becomes: layers, params and macs by hand, for models of one or two
operators. The shapes are compared with ONNX's own inference by the import itself."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import array, imported_graph, ints, layer_texts, model, node, summed_counts

from convcost.importing.spec import flat_spec, proved_spec
from convcost.model.errors import ConstraintError
from convcost.model.shape import Shape

W = {"w": array(4, 8, 3, 3)}
ROW = (1, 197, 768)
CONV = [node("Conv", "x", "w", "-> c")]
CROPPED = {"coordinate_transformation_mode": "tf_crop_and_resize"}

# name: nodes, weights, dims of the input, the layers, (params, buffers, macs)
TABLE: dict[str, Any] = {
    "conv": (
        [node("Conv", "x", "w", "b", "-> y", pads=[1, 1, 1, 1], strides=[2, 2])],
        {**W, "b": array(4)},
        (1, 8, 12, 10),
        ["conv filters=4 kernel=3 stride=2 padding=1 bias=True → 6×5×4"],
        (4 * 3 * 3 * 8 + 4, 0, 4 * 3 * 3 * 8 * 6 * 5),
    ),
    "conv, asymmetric": (
        [node("Conv", "x", "w", "-> y", pads=[0, 1, 2, 3], dilations=[1, 2])],
        W,
        (1, 8, 12, 10),
        ["conv filters=4 kernel=3 padding=(0, 1, 2, 3) dilation=(1, 2) → 12×10×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 12 * 10),
    ),
    "conv, same": (
        [node("Conv", "x", "w", "-> y", auto_pad="SAME_UPPER", strides=[2, 2])],
        W,
        (1, 8, 11, 10),
        ["conv filters=4 kernel=3 stride=2 padding=same → 6×5×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 6 * 5),
    ),
    "conv, same, the odd pixel first": (
        [node("Conv", "x", "w", "-> y", auto_pad="SAME_LOWER", strides=[2, 2])],
        W,
        (1, 8, 11, 10),
        ["conv filters=4 kernel=3 stride=2 padding=(1, 1, 1, 0) → 6×5×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 6 * 5),
    ),
    "conv of a row": (
        [node("Conv", "x", "w", "-> y")],
        {"w": array(4, 8, 5)},
        (1, 8, 20),
        ["conv filters=4 kernel=5 → 16×4"],
        (4 * 5 * 8, 0, 4 * 5 * 8 * 16),
    ),
    "depthwise": (
        [node("Conv", "x", "w", "-> y", group=8)],
        {"w": array(16, 1, 3, 3)},
        (1, 8, 12, 10),
        ["depthwise kernel=3 multiplier=2 → 10×8×16"],
        (16 * 3 * 3, 0, 16 * 3 * 3 * 10 * 8),
    ),
    "conv and a bias after it": (
        [*CONV, node("Add", "c", "b", "-> y")],
        {**W, "b": array(1, 4, 1, 1)},
        (1, 8, 12, 10),
        ["conv filters=4 kernel=3 bias=True → 10×8×4"],
        (4 * 3 * 3 * 8 + 4, 0, 4 * 3 * 3 * 8 * 10 * 8),
    ),
    "deformable conv": (
        [node("Conv", "x", "o", "ob", "-> offsets", pads=[1] * 4),
         node("DeformConv", "x", "w", "offsets", "b", "-> y", pads=[1] * 4)],
        {"o": array(18, 8, 3, 3), "ob": array(18), "w": array(4, 8, 3, 3), "b": array(4)},
        (1, 8, 12, 10),
        ["conv filters=18 kernel=3 padding=1 bias=True → 12×10×18",
         "deformable_conv filters=4 kernel=3 padding=1 bias=True → 12×10×4"],
        (18 * (3 * 3 * 8 + 1) + 4 * (3 * 3 * 8 + 1), 0, (18 + 4) * 3 * 3 * 8 * 12 * 10),
    ),
    "deformable conv with a mask and groups of offsets": (
        [node("Conv", "x", "o", "-> offsets", strides=[2, 2]),
         node("Conv", "x", "m", "-> mask", strides=[2, 2]),
         node("DeformConv", "x", "w", "offsets", "", "mask", "-> y", pads=[1] * 4, strides=[2, 2],
              offset_group=2)],
        {"o": array(36, 8, 1, 1), "m": array(18, 8, 1, 1), "w": array(4, 8, 3, 3)},
        (1, 8, 12, 10),
        ["conv filters=36 kernel=1 stride=2 → 6×5×36", "conv filters=18 kernel=1 stride=2 → 6×5×18",
         "deformable_conv filters=4 kernel=3 stride=2 padding=1 offset_groups=2 → 6×5×4"],
        ((36 + 18 + 4 * 9) * 8, 0, (36 + 18 + 4 * 9) * 8 * 6 * 5),
    ),
    "samples at a grid": (
        [node("Conv", "x", "o", "-> offsets", pads=[1] * 4, strides=[2, 2]),
         node("Transpose", "offsets", "-> grid", perm=[0, 2, 3, 1]),
         node("GridSample", "x", "grid", "-> y", mode="nearest")],
        {"o": array(2, 8, 3, 3)},
        (1, 8, 12, 10),
        ["conv filters=2 kernel=3 stride=2 padding=1 → 6×5×2", "grid_sample mode=nearest → 6×5×8"],
        (2 * 3 * 3 * 8, 0, 2 * 3 * 3 * 8 * 6 * 5),
    ),
    "transposed conv": (
        [node("ConvTranspose", "x", "w", "-> y", strides=[2, 2], output_padding=[1, 1],
              pads=[1, 1, 1, 1])],
        {"w": array(8, 4, 3, 3)},
        (1, 8, 6, 5),
        ["transposed_conv filters=4 kernel=3 stride=2 padding=1 output_padding=1 → 12×10×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 6 * 5),
    ),
    "transposed conv to a size": (
        [node("ConvTranspose", "x", "w", "-> y", strides=[2, 2], output_shape=[11, 10])],
        {"w": array(8, 4, 3, 3)},
        (1, 8, 6, 5),
        ["transposed_conv filters=4 kernel=3 stride=2 padding=(1, 1, 1, 0) → 11×10×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 6 * 5),
    ),
    "max pool, ceil": (
        [node("MaxPool", "x", "-> y", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)],
        {},
        (1, 8, 12, 10),
        ["max_pool kernel=3 stride=2 ceil=True → 6×5×8"],
        (0, 0, 0),
    ),
    "average pool of its own stride": (
        [node("AveragePool", "x", "-> y", kernel_shape=[2, 2], strides=[2, 2])],
        {},
        (1, 8, 12, 10),
        ["avg_pool kernel=2 → 6×5×8"],
        (0, 0, 0),
    ),
    "global pools": (
        [node("GlobalAveragePool", "x", "-> a"), node("Flatten", "a", "-> y")],
        {},
        (1, 8, 12, 10),
        ["global_avg_pool → 1×1×8", "flatten → 8"],
        (0, 0, 0),
    ),
    "global pool of each of four samples": (
        [node("Reshape", "x", "to", "-> s"), node("GlobalAveragePool", "s", "-> y")],
        {"to": ints(4, 2, 12, 10)},
        (1, 8, 12, 10),
        [
            "reshape shape=Shape(channels=4, size=(2, 12, 10)) → 2×12×10×4",
            "mean over=(2, 3) → 2×1×1×4",
        ],
        (0, 0, 0),
    ),
    "mean over the size": (
        [node("ReduceMean", "x", "axes", "-> y", keepdims=1)],
        {"axes": ints(2, 3)},
        (1, 8, 12, 10),
        ["global_avg_pool → 1×1×8"],
        (0, 0, 0),
    ),
    "local response norm": (
        [node("LRN", "x", "-> y", size=5)],
        {},
        (1, 8, 12, 10),
        ["local_response_norm → 12×10×8"],
        (0, 0, 0),
    ),
    "batch norm": (
        [node("BatchNormalization", "x", "s", "b", "m", "v", "-> y")],
        {name: array(8) for name in "sbmv"},
        (1, 8, 12, 10),
        ["batch_norm → 12×10×8"],
        (8 + 8, 8 + 8, 0),
    ),
    "Caffe's scale": (
        [node("BatchNormalization", "x", "s", "b", "m", "v", "-> n"),
         node("Mul", "n", "f", "-> a"), node("Add", "a", "g", "-> y")],
        {**{name: array(8) for name in "sbmv"}, "f": array(8, 1, 1), "g": array(8, 1, 1)},
        (1, 8, 12, 10),
        ["batch_norm → 12×10×8", "scale shift=True → 12×10×8"],
        (4 * 8, 8 + 8, 0),
    ),
    "layer norm": (
        [node("LayerNormalization", "x", "s", "b", "-> y")],
        {"s": array(768), "b": array(768)},
        ROW,
        ["layer_norm → 197×768"],
        (768 + 768, 0, 0),
    ),
    "linear at every position": (
        [node("MatMul", "x", "w", "-> a"), node("Add", "b", "a", "-> y")],
        {"w": array(768, 4), "b": array(4)},
        ROW,
        ["linear features=4 each_position=True → 197×4"],
        (768 * 4 + 4, 0, 768 * 4 * 197),
    ),
    "linear from the left": (
        [node("MatMul", "w", "x", "-> y")],
        {"w": array(5, 197)},
        ROW,
        ["linear features=5 bias=False each_position=True → 768×5"],
        (5 * 197, 0, 5 * 197 * 768),
    ),
    "gemm": (
        [node("Flatten", "x", "-> f"), node("Gemm", "f", "w", "b", "-> y", transB=1)],
        {"w": array(10, 8 * 4 * 3), "b": array(10)},
        (1, 8, 4, 3),
        ["flatten → 96", "linear features=10 inputs=96 → 10"],
        (10 * 96 + 10, 0, 10 * 96),
    ),
    "a product of two": (
        [node("Transpose", "x", "-> t", perm=[0, 2, 1]), node("MatMul", "x", "t", "-> y")],
        {},
        ROW,
        ["matmul transpose=True → 197×197"],
        (0, 0, 197 * 197 * 768),
    ),
    "attention": (
        [node("MatMul", "x", "w", "-> q"), node("Reshape", "q", "apart", "-> h"),
         node("Transpose", "h", "-> a", perm=[0, 2, 1, 3]),
         node("Transpose", "h", "-> k", perm=[0, 2, 3, 1]), node("MatMul", "a", "k", "-> s"),
         node("Div", "s", "root", "-> d"), node("Softmax", "d", "-> p", axis=-1),
         node("MatMul", "p", "a", "-> o"), node("Transpose", "o", "-> t", perm=[0, 2, 1, 3]),
         node("Reshape", "t", "flat", "-> y")],
        {"w": array(768, 768), "apart": ints(0, 0, 12, 64), "flat": ints(0, 0, 768),
         "root": np.float32(8)},
        ROW,
        ["linear features=768 bias=False each_position=True → 197×768",
         "attention heads=12 → 197×768"],
        (768 * 768, 0, 768 * 768 * 197 + 2 * 12 * 197 * 197 * 64),
    ),
    "query, key and value in one": (
        [node("MatMul", "x", "w", "-> a"), node("Reshape", "a", "apart", "-> b"),
         node("Transpose", "b", "-> c", perm=[2, 0, 3, 1, 4]),
         node("Gather", "c", "n0", "-> q"), node("Gather", "c", "n1", "-> k"),
         node("Gather", "c", "n2", "-> v"), node("Transpose", "k", "-> t", perm=[0, 1, 3, 2]),
         node("MatMul", "q", "t", "-> s"), node("Softmax", "s", "-> p"),
         node("MatMul", "p", "v", "-> o"), node("Transpose", "o", "-> u", perm=[0, 2, 1, 3]),
         node("Reshape", "u", "flat", "-> y")],
        {"w": array(768, 2304), "apart": ints(1, 197, 3, 12, 64), "flat": ints(0, 0, 768),
         **{f"n{at}": np.array(at) for at in range(3)}},
        ROW,
        ["linear features=2304 bias=False each_position=True → 197×2304",
         "slice length=768 → 197×768", "slice length=768 start=768 → 197×768",
         "slice length=768 start=1536 → 197×768", "attention heads=12 → 197×768"],
        (768 * 2304, 0, 768 * 2304 * 197 + 2 * 12 * 197 * 197 * 64),
    ),
    "einsum as linear": (
        [node("Einsum", "x", "w", "-> y", equation="bnc,chd->bhnd")],
        {"w": array(768, 4, 16)},
        ROW,
        ["linear features=64 bias=False each_position=True → 197×64",
         "reshape shape=Shape(channels=16, size=(4, 197)) → 4×197×16"],
        (768 * 64, 0, 768 * 64 * 197),
    ),
    "einsum as a product": (
        [node("Einsum", "x", "x", "-> y", equation="bnc,bmc->bnm")],
        {},
        ROW,
        ["matmul transpose=True → 197×197"],
        (0, 0, 197 * 197 * 768),
    ),
    "einsum, outer": (
        [node("ReduceMax", "x", "one", "-> a", keepdims=0),
         node("ReduceMax", "x", "two", "-> b", keepdims=0),
         node("Einsum", "a", "b", "-> y", equation="bi,bj->bij")],
        {"one": ints(1), "two": ints(2)},
        (1, 6, 5),
        None,
        (0, 0, 0),
    ),
    "einsum with a letter of either case": (
        [node("Einsum", "x", "w", "-> y", equation="...i,iA->...A")],
        {"w": array(768, 4)},
        ROW,
        ["linear features=4 bias=False each_position=True → 197×4"],
        (768 * 4, 0, 768 * 4 * 197),
    ),
    "einsum, a sum over channels": (
        [node("Einsum", "x", "w", "-> y", equation="bchw,c->bhw")],
        {"w": array(8)},
        (1, 8, 12, 10),
        ["linear features=1 bias=False each_position=True → 12×10×1",
         "reshape shape=Shape(channels=10, size=(12,)) → 12×10"],
        (8, 0, 8 * 12 * 10),
    ),
    "einsum, one number from all": (
        [node("Einsum", "x", "w", "-> y", equation="bchw,chw->b")],
        {"w": array(8, 12, 10)},
        (1, 8, 12, 10),
        ["flatten → 960", "linear features=1 bias=False inputs=960 → 1"],
        (8 * 12 * 10, 0, 8 * 12 * 10),
    ),
    "einsum, a factor of every channel": (
        [node("Einsum", "x", "w", "-> y", equation="bchw,c->bchw")],
        {"w": array(8)},
        (1, 8, 12, 10),
        ["scale → 12×10×8"],
        (8, 0, 0),
    ),
    "einsum, turned after a factor": (
        [node("Einsum", "w", "x", "-> y", equation="c,bnc->bcn")],
        {"w": array(768)},
        ROW,
        ["scale → 197×768"],
        (768, 0, 0),
    ),
    "einsum, a diagonal": (
        [node("Einsum", "x", "-> y", equation="bii->bi")],
        {},
        (1, 8, 8),
        [("custom what=Einsum params=0 macs=uncounted output=Shape(channels=8, size=()) "
          "input=Shape(channels=8, size=(8,)) → 8")],
        (0, 0, 0),
    ),
    "Gemm, turned": (
        [node("Squeeze", "x", "-> f"), node("Gemm", "f", "w", "b", "-> y", transA=1)],
        {"w": array(197, 4), "b": array(4)},
        ROW,
        ["linear features=4 each_position=True → 768×4"],
        (197 * 4 + 4, 0, 197 * 4 * 768),
    ),
    "Gemm, turned, of the model's input": (
        [node("Gemm", "x", "w", "-> y", transA=1)],
        {"w": array(5, 4)},
        (5, 3),
        ["reshape shape=Shape(channels=5, size=(3,)) → 3×5",
         "linear features=4 bias=False inputs=5 each_position=True → 3×4"],
        (5 * 4, 0, 5 * 4 * 3),
    ),
    "Gemm from the left": (
        [node("Gemm", "w", "x", "b", "-> y", transB=1)],
        {"w": array(4, 768), "b": array(4, 1)},
        (1, 768),
        ["linear features=4 → 4"],
        (4 * 768 + 4, 0, 4 * 768),
    ),
    "Gemm from the left, turned": (
        [node("Squeeze", "x", "-> f"), node("Gemm", "w", "f", "-> y", transA=1)],
        {"w": array(197, 4)},
        ROW,
        ["linear features=4 bias=False each_position=True → 768×4"],
        (4 * 197, 0, 4 * 197 * 768),
    ),
    "Gemm with a bias of one number": (
        [node("Gemm", "x", "w", "own.b", "-> y")],
        {"w": array(768, 4), "own.b": array(1)},
        (1, 768),
        ["linear features=4 bias=False → 4",
         "scale factor=False shift=True shared=True → 4"],
        (768 * 4 + 1, 0, 768 * 4),
    ),
    "upsample": (
        [node("Resize", "x", "", "scales", "-> y", mode="linear")],
        {"scales": np.array([1, 1, 2, 2], np.float32)},
        (1, 8, 12, 10),
        ["upsample scale=2 mode=linear → 24×20×8"],
        (0, 0, 0),
    ),
    "upsample to a size": (
        [node("Resize", "x", "", "", "sizes", "-> y")],
        {"sizes": ints(1, 8, 13, 25)},
        (1, 8, 12, 10),
        ["upsample size=(13, 25) → 13×25×8"],
        (0, 0, 0),
    ),
    "crop and resize": (
        [node("Resize", "x", "roi", "", "sizes", "-> y", **CROPPED)],
        {"sizes": ints(1, 8, 13, 25), "roi": np.array([0, 0, 0.5, 0, 1, 1, 1, 1], np.float32)},
        (1, 8, 12, 10),
        [("custom what=crop and resize params=0 macs=0 output=Shape(channels=8, size=(13, 25)) "
          "input=Shape(channels=8, size=(12, 10)) → 13×25×8")],
        (0, 0, 0),
    ),
    "crop and resize of everything": (
        [node("Resize", "x", "roi", "", "sizes", "-> y", **CROPPED)],
        {"sizes": ints(1, 8, 13, 25), "roi": np.array([0] * 4 + [1] * 4, np.float32)},
        (1, 8, 12, 10),
        ["upsample size=(13, 25) → 13×25×8"],
        (0, 0, 0),
    ),
    "pixel shuffle": (
        [node("DepthToSpace", "x", "-> y", blocksize=2)],
        {},
        (1, 8, 12, 10),
        ["pixel_shuffle factor=2 → 24×20×2"],
        (0, 0, 0),
    ),
    "channel shuffle by reshapes": (
        [node("Reshape", "x", "apart", "-> a"),
         node("Transpose", "a", "-> b", perm=[0, 2, 1, 3, 4]),
         node("Reshape", "b", "back", "-> y")],
        {"apart": ints(1, 2, 4, 12, 10), "back": ints(1, 8, 12, 10)},
        (1, 8, 12, 10),
        ["channel_shuffle groups=2 → 12×10×8"],
        (0, 0, 0),
    ),
    "split": (
        [node("Split", "x", "-> a", "b", axis=1, num_outputs=2), node("Mul", "a", "b", "-> y")],
        {},
        (1, 8, 12, 10),
        ["slice length=4 → 12×10×4", "slice length=4 start=4 → 12×10×4", "multiply → 12×10×4"],
        (0, 0, 0),
    ),
    "slice": (
        [node("Slice", "x", "s", "e", "a", "t", "-> y")],
        {"s": ints(1, 0), "e": ints(9, 2**63 - 1), "a": ints(2, 3), "t": ints(1, 2)},
        (1, 8, 12, 10),
        ["slice length=8 start=1 along=1 → 8×10×8", "slice length=5 step=2 along=2 → 8×5×8"],
        (0, 0, 0),
    ),
    "roll": (
        [node("Slice", "x", "three", "far", "two", "-> a"),
         node("Slice", "x", "zero", "three", "two", "-> b"),
         node("Concat", "a", "b", "-> y", axis=2)],
        {"three": ints(3), "far": ints(2**63 - 1), "two": ints(2), "zero": ints(0)},
        (1, 8, 12, 10),
        ["roll places=-3 → 12×10×8"],
        (0, 0, 0),
    ),
    "pad": (
        [node("Pad", "x", "p", "-> y")],
        {"p": ints(0, 0, 1, 2, 0, 0, 3, 4)},
        (1, 8, 12, 10),
        ["pad border=(1, 2, 3, 4) → 16×16×8"],
        (0, 0, 0),
    ),
    "layer norm over the size": (
        [node("LayerNormalization", "x", "s", "b", "-> y", axis=-2)],
        {"s": array(12, 10), "b": array(12, 10)},
        (1, 8, 12, 10),
        [
            "reshape shape=Shape(channels=120, size=(8,)) → 8×120",
            "layer_norm → 8×120",
            "reshape shape=Shape(channels=10, size=(8, 12)) → 8×12×10",
        ],
        (2 * 12 * 10, 0, 0),
    ),
    "root mean square norm": (
        [node("RMSNormalization", "x", "s", "-> y")],
        {"s": array(768)},
        ROW,
        ["rms_norm → 197×768"],
        (768, 0, 0),
    ),
    "norm of length 1": (
        [node("LpNormalization", "x", "-> y", axis=1)], {}, (1, 8, 12, 10), ["l2_norm → 12×10×8"],
        (0, 0, 0),
    ),
    "max unpool": (
        [node("MaxPool", "x", "-> p", "i", kernel_shape=[2, 2], strides=[2, 2]),
         node("MaxUnpool", "p", "i", "-> y", kernel_shape=[2, 2], strides=[2, 2])],
        {},
        (1, 8, 12, 10),
        ["max_pool kernel=2 → 6×5×8", "max_unpool kernel=2 → 12×10×8"],
        (0, 0, 0),
    ),
    "max unpool to a size": (
        [node("MaxPool", "x", "-> p", "i", kernel_shape=[2, 2], strides=[2, 2]),
         node("MaxUnpool", "p", "i", "size", "-> y", kernel_shape=[2, 2], strides=[2, 2])],
        {"size": ints(1, 8, 13, 10)},
        (1, 8, 13, 10),
        ["max_pool kernel=2 → 6×5×8", "max_unpool kernel=2 output_padding=(1, 0) → 13×10×8"],
        (0, 0, 0),
    ),
    "max unpool as PyTorch writes it": (
        [node("MaxPool", "x", "-> p", "i", kernel_shape=[2, 2], strides=[2, 2]),
         node("Add", "i", "offsets", "-> a"), node("Reshape", "a", "flat", "-> b"),
         node("Unsqueeze", "b", "flat", "-> places"), node("Reshape", "p", "flat", "-> numbers"),
         node("ConstantOfShape", "length", "-> zeros"),
         node("ScatterND", "zeros", "places", "numbers", "-> all"),
         node("Reshape", "all", "back", "-> y")],
        {"offsets": ints(*range(8)).reshape(1, 8, 1, 1), "flat": ints(-1), "length": ints(960),
         "back": ints(1, 8, 12, 10)},
        (1, 8, 12, 10),
        ["max_pool kernel=2 → 6×5×8", "max_unpool kernel=2 → 12×10×8"],
        (0, 0, 0),
    ),
    "indices of a pool that something else reads": (
        [node("MaxPool", "x", "-> p", "i", kernel_shape=[2, 2], strides=[2, 2]),
         node("Cast", "i", "-> c", to=TensorProto.FLOAT), node("Add", "p", "c", "-> y")],
        {},
        (1, 8, 12, 10),
        ["max_pool kernel=2 → 6×5×8",
         ("custom what=max_pool, indices params=0 macs=0 output=Shape(channels=8, size=(6, 5)) "
         "input=Shape(channels=8, size=(12, 10)) → 6×5×8"),
         "add → 6×5×8"],
        (0, 0, 0),
    ),
    "windows that are copied": (
        [node("Pad", "x", "border", "-> p"), node("Gather", "p", "rows", "-> r", axis=2),
         node("Gather", "r", "columns", "-> c", axis=4),
         node("Transpose", "c", "-> t", perm=[0, 1, 2, 4, 3, 5]),
         node("Reshape", "t", "to", "-> y")],
        {"border": ints(0, 0, 1, 1, 0, 0, 1, 1), "to": ints(1, 72, 120),
         "rows": np.arange(3)[:, None] + np.arange(12),
         "columns": np.arange(3)[:, None] + np.arange(10)},
        (1, 8, 12, 10),
        [("custom what=im2col params=0 macs=0 output=Shape(channels=120, size=(72,)) "
         "input=Shape(channels=8, size=(12, 10)) → 72×120")],
        (0, 0, 0),
    ),
    "elements the other way round": (
        [node("Slice", "x", "starts", "ends", "axes", "steps", "-> y")],
        {"starts": ints(-1), "ends": ints(-100), "axes": ints(3), "steps": ints(-1)},
        (1, 8, 12, 10),
        ["custom what=flip params=0 macs=0 → 12×10×8"],
        (0, 0, 0),
    ),
    "bounds as PyTorch writes them": (
        [node("Max", "x", "zero", "-> a"), node("Min", "a", "six", "-> y")],
        {"zero": np.float32(0), "six": np.float32(6)}, (1, 8, 12, 10), ["relu6 → 12×10×8"],
        (0, 0, 0),
    ),
    "bounds of 1": (
        [node("Clip", "x", "low", "high", "-> y")],
        {"low": np.float32(-1), "high": np.float32(1)}, (1, 8, 12, 10), ["hard_tanh → 12×10×8"],
        (0, 0, 0),
    ),
    "softplus as PyTorch writes it": (
        [node("Mul", "x", "one", "-> m"), node("Softplus", "m", "-> s"),
         node("Div", "s", "one", "-> d"),
         node("Greater", "m", "large", "-> g"), node("Where", "g", "x", "d", "-> y")],
        {"one": np.float32(1), "large": np.float32(20)}, (1, 8, 12, 10), ["softplus → 12×10×8"],
        (0, 0, 0),
    ),
    "threshold": (
        [node("LessOrEqual", "x", "t", "-> g"), node("Where", "g", "zero", "x", "-> y")],
        {"t": np.float32(0.1), "zero": np.float32(0)}, (1, 8, 12, 10),
        ["threshold value=1/10 → 12×10×8"], (0, 0, 0),
    ),
    "hard shrink": (
        [node("Abs", "x", "-> a"), node("LessOrEqual", "a", "t", "-> g"),
         node("Where", "g", "zero", "x", "-> y")],
        {"t": np.float32(0.5), "zero": np.float32(0)}, (1, 8, 12, 10), ["hard_shrink → 12×10×8"],
        (0, 0, 0),
    ),
    "soft shrink": (
        [node("Abs", "x", "-> a"), node("Greater", "a", "t", "-> g"), node("Sign", "x", "-> s"),
         node("Mul", "s", "t", "-> m"), node("Sub", "x", "m", "-> d"),
         node("Mul", "x", "zero", "-> n"),
         node("Where", "g", "d", "n", "-> y")],
        {"t": np.float32(0.5), "zero": np.float32(0)}, (1, 8, 12, 10), ["soft_shrink → 12×10×8"],
        (0, 0, 0),
    ),
    "einsum of three": (
        [node("Einsum", "x", "w", "v", "-> y", equation="btd,df,fg->btg")],
        {"w": array(768, 8), "v": array(8, 5)}, ROW,
        ["linear features=8 bias=False each_position=True → 197×8",
         "linear features=5 bias=False each_position=True → 197×5"],
        (768 * 8 + 8 * 5, 0, 197 * (768 * 8 + 8 * 5)),
    ),
    "einsum with an ellipsis": (
        [node("Einsum", "x", "w", "-> y", equation="...d,df->...f")],
        {"w": array(768, 8)}, ROW,
        ["linear features=8 bias=False each_position=True → 197×8"],
        (768 * 8, 0, 197 * 768 * 8),
    ),
    "an LSTM says which axis is channels": (
        [node("Transpose", "x", "-> t", perm=[1, 0, 2]),
         node("LSTM", "t", "w", "r", "-> l", hidden_size=4),
         node("Squeeze", "l", "axes", "-> y")],
        {"w": array(1, 16, 32), "r": array(1, 16, 4), "axes": ints(1)}, (1, 9, 32),
        ["lstm hidden=4 bias=False → 9×4"], (16 * 32 + 16 * 4, 0, 9 * (16 * 32 + 16 * 4)),
    ),
    "so does what comes after a sum": (
        [node("Add", "x", "p", "-> a"), node("MatMul", "a", "w", "-> y")],
        {"p": array(1, 9, 32), "w": array(32, 4)}, (1, 9, 32),
        ["learned shape=Shape(channels=32, size=(9,)) → 9×32", "add → 9×32",
         "linear features=4 bias=False each_position=True → 9×4"],
        (9 * 32 + 32 * 4, 0, 9 * 32 * 4),
    ),
    "class token": (
        [node("LayerNormalization", "x", "s", "-> n"),
         node("Concat", "token", "n", "-> y", axis=1)],
        {"token": array(1, 1, 768), "s": array(768)},
        (1, 196, 768),
        ["layer_norm shift=False → 196×768",
         "learned shape=Shape(channels=768, size=(1,)) → 1×768", "concat along=1 → 197×768"],
        (768 + 768, 0, 0),
    ),
    "a gate that is stretched first": (
        [node("GlobalAveragePool", "x", "-> g"), node("Sigmoid", "g", "-> s"),
         node("Expand", "s", "to", "-> e"), node("Mul", "x", "e", "-> y")],
        {"to": ints(1, 8, 12, 10)},
        (1, 8, 12, 10),
        ["global_avg_pool → 1×1×8", "sigmoid → 1×1×8", "multiply → 12×10×8"],
        (0, 0, 0),
    ),
    "keys that are copied for several heads": (
        [node("Unsqueeze", "x", "third", "-> u"), node("Expand", "u", "copies", "-> e"),
         node("Reshape", "e", "heads", "-> y")],
        {"third": ints(2), "copies": ints(1, 2, 4, 5, 8), "heads": ints(1, 8, 5, 8)},
        (1, 2, 5, 8),
        [("custom what=expand params=0 macs=0 output=Shape(channels=8, size=(5, 8)) "
         "input=Shape(channels=2, size=(5, 8)) → 5×8×8")],
        (0, 0, 0),
    ),
    "tiles that are reshaped": (
        [node("Tile", "x", "copies", "-> e"), node("Reshape", "e", "flat", "-> y")],
        {"copies": ints(1, 1, 2, 1), "flat": ints(1, 2, 80)},
        (1, 2, 5, 8),
        [("custom what=tile params=0 macs=0 output=Shape(channels=2, size=(10, 8)) "
         "input=Shape(channels=2, size=(5, 8)) → 10×8×2"),
         "reshape shape=Shape(channels=2, size=(80,)) → 80×2"],
        (0, 0, 0),
    ),
    "stretched for its own sake": (
        [node("GlobalAveragePool", "x", "-> g"), node("Expand", "g", "to", "-> y")],
        {"to": ints(1, 8, 2, 2)},
        (1, 8, 12, 10),
        ["global_avg_pool → 1×1×8",
         "custom what=expand params=0 macs=0 output=Shape(channels=8, size=(2, 2)) → 2×2×8"],
        (0, 0, 0),
    ),
    "prelu": (
        [node("PRelu", "x", "s", "-> y")],
        {"s": array(8, 1, 1)},
        (1, 8, 12, 10),
        ["prelu → 12×10×8"],
        (8, 0, 0),
    ),
    "lstm of two directions": (
        [node("LSTM", "x", "w", "r", "b", "-> a", hidden_size=32, direction="bidirectional"),
         node("Transpose", "a", "-> t", perm=[0, 2, 1, 3]), node("Reshape", "t", "flat", "-> y")],
        {"w": array(2, 128, 64), "r": array(2, 128, 32), "b": array(2, 256),
         "flat": ints(50, 1, 64)},
        (50, 1, 64),
        None,
        (2 * (128 * 64 + 128 * 32 + 256), 0, 2 * (128 * 64 + 128 * 32) * 50),
    ),
    "lstm of many sequences": (
        [node("Squeeze", "x", "zero", "-> s"), node("Transpose", "s", "-> u", perm=[1, 0, 2]),
         node("LSTM", "u", "w", "r", "-> a", hidden_size=32), node("Squeeze", "a", "one", "-> y")],
        {"w": array(1, 128, 64), "r": array(1, 128, 32), "zero": ints(0), "one": ints(1)},
        (1, 7, 50, 64),
        None,
        (128 * 64 + 128 * 32, 0, (128 * 64 + 128 * 32) * 50 * 7),
    ),
    "quantized conv": (
        [node("QuantizeLinear", "x", "one", "zero", "-> q"),
         node("DequantizeLinear", "q", "one", "zero", "-> d"),
         node("DequantizeLinear", "w", "each", "zeros", "-> wd", axis=0),
         node("Conv", "d", "wd", "-> y")],
        {"w": np.ones((4, 8, 3, 3), np.int8), "one": np.float32(0.5), "zero": np.int8(0),
         "each": array(4), "zeros": np.zeros(4, np.int8)},
        (1, 8, 12, 10),
        ["conv filters=4 kernel=3 → 10×8×4"],
        (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * 10 * 8),
    ),
    "constants that change nothing in shape": (
        [node("Mul", "x", "two", "-> a"), node("Cast", "a", "-> b", to=TensorProto.FLOAT),
         node("Identity", "b", "-> c"), node("Relu", "c", "-> y")],
        {"two": np.float32(2)},
        (1, 8, 12, 10),
        ["relu → 12×10×8"],
        (0, 0, 0),
    ),
    "the last state of an lstm": (
        [node("LSTM", "x", "w", "r", "-> all", "y", hidden_size=4)],
        {"w": array(1, 4 * 4, 8), "r": array(1, 4 * 4, 4)},
        (5, 1, 8),
        ["lstm hidden=4 bias=False → 5×4", "slice length=1 start=4 along=1 → 1×4"],
        (4 * 4 * (8 + 4), 0, 5 * 4 * 4 * (8 + 4)),
    ),
    "an lstm with a learned initial state": (
        [node("LSTM", "x", "w", "r", "", "", "h", "c", "-> y", hidden_size=4)],
        {"w": array(1, 4 * 4, 8), "r": array(1, 4 * 4, 4), "h": array(1, 1, 4),
         "c": np.zeros((1, 1, 4), np.float32)},
        (5, 1, 8),
        [
            f"learned shape={Shape(4, (1,))} → 1×4",
            "lstm hidden=4 bias=False → 5×4",
            f"reshape shape={Shape(4, (5, 1))} → 5×1×4",
        ],
        (4 + 4 * 4 * (8 + 4), 0, 5 * 4 * 4 * (8 + 4)),
    ),
    "the last states of both directions": (
        [node("GRU", "x", "w", "r", "-> all", "y", hidden_size=4, direction="bidirectional")],
        {"w": array(2, 3 * 4, 8), "r": array(2, 3 * 4, 4)},
        (5, 1, 8),
        [
            "gru hidden=4 bidirectional=True bias=False → 5×8",
            "slice length=1 start=4 along=1 → 1×8",
            f"reshape shape={Shape(4, (2, 1))} → 2×1×4",
        ],
        (2 * 3 * 4 * (8 + 4), 0, 5 * 2 * 3 * 4 * (8 + 4)),
    ),
    "a matrix times several stored ones": (
        [node("Squeeze", "x", "first", "-> f"), node("MatMul", "f", "w", "-> y")],
        {"w": array(3, 6, 4), "first": ints(0)},
        (1, 5, 6),
        [f"learned shape={Shape(4, (3, 6))} → 3×6×4", "matmul → 3×5×4"],
        (3 * 6 * 4, 0, 3 * 5 * 6 * 4),
    ),
    "rows times a stored vector": (
        [node("MatMul", "x", "w", "-> y")],
        {"w": array(6)},
        (1, 5, 6),
        ["linear features=1 bias=False each_position=True → 5×1", "flatten → 5"],
        (6, 0, 5 * 6),
    ),
    "the largest entries": (
        [node("TopK", "x", "k", "-> y", "at", axis=1)],
        {"k": ints(3)},
        (1, 8, 12, 10),
        [
            (f"custom what=topk params=0 macs=0 output={Shape(3, (12, 10))} "
            f"input={Shape(8, (12, 10))} → 12×10×3")
        ],
        (0, 0, 0),
    ),
    "an output without a name, while an input is left out": (
        [
            node("Clip", "x", "", "top", "-> c"),
            node("LSTM", "c", "w", "r", "-> y", "", hidden_size=4),
        ],
        {"w": array(1, 4 * 4, 8), "r": array(1, 4 * 4, 4), "top": np.asarray(np.float32(6))},
        (5, 1, 8),
        [
            "elementwise function=clip → 5×8",
            "lstm hidden=4 bias=False → 5×4",
            f"reshape shape={Shape(4, (5, 1))} → 5×1×4",
        ],
        (4 * 4 * (8 + 4), 0, 5 * 4 * 4 * (8 + 4)),
    ),
}  # fmt: skip


def test_an_lstm_whose_states_do_not_fit_its_weights_is_refused(tmp_path):
    """As PyTorch's exporter writes an LSTM with projections: the file lacks their weights."""
    nodes = [node("LSTM", "x", "w", "r", "", "", "h", "c", "-> y", hidden_size=4)]
    weights = {"w": array(1, 4 * 4, 8), "r": array(1, 4 * 4, 4), "h": array(1, 1, 4)}
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, model(nodes, {**weights, "c": array(1, 1, 16)}, (5, 1, 8)))
    assert (caught.value.code, caught.value.message) == (
        "CC404",
        "LSTM `y`: its initial states have 16 numbers, but its recurrent weights are for 4",
    )
    assert caught.value.help == (
        "PyTorch's exporter writes such a file of an LSTM with `proj_size`, without the "
        "projection: import the module itself, package.module:callable"
    )


def test_initial_states_of_zeros_are_constant(tmp_path):
    nodes = [node("GRU", "x", "w", "r", "", "", "h", "-> y", hidden_size=32)]
    weights = {"w": array(1, 3 * 32, 8), "r": array(1, 3 * 32, 32)}
    made = model(nodes, {**weights, "h": np.zeros((1, 1, 32), np.float32)}, (5, 1, 8))
    layer_graph = imported_graph(tmp_path, made)
    assert summed_counts(layer_graph) == (3 * 32 * (8 + 32), 0, 5 * 3 * 32 * (8 + 32))
    assert layer_graph.notes == (
        "32 numbers of the file are constant, and not counted as params: `h` (32)",
    )


@pytest.mark.parametrize("name", TABLE)
def test_an_operator_becomes_its_layers(tmp_path, name):
    nodes, weights, dims, layers, counted = TABLE[name]
    weights = {key: np.asarray(array) for key, array in weights.items()}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, dims))
    assert layers is None or layer_texts(layer_graph) == layers
    assert summed_counts(layer_graph) == counted


@pytest.mark.parametrize(
    ("opset", "learned", "layers"),
    [
        (18, 2, ["group_norm scale=False shift=False groups=2 → 12×10×8",
                 "custom what=scale and shift of groups params=4 macs=0 → 12×10×8"]),
        (21, 8, ["group_norm groups=2 → 12×10×8"]),
    ],
)  # fmt: skip
def test_a_group_norm_learns_by_group_before_opset_21(tmp_path, opset, learned, layers):
    nodes = [node("GroupNormalization", "x", "s", "b", "-> y", num_groups=2)]
    weights = {"s": array(learned), "b": array(learned)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, opset=opset))
    assert layer_texts(layer_graph) == layers
    assert summed_counts(layer_graph) == (learned + learned, 0, 0)


def _gelu(x: str, y: str) -> list:
    return [node("Div", x, "root", "-> g1"), node("Erf", "g1", "-> g2"),
            node("Add", "g2", "one", "-> g3"), node("Mul", x, "g3", "-> g4"),
            node("Mul", "g4", "half", f"-> {y}")]  # fmt: skip


SCALARS = {
    "root": np.float32(2**0.5), "one": np.float32(1), "half": np.float32(0.5),
    "three": np.float32(3), "zero": np.float32(0), "six": np.float32(6), "two": np.float32(2),
    "sixth": np.float32(1 / 6), "eps": np.float32(1e-5), "tiny": np.float32(0.044715),
    "k": np.float32(0.7978845608),
}  # fmt: skip
LAST = {"last": ints(-1)}
CENTRED = [node("ReduceMean", "x", "last", "-> m"), node("Sub", "x", "m", "-> d"),
           node("Pow", "d", "two", "-> s"), node("ReduceMean", "s", "last", "-> v"),
           node("Add", "v", "eps", "-> e"), node("Sqrt", "e", "-> r")]  # fmt: skip
PATTERNS = {
    "silu": ([node("Sigmoid", "x", "-> s"), node("Mul", "x", "s", "-> y")], {}, ["silu"], 0),
    "hard sigmoid": (
        [node("Add", "x", "three", "-> a"), node("Clip", "a", "zero", "six", "-> b"),
         node("Div", "b", "six", "-> y")], {}, ["hard_sigmoid"], 0,
    ),
    "hard swish of a hard sigmoid": (
        [node("HardSigmoid", "x", "-> s", alpha=1 / 6), node("Mul", "x", "s", "-> y")],
        {}, ["hard_swish"], 0,
    ),
    "hard swish by a division": (
        [node("Add", "x", "three", "-> a"), node("Clip", "a", "zero", "six", "-> b"),
         node("Mul", "x", "b", "-> c"), node("Div", "c", "six", "-> y")], {}, ["hard_swish"], 0,
    ),
    "hard swish by a factor": (
        [node("Add", "three", "x", "-> a"), node("Clip", "a", "zero", "six", "-> b"),
         node("Mul", "b", "sixth", "-> c"), node("Mul", "x", "c", "-> y")], {}, ["hard_swish"], 0,
    ),
    "relu6": ([node("Clip", "x", "zero", "six", "-> y")], {}, ["relu6"], 0),
    "mish": (
        [node("Softplus", "x", "-> a"), node("Tanh", "a", "-> b"), node("Mul", "x", "b", "-> y")],
        {}, ["mish"], 0,
    ),
    "gelu by erf": (_gelu("x", "y"), {}, ["gelu"], 0),
    "gelu by tanh": (
        [node("Pow", "x", "three", "-> a"), node("Mul", "a", "tiny", "-> b"),
         node("Add", "x", "b", "-> c"), node("Mul", "c", "k", "-> d"), node("Tanh", "d", "-> e"),
         node("Add", "e", "one", "-> f"), node("Mul", "x", "half", "-> g"),
         node("Mul", "g", "f", "-> y")], {}, ["gelu"], 0,
    ),
    "layer norm": (
        [*CENTRED, node("Div", "d", "r", "-> n"), node("Mul", "n", "w", "-> a"),
         node("Add", "a", "b", "-> y")],
        {"w": array(6), "b": array(6)}, ["layer_norm"], 6 + 6,
    ),
    "layer norm that learns nothing": (
        [*CENTRED, node("Div", "d", "r", "-> y")],
        {}, ["layer_norm scale=False shift=False"], 0,
    ),
    "a norm by the root of squares": (
        [node("Mul", "x", "x", "-> s"), node("ReduceMean", "s", "last", "-> v"),
         node("Add", "v", "eps", "-> e"), node("Sqrt", "e", "-> r"), node("Div", "x", "r", "-> n"),
         node("Mul", "n", "w", "-> y")],
        {"w": array(6)}, ["rms_norm"], 6,
    ),
    "layer norm of a whole sample": (
        [node("ReduceMean", "x", "whole", "-> m"), node("Sub", "x", "m", "-> d"),
         node("Mul", "d", "d", "-> s"), node("ReduceMean", "s", "whole", "-> v"),
         node("Sqrt", "v", "-> r"), node("Div", "d", "r", "-> n"), node("Mul", "n", "w", "-> y")],
        {"whole": ints(1, 2), "w": array(9, 6)}, ["layer_norm shift=False over=all"], 9 * 6,
    ),
    "softmax": (
        [node("ReduceMax", "x", "last", "-> m"), node("Sub", "x", "m", "-> d"),
         node("Exp", "d", "-> e"), node("ReduceSum", "e", "last", "-> s"),
         node("Div", "e", "s", "-> y")], {}, ["softmax"], 0,
    ),
    "group norm": (
        [node("Reshape", "x", "apart", "-> a"),
         node("InstanceNormalization", "a", "ones", "zeros", "-> b"),
         node("Reshape", "b", "back", "-> c"), node("Mul", "c", "w", "-> d"),
         node("Add", "d", "b1", "-> y")],
        {"apart": ints(0, 2, -1), "back": ints(1, 4, 3, 5, 6), "ones": np.ones(2, np.float32),
         "zeros": np.zeros(2, np.float32), "w": array(4, 1, 1, 1), "b1": array(4, 1, 1, 1)},
        ["group_norm groups=2"], 4 + 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PATTERNS)
def test_operators_of_a_decomposed_layer_are_fused(tmp_path, name):
    nodes, weights, layers, params = PATTERNS[name]
    read = {one for each in nodes for one in each.input}
    held = {key: np.asarray(one) for key, one in {**SCALARS, **LAST, **weights}.items()}
    held = {key: array for key, array in held.items() if key in read}
    dims = (1, 4, 3, 5, 6) if name == "group norm" else (1, 9, 6)
    layer_graph = imported_graph(tmp_path, model(nodes, held, dims))
    assert [line.partition(" → ")[0] for line in layer_texts(layer_graph)] == layers
    assert summed_counts(layer_graph) == (params, 0, 0)


def test_a_tensor_with_other_readers_is_not_fused_into_its_layer(tmp_path):
    nodes = [*CONV, node("Add", "c", "b", "-> a"), node("Mul", "a", "c", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {**W, "b": array(4, 1, 1)}))
    assert [layer.kind for layer in layer_graph.layers] == ["conv", "scale", "multiply"]
    assert summed_counts(layer_graph)[0] == 4 * 3 * 3 * 8 + 4


def test_shared_weights_count_once_as_params_and_twice_as_macs(tmp_path):
    nodes = [node("Conv", "x", "w", "-> a", pads=[1] * 4), node("Conv", "a", "w", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {"w": array(8, 8, 3, 3)}))
    assert layer_graph.layers[1].shares == 0
    assert summed_counts(layer_graph) == (8 * 3 * 3 * 8, 0, 8 * 3 * 3 * 8 * (12 * 10 + 10 * 8))


def test_a_module_that_runs_twice_shares_its_bias_in_any_order(tmp_path):
    nodes = [
        node("Relu", "x", "-> r"),
        node("MatMul", "x", "w", "-> a"), node("MatMul", "r", "w", "-> c"),
        node("Add", "c", "b", "-> d"), node("Add", "a", "b", "-> e"), node("Add", "d", "e", "-> y"),
    ]  # fmt: skip
    made = model(nodes, {"w": array(768, 4), "b": array(4)}, ROW)
    assert summed_counts(imported_graph(tmp_path, made)) == (768 * 4 + 4, 0, 2 * 768 * 4 * 197)


def test_an_unknown_operator_is_an_uncounted_layer(tmp_path):
    made = model([node("Warp", "x", "w", "-> y", domain="own")], {"w": array(3, 3)})
    made.graph.value_info.append(
        helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8, 6, 5])
    )
    made.graph.output[0].CopyFrom(made.graph.value_info[0])
    layer_graph = imported_graph(tmp_path, made)
    custom = "custom what=own::Warp params=9 macs=uncounted output=Shape(channels=8, size=(6, 5))"
    bound = "input=Shape(channels=8, size=(12, 10))"
    assert layer_texts(layer_graph) == [f"{custom} {bound} → 6×5×8"]
    assert layer_graph.layers[0].uncounted


@pytest.mark.parametrize(
    ("op", "macs"), [("Conv", 6 * 4 * 5 * 4 * 9), ("ConvTranspose", 4 * 6 * 7 * 6 * 9)]
)
def test_a_convolution_with_computed_weights_has_its_macs(tmp_path, op, macs):
    """`k` is [filters, channels, kernel…], or [channels, filters, kernel…] of a transposed one."""
    inputs = {"x": (1, 4, 6, 7), "k": (6, 4, 3, 3) if op == "Conv" else (4, 6, 3, 3)}
    made = model([node("Exp", "k", "-> w"), node(op, "x", "w", "b", "-> y")], {"b": array(6)},
                 inputs=inputs)  # fmt: skip
    *_, layer = imported_graph(tmp_path, made).layers
    assert (layer.kind, layer.params, layer.macs) == ("custom", 6, macs)


def test_an_uncounted_operator_may_return_a_scalar(tmp_path):
    made = model([node("NegativeLogLikelihoodLoss", "x", "t", "-> y")], {"t": ints(3)}, (1, 8))
    layer_graph = imported_graph(tmp_path, made)
    shape = "output=Shape(channels=1, size=())"
    custom = f"custom what=NegativeLogLikelihoodLoss params=0 macs=uncounted {shape} → 1"
    assert layer_texts(layer_graph) == [custom]


@pytest.mark.parametrize(
    ("front", "numbers"), [("Unsqueeze", ints(0)), ("Reshape", ints(1, 3, 12, 10))]
)
def test_an_input_to_which_the_model_adds_the_batch_axis_has_no_batch_axis(
    tmp_path, front, numbers
):
    nodes = [node("Cast", "x", "-> c", to=1), node(front, "c", "n", "-> u"),
             node("Conv", "u", "w", "-> y")]  # fmt: skip
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"n": numbers, "w": array(4, 3, 1, 1)}, (3, 12, 10))
    )
    assert layer_texts(layer_graph) == ["conv filters=4 kernel=1 → 12×10×4"]
    assert summed_counts(layer_graph) == (4 * 3, 0, 4 * 3 * 12 * 10)
    assert layer_graph.notes == ()


def test_a_refused_model_that_was_exported_for_several_samples_says_so(tmp_path):
    nodes = [node("Flatten", "x", "-> f", axis=0), node("MatMul", "f", "w", "-> y")]
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, model(nodes, {"w": array(3 * 4 * 4, 5)}, (3, 4, 4)))
    assert caught.value.message == (
        "MatMul `y`: linear counts 80 params, but the model has 240 for it"
    )
    assert caught.value.help == (
        "`x` was exported for 3 samples and is imported for one: export the model with a batch of "
        "1, in front of all other axes"
    )


def test_a_vector_times_weights_is_a_vector(tmp_path):
    layer_graph = imported_graph(
        tmp_path, model([node("MatMul", "x", "w", "-> y")], {"w": array(8, 4)}, (8,))
    )
    assert summed_counts(layer_graph) == (8 * 4, 0, 8 * 4)


def test_a_crop_that_is_resized_by_scales_is_refused(tmp_path):
    """ONNX's shape inference gives the size of the whole input times the scales."""
    scales, roi = np.full(4, 2, np.float32), np.array([0, 0, 0.5, 0, 1, 1, 1, 1], np.float32)
    made = model(
        [node("Resize", "x", "roi", "scales", "-> y", **CROPPED)], {"scales": scales, "roi": roi}
    )
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.message == (
        "Resize `y`: it resizes a part of its input, `roi`, by `scales`: ONNX's shape inference "
        "does not know the size of the result"
    )
    assert caught.value.help == "export the model with `sizes` in place of `scales`"


def test_an_unknown_operator_with_weights_and_no_shape_is_refused(tmp_path):
    made = model([node("Warp", "x", "w", "-> y", domain="own")], {"w": array(3, 3)})
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert (caught.value.code, caught.value.message) == (
        "CC401",
        (
            "Warp `y`: convcost does not know the operator Warp of the domain `own`, "
            "and its output shape is not known"
        ),
    )


def test_tensors_that_depend_on_data_are_left_out_and_reported(tmp_path):
    nodes = [
        node("Relu", "x", "-> r"),
        node("NonZero", "r", "-> n"),
        node("Cast", "n", "-> y", to=1),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, outputs=["r", "y"]))
    assert layer_texts(layer_graph) == ["relu → 12×10×8"]
    (note,) = layer_graph.notes
    assert note == (
        "left out: NonZero `n`, because its output shape depends on the data, "
        "and 1 operator after it, none with weights or macs: Cast"
    )


def test_unused_numbers_are_reported(tmp_path):
    nodes = [node("Sub", "x", "mean", "-> a"), node("Conv", "a", "w", "-> y")]
    weights = {**W, "mean": array(8, 1, 1), "anchors": array(6, 2)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert layer_graph.notes == (
        "12 numbers of the file are in no layer: `anchors` (12)",
        "8 numbers of the file are constant, and not counted as params: `mean` (8)",
    )


def test_numbers_that_an_operator_reads_and_no_layer_has_are_left_out(tmp_path):
    """Unpacks two weights of four bits from each byte."""
    four, last = (np.array(number, np.uint8) for number in (4, 15))
    nodes = [
        node("BitShift", "w", "four", "-> high", direction="RIGHT"),
        node("BitwiseAnd", "w", "last", "-> low"),
        node("Concat", "low", "high", "-> c", axis=0),
        node("Cast", "c", "-> f", to=TensorProto.FLOAT),
        node("Conv", "x", "f", "-> y"),
    ]
    weights = {"w": np.ones((4, 8, 1, 1), np.uint8), "four": four, "last": last}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    lost = "left out: 32 numbers of the file are in no layer, but an operator reads them: `w` (32)"
    assert (layer_graph.notes, layer_graph.gaps) == ((lost,), (lost,))


def test_bytes_are_reported_as_stored(tmp_path):
    nodes = [node("Cast", "w", "-> f", to=TensorProto.FLOAT), node("Conv", "x", "f", "-> y")]
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"w": array(4, 8, 3, 3).astype(np.float16)})
    )
    assert layer_graph.notes == ("stored numbers of layers: 288 as float16 (576 bytes)",)


def test_a_shape_that_depends_on_the_size_is_computed(tmp_path):
    nodes = [
        node("Shape", "x", "-> s"), node("Gather", "s", "zero", "-> n"),
        node("Unsqueeze", "n", "axis", "-> u"), node("Concat", "u", "rest", "-> to", axis=0),
        node("Reshape", "x", "to", "-> f"), node("Gemm", "f", "w", "-> y"),
    ]  # fmt: skip
    weights = {"zero": np.array(0), "axis": ints(0), "rest": ints(-1), "w": array(8 * 12 * 10, 5)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, ("batch", 8, 12, 10)))
    assert layer_texts(layer_graph) == [
        "flatten → 960",
        "linear features=5 bias=False inputs=960 → 5",
    ]


OLD = {
    "initializers that are inputs": ([node("Conv", "x", "w", "-> y")], W, 8),
    "biases laid along an axis": (
        [*CONV, node("Add", "c", "b", "-> y", axis=1, broadcast=1)], {**W, "b": array(4)}, 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OLD)
def test_old_files_are_read(tmp_path, name):
    nodes, weights, opset = OLD[name]
    made = model(nodes, weights, opset=opset)
    made.ir_version = 3
    for key, values in weights.items():
        entry = helper.make_tensor_value_info(key, TensorProto.FLOAT, values.shape)
        made.graph.input.append(entry)
    params = sum(weight.size for weight in weights.values())
    assert summed_counts(imported_graph(tmp_path, made)) == (params, 0, 4 * 3 * 3 * 8 * 10 * 8)


def test_steps_on_the_first_axis_are_concatenated_along_it(tmp_path):
    """[steps, samples, channels], as PyTorch's newer exporter takes an RNN apart."""
    nodes = [
        node("Tanh", "x", "-> a"),
        node("Unsqueeze", "a", "first", "-> b"),
        node("Tanh", "b", "-> c"),
        node("Concat", "b", "c", "-> d", axis=0),
        node("MatMul", "d", "w", "-> y"),
    ]
    layer_graph = imported_graph(
        tmp_path, model(nodes, {"w": array(8, 6), "first": ints(0)}, (1, 8))
    )
    assert layer_texts(layer_graph)[-2:] == [
        "concat along=1 → 2×8",
        "linear features=6 bias=False each_position=True → 2×6",
    ]
    proved_spec(layer_graph)


def test_samples_stay_samples_after_an_einsum_with_a_matrix_for_each_position(tmp_path):
    nodes = [
        node("Einsum", "x", "w", "-> a", equation="bsc,scd->bsd"),
        node("Transpose", "a", "-> t", perm=[0, 2, 1]),
        node("Conv", "t", "k", "-> y"),
    ]
    weights = {"w": array(5, 8, 6), "k": array(4, 6, 3)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 5, 8)))
    assert summed_counts(layer_graph) == (5 * 8 * 6 + 4 * 6 * 3, 0, 5 * 8 * 6 + 4 * 6 * 3 * 3)
    assert layer_texts(layer_graph)[-1] == "conv filters=4 kernel=3 → 3×4"
    proved_spec(layer_graph)


def test_slopes_before_opset_7_belong_to_the_channels(tmp_path):
    made = model([node("PRelu", "x", "s", "-> y")], {"s": array(8)}, (1, 8, 12, 8), opset=6)
    assert layer_texts(imported_graph(tmp_path, made)) == ["prelu → 12×8×8"]


def test_slopes_of_single_positions_are_params_without_macs(tmp_path):
    made = model([node("PRelu", "x", "s", "-> y")], {"s": array(8, 12, 10)})
    (layer,) = imported_graph(tmp_path, made).layers
    assert (layer.kind, layer.params, layer.uncounted) == ("custom", 8 * 12 * 10, False)


def test_a_weight_of_the_model_itself_is_not_a_name_of_a_layer(tmp_path):
    weights = {"weight": array(4, 8, 3, 3), "bias": array(4)}
    made = model([node("Conv", "x", "weight", "bias", "-> y")], weights)
    assert [layer.path for layer in imported_graph(tmp_path, made).layers] == [("conv",)]


def test_a_table_that_is_read_by_a_buffer_is_an_embedding(tmp_path):
    weights = {"table": array(9, 4), "relative_position_index": ints(3, 1, 8, 0, 2, 2)}
    nodes = [node("Gather", "table", "relative_position_index", "-> g", axis=0),
             node("Add", "x", "g", "-> y")]  # fmt: skip
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 6, 4)))
    assert summed_counts(layer_graph)[:2] == (9 * 4, 6)
    assert "embedding" in [layer.kind for layer in layer_graph.layers]


def test_the_size_is_that_of_the_axis_that_is_not_the_channels(tmp_path):
    """Wherever the first layer that says so stands."""
    nodes = [node("Transpose", "x", "-> t", perm=[1, 0, 2]),
             node("LSTM", "t", "w", "r", "-> l", hidden_size=4),
             node("Squeeze", "l", "axes", "-> y")]  # fmt: skip
    weights = {"w": array(1, 16, 32), "r": array(1, 16, 4), "axes": ints(1)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights, (1, 9, 32)), size=(7,))
    assert layer_graph.inputs[0][1].text == "7×32"
    assert layer_texts(layer_graph) == ["lstm hidden=4 bias=False → 7×4"]


@pytest.mark.parametrize("opset", [17, 20])
def test_a_fourier_transform_has_the_macs_of_the_kind_fft(tmp_path, opset):
    """Along 10 real points, along 12 complex ones, and back."""

    def dft(source, to, axis, **more):
        if opset == 17:
            return node("DFT", source, f"-> {to}", axis=axis, **more)
        return node("DFT", source, "", f"a{axis}", f"-> {to}", **more)

    nodes = [
        node("Unsqueeze", "x", "end", "-> real"),
        dft("real", "half", 3, onesided=1),
        dft("half", "both", 2),
        dft("both", "y", 3, inverse=1),
    ]
    axes = {"a2": np.array(2), "a3": np.array(3)} if opset == 20 else {}
    made = model(nodes, {"end": ints(-1), **axes}, (1, 8, 12, 10), opset=opset)
    real, columns, rows = 8 * 12 * 10 * 4, 8 * 6 * 2 * 12 * 4, 8 * 12 * 2 * 6 * 3
    assert summed_counts(imported_graph(tmp_path, made)) == (0, 0, real + columns + rows)


@pytest.mark.parametrize(("parts", "halves"), [(1, 1), (2, 2)])
@pytest.mark.parametrize("given", [("step", "window"), ("step", "", "length")])
def test_a_windowed_transform_is_counted_for_each_frame(tmp_path, parts, halves, given):
    """A frame of real numbers has half the macs of a complex one: 32 · 5."""
    nodes = [node("STFT", "x", *given, "-> y", onesided=2 - parts)]
    stored = {"step": np.array(16), "window": array(32), "length": np.array(32)}
    stored = {name: stored[name] for name in given if name}
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 160, parts)))
    assert summed_counts(layer_graph) == (0, 0, 9 * 32 * 5 * halves)
    assert ("32 numbers of the file are constant, and not counted as params: `window` (32)",) * (
        "window" in given
    ) == layer_graph.notes


def test_a_grid_of_an_affine_map_has_a_product_at_each_position(tmp_path):
    nodes = [node("AffineGrid", "x", "size", "-> y")]
    layer_graph = imported_graph(tmp_path, model(nodes, {"size": ints(1, 8, 7, 5)}, (1, 2, 3)))
    assert summed_counts(layer_graph) == (0, 0, 7 * 5 * 2 * 3)


def test_a_part_of_a_stored_table_is_expanded_before_it_is_reshaped(tmp_path):
    """Each number of the second half twice, as rotary tables of interleaved pairs have it."""
    nodes = [
        node("Split", "t", "-> a", "b", axis=1, num_outputs=2),
        node("Unsqueeze", "b", "last", "-> u"),
        node("Expand", "u", "twice", "-> e"),
        node("Reshape", "e", "row", "-> r"),
        node("MatMul", "x", "w", "-> m"),
        node("Add", "m", "r", "-> y"),
    ]
    stored = {"t": array(5, 8), "w": array(6, 8), "last": ints(2), "twice": ints(5, 4, 2),
              "row": ints(5, 8)}  # fmt: skip
    layer_graph = imported_graph(tmp_path, model(nodes, stored, (1, 5, 6)))
    assert layer_texts(layer_graph)[-3:] == [
        "custom what=expand params=0 macs=0 output=Shape(channels=2, size=(5, 4)) → 5×4×2",
        "reshape shape=Shape(channels=8, size=(5,)) → 5×8",
        "add → 5×8",
    ]
    proved_spec(layer_graph)


def test_a_tensor_has_at_most_seven_axes_and_the_channels(tmp_path):
    """As the windows and the positions of a video, with heads."""
    nodes = [node("Reshape", "x", "dims", "-> r"), node("Relu", "r", "-> y")]
    most = model(nodes, {"dims": ints(*[2] * 7, 3)}, (1, 2**7, 3))
    assert "{channels: 3, size: [2, 2, 2, 2, 2, 2, 2]}" in proved_spec(
        imported_graph(tmp_path, most)
    )
    more = imported_graph(tmp_path, model(nodes, {"dims": ints(*[2] * 8, 3)}, (1, 2**8, 3)))
    for write in (proved_spec, flat_spec):
        with pytest.raises(ConstraintError) as refused:
            write(more)
        assert refused.value.code == "CC401"
        assert refused.value.message == (
            "the output of `reshape` is 2×2×2×2×2×2×2×2×3, "
            "and a spec has at most 7 axes and the channels"
        )


def test_a_border_that_the_file_computes_is_read(tmp_path):
    """As the padding of TensorFlow's `same` in files of PyTorch's older exporter."""
    nodes = [
        node("Shape", "x", "-> dims"),
        node("Gather", "dims", "three", "-> width"),
        node("Sub", "width", "most", "-> less"),
        node("Clip", "less", "zero", "-> more"),
        node("Concat", "zeros", "more", "zeros", "more", "-> pads", axis=0),
        node("Pad", "x", "pads", "-> y"),
    ]
    stored = {"three": ints(3), "most": ints(7), "zero": np.array(0), "zeros": ints(0, 0, 0)}
    graph = imported_graph(tmp_path, model(nodes, stored, (1, 8, 9, 9)))
    assert [layer.output.text for layer in graph.layers] == ["9×13×8"]
