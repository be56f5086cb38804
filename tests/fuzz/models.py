"""Small ONNX, TensorFlow Lite and Keras models, and damaged copies of them: bytes, names, sizes,
nesting."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from random import Random
from typing import Any

import h5py  # type: ignore[import-not-found,import-untyped,unused-ignore]
import keras_models as keras
import numpy as np
import tflite_models as lite
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, TensorProto, helper
from onnx_models import array, ints, model, node

from fuzz.texts import changed_json, flipped

BIG = [0, -1, 1, 3, 2**15, 2**31 - 1, 2**31, 2**62, -(2**63), 10**9, 10**12]
LITE_OPERATORS = """
ADD MUL CONV_2D DEPTHWISE_CONV_2D TRANSPOSE_CONV FULLY_CONNECTED BATCH_MATMUL RESHAPE TRANSPOSE PACK
CONCATENATION SPLIT SPLIT_V UNPACK SLICE STRIDED_SLICE GATHER SHAPE EXPAND_DIMS SQUEEZE TILE RANGE
RESIZE_BILINEAR PAD MEAN SOFTMAX PRELU UNIDIRECTIONAL_SEQUENCE_LSTM CAST WHERE WHILE Own
""".split()  # noqa: SIM905
OPERATORS = """
Add Mul Conv ConvTranspose Gemm MatMul Reshape Transpose Concat Split Slice Gather Shape Expand
Tile Range ConstantOfShape Loop If Scan Resize Pad ReduceMean Softmax LSTM Einsum Cast Where TopK
Unsqueeze Squeeze Flatten MaxPool GlobalAveragePool BatchNormalization NonZero OneHot Relu
""".split()  # noqa: SIM905


def _conv():
    nodes = [
        node("Conv", "x", "w", "b", "-> c", pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", "c", "s", "s", "s", "s", "-> n"),
        node("Relu", "n", "-> r"),
        node("MaxPool", "r", "-> p", kernel_shape=[2, 2], strides=[2, 2]),
        node("GlobalAveragePool", "p", "-> g"),
        node("Flatten", "g", "-> f"),
        node("Gemm", "f", "d", "-> y", transB=1),
    ]
    return model(nodes, {"w": array(4, 8, 3, 3), "b": array(4), "s": array(4), "d": array(5, 4)})


def _shapes():
    """A reshape to a shape that is computed, and a constant that is folded."""
    nodes = [
        node("Shape", "x", "-> s"),
        node("Gather", "s", "zero", "-> batch", axis=0),
        node("Unsqueeze", "batch", "zeros", "-> b1"),
        node("Concat", "b1", "rest", "-> t", axis=0),
        node("Reshape", "x", "t", "-> f"),
        node("Mul", "k", "k", "-> kk"),
        node("Add", "f", "kk", "-> e"),
        node("MatMul", "e", "w", "-> y"),
    ]
    weights = {"zero": np.int64(0), "zeros": ints(0), "rest": ints(8, 120), "k": array(120)}
    return model(nodes, {**{n: np.asarray(v) for n, v in weights.items()}, "w": array(120, 7)})


def _attention():
    nodes = [
        node("MatMul", "x", "wq", "-> q"),
        node("MatMul", "x", "wk", "-> k"),
        node("Transpose", "k", "-> kt", perm=[0, 2, 1]),
        node("MatMul", "q", "kt", "-> s"),
        node("Softmax", "s", "-> a", axis=-1),
        node("MatMul", "a", "q", "-> o"),
        node("Split", "o", "-> left", "right", axis=2, num_outputs=2),
        node("Concat", "right", "left", "-> y", axis=2),
    ]
    return model(nodes, {"wq": array(16, 16), "wk": array(16, 16)}, dims=(1, 10, 16))


def _branches():
    """An If whose condition is constant, a Loop, and an LSTM."""

    def body(op, name):
        out = helper.make_empty_tensor_value_info(name)
        return helper.make_graph([node(op, "x", f"-> {name}")], name, [], [out])

    nodes = [
        node("If", "yes", "-> i", then_branch=body("Relu", "t"), else_branch=body("Sigmoid", "e")),
        node("Flatten", "i", "-> f"),
        node("Gemm", "f", "w", "-> g"),
        node("Reshape", "g", "three", "-> h"),
        node("LSTM", "h", "lw", "lr", "-> y", hidden_size=3),
    ]
    weights = {"yes": np.asarray(True), "w": array(960, 8), "three": ints(2, 1, 4)}
    return model(nodes, {**weights, "lw": array(1, 12, 4), "lr": array(1, 12, 3)})


def _keras():
    yield keras.sequential(
        keras.conv("c", 8, 3),
        keras.one("BatchNormalization", "n", axis=-1, scale=True, center=True),
        keras.one("Activation", "r", activation="relu"),
        keras.one("MaxPooling2D", "p", pool_size=[2, 2], strides=[2, 2], padding="valid"),
        keras.one("Flatten", "f"),
        keras.one("Dense", "d", units=5, use_bias=True, activation="softmax"),
    )
    yield keras.functional(
        [
            (keras.entry("x", 16, 16, 3),),
            (keras.conv("a", 4, 3, padding="same"), "x"),
            (keras.conv("b", 4, 1), "x"),
            (keras.one("Add", "s"), "a", "b"),
            (keras.one("Concatenate", "j", axis=-1), "s", "a"),
            (keras.one("GlobalAveragePooling2D", "g", keepdims=False), "j"),
        ],
        ["g"],
    )
    yield keras.sequential(
        keras.one("Embedding", "e", input_dim=50, output_dim=8),
        keras.one("LSTM", "l", units=6, return_sequences=True, use_bias=True),
        keras.one("Dense", "d", units=5, use_bias=True),
        shape=[None, 12],
    )


def _lite_conv():
    pool = {"FilterHeight": 2, "FilterWidth": 2, "StrideH": 1, "StrideW": 1, "Padding": lite.VALID}
    nodes = [
        lite.node("DEQUANTIZE", "h", "-> w"),
        lite.conv("x", "w", "b", "-> c", Padding=lite.SAME, StrideH=2, FusedActivationFunction=1),
        lite.node("MAX_POOL_2D", "c", "-> p", kind="Pool2DOptions", **pool),
        lite.node("MEAN", "p", "hw", "-> m", kind="ReducerOptions"),
        lite.node("FULLY_CONNECTED", "m", "v", "-> y", kind="FullyConnectedOptions"),
    ]
    return nodes, {
        "x": (1, 16, 16, 3), "h": lite.array(8, 3, 3, 3, dtype="float16"), "w": (8, 3, 3, 3),
        "b": lite.array(8), "c": (1, 8, 16, 8), "p": (1, 7, 15, 8), "hw": lite.ints(1, 2),
        "m": (1, 8), "v": lite.array(5, 8), "y": (1, 5),
    }  # fmt: skip


def _lite_shapes():
    """A reshape to a shape that is computed, parts of a tensor, and a join with a stored tensor."""
    cut = {"kind": "StridedSliceOptions", "ShrinkAxisMask": 1}
    nodes = [
        lite.node("SHAPE", "x", "-> s"),
        lite.node("STRIDED_SLICE", "s", "zero", "one", "one", "-> n", **cut),
        lite.node("PACK", "n", "n", "rest", "-> to", kind="PackOptions", ValuesCount=3),
        lite.node("RESHAPE", "x", "to", "-> f"),
        lite.node("SPLIT", "axis", "f", "-> l", "r", kind="SplitOptions", NumSplits=2),
        lite.node("CONCATENATION", "r", "l", "-> j", kind="ConcatenationOptions", Axis=2),
        lite.node("ADD", "j", "k", "-> y"),
    ]
    return nodes, {
        "x": (1, 16, 16, 3), "s": (4,), "zero": lite.ints(0), "one": lite.ints(1), "n": (),
        "rest": np.asarray(np.int32(-1)), "to": (3,), "f": (1, 1, 768), "axis": lite.ints(2),
        "l": (1, 1, 384), "r": (1, 1, 384), "j": (1, 1, 768), "k": lite.array(768),
        "y": (1, 1, 768),
    }  # fmt: skip


@cache
def _onnx_bases():
    return [make().SerializeToString() for make in (_conv, _shapes, _attention, _branches)]


@cache
def _keras_bases():
    return [json.dumps(config) for config in _keras()]


def _damaged_h5(rng):
    """A whole model in the older format: its configuration, its weights or its bytes changed."""
    text = json.dumps(keras.sequential(keras.conv("c", 8, 3)))
    if rng.random() < 0.4:
        text = json.dumps(changed_json(json.loads(text), rng))
    packed = io.BytesIO()
    with h5py.File(packed, "w") as file:
        file.attrs["model_config"] = text[:60_000]
        group = file.create_group("model_weights/c")
        group.attrs["weight_names"] = [b"c/kernel:0", b"c/bias:0"]
        group["c/kernel:0"], group["c/bias:0"] = array(3, 3, 3, 8), array(rng.choice([8, 8, 9]))
    data = packed.getvalue()
    return flipped(data, rng) if rng.random() < 0.7 else data


def damaged(rng):
    """The bytes of a damaged model, and the suffix of its file."""
    if rng.random() < 0.4:
        return _damaged_onnx(rng), ".onnx"
    if rng.random() < 0.4:
        return _damaged_lite(rng), ".tflite"
    text = rng.choice(_keras_bases())
    if rng.random() < 0.8:
        config: Any = json.loads(text)
        for _ in range(rng.choice([1, 1, 2, 4])):
            config = changed_json(config, rng)
        with suppress(RecursionError):
            text = json.dumps(config)
    data = text.encode()
    if rng.random() < 0.15:
        return _damaged_h5(rng), ".h5"
    if rng.random() < 0.5:
        return (flipped(data, rng) if rng.random() < 0.2 else data), ".json"
    packed = io.BytesIO()
    methods = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2]
    with zipfile.ZipFile(packed, "w", rng.choice(methods)) as archive:
        archive.writestr("config.json", data)
        if rng.random() < 0.3:
            archive.writestr("model.weights.h5", rng.randbytes(99))
    data = packed.getvalue()
    return (flipped(data, rng) if rng.random() < 0.4 else data), ".keras"


def _damaged_onnx(rng):
    data = rng.choice(_onnx_bases())
    if rng.random() < 0.25:
        return flipped(data, rng)
    made = ModelProto.FromString(data)
    for _ in range(rng.choice([1, 1, 2, 4])):
        rng.choice(CHANGES)(made.graph, rng)
    return made.SerializeToString()


def _damaged_lite(rng):
    """A model with other operators, options, tensors or shapes, or with other bytes."""
    base = rng.choice([_lite_conv, _lite_shapes])
    nodes, tensors = base()
    more: dict[str, Any] = {"types": {"s": "INT32", "n": "INT32", "to": "INT32"}}
    for _ in range(rng.choice([1, 1, 2, 4])):
        _changed_lite(nodes, tensors, more, rng)
    try:
        data = lite.model(nodes, tensors, outputs=rng.choice([["y"], ["y"], list(tensors)]), **more)
    except (TypeError, struct.error, OverflowError):  # a number that the option cannot hold
        data = lite.model(*base())
    return flipped(data, rng) if rng.random() < 0.4 else data


def _changed_lite(nodes, tensors, more, rng):
    at, name = rng.randrange(len(nodes)), rng.choice(list(tensors))
    one, small = nodes[at], [n for n in BIG if -(2**31) <= n < 2**31]
    change = rng.randrange(7)
    if change == 0:  # a tensor gets the name of another: loops, names twice, absent inputs
        part = rng.choice(["inputs", "outputs"])
        names = list(getattr(one, part))
        names[rng.randrange(len(names))] = name if part == "outputs" else rng.choice([name, ""])
        nodes[at] = one._replace(**{part: tuple(names)})
    elif change == 1:
        nodes[at] = one._replace(op=rng.choice(LITE_OPERATORS))
    elif change == 2:  # another shape, mostly huge
        dims = list(np.shape(tensors[name]) if hasattr(tensors[name], "shape") else tensors[name])
        dims[rng.randrange(len(dims)) if dims else 0 :][:1] = [rng.choice(small)]
        more.setdefault("shapes", {})[name] = tuple(dims)
    elif change == 3 and one.options:
        option = rng.choice(list(one.options))
        nodes[at] = one._replace(options={**one.options, option: rng.choice(BIG)})
    elif change == 4:
        del nodes[at : at + (len(nodes) > 1)]
    elif change == 5:
        nodes += [one] * rng.choice([1, 2, 30, 300])
    elif hasattr(tensors[name], "shape"):
        numbers = np.array([rng.choice(small) for _ in range(tensors[name].size)], np.int32)
        tensors[name] = numbers.reshape(tensors[name].shape)
    else:
        more.setdefault("open_", {})[name] = (-1,) * len(tensors[name])


def _renamed(graph, rng):
    """A tensor gets the name of another: loops, names twice, names of nothing."""
    names = [*(n for node in graph.node for n in (*node.input, *node.output)), "", "nothing"]
    one = rng.choice(graph.node) if graph.node else None
    names_of = (rng.choice([one.input, one.output]) if one else None) or None
    if names_of:
        names_of[rng.randrange(len(names_of))] = rng.choice(names)


def _resized(graph, rng):
    """A size of a tensor or an input becomes another, mostly huge."""
    kept = rng.choice(graph.initializer) if graph.initializer else None
    if kept is not None and kept.dims and rng.random() < 0.5:
        kept.dims[rng.randrange(len(kept.dims))] = rng.choice(BIG)
    elif kept is not None and rng.random() < 0.4:
        kept.raw_data = np.array(
            [rng.choice(BIG) for _ in range(rng.randint(0, 4))], np.int64
        ).tobytes()
    elif graph.input:
        dims = graph.input[0].type.tensor_type.shape.dim
        if dims:
            dims[rng.randrange(len(dims))].dim_value = rng.choice(BIG)


def _operated(graph, rng):
    if graph.node:
        rng.choice(graph.node).op_type = rng.choice(OPERATORS)


def _numbered(graph, rng):
    """An attribute gets another number, or as many as there were, or none."""
    there = [a for node in graph.node for a in node.attribute]
    if there:
        one = rng.choice(there)
        one.i = rng.choice(BIG)
        for i in range(len(one.ints)):
            one.ints[i] = rng.choice(BIG) if rng.random() < 0.5 else one.ints[i]
        if rng.random() < 0.1:
            one.name = rng.choice(["axis", "perm", "pads", "strides", "to", "equation", "group"])


def _removed(graph, rng):
    lists = [one for one in (graph.node, graph.initializer, graph.output) if one]
    if lists:
        one = rng.choice(lists)
        del one[rng.randrange(len(one))]


def _copied(graph, rng):
    """A node again, in a chain: each reads the output of the one before."""
    if graph.node:
        one = rng.choice(graph.node)
        times = rng.choice([1, 2, 30, 300])
        for i in range(times):
            new = graph.node.add()
            new.CopyFrom(one)
            if new.input and new.output:
                new.input[0] = one.output[0] if not i else f"copy{i - 1}"
                new.output[0] = (
                    f"copy{i}" if i < times - 1 else graph.output[0].name if graph.output else "y"
                )


def _nested(graph, rng):
    """Branches inside branches."""
    inner = helper.make_graph(
        [node("Relu", "x", "-> r")], "g", [], [helper.make_empty_tensor_value_info("r")]
    )
    leaf, wide = inner, rng.random() < 0.5
    for _ in range(rng.choice([1, 5, 20])):
        other = inner if wide and inner.ByteSize() < 1 << 16 else leaf
        one = node("If", "yes", "-> r", then_branch=inner, else_branch=other)
        inner = helper.make_graph([one], "g", [], [helper.make_empty_tensor_value_info("r")])
    graph.node.extend([node("If", "yes", "-> deep", then_branch=inner, else_branch=inner)])


def _retyped(graph, rng):
    """A stored tensor of another type, or in a file somewhere else."""
    if graph.initializer:
        one = rng.choice(graph.initializer)
        one.data_type = rng.randint(0, 24)
        if rng.random() < 0.3:
            one.data_location = TensorProto.EXTERNAL
            one.external_data.add(
                key="location", value=rng.choice(["/etc/passwd", "../x", "x", ""])
            )


CHANGES: list[Callable[[Any, Random], None]] = [
    _renamed, _resized, _operated, _numbered, _removed, _copied, _nested, _retyped,
]  # fmt: skip


def less(data):
    """An ONNX model without one node, stored tensor, attribute or name; nothing if it is none."""
    try:
        whole = ModelProto.FromString(data)
    except DecodeError:
        return
    graph = whole.graph
    lists = [graph.node, graph.initializer, *(node.attribute for node in graph.node)]
    for k, there in enumerate(lists):
        for i in range(len(there)):
            copy = ModelProto.FromString(data)
            theirs = copy.graph
            del [theirs.node, theirs.initializer, *(n.attribute for n in theirs.node)][k][i]
            yield copy.SerializeToString()
