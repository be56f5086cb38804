"""Elementwise operators on tensors, learned tensors and numbers."""

from math import prod
from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue, as_tensor
from convcost.importing.frontends.torch.names import split_name
from convcost.importing.frontends.torch.registry import (
    TorchCall,
    has_only_joins,
    known_row,
    operator,
)
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.fusions import SUMS
from convcost.importing.passes.lower.stored_tensors import LEARNED, join_with_learned
from convcost.model.shape import broadcast


@operator(add="add", sub="subtract", rsub="subtract", mul="multiply", div="divide",
          maximum="maximum", minimum="minimum")  # fmt: skip
def join(call: TorchCall) -> Any:
    y = _join_output(call)
    if y.dims == call.dims or has_only_joins(call.users):
        return y
    return call._replace(given={"self": y}).custom("expand")


def _join_output(call: TorchCall) -> Tensor:
    kind = call.canonical
    a, b = call.given["self"], call.given["other"]
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        return call.lower(kind, a, b)
    x, other = (a, b) if isinstance(a, Tensor) else (b, a)
    if not isinstance(x, Tensor):  # a costly function of learned tensors
        first = a if isinstance(a, ConstantValue) and a.leaves else b
        x, other = call.tensor(first), b if first is a else a
        if isinstance(other, ConstantValue) and other.leaves:
            return call.lower(kind, x, call.tensor(other))
    if not isinstance(other, ConstantValue) or (
        not other.leaves and broadcast(other.dims, x.dims) == x.dims and not _is_summed(call, other)
    ):
        call.builder.free[f"{kind} a fixed number"] += 1
        return x
    leaf = other.leaf
    if leaf is not None and leaf.learned and kind in LEARNED and is_unclaimed(call, leaf.key):
        path = (*split_name(leaf.key),)
        return join_with_learned(call.builder, LEARNED[kind], x, leaf.key, other.dims, path)
    return call.lower(kind, x, as_tensor(call.builder, other, x))


def is_unclaimed(call: TorchCall, key: str) -> bool:
    """Whether no layer owns a learned tensor, except a layer of the tensor itself or a scale. Then
    it can become an option of the layer before it."""
    user = call.builder.used.get(key)
    return (
        user is None
        or key in call.builder.constant_layers
        or call.builder.layers[user].kind == "scale"
    )


def _is_summed(call: TorchCall, other: ConstantValue) -> bool:
    """Whether sums or means alone read a product with several numbers: it may be a contraction."""
    several = call.canonical == "multiply" and prod(other.dims) > 1
    return several and bool(call.users) and all(known_row(user).op in SUMS for user in call.users)


@operator("masked_fill")
def masked_fill(call: TorchCall) -> Any:
    """A selection. A mask that does not depend on the input adds no layer."""
    x, mask = call.tensor(call.given["self"]), call.given["mask"]
    if isinstance(mask, Tensor):
        return call._replace(given={"mask": mask, "self": x}).custom("where")
    call.builder.free["masked_fill"] += 1
    return x


@operator("addcmul")
def addcmul(call: TorchCall) -> Any:
    args = call.given
    scaled = join(call._replace(name="mul", given={"self": args["tensor1"],
                                                        "other": args["tensor2"]}))  # fmt: skip
    return join(call._replace(name="add", given={"self": args["self"], "other": scaled}))


@operator("lerp")
def lerp(call: TorchCall) -> Any:
    return call.lower("add", call.x, call.tensor(call.given["end"]))
