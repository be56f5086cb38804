"""Operators whose shapes depend on the data. They are left out, if they cost nothing."""

from collections import Counter
from collections.abc import Iterator

from convcost.importing.frontends.onnx.context import OnnxContext
from convcost.importing.frontends.onnx.graph import STANDARD, OnnxNode
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.ops import UNKNOWN, Trait
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

MAX_SHOWN = 3  # operators


def skip_node(context: OnnxContext, node: OnnxNode, first: str) -> None:
    """Leaves out a node whose output shape depends on the data. `first` is the first such operator.

    Raises ConstraintError CC401 if the node has weights, costs something or is unknown.
    """
    for name in node.inputs:
        constant = context.constants.get(name)
        if constant is not None and constant.learned and constant.elements > 1:
            raise ConstraintError(
                "CC401",
                f"it has weights, and its input shape depends on the data: {first}",
                "a mixture of experts is the kind `experts` of a spec: `convcost kinds experts`",
            )
    ops = (node.op, *inner_ops(node))
    costly = next((op for op in ops if has(op, Trait.CONTRACTS, Trait.NORMALIZES)), None)
    if costly is not None:
        runs = "it costs macs" if costly == node.op else f"it runs a {costly}"
        raise ConstraintError("CC401", f"{runs}, and its input shape depends on the data: {first}")
    if not node.known or row_of(node.op) is UNKNOWN:
        raise ConstraintError(
            "CC401",
            f"convcost does not know the operator {node.op} of the domain "
            f"`{node.domain or STANDARD[-1]}`, and its input shape depends on the data: {first}",
        )
    context.lost.update(dict.fromkeys(node.outputs, first))


def report_skipped(context: OnnxContext) -> None:
    """Adds the notes about operators that are left out, one for each operator where this begins."""
    nodes_of: dict[str, list[OnnxNode]] = {}
    for node in context.graph.nodes:
        if node.outputs[0] in context.lost:
            nodes_of.setdefault(context.lost[node.outputs[0]], []).append(node)
    for first, nodes in nodes_of.items():
        context.builder.note_gap(_note(first, nodes))


def _note(first: str, nodes: list[OnnxNode]) -> str:
    reason = f"left out: {first}, because its output shape depends on the data"
    after = Counter(node.op for node in nodes if node.label != first)
    if not after:
        return reason
    shown = [f"{op} ×{n}" if n > 1 else op for op, n in after.most_common(MAX_SHOWN)]
    others = after.total() - sum(n for _, n in after.most_common(MAX_SHOWN))
    listed = ", ".join(shown) + (f" and {others} more" if others else "")
    count = counted(after.total(), "operator")
    return f"{reason}, and {count} after it, none with weights or macs: {listed}"


def inner_ops(node: OnnxNode) -> Iterator[str]:
    """The types of all operators in the graphs nested in a node."""
    return (inner.op_type for graph in node.graphs for inner in graph.node)
