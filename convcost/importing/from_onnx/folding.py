"""Constants of a graph: those that it holds, and those that follow from them."""

from collections.abc import Mapping
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
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.work import LARGE

if TYPE_CHECKING:
    from onnx import ModelProto, TensorProto

SIGNATURE = "pkg.torch.export.graph_signature.InputSpec.kind"
# What gives a mask, never weights.
CHOICES = ("Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Not", "NonZero")
MASK = 2  # distinct numbers
# Operators that multiply with weights, and which of their inputs these may be; of integers too.
WEIGHTS = {
    **dict.fromkeys(("MatMul", "FusedMatMul", "MatMulInteger", "Gemm"), (0, 1)),
    **dict.fromkeys(("Conv", "ConvTranspose", "FusedConv", "ConvInteger"), (0, 1)),
    **dict.fromkeys(("QLinearMatMul", "QLinearConv", "QGemm"), (0, 3)),
}
WHOLE = ("MatMulInteger", "ConvInteger", "QLinearMatMul", "QLinearConv", "QGemm")
BIASES = {"Gemm": (2,)}
PLAIN = {
    "value_int": "int64",
    "value_ints": "int64",
    "value_float": "float32",
    "value_floats": "float32",
}


def gathered(model: "ModelProto", graph: Graph) -> dict[str, Constant]:
    """Initializers and `Constant` nodes by name. Weights are the initializers; a file that has no
    such of floating point, as Paddle's exporter writes, keeps them in the nodes."""
    told = _told(model)
    found = {
        tensor.name: held(tensor, tensor.name, learned=_learned(tensor, told))
        for tensor in model.graph.initializer
    }
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


def _told(model: "ModelProto") -> dict[str, str]:
    """What PyTorch's newer exporter says of tensors: PARAMETER, BUFFER, …"""
    return {
        entry.name: prop.value
        for entry in model.graph.value_info
        for prop in entry.metadata_props
        if prop.key == SIGNATURE
    }


def _learned(tensor: "TensorProto", told: Mapping[str, str]) -> bool:
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


def _constant(node: Node, *, learned: bool) -> Constant:
    import numpy as np

    name = node.outputs[0]
    if node.attributes.get("value") is not None:
        return held(node.attributes["value"], name, learned=learned)
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
        if node.op == "Shape" and node.known and node.inputs[0] in shapes:
            constants[node.outputs[0]] = _measured(node, shapes[node.inputs[0]])
            continue
        inside = node.inputs and all(name in constants for name in node.inputs if name)
        if inside and len(node.outputs) == 1:
            data = known(node, constants, graph.opset)
            found = derived(node, constants, data, shapes.get(node.outputs[0]))
            if found is not None:
                constants[node.outputs[0]] = found
                continue
        if inside and node.op == "Split" and all(name in shapes for name in node.outputs):
            for name in node.outputs:
                part = derived(node, constants, None, shapes[name])
                if part is not None:
                    constants[name] = part._replace(by=None)
            continue
        left.append(node)
    return graph._replace(nodes=alive(left, graph.outputs))


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
    if dims is None:
        return None
    inputs = [constants[name] for name in node.inputs if name]
    real = any(one.real for one in inputs) if data is None else floats(data)
    learned = node.op not in CHOICES and any(
        one.learned and one.real and one.elements > 1 for one in inputs
    )
    first = inputs[0] if inputs else None
    if first is not None and node.op in SAME and prod(dims) == first.elements:
        copied = node.op == "Identity" and "." in node.outputs[0]
        if copied and first.learned and first.whole and not node.outputs[0].startswith("/"):
            # An exporter that finds two weights equal keeps one, and names its copies.
            return first._replace(roots=((node.outputs[0], first.elements),))
        weights = node.op == "DequantizeLinear"
        return Constant(
            dims,
            real or weights,
            data,
            first.roots,
            first.learned,
            None if first.by is None else node,
        )
    roots = dict(root for one in inputs if one.real or one.learned for root in one.roots)
    return Constant(dims, real, data, tuple(roots.items()), learned, node)


def weighed(graph: Graph, constants: dict[str, Constant], model: "ModelProto") -> None:
    """Marks as learned what a product or convolution takes beside what flows: a matrix of the file
    is a weight there, whatever it is called; but for one that the exporter says is a buffer."""
    buffers = {name for name, kind in _told(model).items() if kind == "BUFFER"}
    for node in graph.nodes:
        places = WEIGHTS.get(node.op, ()) if node.known else ()
        if all(node.input(at) in constants for at in places):
            continue
        for name in (node.input(at) for at in (*places, *BIASES.get(node.op, ()))):
            one = constants.get(name)
            if one is None or one.learned or not one.whole or one.elements == 1:
                continue
            own = one.real or node.op in WHOLE
            if own and one.by is None and one.roots[0][0] not in buffers:
                constants[name] = one._replace(learned=True)


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
