"""Finds which tensors of a file are learned, from the exporter's metadata, from the operators that
read them and from their names. Scales and zero points are numbers that a quantizer adds."""

import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from math import prod
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, numpy_helper

from convcost.importing.frontends.onnx.constants import (
    MAX_ELEMENTS,
    is_float_type,
    is_named_as_buffer,
)
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.names import OPAQUE
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.constant import Constant, is_mask
from convcost.importing.ir.ops import UNKNOWN, Trait
from convcost.model.number_format import counted
from convcost.reports.notes import first_texts

SIGNATURE = "pkg.torch.export.graph_signature.InputSpec.kind"
ALL_SIGNATURES = "pkg.torch.export.ExportedProgram.graph_signature"
TARGET = re.compile(r"\b(PARAMETER|BUFFER|CONSTANT_TENSOR)\b[^\n]*? target='([^']*)'")
STORED = ("PARAMETER", "BUFFER")
FOLDED = "pkg.onnxscript.optimizer.folded_from"
MASK = 2  # distinct numbers
# The names that PyTorch's newer exporter gives to tensors that the code of a model creates.
EXPORTED = "pkg.torch."
CREATED = re.compile(r"(new_)?(zeros|ones|full|empty)(_like)?(_\d+)?")


def declared_kinds(model: ModelProto) -> dict[str, str]:
    """The kinds that PyTorch's newer exporter writes for tensors: PARAMETER, BUFFER, or
    CONSTANT_TENSOR for those that the code of the model creates. A tensor that the exporter
    computed is a parameter if it is computed from one; otherwise a buffer if it is computed from
    one."""
    signature = _signature(model)
    kinds = _tensor_properties(model, SIGNATURE)
    for name, sources in computed_tensors(model).items() if signature else ():
        source_kinds = {signature.get(source) for source in sources}
        kinds[name] = next((kind for kind in STORED if kind in source_kinds), "CONSTANT_TENSOR")
    return {**signature, **kinds}


def _signature(model: ModelProto) -> dict[str, str]:
    """The kinds of the tensors of the module that PyTorch's newer exporter wrote."""
    props = (*model.metadata_props, *model.graph.metadata_props)
    texts = [prop.value for prop in props if prop.key == ALL_SIGNATURES]
    return {name: kind for text in texts for kind, name in TARGET.findall(text)}


def computed_tensors(model: ModelProto) -> dict[str, list[str]]:
    """The tensors that the exporter computed, each with the names of those that it depends on."""
    text_by_name = _tensor_properties(model, FOLDED)
    return {name: re.findall(r"'([^']*)'", text) for name, text in text_by_name.items()}


def _tensor_properties(model: ModelProto, key: str) -> dict[str, str]:
    entries = (
        (tensor.name, prop) for tensor in model.graph.value_info for prop in tensor.metadata_props
    )
    return {name: prop.value for name, prop in entries if prop.key == key}


def absent_parameters(model: ModelProto) -> list[str]:
    """Notes about the parameters of the module that the exporter left out, or computed other
    tensors from. A permuted parameter is stored."""
    sources = computed_tensors(model).values()
    stored = {tensor.name for tensor in model.graph.initializer}
    stored |= {name for node in model.graph.node for name in node.output}
    stored |= {names[0] for names in sources if len(names) == 1}
    used = {name for names in sources if len(names) > 1 for name in names}
    params = [name for name, kind in _signature(model).items() if kind == "PARAMETER"]
    parts = [name for name in params if name in used]
    others = [name for name in params if name not in stored | used]
    notes = []
    if parts:
        notes.append(
            f"the exporter computed tensors of the file from {_parameters_text(parts)}; "
            "convcost counts the computed tensors"
        )
    if others:
        notes.append(
            f"the file does not have {_parameters_text(others)}: the exporter leaves out "
            "those that are not used, folds norms, and stores equal tensors once"
        )
    return notes


def _parameters_text(names: Sequence[str]) -> str:
    number = counted(len(names), "parameter")
    return f"{number} of the model ({first_texts([f'`{name}`' for name in names])})"


def created_in_code(model: ModelProto, declared: Mapping[str, str]) -> set[str]:
    """The names of tensors that the code of a model creates, by a function such as `torch.zeros`.
    PyTorch's newer exporter, which adds metadata to nodes, names them after that function."""
    props = (prop for node in model.graph.node for prop in node.metadata_props)
    exported = any(prop.key.startswith(EXPORTED) for prop in props)
    names = [tensor.name for tensor in model.graph.initializer if CREATED.fullmatch(tensor.name)]
    created = {name for name, kind in declared.items() if kind == "CONSTANT_TENSOR"}
    return created | ({*names} - declared.keys() if exported else set())


