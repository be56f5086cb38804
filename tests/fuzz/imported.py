"""Whole models of random layers, as ONNX and as Keras, and the spec that they mean.

`recount` counts that spec; what `import` writes must have the same costs.
"""

import json
from typing import Any, NamedTuple

import keras_models as keras
from onnx_models import array, model, node

from fuzz.formulas import Invalid
from fuzz.recount import Recount

INPUT: dict[str, Any] = {"channels": 6, "size": [13, 10]}


def layers(rng, same):
    """Layers as a spec has them; with `same`, paddings as Keras has them, else as ONNX does."""
    found: list[dict[str, Any]] = []
    for _ in range(rng.randint(1, 7)):
        item = _layer(rng, same, shape_after(found))
        if shape_after([*found, item]):
            found.append(item)
    if rng.random() < 0.4:
        found += [{rng.choice(["global_avg_pool", "flatten"]): None}]
        found += [{"flatten": None}] * ("flatten" not in found[-1])
        found += [{"linear": rng.randint(1, 9), "bias": rng.random() < 0.5}]
    return found or [{"relu": None}]


def shape_after(items):
    """The shape after these layers; None if they are no valid spec."""
    try:
        counted = Recount({"input": INPUT}).count(items)
    except Invalid:
        return None
    return counted[-1].shape if counted else (INPUT["channels"], tuple(INPUT["size"]))


def _layer(rng, same, shape):
    channels = shape[0]
    word = rng.choice(["conv", "conv", "conv", "transposed_conv", "batch_norm", "relu",
                       "max_pool", "avg_pool", "residual"])  # fmt: skip
    if word in ("batch_norm", "relu"):
        return {word: None}
    kernel = [rng.randint(1, 3), rng.randint(1, 3)]
    stride = rng.choice([1, 1, 2]) if same else [rng.randint(1, 3), rng.randint(1, 2)]
    if word in ("max_pool", "avg_pool"):
        around = "same" if rng.random() < 0.4 else 0
        ceil = {"ceil": True} if not same and around == 0 and rng.random() < 0.4 else {}
        return {word: kernel, "stride": stride, "padding": around, **ceil}
    bias = rng.random() < 0.5
    if word == "residual":
        return {"add": {"a": [{"conv": channels, "kernel": [3, 1], "padding": [1, 0],
                               "bias": bias}], "b": []}}  # fmt: skip
    groups = rng.choice([n for n in (1, 1, 2, 3, channels) if channels % n == 0])
    filters = groups * rng.randint(1, 4)
    padding: Any = rng.choice(["same", 0])
    if not same and (word == "transposed_conv" or rng.random() < 0.7):
        padding = [rng.randint(0, 2) for _ in range(4)]
    one = {word: filters, "kernel": kernel, "stride": stride, "padding": padding, "bias": bias}
    if word == "transposed_conv" and same:  # Keras fills the stride of a smaller kernel
        more = [max(stride - n, 0) for n in kernel] if padding == 0 else 0
        return {**one, "output_padding": more}
    if word == "transposed_conv":
        more = [rng.randrange(n) for n in stride]
        return {**one, "groups": groups, "output_padding": more}
    return {**one, "groups": groups, "dilation": rng.choice([1, 2]) if stride in (1, [1, 1]) else 1}


class _Onnx(NamedTuple):
    nodes: list[Any]
    weights: dict[str, Any]

    def add(self, op, *names, weights=(), **attributes):
        out = f"t{len(self.nodes)}"
        for number, one in enumerate(weights):
            self.weights[f"{out}w{number}"] = one
        stored = [f"{out}w{number}" for number in range(len(weights))]
        self.nodes.append(node(op, *names, *stored, f"-> {out}", **attributes))
        return out


