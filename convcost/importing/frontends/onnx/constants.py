"""Tensors that do not depend on the model's inputs: stored weights, usually only with their dims,
and small tensors with their numbers."""

from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

from onnx import TensorProto, numpy_helper

from convcost.importing.frontends.onnx.evaluate import computed_output
from convcost.importing.frontends.onnx.graph import SMALL, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.strided_aliases import TensorView, whole_view

# Usual names of buffers. A file does not say which of its tensors are buffers.
BUFFERS = frozenset(
    (
        *("running_mean", "running_var", "num_batches_tracked", "mean", "std", "pixel_mean"),
        *("pixel_std", "relative_coords_table", "relative_position_index", "attn_mask", "anchors"),
        *("position_ids", "inv_freq"),
    )
)


def floating(kind: int) -> bool:
    """Whether a data type of ONNX is a floating-point type, including those of 16 and 8 bits."""
    name = TensorProto.DataType.Name(kind) if kind in TensorProto.DataType.values() else ""
    return name.startswith(("FLOAT", "BFLOAT", "DOUBLE"))


def floats(array: Any) -> bool:
    """Whether an array has a floating-point type. NumPy's `kind` does not cover the types that ONNX
    adds."""
    kind = array.dtype
    return bool(kind.kind == "f" or kind.name.startswith(("bfloat", "float")))


class OnnxConstant(NamedTuple):
    """A tensor that does not depend on the model's inputs.

    `data` is the array of its numbers, if they are known and few. `roots` are the stored tensors
    that it is computed from, each with its number of elements; a part of a stored tensor can be a
    root too. `whole` means that it has all elements of a single root, perhaps in another order.
    `learned` distinguishes weights from other constants. `by` is the operator that computes it.
    `view` says which elements of a stored tensor it has, if it has each of them once.
    """

    dims: Dims
    real: bool  # floating point, or quantized to integers
    data: Any = None
    roots: tuple[tuple[str, int], ...] = ()
    learned: bool = False
    by: OnnxNode | None = None
    view: TensorView | None = None
    sure: bool = False  # the exporter says whether it is a parameter

    @property
    def is_weight(self) -> bool:
        return self.learned and self.real

    @property
    def elements(self) -> int:
        return prod(self.dims)

    @property
    def whole(self) -> bool:
        return len(self.roots) == 1 and self.roots[0][1] == self.elements

    @property
    def number(self) -> float | None:
        """The value of all its elements if they are equal; otherwise None."""
        if self.data is None or not self.data.size:
            return None
        first = self.data.flat[0]
        return float(first) if (self.data == first).all() else None


def stored_constant(
    tensor: TensorProto, key: str, *, learned: bool, sure: bool = False
) -> OnnxConstant:
    """A tensor of the file. `sure` means that an exporter says that it is `learned`; its name is
    then ignored."""
    kinds = type(tensor)
    dims = tuple(tensor.dims)
    small = prod(dims) <= SMALL and tensor.data_location != kinds.EXTERNAL
    data = None
    if small and tensor.data_type not in (kinds.STRING, kinds.UNDEFINED):
        try:
            data = numpy_helper.to_array(tensor)
        except (TypeError, ValueError):
            data = None
    real = floating(tensor.data_type)
    # PyTorch's exporter computed the tensors whose names start with a slash.
    if not sure and (key.startswith("/") or buffered(key)):
        learned = False
    roots = ((key, prod(dims)),)
    return OnnxConstant(dims, real, data, roots, learned, view=whole_view(key, dims), sure=sure)


def buffered(key: str) -> bool:
    """Whether a tensor has the usual name of a buffer."""
    return key.replace("/", ".").rsplit(".", 1)[-1] in BUFFERS


def computed_numbers(node: OnnxNode, inputs: Mapping[str, OnnxConstant], opset: int) -> Any:
    """The output of a node as an array if all its inputs are known and small; otherwise None."""
    arrays = [inputs[name].data if name else None for name in node.inputs]
    if any(name and array is None for name, array in zip(node.inputs, arrays, strict=True)):
        return None
    return computed_output(node, arrays, opset)


def storage_of(tensor: TensorProto) -> tuple[str, int, int]:
    """How the file stores a tensor: the name of its type, the number of its elements, the number of
    its bytes."""
    names = {number: name.lower() for name, number in type(tensor).DataType.items()}
    name = {"float": "float32", "double": "float64"}.get(
        names.get(tensor.data_type, ""), names.get(tensor.data_type, "")
    )
    bits = int("".join(filter(str.isdigit, name.split("e")[0])) or 8)
    return name, prod(tensor.dims), (prod(tensor.dims) * bits + 7) // 8