def is_learned(tensor: TensorProto, declared: Mapping[str, str]) -> bool:
    """Whether an initializer is a parameter. PyTorch's newer exporter writes the kinds of tensors
    (`declared`), but some versions of it not for tensors that they computed: of these, a mask has
    at most two distinct numbers, and an index has only integers."""
    if tensor.name in declared:
        return declared[tensor.name] == "PARAMETER"
    if not declared or tensor.data_location == tensor.EXTERNAL or prod(tensor.dims) > MAX_ELEMENTS:
        return True
    if not is_float_type(tensor.data_type):
        return False
    data = numpy_helper.to_array(tensor).astype(np.float64)
    return len(np.unique(data)) > MASK and not (data == np.round(data)).all()


def is_parameter(name: str, *, pytorch: bool, quantized: bool) -> bool:
    """Whether a tensor with one number is a parameter. PyTorch's exporter writes numbers of the
    code as nodes and keeps the names of a module's tensors. In files of other exporters, only a
    name with a module in front is a parameter. Tensors that a quantizer added are not
    parameters."""
    if OPAQUE.match(name) or (quantized and name.endswith("_scale")):
        return False
    return "." in name or pytorch


def layer_inputs(graph: OnnxGraph) -> set[str]:
    """The inputs of operators with weights, perhaps cast or in other dims. Even a single number is
    a weight there. Operators on integers also read scales."""
    names = set[str]()
    for node in reversed(graph.nodes):
        row = row_of(node.op)
        if Trait.LEARNS in row.traits and not reads_integers(node.op):
            names.update(node.inputs)
        elif Trait.SAME in row.traits and row.op != "expand" and node.outputs[0] in names:
            names.add(node.inputs[0])
    return names


def is_quantized(graph: OnnxGraph) -> bool:
    return any("uantize" in node.op or reads_integers(node.op) for node in graph.nodes)


def buffers(model: ModelProto) -> set[str]:
    """The tensors that the exporter declares as buffers, or that have the usual name of a
    buffer."""
    declared = declared_kinds(model)
    named = {tensor.name for tensor in model.graph.initializer if is_named_as_buffer(tensor.name)}
    buffer_names = {name for name, kind in declared.items() if kind == "BUFFER"}
    buffer_names |= spectral_vectors(model)
    return buffer_names | {name for name in named if declared.get(name) != "PARAMETER"}


def spectral_vectors(model: ModelProto) -> set[str]:
    """The vectors of spectral norms of PyTorch, which are buffers: `weight_u` and `weight_v` beside
    `weight_orig`."""
    names = {tensor.name for tensor in model.graph.initializer}
    owners = [name.removesuffix("_orig") for name in names if name.endswith("_orig")]
    return names & {f"{owner}_{letter}" for owner in owners for letter in "uv"}


def written_as_nodes(model: ModelProto, constants: Mapping[str, Constant]) -> set[str]:
    """The names of floating-point tensors that PyTorch's exporter writes as `Constant` nodes: they
    are created by the code of the model. In a file without other weights, as of a frozen script
    module, they are its weights."""
    stored = filter(None, (constants.get(tensor.name) for tensor in model.graph.initializer))
    has_weights = any(constant.is_float and constant.elements > 1 for constant in stored)
    if model.producer_name != "pytorch" or not has_weights:
        return set()
    nodes = (node for node in model.graph.node if node.op_type == "Constant")
    names = {name for node in nodes for name in node.output} & constants.keys()
    return {name for name in names if constants[name].is_float and not constants[name].learned}


def mark_weights(graph: OnnxGraph, constants: dict[str, Constant], model: ModelProto) -> None:
    """Marks as learned each stored tensor that a product or convolution uses as weights, whatever
    its name is, except tensors that the exporter declares as something else, and those that the
    code of the model creates. PyTorch's exporter has these in `Constant` nodes."""
    declared = declared_kinds(model)
    others = {name for name, kind in declared.items() if kind != "PARAMETER"}
    others |= created_in_code(model, declared)
    others |= written_as_nodes(model, constants)
    integers = {name for name, constant in constants.items() if not constant.is_float}
    biased: set[str] = set()  # products of one feature or of integers, which a sum gives their bias
    for node in graph.nodes:
        row = row_of(node.op)
        weights = constants.get(node.input(row.weights or 0)) if row.weights else None
        has_one = row.op == "matmul" and weights is not None and weights.dims[-1:] == (1,)
        of_integers = weights is not None and node.input(row.weights or 0) in integers
        if has_one or of_integers or (row.op == "identity" and not biased.isdisjoint(node.inputs)):
            biased.update(node.outputs)
        is_bias = node.op == "Add" and not biased.isdisjoint(node.inputs)
        for name in node.inputs if is_bias else _read_as_weights(node, constants):
            constant = constants.get(name)
            if constant is None or constant.producer is not None or not constant.has_whole_source:
                continue
            has_values = constant.is_float or reads_integers(node.op) or of_integers or is_bias
            is_other = constant.sources[0][0] in others
            if has_values and constant.dims and not is_other:
                constants[name] = constant._replace(learned=True, is_float=True)


