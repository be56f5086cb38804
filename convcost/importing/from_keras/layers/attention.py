"""Attention of Keras: three projections, the products, and one projection more."""

from math import prod

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.joins import product
from convcost.importing.parts.linear import connected
from convcost.importing.value import Value


@layer("MultiHeadAttention")
def multi_head(easel: Easel, call: Call) -> Value:
    """Called with query, value and, unless it is the value, key; heads × key_dim numbers each."""
    query, value, *key = call.values
    heads, width = int(call.config["num_heads"]), int(call.config["key_dim"])
    depth = int(call.config.get("value_dim") or width)
    if len(query.dims) != 3 or call.config.get("attention_axes") not in (None, [1], 1):  # noqa: PLR2004
        raise Refusal("CC401", "attention over more than one axis is not read")
    given = call.config.get("output_shape")
    out = query.dims[-1] if given is None else prod(given if isinstance(given, list) else [given])
    sides = (
        _projected(easel, call, query, "query", heads * width),
        _projected(easel, call, key[0] if key else value, "key", heads * width),
        _projected(easel, call, value, "value", heads * depth),
    )
    seen = product(easel, "attention", sides, (*call.path, "attention"), {"heads": heads})
    return _projected(easel, call, seen, "attention_output", out)


def _projected(easel: Easel, call: Call, x: Value, name: str, features: int) -> Value:
    bias = bool(call.config.get("use_bias", True))
    tensors = call.tensor(f"{name}/kernel", x.dims[-1], features)
    tensors |= call.tensor(f"{name}/bias", features) if bias else {}
    path = (*call.path, name)
    return connected(easel, x, path, features=features, tensors=tensors, bias=bias)
