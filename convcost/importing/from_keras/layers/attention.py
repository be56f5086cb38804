"""Attention of several heads: projections, the two products, and one projection more."""

from math import prod
from typing import NamedTuple

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.nodes import ATTENTION
from convcost.importing.parts.joins import elementwise, product
from convcost.importing.parts.linear import connected
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.value import Value, permuted, reshaped

NAMES = ("query", "value", "key")


class Heads(NamedTuple):
    """Heads of the queries and of keys and values, and the numbers that each has in a query and in
    a value."""

    queries: int
    keys: int
    width: int
    depth: int


@layer(*ATTENTION)
def multi_head(easel: Easel, call: Call) -> Value:
    """Called with query, value and, unless it is the value, key; heads × numbers each."""
    query, value, key = _taken(call)
    heads, given = _heads(call), call.config.get("output_shape")
    out = given if isinstance(given, list | tuple) else [given or query.dims[-1]]
    axes = _axes(call, len(query.dims))
    sides = (
        _projected(easel, call, query, "query", heads.queries * heads.width),
        _projected(easel, call, key, "key", heads.keys * heads.width),
        _projected(easel, call, value, "value", heads.keys * heads.depth),
    )
    path = (*call.path, "attention")
    rows = [_rows(side, axes) for side in sides]
    seen = product(easel, "attention", rows, path, {"heads": heads.queries})
    seen = _back(seen, (*query.dims[:-1], heads.queries * heads.depth), axes)
    if call.config.get("use_gate"):
        gate = _projected(easel, call, query, "gate", heads.queries * heads.depth)
        gate = pointwise(easel, "sigmoid", gate, (*call.path, "sigmoid"))
        seen = elementwise(easel, "multiply", [seen, gate], (*call.path, "multiply"))
    drawn = _projected(easel, call, seen, "attention_output", prod(out))
    return reshaped(drawn, (*query.dims[:-1], *out))


def _heads(call: Call) -> Heads:
    if call.kind == "MultiHeadAttention":
        heads, width = int(call.config["num_heads"]), int(call.config["key_dim"])
        return Heads(heads, heads, width, int(call.config.get("value_dim") or width))
    width = int(call.config["head_dim"])
    heads, keys = (int(call.config[f"num_{name}_heads"]) for name in ("query", "key_value"))
    return Heads(heads, keys, width, width)


def _taken(call: Call) -> tuple[Value, Value, Value]:
    """Query, value and key: by name, else in this order."""
    places = call.places or ("0",) * len(call.values)
    pairs = list(zip(places, call.values, strict=True))
    found = dict(zip(NAMES, (x for place, x in pairs if place.isdecimal()), strict=False))
    found.update({place: x for place, x in pairs if place in NAMES})
    if len(found) != len(pairs) or not {"query", "value"} <= set(found):
        raise Refusal("CC401", "attention takes a query, a value and perhaps a key")
    return found["query"], found["value"], found.get("key", found["value"])


def _axes(call: Call, rank: int) -> list[int]:
    """The axes that queries are told apart by: all but samples and channels, unless some are
    named."""
    given = call.config.get("attention_axes")
    if given is None:
        return list(range(1, rank - 1))
    # Keras counts negative ones on the projected tensor, whose heads are an axis more.
    named = given if isinstance(given, list | tuple) else [given]
    found = sorted(int(axis) if axis >= 0 else rank + int(axis) for axis in named)
    if not found or found[0] < 1 or found[-1] > rank - 2:
        raise Refusal("CC401", f"attention over the axes {list(named)} is not read")
    return found


def _order(rank: int, axes: list[int]) -> list[int]:
    return [*(axis for axis in range(rank - 1) if axis not in axes), *axes, rank - 1]


def _rows(x: Value, axes: list[int]) -> Value:
    """The axes as one before the channels, the others outside of it."""
    rank = len(x.dims)
    turned = permuted(x, _order(rank, axes))
    outer = turned.dims[: rank - 1 - len(axes)]
    return reshaped(turned, (*outer, prod(x.dims[axis] for axis in axes), x.dims[-1]))


def _back(x: Value, dims: tuple[int, ...], axes: list[int]) -> Value:
    order = _order(len(dims), axes)
    apart = reshaped(x, tuple(dims[axis] for axis in order))
    return permuted(apart, [order.index(axis) for axis in range(len(dims))])


def _projected(easel: Easel, call: Call, x: Value, name: str, features: int) -> Value:
    bias = bool(call.config.get("use_bias", True))
    tensors = call.tensor(f"{name}/kernel", x.dims[-1], features)
    tensors |= call.tensor(f"{name}/bias", features) if bias else {}
    path = (*call.path, name)
    return connected(easel, x, path, features=features, tensors=tensors, bias=bias)
