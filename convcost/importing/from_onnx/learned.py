"""Which tensors of a file are learned: what an exporter says, what reads them, what they are
called."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING

from convcost.importing.from_onnx.constants import Constant, buffered, floating
from convcost.importing.from_onnx.graph import Graph
from convcost.importing.from_onnx.names import OPAQUE
from convcost.importing.from_onnx.work import LARGE

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

SIGNATURE = "pkg.torch.export.graph_signature.InputSpec.kind"
MASK = 2  # distinct numbers
# Operators that multiply with weights, and which of their inputs these may be; of integers too.
WEIGHTS = {
    **dict.fromkeys(("MatMul", "FusedMatMul", "MatMulInteger", "Gemm"), (0, 1)),
    **dict.fromkeys(("Conv", "ConvTranspose", "FusedConv", "ConvInteger"), (0, 1)),
    **dict.fromkeys(("QLinearMatMul", "QLinearConv", "QGemm"), (0, 3)),
}
WHOLE = ("MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "QGemm")
BIASES = {"Gemm": (2,)}
LAYERS = frozenset(
    (
        *WEIGHTS,
        *("BatchNormalization", "InstanceNormalization", "LayerNormalization", "PRelu", "LSTM"),
        *("GroupNormalization", "RMSNormalization", "GRU", "RNN", "GroupNorm"),
    )
)


def told_of(model: "ModelProto") -> dict[str, str]:
    """What PyTorch's newer exporter says of tensors: PARAMETER, BUFFER, …"""
    return {
        entry.name: prop.value
        for entry in model.graph.value_info
        for prop in entry.metadata_props
        if prop.key == SIGNATURE
    }


def is_learned(tensor: "TensorProto", told: Mapping[str, str]) -> bool:
    """Whether an initializer is a parameter. PyTorch's newer exporter tells; of what it worked out
    beforehand it does not: there a mask has two numbers at most, and an index is whole."""
    if not told:
        return True
    if tensor.name in told:
        return told[tensor.name] == "PARAMETER"
    if tensor.data_location == tensor.EXTERNAL or prod(tensor.dims) > LARGE:
        return True
    import numpy as np
    from onnx import numpy_helper

    if not floating(tensor.data_type):
        return False
    data = numpy_helper.to_array(tensor).astype(np.float64)
    if (data == np.round(data)).all():
        return False
    return len(np.unique(data)) > MASK


def is_own(name: str, *, pytorch: bool, quantized: bool) -> bool:
    """Whether a tensor of one number is a parameter. PyTorch's exporter writes numbers of the
    code as nodes, and keeps the names of a module's own; of others only a name that has a module
    before it tells. What a quantizer added is none."""
    if OPAQUE.match(name) or (quantized and name.endswith("_scale")):
        return False
    return "." in name or pytorch


def layered(graph: Graph) -> set[str]:
    """What operators read that have weights: also one number is such there. Those of whole numbers
    read scales too."""
    layers = (node for node in graph.nodes if node.op in LAYERS and node.op not in WHOLE)
    return {name for node in layers for name in node.inputs}


def is_quantized(graph: Graph) -> bool:
    return any("Quant" in node.op or node.op in WHOLE for node in graph.nodes)


def buffers(model: "ModelProto") -> set[str]:
    """Tensors that the exporter says are buffers, or that have the name of one."""
    told = told_of(model)
    named = {tensor.name for tensor in model.graph.initializer if buffered(tensor.name)}
    kept = {name for name, kind in told.items() if kind == "BUFFER"}
    return kept | {name for name in named if told.get(name) != "PARAMETER"}


def weighed(graph: Graph, constants: dict[str, Constant], model: "ModelProto") -> None:
    """Marks as learned what a product or convolution takes beside what flows: a matrix of the file
    is a weight there, whatever it is called; but for one that the exporter says is a buffer."""
    kept = {name for name, kind in told_of(model).items() if kind == "BUFFER"}
    for node in graph.nodes:
        places = WEIGHTS.get(node.op, ()) if node.known else ()
        if all(node.input(at) in constants for at in places):
            continue
        for name in (node.input(at) for at in (*places, *BIASES.get(node.op, ()))):
            one = constants.get(name)
            if one is None or one.learned or not one.whole or one.elements == 1:
                continue
            own = one.real or node.op in WHOLE
            if own and one.by is None and one.roots[0][0] not in kept:
                constants[name] = one._replace(learned=True)
