"""The constants of a graph: those that it stores, and those that are computed from them."""

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from onnx import ModelProto
from onnx.numpy_helper import from_array

from convcost.importing.frontends.onnx import parameters
from convcost.importing.frontends.onnx.constant_views import view_after
from convcost.importing.frontends.onnx.constants import (
    MAX_TOTAL,
    computed_numbers,
    computed_output,
    has_floats,
    is_float_type,
    stored_constant,
)
from convcost.importing.frontends.onnx.graph import (
    STANDARD,
    OnnxGraph,
    OnnxNode,
    alive,
    node_of,
)
from convcost.importing.frontends.onnx.inlining import COPY_OF, branch_name, branch_nodes
from convcost.importing.frontends.onnx.names import OPAQUE
from convcost.importing.frontends.onnx.open_dims import Dims, ModelInputs
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.frontends.onnx.shape_inference import ShapeInference
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor_views import TensorView, view_of_entries, whole_view

SIZES = ("Shape", "Size")
PLAIN = {
    "value_int": "int64",
    "value_ints": "int64",
    "value_float": "float32",
    "value_floats": "float32",
}


def stored_constants(model: ModelProto, graph: OnnxGraph) -> dict[str, Constant]:
    """Initializers and `Constant` nodes by name. Weights are initializers. If a file has no
    floating-point initializers, as Paddle's exporter writes it, its `Constant` nodes are the
    weights."""
    declared = parameters.declared_kinds(model)
    constants = {}
    read_by_layers = parameters.layer_inputs(graph)
    not_learned = parameters.created_in_code(model, declared) | parameters.spectral_vectors(model)
    pytorch, quantized = model.producer_name == "pytorch", parameters.is_quantized(graph)
    for tensor in model.graph.initializer:
        name = tensor.name
        is_declared = declared.get(name) == "PARAMETER"
        is_number = prod(tensor.dims) == 1 and (quantized or is_float_type(tensor.data_type))
        learned = parameters.is_learned(tensor, declared) and name not in not_learned
        if is_number and not is_declared and name not in read_by_layers:
            learned = learned and parameters.is_parameter(
                name, pytorch=pytorch, quantized=quantized
            )
        constants[name] = stored_constant(tensor, name, learned=learned, declared=is_declared)
    for sparse in model.graph.sparse_initializer:
        name = sparse.values.name
        dims = tuple(sparse.dims)
        constants[name] = Constant(dims, is_float=True, sources=((name, prod(dims)),), learned=True)
    has_weights = any(
        constant.is_float and constant.elements > 1 for constant in constants.values()
    )
    # If weights are filled tensors and initializers have their shapes, no `Constant` is a weight.
    fills = any(node.op in ("ConstantOfShape", "GivenTensorFill") for node in graph.nodes)
    learned = not has_weights and not (fills and constants)
    originals: dict[str, OnnxNode] = {}
    for node in graph.nodes:
        if node.op == "Constant" and node.known:
            name = node.outputs[0]
            first = originals.setdefault(node.meta.get(COPY_OF, name), node)
            constants[name] = (
                constants[first.outputs[0]]
                if first is not node and first.attributes == node.attributes
                else _constant_of_node(node, learned=learned)
            )
    return constants


def _constant_of_node(node: OnnxNode, *, learned: bool) -> Constant:
    name = node.outputs[0]
    value = node.attributes.get("value")
    for key, kind in PLAIN.items():
        if key in node.attributes:
            value = from_array(np.array(node.attributes[key], kind))
    if value is not None:
        module = prod(value.dims) != 1 or ("." in name and not OPAQUE.match(name))
        return stored_constant(value, name, learned=learned and module)
    if node.attributes.get("sparse_value") is not None:
        dims = tuple(node.attributes["sparse_value"].dims)
        return Constant(dims, is_float=True, sources=((name, prod(dims)),), learned=learned)
    return Constant((), is_float=False)


def inferred_shapes(
    model: ModelProto, graph: OnnxGraph, inputs: ModelInputs, constants: dict[str, Constant]
) -> dict[str, Dims]:
    """The dims of all tensors that ONNX's shape inference knows, by name. Constants that are
    computed on the way are added to `constants`. Raises ConstraintError CC404."""
    inference = ShapeInference(model, inputs.inputs, stated_shapes=not inputs.file_dims)
    fold_constants(graph, constants, inference.shapes, inference)
    return inference.shapes


