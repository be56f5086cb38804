"""ONNX's own shape inference, operator by operator. It never gets the numbers of large weights, and
never computes numbers itself: a damaged file of few bytes can demand lists that fill all memory."""

from collections.abc import Iterable, Mapping

import numpy as np
from onnx import (
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    checker,
    defs,
    helper,
    numpy_helper,
    shape_inference,
)

from convcost.importing.frontends.onnx.constants import is_float_type
from convcost.importing.frontends.onnx.graph import MAX_SMALL_TENSOR, STANDARD, OnnxNode, subgraphs
from convcost.importing.frontends.onnx.open_dims import Dims, ModelInput
from convcost.importing.ir.constant import Constant
from convcost.model.errors import ConstraintError

MAX_REASON_CHARACTERS = 300  # characters of an error of `onnx` in a message
MAX_AXES = 64  # axes of a tensor in NumPy
# Operators with a shape as input, and the position of that input.
SHAPE_INPUT = {"Expand": 1, "Reshape": 1, "Tile": 1, "ConstantOfShape": 0}
# Functions without a rule of their own, and operators whose outputs have the same dims.
SAME_DIMS = {
    "LessOrEqual": "Less",
    "GreaterOrEqual": "Greater",
    "GroupNormalization": "Identity",
    "MeanVarianceNormalization": "Identity",
    "CastLike": "Identity",
}
# The opset since which inference drops a window that starts past the input, as runtimes do.
CORRECT_SINCE = {"AveragePool": 22, "MaxPool": 22}