def onnx(items):
    made, x = _Onnx([], {}), "x"
    for n, item in enumerate(items):
        shape = shape_after(items[:n])
        assert shape is not None
        x = _onnx_layer(made, item, x, shape[0])
    made.nodes.append(node("Identity", x, "-> y"))
    dims = (1, INPUT["channels"], *INPUT["size"])
    return model(made.nodes, made.weights, dims).SerializeToString()


def _pair(value):
    return value if isinstance(value, list) else [value, value]


OPERATORS = {
    "relu": "Relu", "flatten": "Flatten", "global_avg_pool": "GlobalAveragePool",
    "batch_norm": "BatchNormalization", "linear": "Gemm", "max_pool": "MaxPool",
    "avg_pool": "AveragePool", "conv": "Conv", "transposed_conv": "ConvTranspose",
}  # fmt: skip


def _onnx_layer(made, item, x, channels):
    word = next(iter(item))
    value = item[word]
    if word == "add":
        return made.add("Add", _onnx_layer(made, value["a"][0], x, channels), x)
    attributes: dict[str, Any] = {}
    if "padding" in item:
        pads = item["padding"]
        pads = pads * 2 if isinstance(pads, list) and len(pads) == 2 else pads or [0] * 4
        own = {"auto_pad": "SAME_UPPER"} if pads == "same" else {"pads": pads}
        attributes = {"strides": _pair(item.get("stride", 1)), **own}
    if "pool" in word and attributes:
        attributes |= {"kernel_shape": value, "ceil_mode": int("ceil" in item)}
    if "output_padding" in item:
        attributes["output_padding"] = item["output_padding"]
    groups = item.get("groups", 1)
    form: tuple[int, ...] = ()
    if word in ("conv", "transposed_conv"):
        attributes |= {"dilations": _pair(item.get("dilation", 1)), "group": groups}
        form = (value, channels // groups) if word == "conv" else (channels, value // groups)
    elif word == "linear":
        attributes["transB"] = 1
        form = (value, channels)
    weights = [array(*form, *item.get("kernel", []))] if form else []
    weights += [array(value)] if item.get("bias") else []
    weights += [array(channels)] * 4 if word == "batch_norm" else []
    return made.add(OPERATORS[word], x, weights=weights, **attributes)


def keras_json(items):
    x, listed = "x", [(keras.one("InputLayer", "x", batch_shape=[None, *INPUT["size"], 6]),)]
    for n, item in enumerate(items):
        x = _keras_layer(listed, item, x, f"l{n}")
    return json.dumps(keras.functional(listed, [x])).encode()


def _keras_layer(listed, item, x, name):
    word = next(iter(item))
    value = item[word]
    if word == "add":
        inner = _keras_layer(listed, value["a"][0], x, f"{name}a")
        listed.append((keras.one("Add", name), inner, x))
        return name
    config: dict[str, Any] = {}
    if "kernel" in item or "pool" in word:
        config["strides"] = _pair(item.get("stride", 1))
        config["padding"] = "same" if item.get("padding") in ("same", [1, 0]) else "valid"
    if word in ("conv", "transposed_conv"):
        config |= {"filters": value, "kernel_size": item["kernel"], "use_bias": item["bias"],
                   "dilation_rate": _pair(item.get("dilation", 1))}  # fmt: skip
        config |= {"groups": item.get("groups", 1)} if word == "conv" else {}
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "relu": ("Activation", {"activation": "relu"}),
        "flatten": ("Flatten", {}),
        "global_avg_pool": ("GlobalAveragePooling2D", {"keepdims": False}),
        "batch_norm": ("BatchNormalization", {"axis": -1, "scale": True, "center": True}),
        "linear": ("Dense", {"units": value, "use_bias": item.get("bias")}),
        "max_pool": ("MaxPooling2D", {"pool_size": value}),
        "avg_pool": ("AveragePooling2D", {"pool_size": value}),
        "conv": ("Conv2D", {}),
        "transposed_conv": ("Conv2DTranspose", {}),
    }
    kind, own = kinds[word]
    listed.append((keras.one(kind, name, **config, **own), x))
    return name
