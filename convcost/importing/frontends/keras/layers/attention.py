"""Attention: with heads and projections, and of one head without projections."""

from math import prod
from typing import NamedTuple

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.nodes import ATTENTION
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import SEQUENCE_RANK, Tensor, arranged, reshaped, restored
from convcost.model.errors import ConstraintError

NAMES = ("query", "value", "key")


class KerasHeads(NamedTuple):
    """The heads of queries and of keys and values, and the features of each head of a query and of
    a value."""

    queries: int
    keys: int
    width: int
    depth: int


@layer(*ATTENTION)
def multi_head_attention(call: LayerCall) -> Tensor:
    """The inputs are query, value and optionally key; without a key, the value is the key."""
    query, value, key = _query_value_key(call)
    heads, shape = _heads(call), call.config.get("output_shape")
    out = shape if isinstance(shape, list | tuple) else [shape or query.dims[-1]]
    axes, rank = _axes(call, len(query.dims)), len(query.dims)
    # The axes are merged to one axis before the channels; the other axes are before it.
    groups = [*([axis] for axis in range(rank - 1) if axis not in axes), axes, [rank - 1]]
    sides = (
        _project(call, query, "query", heads.queries * heads.width),
        _project(call, key, "key", heads.keys * heads.width),
        _project(call, value, "value", heads.keys * heads.depth),
    )
    path = (*call.path, "attention")
    rows = [arranged(side, *groups) for side in sides]
    seen = call.lower("attention", *rows, path=path, heads=heads.queries)
    seen = restored(seen, (*query.dims[:-1], heads.queries * heads.depth), *groups)
    if call.config.get("use_gate"):
        gate = _project(call, query, "gate", heads.queries * heads.depth)
        gate = call.lower("sigmoid", gate, path=(*call.path, "sigmoid"))
        seen = call.lower("multiply", seen, gate, path=(*call.path, "multiply"))
    y = _project(call, seen, "attention_output", prod(out))
    return reshaped(y, (*query.dims[:-1], *out))


def _heads(call: LayerCall) -> KerasHeads:
    if call.kind == "MultiHeadAttention":
        heads, width = int(call.config["num_heads"]), int(call.config["key_dim"])
        return KerasHeads(heads, heads, width, int(call.config.get("value_dim") or width))
    width = int(call.config["head_dim"])
    heads, keys = (int(call.config[f"num_{name}_heads"]) for name in ("query", "key_value"))
    return KerasHeads(heads, keys, width, width)


def _query_value_key(call: LayerCall) -> tuple[Tensor, Tensor, Tensor]:
    """Query, value and key: by keyword, otherwise in this order."""
    places = call.places or ("0",) * len(call.values)
    pairs = list(zip(places, call.values, strict=True))
    tensors = dict(zip(NAMES, (x for place, x in pairs if place.isdecimal()), strict=False))
    tensors.update({place: x for place, x in pairs if place in NAMES})
    if len(tensors) != len(pairs) or not {"query", "value"} <= set(tensors):
        raise ConstraintError("CC401", "attention needs a query, a value and optionally a key")
    return tensors["query"], tensors["value"], tensors.get("key", tensors["value"])


def _axes(call: LayerCall, rank: int) -> list[int]:
    """The axes that attention attends over: the given ones, otherwise all except the batch and the
    channels."""
    attention_axes = call.config.get("attention_axes")
    if attention_axes is None:
        return list(range(1, rank - 1))
    # Negative axes of Keras count on the projected tensor, which has one more axis for the heads.
    named = attention_axes if isinstance(attention_axes, list | tuple) else [attention_axes]
    axes = sorted(int(axis) if axis >= 0 else rank + int(axis) for axis in named)
    if not axes or axes[0] < 1 or axes[-1] > rank - 2:
        raise unsupported(f"attention over the axes {list(named)}")
    return axes


def _project(call: LayerCall, x: Tensor, name: str, features: int) -> Tensor:
    kernel = call.tensor(f"{name}/kernel", x.dims[-1], features)
    bias = call.bias(features, name=f"{name}/bias")
    options = {"features": features, "weights": kernel | bias, "bias": bool(bias)}
    return call.lower("linear", x, path=(*call.path, name), **options)


# One head without projections. The inputs are query, value and optionally key; without a key, the
# value is the key.


@layer("Attention")
def attention(call: LayerCall) -> Tensor:
    query, value, key = _sides(call)
    scaled = bool(call.config.get("use_scale"))
    if call.config.get("score_mode", "dot") == "dot":
        if scaled:  # (s·q)·k is s·(q·k)
            query = _scale(call, query, "scale")
        return call.lower("attention", query, key, value)
    met = _pairs(call, query, key)
    if scaled:
        met = _scale(call, met, "scale")
    met = call.lower("tanh", met, path=(*call.path, "tanh"))
    scores = call.lower("sum", met, axes=[-1], keep=True, path=(*call.path, "sum"))
    scores = _scale(call, scores, "concat_score_weight")
    return _attend(call, scores, value)


@layer("AdditiveAttention")
def additive_attention(call: LayerCall) -> Tensor:
    """Additive attention: the score of a key is a sum over channels, each times a learned factor.
    There is no matrix product for the scores: they are one contraction with the factor."""
    query, value, key = _sides(call)
    met = call.lower("tanh", _pairs(call, query, key), path=(*call.path, "tanh"))
    if call.config.get("use_scale", True):
        tensors = call.tensor("scale", query.dims[-1])
        met = call.lower("scale", met, path=(*call.path, "scale"), axis=-1, weights=tensors)
    scores = call.lower("sum", met, axes=[-1], keep=True, path=(*call.path, "sum"))
    return _attend(call, scores, value)


def _sides(call: LayerCall) -> tuple[Tensor, Tensor, Tensor]:
    if len(call.values) not in (2, 3) or any(len(x.dims) != SEQUENCE_RANK for x in call.values):
        raise ConstraintError(
            "CC401", f"{call.kind} needs a query, a value and optionally a key, each with steps"
        )
    query, value, *key = call.values
    return query, value, key[0] if key else value


def _scale(call: LayerCall, x: Tensor, name: str) -> Tensor:
    tensors = call.tensor(name)
    return call.lower("scale", x, path=(*call.path, name), axis=-1, weights=tensors, shared=True)


def _pairs(call: LayerCall, query: Tensor, key: Tensor) -> Tensor:
    """The sum of each query and each key: [1, queries, keys, channels]."""
    across = reshaped(query, (1, query.dims[1], 1, query.dims[2]))
    down = reshaped(key, (1, 1, key.dims[1], key.dims[2]))
    return call.lower("add", across, down, path=(*call.path, "add"))


def _attend(call: LayerCall, scores: Tensor, value: Tensor) -> Tensor:
    scores = reshaped(scores, scores.dims[:SEQUENCE_RANK])
    weights = call.lower("softmax", scores, path=(*call.path, "softmax"))
    return call.lower("matmul", weights, value, path=(*call.path, "matmul"))