class ShapeInference:
    """The types of the tensors of a model so far; `shapes` has the dims of all whose dims are
    known. With `stated_shapes`, the outputs of operators that ONNX does not define have the shapes
    in the file, which are valid at its own size only."""

    def __init__(
        self, model: ModelProto, inputs: tuple[ModelInput, ...], *, stated_shapes: bool
    ) -> None:
        self.shapes: dict[str, Dims] = {}
        self._nodes = {name: node for node in model.graph.node for name in node.output if name}
        self._opsets = list(model.opset_import)
        self._versions = {entry.domain: entry.version for entry in self._opsets}
        self._versions[""] = max((self._versions.get(domain, 0) for domain in STANDARD), default=1)
        self._ir_version = model.ir_version
        self._types: dict[str, TypeProto] = {}
        for tensor in model.graph.initializer:
            self._types[tensor.name] = helper.make_tensor_type_proto(tensor.data_type, tensor.dims)
        types = {entry.name: entry.type.tensor_type.elem_type for entry in model.graph.input}
        for name, dims, _ in inputs:
            self._add(name, helper.make_tensor_type_proto(types[name], dims))
        entries = (*model.graph.value_info, *model.graph.output) if stated_shapes else ()
        self._stated = {entry.name: entry.type for entry in entries}

    def add_nodes(self, nodes: Iterable[NodeProto]) -> None:
        """Adds operators of a nested graph to those of the file."""
        self._nodes |= {name: node for node in nodes for name in node.output if name}

    def add_outputs(self, node: OnnxNode, constants: Mapping[str, Constant]) -> None:
        """Adds the types of the outputs of an operator of the file, if they are known. Raises
        ConstraintError CC404 for an output with too many axes."""
        proto = next((self._nodes[name] for name in node.outputs if name in self._nodes), None)
        if proto is None:
            return
        self._check_axes(proto, constants)
        _check_parts(proto)
        types = dict(self._infer_outputs(proto, node, constants))
        for name in filter(None, node.outputs):
            if node.domain not in STANDARD and name in self._stated:
                types[name] = self._stated[name]
            if name in types:
                self._add(name, types[name])

    def _infer_outputs(
        self, proto: NodeProto, node: OnnxNode, constants: Mapping[str, Constant]
    ) -> Mapping[str, TypeProto]:
        """The types of the outputs; empty if an input has no type or ONNX has no such operator.
        Raises ConstraintError CC404 for a wrong number of inputs."""
        if proto.op_type in SAME_DIMS:
            op = SAME_DIMS[proto.op_type]
            inputs = proto.input[:1] if op == "Identity" else proto.input
            proto = helper.make_node(op, inputs, proto.output[:1])
        domain = "" if node.domain in STANDARD else node.domain
        version = max(self._versions.get(domain, 0), CORRECT_SINCE.get(proto.op_type, 0))
        read = [*filter(None, node.inputs)]
        read_constants = {name: constants[name] for name in read if name in constants}
        types = {name: _type_of(constant) for name, constant in read_constants.items()}
        types |= {name: self._types[name] for name in read if name in self._types}
        if len(types) < len({*read}) or not defs.has(proto.op_type, version, domain):
            return {}
        data = {
            name: numpy_helper.from_array(constant.data, name)
            for name, constant in read_constants.items()
            if constant.data is not None and constant.data.size <= MAX_SMALL_TENSOR
        }
        schema, opsets, refused = defs.get_schema(proto.op_type, version, domain), self._opsets, ""
        # Computed constants may have another type than in the file, such as a size that becomes a
        # divisor; dims do not depend on it, but `onnx` refuses inputs of different types.
        as_float = {name: _as_float(kind) for name, kind in types.items()}
        all_float = {name: _as_float(kind, integers=True) for name, kind in types.items()}
        for attempt in (types, as_float, all_float):
            try:
                return shape_inference.infer_node_outputs(
                    schema, proto, attempt, data, opset_imports=opsets, ir_version=self._ir_version
                )
            except checker.ValidationError as error:
                refused = str(error)
            except (shape_inference.InferenceError, RuntimeError):
                return {}  # its inputs have wrong dims: its lowering reports that
        if "put size" not in refused:  # of another fault than the number of inputs or outputs
            return {}
        reason = f"{node.label}: {refused.splitlines()[-1][:MAX_REASON_CHARACTERS]}"
        raise ConstraintError("CC404", f"ONNX's shape inference refuses the model: {reason}")

    def _add(self, name: str, kind: TypeProto) -> None:
        """Adds the type of a tensor, and its dims if all of them are known."""
        self._types[name] = kind
        if kind.WhichOneof("value") == "tensor_type" and kind.tensor_type.HasField("shape"):
            axes = kind.tensor_type.shape.dim
            if all(axis.HasField("dim_value") and axis.dim_value >= 0 for axis in axes):
                self.shapes[name] = tuple(axis.dim_value for axis in axes)

    def _check_axes(self, node: NodeProto, constants: Mapping[str, Constant]) -> None:
        """Raises ConstraintError if a tensor would have more axes than NumPy allows."""
        place = SHAPE_INPUT.get(node.op_type, len(node.input))
        name = node.input[place] if place < len(node.input) else ""
        dims = constants[name].dims if name in constants else self.shapes.get(name, ())
        if len(dims) == 1 and dims[0] > MAX_AXES:
            raise ConstraintError(
                "CC404",
                f"{node.op_type} `{node.name or node.output[0]}` has an output of {dims[0]:,} "
                f"axes, more than {MAX_AXES}",
            )


def _type_of(constant: Constant) -> TypeProto:
    """The type of a constant that was computed."""
    data, kind = constant.data, TensorProto.FLOAT if constant.is_float else TensorProto.INT64
    if data is not None and data.dtype.kind != "O":
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(data.dtype))
    return helper.make_tensor_type_proto(kind, constant.dims)


def _as_float(kind: TypeProto, *, integers: bool = False) -> TypeProto:
    """The type with float32 in place of another floating-point type, or perhaps of `integers`."""
    if not (integers or is_float_type(kind.tensor_type.elem_type)):
        return kind
    float_type = TypeProto()
    float_type.CopyFrom(kind)
    float_type.tensor_type.elem_type = TensorProto.FLOAT
    return float_type


def _check_parts(node: NodeProto) -> None:
    """Raises ConstraintError if the outputs of a `Split` do not match its number of parts:
    inference would crash, or list the sizes of all parts."""
    for inner in (inner for body in subgraphs(node) for inner in body.node):
        _check_parts(inner)
    parts = [entry.i for entry in node.attribute if entry.name == "num_outputs"]
    if node.op_type == "Split" and parts and parts[0] != len(node.output):
        raise ConstraintError(
            "CC404",
            f"Split `{node.name or node.output[0]}` has {len(node.output)} outputs for "
            f"{parts[0]:,} parts",
        )
