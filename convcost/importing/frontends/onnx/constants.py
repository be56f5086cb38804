"""Tensors that do not depend on the model's inputs: stored weights, usually only with their dims,
and small tensors with their numbers. ONNX's own reference implementation computes those."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper
from onnx.reference.ops import load_op

from convcost.importing.frontends.onnx.graph import MAX_SMALL_TENSOR, OnnxNode
from convcost.importing.ir.constant import Constant, StoredTensor
from convcost.importing.ir.tensor_views import whole_view

# Usual names of buffers. A file does not say which of its tensors are buffers.
BUFFERS = frozenset(
    (
        *("running_mean", "running_var", "num_batches_tracked", "mean", "std", "pixel_mean"),
        *("pixel_std", "relative_coords_table", "relative_position_index", "attn_mask", "anchors"),
        *("position_ids", "inv_freq"),
    )
)


def is_float_type(data_type: int) -> bool:
    """Whether a data type of ONNX is a floating-point type, including those of 16 and 8 bits."""
    types = TensorProto.DataType
    name = types.Name(data_type) if data_type in types.values() else ""
    return name.startswith(("FLOAT", "BFLOAT", "DOUBLE"))


def has_floats(array: Any) -> bool:
    """Whether an array has a floating-point type. NumPy's `kind` does not cover the types that ONNX
    adds."""
    dtype = array.dtype
    return bool(dtype.kind == "f" or dtype.name.startswith(("bfloat", "float")))


def stored_constant(
    tensor: TensorProto, key: str, *, learned: bool, declared: bool = False
) -> Constant:
    """A tensor of the file. `declared` means that the exporter declares it as a parameter; its
    name is then ignored."""
    dims = tuple(tensor.dims)
    small = prod(dims) <= MAX_SMALL_TENSOR and tensor.data_location != TensorProto.EXTERNAL
    data = None
    if small and tensor.data_type not in (TensorProto.STRING, TensorProto.UNDEFINED):
        try:
            data = numpy_helper.to_array(tensor)
        except (TypeError, ValueError):
            data = None
    is_float = is_float_type(tensor.data_type)
    # PyTorch's exporter computed the tensors whose names start with a slash.
    if not declared and (key.startswith("/") or is_named_as_buffer(key)):
        learned = False
    sources = ((key, prod(dims)),)
    return Constant(
        dims, is_float, data, sources, learned, view=whole_view(key, dims), declared=declared
    )


def is_named_as_buffer(key: str) -> bool:
    """Whether a tensor has the usual name of a buffer."""
    name = key.replace("/", ".").rsplit(".", 1)[-1]
    return name in BUFFERS or name.endswith("_inv_freq")


def computed_numbers(node: OnnxNode, inputs: Mapping[str, Constant], opset: int) -> Any:
    """The output of a node as an array if all its inputs are known and small; otherwise None."""
    arrays = [inputs[name].data if name else None for name in node.inputs]
    if any(name and array is None for name, array in zip(node.inputs, arrays, strict=True)):
        return None
    return computed_output(node, arrays, opset)


def storage_of(tensor: TensorProto) -> StoredTensor:
    names = {number: name.lower() for name, number in TensorProto.DataType.items()}
    name = {"float": "float32", "double": "float64"}.get(
        names.get(tensor.data_type, ""), names.get(tensor.data_type, "")
    )
    bits = int("".join(filter(str.isdigit, name.split("e")[0])) or 8)
    return StoredTensor(name, prod(tensor.dims), (prod(tensor.dims) * bits + 7) // 8)


MAX_ELEMENTS = 1 << 20  # elements of one tensor that is computed at import
MAX_TOTAL = 1 << 24  # elements of all tensors that are computed at import
# Errors of operators whose inputs or attributes are wrong.
COMPUTE_ERRORS = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError,
         AssertionError, MemoryError)  # fmt: skip


# The operators that are computed: those on shapes and masks, and those that only move elements;
# each with a bound of the elements of its output.
_OF_ONE = (
    "Identity Cast CastLike Unsqueeze Squeeze Slice Reshape Transpose ScatterND Neg Abs "
    "Sqrt Exp Log Reciprocal Floor Ceil Round Clip Not ReduceProd ReduceSum ReduceMax ReduceMin "
    "ReduceMean"
)
_OF_SEVERAL = (
    "Add Sub Mul Div Pow Mod Equal Greater Less GreaterOrEqual LessOrEqual And Or Where Max Min"
)
COMPUTED: dict[str, Callable[..., float]] = {
    **dict.fromkeys(_OF_ONE.split(), lambda _, x, *__: x.size),
    **dict.fromkeys(
        _OF_SEVERAL.split(), lambda _, *x: prod(np.broadcast_shapes(*(array.shape for array in x)))
    ),
    "Concat": lambda _, *x: sum(array.size for array in x),
    "ConstantOfShape": lambda _, shape: prod(shape.ravel().tolist()),
    "Expand": lambda _, x, shape: prod(np.broadcast_shapes(x.shape, tuple(shape.ravel().tolist()))),
    "Gather": lambda node, x, indices: (
        x.size // max(x.shape[node.attributes.get("axis", 0)], 1) * indices.size
    ),
    "Range": lambda _, start, end, step: abs((end.item() - start.item()) / step.item()),
    "Shape": lambda _, x: x.ndim,
    "Size": lambda *_: 1,
    "Tile": lambda _, x, times: x.size * prod(times.ravel().tolist()),
}


def computed_output(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Any:
    """The output of a node as an array; None if it has another number of outputs, is not computed,
    or is too large. `inputs` are arrays, or None if they are left out."""
    elements = COMPUTED.get(node.op)
    if elements is None or not node.known or len(node.outputs) > 1:
        return None
    tensors = [tensor for tensor in node.attributes.values() if isinstance(tensor, TensorProto)]
    # No shape is text, and an array of texts has over a hundred bytes for each of them.
    text = node.attributes.get("to") == TensorProto.STRING
    if text or any(
        tensor.external_data or tensor.data_type == TensorProto.STRING for tensor in tensors
    ):
        return None
    op = node.op
    if op == "CastLike":  # without a known type, it keeps the one that it has
        op = "Cast" if "to" in node.attributes else "Identity"
    try:
        with np.errstate(all="ignore"):
            if not elements(node, *inputs) <= MAX_ELEMENTS:
                return None
            output = np.asarray(load_op("", op, opset).eval(*inputs, **node.attributes))
    except COMPUTE_ERRORS:
        return None
    # If an input is missing, NumPy returns an array of objects.
    return output if output.size <= MAX_ELEMENTS and output.dtype != object else None