def _read_as_weights(node: OnnxNode, constants: Mapping[str, Constant]) -> list[str]:
    """The names of both factors of a product or convolution, if one depends on the input, and of
    the bias of a linear layer. Empty for other operators."""
    row = row_of(node.op) if node.known else UNKNOWN
    if Trait.CONTRACTS not in row.traits or row.weights is None:
        return []
    factors = [node.input(0), node.input(row.weights)]
    if all(name in constants for name in factors):
        return []
    return [*factors, node.input(row.bias)] if row.op == "linear" and row.bias else factors


NOT_COUNTED = "used as scales or zero points, and not counted as params"
INTEGER_PRODUCTS = ("MatMulInteger", "ConvInteger")  # a later operator scales their outputs
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

ROTATES = "tables of rotary positions, and not counted as params"
ROTATIONS = {"RotaryEmbedding": (1, 2, 3), "GroupQueryAttention": (7, 8)}


def reads_integers(op: str) -> bool:
    """Whether an operator with weights reads quantized tensors."""
    return op in SCALES and has(op, Trait.LEARNS)


def scales(graph: OnnxGraph, constants: Mapping[str, Constant]) -> set[str]:
    """The constants that every operator reads as a scale or zero point."""
    return _read_only_at(SCALES, graph, constants, _integer_scales(graph))


def _read_only_at(
    places: Mapping[str, Sequence[int]],
    graph: OnnxGraph,
    constants: Mapping[str, Constant],
    factors: AbstractSet[str] = frozenset(),
) -> set[str]:
    """The constants that every operator reads at the `places` of its type; a product also reads
    `factors`."""
    names, others = set[str](), set[str]()
    for node in graph.nodes:
        inputs = {node.input(place) for place in places.get(node.op, ())}
        for name in node.inputs:
            if name in constants:
                is_there = name in inputs or (node.op == "Mul" and name in factors)
                (names if is_there else others).add(name)
    return names - others


def _integer_scales(graph: OnnxGraph) -> set[str]:
    """The tensors that products of integers are multiplied with: scales, and products of scales."""
    integer_names, factor_names = set[str](), set[str]()
    for node in graph.nodes:
        if node.op in INTEGER_PRODUCTS or (node.op == "Cast" and node.inputs[0] in integer_names):
            integer_names.update(node.outputs)
        elif node.op == "Mul" and not integer_names.isdisjoint(node.inputs):
            factor_names.update(name for name in node.inputs if name not in integer_names)
    for node in reversed(graph.nodes):
        if node.op == "Mul" and not factor_names.isdisjoint(node.outputs):
            factor_names.update(node.inputs)
    return factor_names


def unmark_scales(graph: OnnxGraph, constants: dict[str, Constant]) -> dict[str, str]:
    """Marks scales, zero points and tables of rotations as not learned. Returns those with more
    than one number, each with the reason."""
    reasons = dict.fromkeys(sorted(scales(graph, constants)), NOT_COUNTED)
    tables = _read_only_at(ROTATIONS, graph, constants)
    reasons |= {name: ROTATES for name in sorted(tables) if constants[name].is_float}
    for name in reasons:
        constants[name] = constants[name]._replace(learned=False)
    return {name: reason for name, reason in reasons.items() if constants[name].elements > 1}


MASKS = "masks, and not counted as params"


def unmark_masks(
    graph: OnnxGraph, constants: dict[str, Constant], numbers_of: Callable[[str], Any]
) -> dict[str, str]:
    """Marks masks as not learned. Returns them with the reason. `numbers_of` has the numbers of a
    tensor."""
    read_by_layers = layer_inputs(graph)
    masks = {}
    for name, constant in constants.items():
        if name in read_by_layers or constant.declared or not constant.is_weight:
            continue
        if constant.producer is None and is_mask(numbers_of(name)):
            constants[name], masks[name] = constant._replace(learned=False), MASKS
    return masks
