"""Operators without a kind: free operators that only state their shape, unknown operators that are
not counted, and operators whose shapes depend on the data, which are left out."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import Any

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.context import OnnxContext, is_packed
from convcost.importing.frontends.onnx.graph import STANDARD, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import has, operator, row_of
from convcost.importing.ir.ops import UNKNOWN, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

BLOCKED = "com.microsoft.nchwc"  # weights are padded for vector registers


def custom_layer(call: OnnxCall, dims: Dims | None = None, what: str = "", macs: int = 0) -> Tensor:
    """A `custom` layer for an operator without a kind, by default without multiply-adds. Its output
    has `dims`, or the shape of shape inference."""
    dims = call.dims() if dims is None else dims
    return _custom(call, dims, what or call.op.lower(), macs=macs)


def free_row(*names: str, what: str = "", like_input: bool = False) -> None:
    """Registers operators without a kind and without multiply-adds. The output has the dims of the
    first input, or those of shape inference."""

    @operator(*names)
    def rule(call: OnnxCall) -> Tensor:
        return custom_layer(call, call.value().dims if like_input else None, what)


def uncounted(call: OnnxCall) -> tuple[Tensor, ...]:
    """Adds `custom` layers whose macs are not counted, one for each output. Raises ConstraintError
    if a shape is not known."""
    if not call.has_known_shapes:
        raise _shapeless(call.node)
    what = call.op if call.node.domain in ("", "ai.onnx") else f"{call.node.domain}::{call.op}"
    tensors = call.tensors(*filter(partial(_is_weight, call), range(len(call.inputs))))
    found = []
    for position in range(max(call.used_outputs, default=0) + 1):
        dims = call.dims(position)
        own = (1,) if dims is None else dims  # the shape of an output that nothing uses
        label = f"{what}, output {position + 1}" if position else what
        found.append(_custom(call, own, label, macs=None, weights={} if position else tensors))
    return tuple(found)


def _is_weight(call: OnnxCall, position: int) -> bool:
    constant = call.constant(position)
    if constant is None or not constant.learned or constant.elements == 1:
        return False
    packed = is_packed(call.context.stored, call.node.input(position), constant.dims)
    return constant.real or packed


def _shapeless(node: OnnxNode) -> ConstraintError:
    """The error for an unknown operator without an output shape."""
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


def _custom(call: OnnxCall, dims: Dims | None, what: str, **more: Any) -> Tensor:
    """Adds a `custom` layer with the output `dims`. Raises ConstraintError CC401."""
    if dims is None:
        raise ConstraintError("CC401", "its output shape is not known")
    if any(extent < 1 for extent in dims):
        raise ConstraintError("CC401", f"its output has no elements: {list(dims)}")
    inputs = [call.context.values[name] for name in call.inputs if name in call.context.values]
    return call.lower("custom", *(inputs or [call.value()]), what=what, dims=dims, **more)


MAX_SHOWN = 3


def skip_node(context: OnnxContext, node: OnnxNode, why: str) -> None:
    """Leaves out a node whose output shape depends on the data. `why` is the first such operator.

    Raises ConstraintError CC401 if the node has weights, costs something or is unknown.
    """
    for name in node.inputs:
        constant = context.constants.get(name)
        if constant is not None and constant.learned and constant.elements > 1:
            raise ConstraintError(
                "CC401",
                f"it has weights, and its input shape depends on the data: {why}",
                "a mixture of experts is the kind `experts` of a spec: `convcost kinds experts`",
            )
    ops = (node.op, *inner_ops(node))
    costly = next((op for op in ops if has(op, Trait.CONTRACTS, Trait.NORMALIZES)), None)
    if costly is not None:
        runs = "it costs macs" if costly == node.op else f"it runs a {costly}"
        raise ConstraintError("CC401", f"{runs}, and its input shape depends on the data: {why}")
    if not node.known or row_of(node.op) is UNKNOWN:
        raise ConstraintError(
            "CC401",
            f"convcost does not know the operator {node.op} of the domain "
            f"`{node.domain or STANDARD[-1]}`, and its input shape depends on the data: {why}",
        )
    context.lost.update(dict.fromkeys(node.outputs, why))


def report_skipped(context: OnnxContext) -> None:
    """Adds the notes about operators that are left out, one for each operator where this begins."""
    nodes_of: dict[str, list[OnnxNode]] = {}
    for node in context.graph.nodes:
        if node.outputs[0] in context.lost:
            nodes_of.setdefault(context.lost[node.outputs[0]], []).append(node)
    for why, nodes in nodes_of.items():
        context.builder.gap(_note(why, nodes))


def _note(why: str, nodes: list[OnnxNode]) -> str:
    reason = f"left out: {why}, because its output shape depends on the data"
    after = Counter(node.op for node in nodes if node.label != why)
    if not after:
        return reason
    shown = [f"{op} ×{n}" if n > 1 else op for op, n in after.most_common(MAX_SHOWN)]
    others = after.total() - sum(n for _, n in after.most_common(MAX_SHOWN))
    listed = ", ".join(shown) + (f" and {others} more" if others else "")
    many = "operator" if after.total() == 1 else "operators"
    return f"{reason}, and {after.total()} {many} after it, none with weights or macs: {listed}"


def inner_ops(node: OnnxNode) -> Iterator[str]:
    """The types of all operators in the graphs nested in a node."""
    return (inner.op_type for graph in node.graphs for inner in graph.node)
