"""Loops and branches: what runs in them follows from data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from convcost.errors import Refusal
from convcost.importing.from_onnx.constants import held
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.lost import COUNTED, inside
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.value import Value

if TYPE_CHECKING:
    from onnx import TensorProto

BODIES = ("then_branch", "else_branch", "body")


def kept(node: Node) -> "Iterator[TensorProto]":
    """The tensors that the graphs within a node hold, however deep."""
    waiting = [node.attributes.get(name) for name in BODIES]
    while waiting:
        graph = waiting.pop()
        if graph is not None:
            yield from graph.initializer
            waiting += [
                one.g for inner in graph.node for one in inner.attribute if one.name in BODIES
            ]


@operator("If", "Loop", "Scan")
def branch(sheet: Sheet, node: Node) -> tuple[Value, ...]:
    """Nobody counts it; refused where layers with weights are inside."""
    for name in BODIES:
        for op in inside(node.attributes.get(name)):
            if op in COUNTED:
                raise Refusal(
                    "CC401",
                    f"it runs a {op}, or not, or many times: that follows from data",
                    "export the model with loops and branches resolved",
                )
    for tensor in kept(node):
        key = f"{tensor.name} in {node.label}"  # told of, as no layer has it
        sheet.constants[key] = held(tensor, key, learned=True)
    wanted = [at for at in range(len(node.outputs)) if sheet.wanted(node, at)]
    if any(sheet.dims(node, at) is None for at in wanted):
        return ()
    return uncounted(sheet, node)
