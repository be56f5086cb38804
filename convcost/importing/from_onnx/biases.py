"""Biases: which layer has one, and layers that share weights, each with a bias of its own."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph, Node
from convcost.importing.parts import biases
from convcost.importing.value import Value

if TYPE_CHECKING:
    from convcost.importing.from_onnx.sheet import Sheet

# Operators of weights: where these are, where the bias is, and which of them can share weights.
PLACES = {
    "Conv": (1, 2, "conv"),
    "FusedConv": (1, 2, "conv"),
    "ConvTranspose": (1, 2, "transposed"),
    "Gemm": (1, 2, "linear"),
    "MatMul": (1, None, "linear"),
    "Gather": (0, None, "linear"),  # the table of an embedding
}


def apart(
    graph: Graph, constants: Mapping[str, Constant], readers: Mapping[str, list[Node]]
) -> set[str]:
    """Weights that several layers share, not all of them with the same bias: each bias is drawn
    apart. Those that are one number throughout are not shared: exporters keep one of equal ones."""
    found: list[biases.Use] = []
    for node in graph.nodes:
        weights, bias, family = PLACES.get(node.op, (0, None, ""))
        constant = constants.get(node.input(weights)) if family and node.known else None
        if constant is None or not (constant.learned and constant.real and constant.whole):
            continue
        if constant.elements > 1 and constant.number is None:
            name = node.input(bias) if bias else added(node, constant.dims[-1], constants, readers)
            own = constants.get(name)
            key = own.roots[0][0] if own is not None and own.whole else name
            found.append(biases.Use(constant.roots[0][0], family, key))
    return biases.apart(found)


def added(
    node: Node,
    features: int,
    constants: Mapping[str, Constant],
    readers: Mapping[str, list[Node]],
) -> str:
    """The bias that the only operator after a product adds; empty if it adds none."""
    after = readers.get(node.outputs[0], [])
    if node.op == "Gather" or len(after) != 1 or after[0].op != "Add":
        return ""
    name = next((one for one in after[0].inputs if one != node.outputs[0]), "")
    bias = constants.get(name)
    if bias is None or not (bias.learned and bias.real and bias.whole):
        return ""
    fits = bias.elements == features and bias.dims[-1:] == (features,) and features > 1
    return name if fits else ""


def shifted(sheet: "Sheet", node: Node, x: Value, at: int, channel: int) -> Value:
    """A bias as a layer of its own."""
    path = (*sheet.path(node), "bias")
    tensors = sheet.tensors(node, at, kinds=("scale",))
    return biases.shifted(sheet.easel, x, path, channel, tensors)


def bare(sheet: "Sheet", index: int) -> bool:
    """Whether a layer has no bias because others share its weights."""
    owner = sheet.easel.layers[index].shares
    index = index if owner is None else owner
    return any(sheet.easel.used.get(key) == index for key in sheet.apart)
