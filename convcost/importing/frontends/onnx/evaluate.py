"""Computes the outputs of operators whose inputs are all known, with ONNX's own reference
implementation."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from onnx import TensorProto
from onnx.reference.ops import load_op

from convcost.importing.frontends.onnx.graph import OnnxNode

LARGE = 1 << 20  # elements of one tensor that is computed at import
MOST = 1 << 24  # elements of all tensors that are computed at import
# Errors of operators whose inputs or attributes are wrong.
WRONG = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RuntimeError,
         AssertionError, MemoryError)  # fmt: skip


def np_flat(array: Any) -> Any:
    """The numbers of an array, as a list."""
    return array.reshape(-1).tolist()


def _size(node: OnnxNode, x: Any, *_: Any) -> int:
    return int(x.size)


def _broadcast(node: OnnxNode, *x: Any) -> int:
    return prod(np.broadcast_shapes(*(one.shape for one in x)))


def _gathered(node: OnnxNode, x: Any, indices: Any) -> int:
    extent = max(x.shape[node.attributes.get("axis", 0)], 1)
    return int(x.size // extent * indices.size)


def _steps(node: OnnxNode, start: Any, end: Any, step: Any) -> float:
    return float(abs((end.item() - start.item()) / step.item()))


# The operators that are computed: those on shapes and masks, and those that only move elements;
# each with a bound of the elements of its output.
_OF_ONE = (
    "Identity Cast CastLike Unsqueeze Squeeze Slice Reshape Transpose ScatterND Neg Abs "
    "Sqrt Exp Log Reciprocal Floor Ceil Round Not ReduceProd ReduceSum ReduceMax ReduceMin "
    "ReduceMean"
)
_OF_SEVERAL = (
    "Add Sub Mul Div Pow Mod Equal Greater Less GreaterOrEqual LessOrEqual And Or Where Max Min"
)
COMPUTED: dict[str, Callable[..., float]] = {
    **dict.fromkeys(_OF_ONE.split(), _size),
    **dict.fromkeys(_OF_SEVERAL.split(), _broadcast),
    "Concat": lambda _, *x: sum(one.size for one in x),
    "ConstantOfShape": lambda _, shape: prod(np_flat(shape)),
    "Expand": lambda _, x, shape: prod(np.broadcast_shapes(x.shape, tuple(np_flat(shape)))),
    "Gather": _gathered,
    "Range": _steps,
    "Shape": lambda _, x: x.ndim,
    "Size": lambda *_: 1,
    "Tile": lambda _, x, times: x.size * prod(np_flat(times)),
}


def computed_output(node: OnnxNode, inputs: Sequence[Any], opset: int) -> Any:
    """The output of a node as an array; None if it has another number of outputs, is not computed,
    or is too large. `inputs` are arrays, or None if they are left out."""
    elements = COMPUTED.get(node.op)
    if elements is None or not node.known or len(node.outputs) > 1:
        return None
    if any(isinstance(one, TensorProto) and one.external_data for one in node.attributes.values()):
        return None
    op = "Identity" if node.op == "CastLike" else node.op  # the type does not matter
    try:
        with np.errstate(all="ignore"):
            if not elements(node, *inputs) <= LARGE:
                return None
            found = np.asarray(load_op("", op, opset).eval(*inputs, **node.attributes))
    except WRONG:
        return None
    # If an input is missing, NumPy returns an array of objects.
    return found if found.size <= LARGE and found.dtype != object else None
