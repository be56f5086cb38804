"""Attention of one head without projections. The inputs are query, value and optionally key;
without a key, the value is the key."""

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.ir.tensor import SEQUENCE_RANK, Tensor, reshaped
from convcost.model.errors import ConstraintError


@layer("Attention")
def attention(call: LayerCall) -> Tensor:
    query, value, key = _sides(call)
    scaled = bool(call.config.get("use_scale"))
    if call.config.get("score_mode", "dot") == "dot":
        if scaled:  # (s·q)·k is s·(q·k)
            query = _scaled(call, query, "scale")
        return call.lower("attention", query, key, value)
    met = _pairs(call, query, key)
    if scaled:
        met = _scaled(call, met, "scale")
    met = call.lower("tanh", met, path=(*call.path, "tanh"))
    scores = call.lower("sum", met, axes=[-1], keep=True, path=(*call.path, "sum"))
    scores = _scaled(call, scores, "concat_score_weight")
    return _attended(call, scores, value)


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
    return _attended(call, scores, value)


def _sides(call: LayerCall) -> tuple[Tensor, Tensor, Tensor]:
    if len(call.values) not in (2, 3) or any(len(x.dims) != SEQUENCE_RANK for x in call.values):
        raise ConstraintError(
            "CC401", f"{call.kind} needs a query, a value and optionally a key, each with steps"
        )
    query, value, *key = call.values
    return query, value, key[0] if key else value


def _scaled(call: LayerCall, x: Tensor, name: str) -> Tensor:
    tensors = call.tensor(name)
    return call.lower("scale", x, path=(*call.path, name), axis=-1, weights=tensors, shared=True)


def _pairs(call: LayerCall, query: Tensor, key: Tensor) -> Tensor:
    """The sum of each query and each key: [1, queries, keys, channels]."""
    across = reshaped(query, (1, query.dims[1], 1, query.dims[2]))
    down = reshaped(key, (1, 1, key.dims[1], key.dims[2]))
    return call.lower("add", across, down, path=(*call.path, "add"))


def _attended(call: LayerCall, scores: Tensor, value: Tensor) -> Tensor:
    scores = reshaped(scores, scores.dims[:SEQUENCE_RANK])
    weights = call.lower("softmax", scores, path=(*call.path, "softmax"))
    return call.lower("matmul", weights, value, path=(*call.path, "matmul"))
