"""Constants of a graph: those that it holds, and those that follow from them."""

from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

from convcost.importing.from_onnx.constants import (
    SAME,
    Constant,
    floating,
    floats,
    held,
    known,
)
from convcost.importing.from_onnx.graph import Graph, Node, alive
from convcost.importing.from_onnx.learned import is_learned, is_own, is_quantized, layered, told_of
from convcost.importing.from_onnx.names import OPAQUE
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.views import View, moved, split, viewed

if TYPE_CHECKING:
    from onnx import ModelProto

# What gives a mask, never weights.
CHOICES = ("Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Not", "NonZero")
KEEPING = ("Cast", "CastLike", "Identity", "Neg", "Dropout")  # what keeps a tensor's dims
PIECES = ("Slice", "Gather", "Piece")  # what takes some elements of a tensor
PLAIN = {
    "value_int": "int64",
    "value_ints": "int64",
    "value_float": "float32",
    "value_floats": "float32",
}


def gathered(model: "ModelProto", graph: Graph) -> dict[str, Constant]:
    """Initializers and `Constant` nodes by name. Weights are the initializers; a file that has no
    such of floating point, as Paddle's exporter writes, keeps them in the nodes."""
    told = told_of(model)
    found = {}
    held_by_layers = layered(graph)
    kind = {"pytorch": model.producer_name == "pytorch", "quantized": is_quantized(graph)}
    for tensor in model.graph.initializer:
        sure = told.get(tensor.name) == "PARAMETER"
        alone = prod(tensor.dims) == 1 and floating(tensor.data_type)
        alone = alone and not sure and tensor.name not in held_by_layers
        learned = is_learned(tensor, told) and (not alone or is_own(tensor.name, **kind))
        found[tensor.name] = held(tensor, tensor.name, learned=learned, sure=sure)
    for sparse in model.graph.sparse_initializer:
        name = sparse.values.name
        dims = tuple(sparse.dims)
        found[name] = Constant(dims, real=True, roots=((name, prod(dims)),), learned=True)
    bare = not any(one.real and one.elements > 1 for one in found.values())
    makers = any(node.op in ("ConstantOfShape", "GivenTensorFill") for node in graph.nodes)
    for node in graph.nodes:
        if node.op == "Constant" and node.known:
            found[node.outputs[0]] = _constant(node, learned=bare and not (makers and found))
    return found


def _constant(node: Node, *, learned: bool) -> Constant:
    import numpy as np

    name = node.outputs[0]
    if node.attributes.get("value") is not None:
        value = node.attributes["value"]
        module = prod(value.dims) != 1 or ("." in name and not OPAQUE.match(name))
        return held(value, name, learned=learned and module)
    if node.attributes.get("sparse_value") is not None:
        dims = tuple(node.attributes["sparse_value"].dims)
        return Constant(dims, real=True, roots=((name, prod(dims)),), learned=learned)
    for key, kind in PLAIN.items():
        if key in node.attributes:
            data = np.array(node.attributes[key], kind)
            return Constant(tuple(data.shape), real=kind == "float32", data=data)
    return Constant((), real=False)


def folded(graph: Graph, constants: dict[str, Constant], shapes: Mapping[str, Dims]) -> Graph:
    """The graph without what can be worked out beforehand; that is added to `constants`."""
    left = []
    for node in graph.nodes:
        if node.outputs[0] in constants:
            continue
        if node.op == "Shape" and node.known:
            whole = constants.get(node.inputs[0])
            dims = shapes.get(node.inputs[0]) if whole is None else whole.dims
            if dims is not None:
                constants[node.outputs[0]] = _measured(node, dims)
                continue
        inside = node.inputs and all(name in constants for name in node.inputs if name)
        if inside and len(node.outputs) == 1:
            data = known(node, constants, graph.opset)
            found = derived(node, constants, data, shapes.get(node.outputs[0]))
            if found is not None:
                put(constants, node.outputs[0], found)
                continue
        if inside and node.op == "Split" and all(name in shapes for name in node.outputs):
            for name, part in zip(node.outputs, _parts(node, constants, shapes), strict=True):
                put(constants, name, part)
            continue
        left.append(node)
    return graph._replace(nodes=alive(left, graph.outputs))


