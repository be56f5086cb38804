"""Scales and zero points: numbers that a quantizer adds. They are not learned."""

from collections.abc import Mapping

from convcost.importing.frontends.onnx.constants import OnnxConstant
from convcost.importing.frontends.onnx.graph import OnnxGraph
from convcost.importing.frontends.onnx.registry import has
from convcost.importing.ir.ops import Trait

WHY = "used as scales or zero points, and not counted as params"
WHOLE = ("MatMulInteger", "ConvInteger")  # integer products, scaled by a later operator
# Operators that read quantized tensors, and the positions of their scales and zero points.
SCALES: Mapping[str, tuple[int, ...]] = {
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear"), (1, 2)),
    **dict.fromkeys(("MatMulInteger", "ConvInteger"), (2, 3)),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), (1, 2, 4, 5, 6, 7)),
    **dict.fromkeys(("QLinearAdd", "QLinearMul"), (1, 2, 4, 5, 6, 7)),
    "QGemm": (1, 2, 4, 5, 7, 8),
    "DynamicQuantizeMatMul": (2, 3),
    "MatMulIntegerToFloat": (2, 3, 4, 5),
    "MatMulNBits": (2, 3, 4),
    "MatMulBnb4": (2,),
    "GatherBlockQuantized": (2, 3),
    "QAttention": (3, 4, 6, 7),
    "DynamicQuantizeLSTM": (8, 9, 10, 11),
    "QEmbedLayerNormalization": tuple(range(8, 18)),
    "QMoE": (3, 6, 9, 11, 12, 13),
    "QOrderedMatMul": (1, 3, 4, 7),
    "QOrderedGelu": (1, 2),
    "QOrderedLayerNormalization": (1, 4),
    **dict.fromkeys(("QuantizeWithOrder", "DequantizeWithOrder"), (1,)),
    **dict.fromkeys(("QLinearAveragePool", "QLinearGlobalAveragePool"), (1, 2, 3, 4)),
    **dict.fromkeys(("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax"), (1, 2, 3, 4)),
}


def reads_integers(op: str) -> bool:
    """Whether an operator with weights reads quantized tensors."""
    return op in SCALES and has(op, Trait.LEARNS)


def scales(graph: OnnxGraph, constants: Mapping[str, OnnxConstant]) -> set[str]:
    """The constants that every operator reads as a scale or zero point."""
    rescaled = _rescaled(graph)
    found, others = set[str](), set[str]()
    for node in graph.nodes:
        places = {node.input(place) for place in SCALES.get(node.op, ())}
        for name in node.inputs:
            if name in constants:
                is_scale = name in places or (node.op == "Mul" and name in rescaled)
                (found if is_scale else others).add(name)
    return found - others


def _rescaled(graph: OnnxGraph) -> set[str]:
    """The tensors that products of integers are multiplied with: scales, and products of scales."""
    wholes, found = set[str](), set[str]()
    for node in graph.nodes:
        if node.op in WHOLE or (node.op == "Cast" and node.inputs[0] in wholes):
            wholes.update(node.outputs)
        elif node.op == "Mul" and not wholes.isdisjoint(node.inputs):
            found.update(name for name in node.inputs if name not in wholes)
    for node in reversed(graph.nodes):
        if node.op == "Mul" and not found.isdisjoint(node.outputs):
            found.update(node.inputs)
    return found


def unmark_scales(graph: OnnxGraph, constants: dict[str, OnnxConstant]) -> dict[str, str]:
    """Marks scales and zero points as not learned. Returns those with more than one number, each
    with the reason."""
    names = sorted(scales(graph, constants))
    for name in names:
        constants[name] = constants[name]._replace(learned=False)
    return {name: WHY for name in names if constants[name].elements > 1}
