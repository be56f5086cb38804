"""Attention of one head without projections: of query, value and, unless it is the value, key."""

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.joins import elementwise, product
from convcost.importing.parts.pointwise import by_channel, pointwise
from convcost.importing.parts.reductions import reduced
from convcost.importing.value import Value, reshaped

RANK = 3  # samples, steps, channels


@layer("Attention")
def attention(easel: Easel, call: Call) -> Value:
    query, value, key = _sides(call)
    scaled = bool(call.config.get("use_scale"))
    if call.config.get("score_mode", "dot") == "dot":
        if scaled:  # (s·q)·k is s·(q·k)
            query = _scaled(easel, call, query, "scale")
        return product(easel, "attention", [query, key, value], call.path)
    met = _met(easel, call, query, key)
    if scaled:
        met = _scaled(easel, call, met, "scale")
    met = pointwise(easel, "tanh", met, (*call.path, "tanh"))
    scores = reduced(easel, "sum", met, [-1], keep=True, path=(*call.path, "sum"))
    scores = _scaled(easel, call, scores, "concat_score_weight")
    return _weighed(easel, call, scores, value)


@layer("AdditiveAttention")
def additive(easel: Easel, call: Call) -> Value:
    """How well a key fits is a sum over channels, of a learned multiple each; no product."""
    query, value, key = _sides(call)
    met = pointwise(easel, "tanh", _met(easel, call, query, key), (*call.path, "tanh"))
    if call.config.get("use_scale", True):
        tensors = call.tensor("scale", query.dims[-1])
        met = by_channel(easel, "scale", met, (*call.path, "scale"), -1, tensors=tensors)
    scores = reduced(easel, "sum", met, [-1], keep=True, path=(*call.path, "sum"))
    return _weighed(easel, call, scores, value)


def _sides(call: Call) -> tuple[Value, Value, Value]:
    if len(call.values) not in (2, 3) or any(len(x.dims) != RANK for x in call.values):
        raise Refusal("CC401", f"{call.kind} takes a query, a value and perhaps a key, of steps")
    query, value, *key = call.values
    return query, value, key[0] if key else value


def _scaled(easel: Easel, call: Call, x: Value, name: str) -> Value:
    options, tensors = {"shared": True}, call.tensor(name)
    return by_channel(easel, "scale", x, (*call.path, name), -1, options, tensors=tensors)


def _met(easel: Easel, call: Call, query: Value, key: Value) -> Value:
    """Every query with every key: [1, queries, keys, channels]."""
    across = reshaped(query, (1, query.dims[1], 1, query.dims[2]))
    down = reshaped(key, (1, 1, key.dims[1], key.dims[2]))
    return elementwise(easel, "add", [across, down], (*call.path, "add"))


def _weighed(easel: Easel, call: Call, scores: Value, value: Value) -> Value:
    scores = reshaped(scores, scores.dims[:RANK])
    weights = pointwise(easel, "softmax", scores, (*call.path, "softmax"))
    return product(easel, "matmul", [weights, value], (*call.path, "matmul"))