def put(constants: dict[str, Constant], name: str, constant: Constant) -> None:
    """Adds a constant under its name, and a piece of a tensor under its key too."""
    constants[name] = constant
    if constant.view is not None:
        constants.setdefault(constant.view.key, constant)


def _parts(
    node: Node, constants: Mapping[str, Constant], shapes: Mapping[str, Dims]
) -> Iterator[Constant]:
    """The outputs of a `Split`."""
    whole = constants[node.inputs[0]]
    axis, start = node.attributes.get("axis", 0), 0
    for name in node.outputs:
        dims = shapes[name]
        view = None if whole.view is None else split(whole.view, axis, start, dims[axis])
        start += dims[axis]
        if view is not None:
            yield _piece(whole, view, None, None)
            continue
        part = derived(node, constants, None, dims)
        assert part is not None
        yield part._replace(by=None)


def _piece(whole: Constant, view: View, data: Any, by: Node | None) -> Constant:
    """Some elements of a tensor are a tensor of their own."""
    roots = ((view.key, prod(view.dims)),)
    return Constant(view.dims, whole.real, data, roots, whole.learned, by, view)


def _measured(node: Node, dims: Dims) -> Constant:
    import numpy as np

    part = dims[node.attributes.get("start", 0) : node.attributes.get("end")]
    return Constant((len(part),), real=False, data=np.array(part, np.int64))


def derived(
    node: Node, constants: Mapping[str, Constant], data: Any, dims: Dims | None
) -> Constant | None:
    """What a node makes of constants; None where not even its dims are known."""
    if data is not None:
        dims = tuple(data.shape)
    if node.op == "ConstantOfShape":
        return _filled(node, constants[node.inputs[0]], data, dims)
    dims = _seen(node, constants) if dims is None else dims
    if dims is None:
        return None
    inputs = [constants[name] for name in node.inputs if name]
    real = any(one.real for one in inputs) if data is None else floats(data)
    learned = node.op not in CHOICES and any(one.learned and one.real for one in inputs)
    first = inputs[0] if inputs else None
    if first is not None and node.op in SAME and prod(dims) == first.elements:
        return _same(node, constants, first, dims, data, real)
    if first is not None and first.view and first.learned and node.op in PIECES:
        view = moved(first.view, node, constants, dims)
        if view is not None and view.dims == dims and 0 not in dims:
            return _piece(first, view, data, node)
    roots = dict(root for one in inputs if one.real or one.learned for root in one.roots)
    return Constant(dims, real, data, tuple(roots.items()), learned, node)


def _seen(node: Node, constants: Mapping[str, Constant]) -> Dims | None:
    """The dims of what a node makes of a tensor, where inference has them not: of a piece that
    comes out of a sequence it knows none."""
    first = constants.get(node.input(0))
    if first is None or node.op in KEEPING:
        return None if first is None else first.dims
    if first.view is None or node.op not in (*PIECES, "Transpose"):
        return None
    view = moved(first.view, node, constants, None)
    return None if view is None else view.dims


def _same(
    node: Node,
    constants: Mapping[str, Constant],
    first: Constant,
    dims: Dims,
    data: Any,
    real: bool,
) -> Constant:
    """What has the elements of an input, in other dims or of another type."""
    copied = node.op == "Identity" and "." in node.outputs[0]
    if copied and first.learned and first.whole and not node.outputs[0].startswith("/"):
        # An exporter that finds two weights equal keeps one, and names its copies.
        copy = viewed(node.outputs[0], first.dims)
        return first._replace(roots=((copy.root, first.elements),), view=copy)
    return Constant(
        dims,
        real or node.op == "DequantizeLinear",
        data,
        first.roots,
        first.learned,
        None if first.by is None else node,
        None if first.view is None else moved(first.view, node, constants, dims),
    )


def _filled(node: Node, shape: Constant, data: Any, dims: Dims | None) -> Constant | None:
    """A `ConstantOfShape` stands for weights where the file itself holds the shape: a model that
    was stripped of its numbers."""
    if shape.data is not None:
        dims = tuple(int(n) for n in shape.data.reshape(-1))
    if dims is None:
        return None
    value = node.attributes.get("value")
    real = value is None or floating(value.data_type)
    stripped = shape.learned and real and prod(dims) > 0
    roots = ((node.outputs[0], prod(dims)),) if stripped else ()
    return Constant(dims, real, data, roots, stripped)
