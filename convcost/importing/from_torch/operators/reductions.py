"""One number for all along axes."""

from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.reductions import reduced
from convcost.importing.value import Value

KINDS = {"mean": "mean", "sum": "sum", "amax": "max", "max": "max", "amin": "min", "min": "min"}


@operator(*(f"aten.{name}" for name in KINDS))
def reduce(call: Call) -> Any:
    kind = KINDS[call.name.removeprefix("aten.")]
    if isinstance(call.given.get("other"), Value):
        return stated(call, f"{kind}imum")
    several = bool(call.dims) and isinstance(call.dims[0], tuple)
    dims = call.dims[0] if several else call.dims
    y = _over(call._replace(dims=dims), kind, flowing(call.easel, call.given["self"]))
    return (y, None) if several else y


@operator("aten.linalg_vector_norm", "aten.norm")
def vector_norm(call: Call) -> Any:
    """The root of a sum of squares."""
    x = flowing(call.easel, call.given["self"])
    square = pointwise(call.easel, "elementwise", x, call.path, {"function": "square"})
    y = _over(call, "sum", square)
    return pointwise(call.easel, "elementwise", y, call.path, {"function": "sqrt"})


def _over(call: Call, kind: str, x: Value) -> Value:
    dims = call.given.get("dim")
    over = range(len(x.dims)) if dims is None else [dims] if isinstance(dims, int) else dims
    if not call.dims:
        return stated(call, kind)  # type: ignore[no-any-return]
    keep = bool(call.given.get("keepdim", False))
    return reduced(call.easel, kind, x, list(over) or range(len(x.dims)), keep, call.path)
