"""Element by element: tensors that flow, tensors of the model's own, plain numbers."""

from typing import Any

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.names import parted
from convcost.importing.from_torch.registry import STRETCHING, Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.tensors import met
from convcost.importing.value import Value
from convcost.shapes import broadcast

KINDS = {
    "add": "add",
    "sub": "subtract",
    "rsub": "subtract",
    "mul": "multiply",
    "div": "divide",
    "maximum": "maximum",
    "minimum": "minimum",
}
# Of a learned tensor: what is taken off is a shift as much as what is added.
LEARNED = {"add": "add", "subtract": "add", "multiply": "multiply", "divide": "multiply"}


@operator(*(f"aten.{name}" for name in KINDS))
def join(call: Call) -> Any:
    y = _joined(call)
    if y.dims == call.dims or call.users <= STRETCHING:
        return y
    return stated(call._replace(given={"self": y}), "expand")


def _joined(call: Call) -> Value:
    name = call.name.removeprefix("aten.")
    kind = KINDS[name if name in KINDS else name.removesuffix("_")]
    a, b = call.given["self"], call.given["other"]
    if isinstance(a, Value) and isinstance(b, Value):
        return _both(call, kind, a, b)
    x, other = (a, b) if isinstance(a, Value) else (b, a)
    if not isinstance(x, Value):  # what costs something is worked out of learned tensors
        first = a if isinstance(a, Held) and a.leaves else b
        x, other = flowing(call.easel, first), b if first is a else a
        if isinstance(other, Held) and other.leaves:
            return _both(call, kind, x, flowing(call.easel, other))
    if not isinstance(other, Held) or (not other.leaves and _fits(other, x)):
        call.easel.free[f"{kind} a fixed number"] += 1
        return x
    leaf = other.leaf
    if leaf is not None and leaf.learned and kind in LEARNED and _joins(call, leaf.key):
        path = (*parted(leaf.key),)
        return met(call.easel, LEARNED[kind], x, leaf.key, other.dims, path)
    return _both(call, kind, x, flowing(call.easel, other))


def _joins(call: Call, key: str) -> bool:
    """Whether a learned tensor is nobody's yet, or only joins have it."""
    user = call.easel.used.get(key)
    return user is None or key in call.easel.held or call.easel.layers[user].kind == "scale"


def _both(call: Call, kind: str, a: Value, b: Value) -> Value:
    if a == b and kind == "multiply":
        return pointwise(call.easel, "elementwise", a, call.path, {"function": "square"})
    return elementwise(call.easel, kind, [a, b], call.path)


def _fits(other: Held, x: Value) -> bool:
    return broadcast(other.dims, x.dims) == x.dims


@operator("aten.masked_fill")
def masked_fill(call: Call) -> Any:
    x = flowing(call.easel, call.given["self"])
    if isinstance(call.given["mask"], Value):
        return _both(call, "multiply", x, call.given["mask"])
    call.easel.free["masked_fill"] += 1
    return x


@operator("aten.addcmul")
def addcmul(call: Call) -> Any:
    given = call.given
    scaled = join(call._replace(name="aten.mul", given={"self": given["tensor1"],
                                                        "other": given["tensor2"]}))  # fmt: skip
    return join(call._replace(name="aten.add", given={"self": given["self"], "other": scaled}))


@operator("aten.lerp")
def lerp(call: Call) -> Any:
    a, b = (flowing(call.easel, call.given[name]) for name in ("self", "end"))
    return _both(call, "add", a, b)
