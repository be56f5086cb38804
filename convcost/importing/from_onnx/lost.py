"""What data alone gives a shape is not drawn, nor what comes after it: never without a word, and
never where it may cost something."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import STANDARD, Graph, Node
from convcost.importing.from_onnx.operators import drawer

if TYPE_CHECKING:
    from onnx import GraphProto

    from convcost.importing.from_onnx.sheet import Sheet

UNDRAWN = "not drawn: "  # how notes of what is left out begin
SHOWN = 3
# Operators that multiply and add, whether or not their weights are the model's own.
COUNTED = frozenset(
    (
        *("Conv", "ConvTranspose", "ConvInteger", "QLinearConv", "FusedConv", "DeformConv"),
        *("Gemm", "QGemm", "MatMul", "MatMulInteger", "QLinearMatMul", "FusedMatMul", "Einsum"),
        *("LSTM", "GRU", "RNN", "Attention", "MultiHeadAttention", "AttentionOf", "DFT", "STFT"),
        *("BatchNormalization", "LayerNormalization"),
    )
)
# Operators on shapes and lists of tensors, which cost nothing and which nothing draws.
SHAPELY = frozenset(
    (
        *("Shape", "Size", "Constant", "ConstantOfShape", "SplitToSequence", "SequenceAt"),
        *("SequenceConstruct", "SequenceEmpty", "SequenceErase", "SequenceInsert"),
        *("SequenceLength", "Optional", "OptionalGetElement", "OptionalHasElement"),
    )
)


def lose(sheet: "Sheet", node: Node, lost: dict[str, str], why: str) -> None:
    """Takes a node off the drawing whose shape only data can tell; `why` is where that begins.

    Raises Refusal CC401 for one that has weights, that costs something or that nobody knows.
    """
    for at in range(len(node.inputs)):
        constant = sheet.constant(node, at)
        if constant is not None and constant.learned and constant.elements > 1:
            raise Refusal(
                "CC401", f"it has weights, and the shape of what comes in follows from data: {why}"
            )
    costly = next((op for op in _all(node) if op in COUNTED), None)
    if costly is not None:
        runs = "it costs macs" if costly == node.op else f"it runs a {costly}"
        raise Refusal("CC401", f"{runs}, and the shape of what comes in follows from data: {why}")
    if not node.known or (drawer(node.op) is None and node.op not in SHAPELY):
        raise Refusal(
            "CC401",
            f"nobody knows what {node.op} of the domain `{node.domain or STANDARD[-1]}` is, "
            f"and the shape of what comes in follows from data: {why}",
        )
    for output in node.outputs:
        lost[output] = why


def undrawn(graph: Graph, lost: Mapping[str, str]) -> list[str]:
    """Notes of all that is not drawn, by the operator where that begins."""
    gone: dict[str, list[Node]] = {}
    for node in graph.nodes:
        if node.outputs[0] in lost:
            gone.setdefault(lost[node.outputs[0]], []).append(node)
    return [_told(why, nodes) for why, nodes in gone.items()]


def _told(why: str, nodes: list[Node]) -> str:
    begun = f"{UNDRAWN}{why}, as the shape of what it gives follows from data"
    after = Counter(node.op for node in nodes if node.label != why)
    if not after:
        return begun
    shown = [f"{op} ×{n}" if n > 1 else op for op, n in after.most_common(SHOWN)]
    left = after.total() - sum(n for _, n in after.most_common(SHOWN))
    listed = ", ".join(shown) + (f" and {left} more" if left else "")
    many = "operator" if after.total() == 1 else "operators"
    return f"{begun}, and {after.total()} {many} after it, none with weights or macs: {listed}"


def _all(node: Node) -> Iterator[str]:
    """The operator, and those of the graphs in it."""
    yield node.op
    for name in ("then_branch", "else_branch", "body"):
        yield from inside(node.attributes.get(name))


def inside(graph: "GraphProto | None") -> Iterator[str]:
    """All operators of a graph and of the graphs in it; how deep they go is bounded."""
    if graph is None:
        return
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from inside(attribute.g)