def fold_constants(
    graph: OnnxGraph,
    constants: dict[str, Constant],
    shapes: Mapping[str, Dims],
    inference: ShapeInference | None = None,
) -> OnnxGraph:
    """The graph without the nodes whose outputs are constant. Their outputs are added to
    `constants`. An `inference` adds to `shapes` what it knows of each node."""
    kept_nodes = []
    total = sum(constant.data.size for constant in constants.values() if constant.data is not None)
    nodes = iter(graph.nodes)
    for node in nodes if inference is None else _with_branches(nodes, constants, inference):
        if node.outputs[0] in constants:
            continue
        if node.op in SIZES and node.known:
            constant = constants.get(node.inputs[0])
            dims = shapes.get(node.inputs[0]) if constant is None else constant.dims
            if dims is not None:
                constants[node.outputs[0]] = size_constant(node, dims, graph.opset)
                continue
        inside = node.inputs and all(name in constants for name in node.inputs if name)
        small = inside and len(node.outputs) == 1 and total <= MAX_TOTAL
        data = computed_numbers(node, constants, graph.opset) if small else None
        if data is None and inference is not None:
            inference.add_outputs(node, constants)
        if inside and len(node.outputs) == 1:
            total += 0 if data is None else data.size
            output = computed_constant(node, constants, data, shapes.get(node.outputs[0]))
            if output is not None:
                add_constant(constants, node.outputs[0], output)
                continue
        if inside and node.op == "Split" and all(name in shapes for name in node.outputs):
            for name, part in zip(
                node.outputs, _split_outputs(node, constants, shapes), strict=True
            ):
                add_constant(constants, name, part)
            continue
        kept_nodes.append(node)
    return graph._replace(nodes=alive(kept_nodes, graph.outputs))


def _with_branches(
    nodes: Iterable[OnnxNode], constants: dict[str, Constant], inference: ShapeInference
) -> Iterator[OnnxNode]:
    """The nodes, with those of a branch in the place of each `If` whose condition is constant when
    its turn comes: the shape of its output may decide the next `If`."""
    for node in nodes:
        is_if = node.op == "If" and node.domain in STANDARD
        name = branch_name(constants, node.input(0)) if is_if else None
        if name is None:
            yield node
            continue
        protos = branch_nodes(node.attributes[name], node.outputs[0], node.outputs)
        inference.add_nodes(protos)
        inner = [node_of(proto, number, {}) for number, proto in enumerate(protos)]
        constants |= {
            stored.outputs[0]: _constant_of_node(stored, learned=False)
            for stored in inner
            if stored.op == "Constant" and stored.known
        }
        yield from _with_branches(inner, constants, inference)


def add_constant(constants: dict[str, Constant], name: str, constant: Constant) -> None:
    """Adds a constant under its name. A part of a stored tensor is also added under its key."""
    constants[name] = constant
    if constant.view is not None:
        constants.setdefault(constant.view.key, constant)


def _split_outputs(
    node: OnnxNode, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
) -> Iterator[Constant]:
    """The outputs of a `Split` of a constant, in order. A part of a computed constant is computed
    from it, so that all parts have one product."""
    whole = constants[node.inputs[0]]
    axis, start = node.attributes.get("axis", 0), 0
    for name in node.outputs:
        dims = shapes[name]
        entries = range(start, start + dims[axis])
        view = None if whole.view is None else view_of_entries(whole.view, axis, entries)
        start += dims[axis]
        if view is not None:
            yield _part(whole, view, None, None)
            continue
        of_axis = {"axis": axis, "start": entries.start, "length": len(entries), "keep": True}
        piece = OnnxNode("Piece", "", node.name, node.inputs[:1], (name,), of_axis)
        data = None if whole.data is None else whole.data.take(entries, axis)
        part = computed_constant(piece, constants, data, dims)
        assert part is not None
        yield part


