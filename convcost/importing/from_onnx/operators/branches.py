"""Loops and branches: what runs in them follows from data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.value import Value

if TYPE_CHECKING:
    from onnx import GraphProto

WEIGHTED = frozenset(
    (
        *("Conv", "ConvTranspose", "Gemm", "MatMul", "Einsum", "LSTM", "GRU", "RNN"),
        *("BatchNormalization", "LayerNormalization", "ConvInteger", "QLinearConv"),
        *("MatMulInteger", "QLinearMatMul", "QGemm", "FusedMatMul", "MatMulNBits", "DeformConv"),
        *("Attention", "MultiHeadAttention"),
    )
)


@operator("If", "Loop", "Scan")
def branch(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    """Nobody counts it; refused where layers with weights are inside."""
    for name in ("then_branch", "else_branch", "body"):
        for op in _inside(node.attributes.get(name)):
            if op in WEIGHTED:
                raise Refusal(
                    "CC401",
                    f"it runs a {op}, or not, or many times: that follows from data",
                    "export the model with loops and branches resolved",
                )
    return uncounted(sheet, node)


def _inside(graph: "GraphProto | None") -> Iterator[str]:
    """All operators of a graph and of the graphs in it; how deep they go is bounded."""
    if graph is None:
        return
    for node in graph.node:
        yield node.op_type
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _inside(attribute.g)
