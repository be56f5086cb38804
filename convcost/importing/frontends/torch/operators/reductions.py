"""Reductions over axes."""

from typing import Any

from convcost.importing.frontends.torch.operators.joins import join
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.reductions import variance

NORMS = {1: "reduce_l1", 2: "reduce_l2", float("inf"): "reduce_largest"}


@operator("mean", op="mean")
@operator("sum", op="sum")
@operator("amax", "max", op="max")
@operator("amin", "min", op="min")
@operator("logsumexp", op="reduce_log_exp")
def reduce(call: TorchCall) -> Any:
    op = call.canonical
    if call.given.get("other") is not None:
        return join(call._replace(name=f"{op}imum"))
    y = call.lower(op, axes=_axes(call), keep=call.given.get("keepdim", False))
    if not call.has_several_outputs:
        return y
    indices = call._replace(dims=call.dims[1])
    return y, indices.custom(f"arg{op}") if "getitem:1" in call.users else None


@operator("std", "var", "std_mean", "var_mean")
def deviation(call: TorchCall) -> Any:
    """The variance or deviation, together with the mean if the operator returns it."""
    if not call.first_dims:
        return call.custom()
    keep, root = bool(call.given.get("keepdim", False)), "std" in call.name
    moments = variance(call.builder, call.x, _axes(call), keep, call.path, root=root)
    return moments if call.has_several_outputs else moments[0]


@operator("linalg_vector_norm", "norm")
def vector_norm(call: TorchCall) -> Tensor:
    """The root of a sum of squares, or of another power."""
    order = call.given.get("ord", call.given.get("p"))
    op = NORMS.get(2 if order is None else order, "reduce_power")
    return call.lower(op, axes=_axes(call), keep=call.given.get("keepdim", False))


def _axes(call: TorchCall) -> list[int]:
    """The axes to reduce; all axes if none are given."""
    dims = call.given.get("dim")
    axes = [dims] if isinstance(dims, int) else list(dims or ())
    return axes or list(range(len(call.x.dims)))
