"""Operators without a kind: free operators that only state their shape, and unknown operators that
are not counted."""

from typing import Any

from convcost.importing.frontends.onnx.call import OperatorCall
from convcost.importing.frontends.onnx.context import is_packed
from convcost.importing.frontends.onnx.graph import STANDARD, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

BLOCKED = "com.microsoft.nchwc"  # weights are padded for vector registers


def custom_layer(
    call: OperatorCall, dims: Dims | None = None, what: str = "", macs: int = 0
) -> Tensor:
    """A `custom` layer for an operator without a kind, by default without multiply-adds. Its output
    has `dims`, or the shape of shape inference."""
    dims = call.dims() if dims is None else dims
    return _custom(call, dims, what or call.op.lower(), macs=macs)


def uncounted(call: OperatorCall) -> tuple[Tensor, ...]:
    """Adds `custom` layers whose macs are not counted, one for each output. Raises ConstraintError
    if a shape is not known."""
    wanted = [at for at in range(len(call.outputs)) if call.is_output_used(at)]
    if any(call.dims(at) is None for at in wanted):
        raise _shapeless(call.node)
    what = call.op if call.node.domain in ("", "ai.onnx") else f"{call.node.domain}::{call.op}"
    tensors = call.tensors(
        *(
            at
            for at in range(len(call.inputs))
            if (constant := call.constant(at)) is not None
            and constant.learned
            and constant.elements > 1
            and (
                constant.real or is_packed(call.context.stored, call.node.input(at), constant.dims)
            )
        ),
    )
    found = []
    for at in range(max(wanted, default=0) + 1):
        dims = call.dims(at) or (1,)
        label = what if at == 0 else f"{what}, output {at + 1}"
        held = {} if at else tensors
        found.append(_custom(call, dims, label, macs=None, weights=held))
    return tuple(found)


def _shapeless(node: OnnxNode) -> ConstraintError:
    domain = node.domain or STANDARD[-1]
    help_ = "add its shape to the file's value_info"
    if domain == BLOCKED:
        help_ = (
            "ONNX Runtime optimized this file for one processor: import the original file, or save "
            "it with ORT_ENABLE_EXTENDED instead of ORT_ENABLE_ALL"
        )
    return ConstraintError(
        "CC401",
        f"convcost does not know the operator {node.op} of the domain `{domain}`, "
        "and its output shape is not known",
        help_,
    )


def _custom(call: OperatorCall, dims: Dims | None, what: str, **more: Any) -> Tensor:
    if dims is None:
        raise ConstraintError("CC401", "its output shape is not known")
    if any(extent < 1 for extent in dims):
        raise ConstraintError("CC401", f"its output has no elements: {list(dims)}")
    inputs = [call.context.values[name] for name in call.inputs if name in call.context.values]
    return call.lower("custom", *(inputs or [call.value()]), what=what, dims=dims, **more)
