"""Loops and branches: what runs in them follows from data."""

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.lost import COUNTED, inside
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.value import Value


@operator("If", "Loop", "Scan")
def branch(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    """Nobody counts it; refused where layers with weights are inside."""
    for name in ("then_branch", "else_branch", "body"):
        for op in inside(node.attributes.get(name)):
            if op in COUNTED:
                raise Refusal(
                    "CC401",
                    f"it runs a {op}, or not, or many times: that follows from data",
                    "export the model with loops and branches resolved",
                )
    wanted = [at for at in range(len(node.outputs)) if sheet.wanted(node, at)]
    if any(sheet.dims(node, at) is None for at in wanted):
        return ()
    return uncounted(sheet, node)
