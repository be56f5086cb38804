"""Finds which tensors of a file are learned, from the exporter's metadata, from the operators that
read them and from their names."""

import re
from collections.abc import Mapping
from math import prod

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from convcost.importing.frontends.onnx.constants import OnnxConstant, buffered, floating
from convcost.importing.frontends.onnx.evaluate import LARGE
from convcost.importing.frontends.onnx.graph import OnnxGraph
from convcost.importing.frontends.onnx.names import OPAQUE
from convcost.importing.frontends.onnx.quantizer_scales import reads_integers
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.ops import UNKNOWN, Trait

SIGNATURE = "pkg.torch.export.graph_signature.InputSpec.kind"
MASK = 2  # distinct numbers
# The names that PyTorch's newer exporter gives to tensors that the code of a model creates.
EXPORTED = "pkg.torch."
CREATED = re.compile(r"(new_)?(zeros|ones|full|empty)(_like)?(_\d+)?")


def declared_kinds(model: ModelProto) -> dict[str, str]:
    """The kinds that PyTorch's newer exporter writes for tensors: PARAMETER, BUFFER, …"""
    return {
        entry.name: prop.value
        for entry in model.graph.value_info
        for prop in entry.metadata_props
        if prop.key == SIGNATURE
    }


def created_in_code(model: ModelProto, declared: Mapping[str, str]) -> set[str]:
    """The names of tensors that the code of a model creates, by a function such as `torch.zeros`.
    PyTorch's newer exporter, which adds metadata to nodes, names them after that function."""
    props = (prop for node in model.graph.node for prop in node.metadata_props)
    if not any(prop.key.startswith(EXPORTED) for prop in props):
        return set()
    names = {tensor.name for tensor in model.graph.initializer if CREATED.fullmatch(tensor.name)}
    return names - declared.keys()


def is_learned(tensor: TensorProto, declared: Mapping[str, str]) -> bool:
    """Whether an initializer is a parameter. PyTorch's newer exporter writes the kinds of tensors
    (`declared`), but not for tensors that it computed itself: of these, a mask has at most two
    distinct numbers, and an index has only integers."""
    if not declared:
        return True
    if tensor.name in declared:
        return declared[tensor.name] == "PARAMETER"
    if tensor.data_location == tensor.EXTERNAL or prod(tensor.dims) > LARGE:
        return True

    if not floating(tensor.data_type):
        return False
    data = numpy_helper.to_array(tensor).astype(np.float64)
    if (data == np.round(data)).all():
        return False
    return len(np.unique(data)) > MASK


def is_own(name: str, *, pytorch: bool, quantized: bool) -> bool:
    """Whether a tensor with one number is a parameter. PyTorch's exporter writes numbers of the
    code as nodes and keeps the names of a module's tensors. In files of other exporters, only a
    name with a module in front is a parameter. Tensors that a quantizer added are not
    parameters."""
    if OPAQUE.match(name) or (quantized and name.endswith("_scale")):
        return False
    return "." in name or pytorch


def layer_inputs(graph: OnnxGraph) -> set[str]:
    """The inputs of operators with weights. Even a single number is a weight there. Operators on
    integers also read scales."""
    learning = (node for node in graph.nodes if has(node.op, Trait.LEARNS))
    layers = (node for node in learning if not reads_integers(node.op))
    return {name for node in layers for name in node.inputs}


def is_quantized(graph: OnnxGraph) -> bool:
    return any("uantize" in node.op or reads_integers(node.op) for node in graph.nodes)


def buffers(model: ModelProto) -> set[str]:
    """The tensors that the exporter declares as buffers, or that have the usual name of a
    buffer."""
    declared = declared_kinds(model)
    named = {tensor.name for tensor in model.graph.initializer if buffered(tensor.name)}
    kept = {name for name, kind in declared.items() if kind == "BUFFER"}
    return kept | {name for name in named if declared.get(name) != "PARAMETER"}


def mark_weights(graph: OnnxGraph, constants: dict[str, OnnxConstant], model: ModelProto) -> None:
    """Marks as learned each matrix of the file that a product or convolution uses as weights,
    whatever its name is, except tensors that the exporter declares as buffers."""
    kept = {name for name, kind in declared_kinds(model).items() if kind == "BUFFER"}
    for node in graph.nodes:
        row = row_of(node.op) if node.known else UNKNOWN
        weights = row.weights if Trait.CONTRACTS in row.traits else None
        if weights is None:
            continue
        places = (0, weights)
        if all(node.input(place) in constants for place in places):
            continue
        for name in (
            node.input(place)
            for place in (*places, *((row.bias,) if row.op == "linear" and row.bias else ()))
        ):
            one = constants.get(name)
            if one is None or one.learned or not one.whole or one.elements == 1:
                continue
            own = one.real or reads_integers(node.op)
            if own and one.by is None and one.roots[0][0] not in kept:
                constants[name] = one._replace(learned=True)
