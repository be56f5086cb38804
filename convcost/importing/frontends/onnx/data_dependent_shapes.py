"""Leaves out operators whose shapes depend on the data, with a note, and all operators after them.
Operators that have weights or cost something are never left out."""

from collections import Counter
from collections.abc import Iterator, Mapping

from convcost.importing.frontends.onnx.context import OnnxContext
from convcost.importing.frontends.onnx.graph import STANDARD, OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import UNKNOWN, Trait
from convcost.model.errors import ConstraintError

SHOWN = 3


def skip_node(context: OnnxContext, node: OnnxNode, lost: dict[str, str], why: str) -> None:
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
    for output in node.outputs:
        lost[output] = why


def report_skipped(builder: GraphBuilder, graph: OnnxGraph, lost: Mapping[str, str]) -> None:
    """Adds the notes about operators that are left out, one for each operator where this begins."""
    gone: dict[str, list[OnnxNode]] = {}
    for node in graph.nodes:
        if node.outputs[0] in lost:
            gone.setdefault(lost[node.outputs[0]], []).append(node)
    for why, nodes in gone.items():
        builder.gap(_note(why, nodes))


def _note(why: str, nodes: list[OnnxNode]) -> str:
    begun = f"left out: {why}, because its output shape depends on the data"
    after = Counter(node.op for node in nodes if node.label != why)
    if not after:
        return begun
    shown = [f"{op} ×{n}" if n > 1 else op for op, n in after.most_common(SHOWN)]
    others = after.total() - sum(n for _, n in after.most_common(SHOWN))
    listed = ", ".join(shown) + (f" and {others} more" if others else "")
    many = "operator" if after.total() == 1 else "operators"
    return f"{begun}, and {after.total()} {many} after it, none with weights or macs: {listed}"


def inner_ops(node: OnnxNode) -> Iterator[str]:
    """The types of all operators in the graphs nested in a node."""
    return (inner.op_type for graph in node.graphs for inner in graph.node)