def _part(whole: Constant, view: TensorView, data: Any, producer: OnnxNode | None) -> Constant:
    """A part of a stored tensor, as a constant that counts like a tensor of its own."""
    sources = ((view.key, prod(view.dims)),)
    return Constant(view.dims, whole.is_float, data, sources, whole.learned, producer, view)


def size_constant(node: OnnxNode, dims: Dims, opset: int) -> Constant:
    """The output of a `Shape` or `Size` of a tensor with these dims."""
    data = computed_output(node, [np.broadcast_to(np.int8(0), dims)], opset)
    return Constant(tuple(data.shape), is_float=False, data=data)


def computed_constant(
    node: OnnxNode, constants: Mapping[str, Constant], data: Any, dims: Dims | None
) -> Constant | None:
    """The output of a node whose inputs are constants; None if not even its dims are known."""
    if data is not None:
        dims = tuple(data.shape)
    if node.op == "ConstantOfShape":
        return _fold_constant_of_shape(node, constants[node.inputs[0]], data, dims)
    dims = _dims_of_part(node, constants) if dims is None else dims
    if dims is None:
        return None
    inputs = [constants[name] for name in node.inputs if name]
    is_float = any(tensor.is_float for tensor in inputs) if data is None else has_floats(data)
    learned = not has(node.op, Trait.CHOOSES) and any(tensor.is_weight for tensor in inputs)
    first = inputs[0] if inputs else None
    if first is not None and has(node.op, Trait.SAME) and prod(dims) == first.elements:
        return _same_elements(node, constants, first, dims, data, is_float)
    if first is not None and first.view and first.learned and has(node.op, Trait.TAKES):
        view = view_after(first.view, node, constants, dims)
        if view is not None and view.dims == dims and 0 not in dims:
            return _part(first, view, data, node)
    sources = dict(
        entry for tensor in inputs if tensor.is_float or tensor.learned for entry in tensor.sources
    )
    return Constant(dims, is_float, data, tuple(sources.items()), learned, node)


def _dims_of_part(node: OnnxNode, constants: Mapping[str, Constant]) -> Dims | None:
    """The dims of the output of a node that takes a part of a stored tensor. Shape inference does
    not know those of an element of a sequence."""
    first, traits = constants.get(node.input(0)), row_of(node.op).traits
    if first is not None and Trait.SAME | Trait.LEADS in traits:
        return first.dims
    takes_part = Trait.TAKES in traits or node.op == "Transpose"
    if first is None or first.view is None or not takes_part:
        return None
    view = view_after(first.view, node, constants, None)
    return None if view is None else view.dims


def _same_elements(
    node: OnnxNode,
    constants: Mapping[str, Constant],
    first: Constant,
    dims: Dims,
    data: Any,
    is_float: bool,
) -> Constant:
    """The output of a node that only reshapes, permutes or casts its input."""
    copied = node.op == "Identity" and "." in node.outputs[0]
    if copied and first.learned and first.has_whole_source and not node.outputs[0].startswith("/"):
        # If two weights are equal, an exporter stores one and refers to it by an Identity.
        copy = whole_view(node.outputs[0], first.dims)
        return first._replace(sources=((copy.root, first.elements),), view=copy)
    dequantized = node.op == "DequantizeLinear"
    parts = [constants[key] for key, _ in first.sources if key in constants]
    return Constant(
        dims,
        is_float or dequantized,
        data,
        first.sources,
        first.learned or (dequantized and any(part.learned for part in parts)),
        None if first.producer is None else node,
        None if first.view is None else view_after(first.view, node, constants, dims),
    )


def _fold_constant_of_shape(
    node: OnnxNode, shape: Constant, data: Any, dims: Dims | None
) -> Constant | None:
    """A `ConstantOfShape` with a stored shape is a weight: its numbers were removed from the
    file."""
    if shape.data is not None:
        dims = tuple(int(n) for n in shape.data.reshape(-1))
    if dims is None:
        return None
    value = node.attributes.get("value")
    is_float = value is None or is_float_type(value.data_type)
    stripped = shape.learned and is_float and prod(dims) > 0
    sources = ((node.outputs[0], prod(dims)),) if stripped else ()
    return Constant(dims, is_float, data, sources, stripped)
