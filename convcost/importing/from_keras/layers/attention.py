"""Attention of Keras: three projections, the products, and one projection more."""

from math import prod

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.joins import product
from convcost.importing.parts.linear import connected
from convcost.importing.value import Value

NAMES = ("query", "value", "key")


@layer("MultiHeadAttention")
def multi_head(easel: Easel, call: Call) -> Value:
    """Called with query, value and, unless it is the value, key; heads × key_dim numbers each."""
    query, value, key = _taken(call)
    heads, width = int(call.config["num_heads"]), int(call.config["key_dim"])
    depth = int(call.config.get("value_dim") or width)
    if len(query.dims) != 3 or call.config.get("attention_axes") not in (None, [1], 1):  # noqa: PLR2004
        raise Refusal("CC401", "attention over more than one axis is not read")
    given = call.config.get("output_shape")
    out = query.dims[-1] if given is None else prod(given if isinstance(given, list) else [given])
    sides = (
        _projected(easel, call, query, "query", heads * width),
        _projected(easel, call, key, "key", heads * width),
        _projected(easel, call, value, "value", heads * depth),
    )
    seen = product(easel, "attention", sides, (*call.path, "attention"), {"heads": heads})
    return _projected(easel, call, seen, "attention_output", out)


def _taken(call: Call) -> tuple[Value, Value, Value]:
    """Query, value and key: by name, else in this order."""
    places = call.places or ("0",) * len(call.values)
    pairs = list(zip(places, call.values, strict=True))
    found = dict(zip(NAMES, (x for place, x in pairs if place.isdecimal()), strict=False))
    found.update({place: x for place, x in pairs if place in NAMES})
    if len(found) != len(pairs) or not {"query", "value"} <= set(found):
        raise Refusal("CC401", "attention takes a query, a value and perhaps a key")
    return found["query"], found["value"], found.get("key", found["value"])


def _projected(easel: Easel, call: Call, x: Value, name: str, features: int) -> Value:
    bias = bool(call.config.get("use_bias", True))
    tensors = call.tensor(f"{name}/kernel", x.dims[-1], features)
    tensors |= call.tensor(f"{name}/bias", features) if bias else {}
    path = (*call.path, name)
    return connected(easel, x, path, features=features, tensors=tensors, bias=bias)
