"""ONNX's own shape inference, over a model without its large weights: their dims are enough."""

from collections.abc import Collection, Mapping
from math import prod
from typing import TYPE_CHECKING

from convcost.errors import Refusal
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import STANDARD, captured
from convcost.importing.from_onnx.shapes import SMALL, Dims, Input

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, TensorProto, TypeProto

LONGEST_SHOWN = 300


def inferred(
    model: "ModelProto",
    inputs: tuple[Input, ...],
    known: Mapping[str, Constant] = {},
    alive: Collection[str] | None = None,
) -> dict[str, Dims]:
    """The dims of all tensors that inference knows. `known` are constants that were worked out,
    `alive` the tensors that are still made by operators. Raises Refusal CC404."""
    from onnx import checker, shape_inference

    try:
        result = shape_inference.infer_shapes(_slim(model, inputs, known, alive), data_prop=True)
    except (shape_inference.InferenceError, checker.ValidationError, RuntimeError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise Refusal(
            "CC404", f"ONNX's shape inference refuses the model: {text[-1][:LONGEST_SHOWN]}"
        ) from None
    found = {}
    for entry in (*result.graph.value_info, *result.graph.output, *result.graph.input):
        dims = _all_known(entry.type)
        if dims is not None:
            found[entry.name] = dims
    return found


def _all_known(kind: "TypeProto") -> Dims | None:
    if kind.WhichOneof("value") != "tensor_type" or not kind.tensor_type.HasField("shape"):
        return None
    dims = [d.dim_value if d.HasField("dim_value") else -1 for d in kind.tensor_type.shape.dim]
    return None if any(extent < 0 for extent in dims) else tuple(dims)


def _slim(
    model: "ModelProto",
    inputs: tuple[Input, ...],
    known: Mapping[str, Constant],
    alive: Collection[str] | None,
) -> "ModelProto":
    """The model with its inputs fixed and large weights as inputs."""
    from onnx import ModelProto, helper

    slim = ModelProto(ir_version=max(model.ir_version, 4))
    slim.opset_import.extend(model.opset_import)
    slim.graph.name = "slim"
    types = {entry.name: entry.type.tensor_type.elem_type for entry in model.graph.input}
    for one in inputs:
        slim.graph.input.append(helper.make_tensor_value_info(one.name, types[one.name], one.dims))
    nodes = model.graph.node
    left = [n for n in nodes if alive is None or any(name in alive for name in n.output)]
    read = {name for node in left for name in (*node.input, *captured(node))}
    for tensor in model.graph.initializer:
        if tensor.name in read:
            _weigh(slim.graph, tensor.name, tensor)
    for name in read.intersection(known).difference(one.name for one in model.graph.initializer):
        _state(slim.graph, name, known[name])
    for node in left:
        value = [one.t for one in node.attribute if one.name == "value"]
        if node.op_type == "Constant" and value and node.output:
            if node.output[0] not in known:
                _weigh(slim.graph, node.output[0], value[0])
        else:
            slim.graph.node.append(node)
    _outputs(model.graph, slim.graph)
    return slim


def _weigh(graph: "GraphProto", name: str, tensor: "TensorProto") -> None:
    """A tensor of the file: small ones with their numbers."""
    from onnx import helper

    if prod(tensor.dims) <= SMALL and tensor.data_location != tensor.EXTERNAL:
        graph.initializer.append(tensor)
        graph.initializer[-1].name = name
    else:
        entry = helper.make_tensor_value_info(name, tensor.data_type, tuple(tensor.dims))
        graph.input.append(entry)


def _state(graph: "GraphProto", name: str, constant: Constant) -> None:
    """A tensor that was worked out."""
    from onnx import TensorProto, helper, numpy_helper

    if constant.data is not None and constant.data.size <= SMALL:
        graph.initializer.append(numpy_helper.from_array(constant.data, name))
        return
    kind = TensorProto.FLOAT if constant.real else TensorProto.INT64
    graph.input.append(helper.make_tensor_value_info(name, kind, constant.dims))


def _outputs(full: "GraphProto", slim: "GraphProto") -> None:
    """Outputs without the shapes the file claims; of operators that inference does not know, what
    it claims is all there is."""
    from onnx import helper

    foreign = {n for node in full.node if node.domain not in STANDARD for n in node.output}
    outputs = {entry.name for entry in full.output}
    for entry in full.value_info:
        if entry.name in foreign and entry.name not in outputs:
            slim.value_info.append(entry)
    for entry in full.output:
        claimed = entry.name in foreign
        slim.output.append(entry if claimed else helper.make_empty_tensor_value_info(entry.name))
