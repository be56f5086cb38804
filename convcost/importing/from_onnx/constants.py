"""What a model holds or can work out beforehand: weights by dims, small tensors by numbers."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.shapes import SMALL, Dims
from convcost.importing.from_onnx.views import View, viewed
from convcost.importing.from_onnx.work import LARGE, WORK

if TYPE_CHECKING:
    from onnx import TensorProto

# Buffers that models keep under these names; a file does not tell them from what is learned.
BUFFERS = frozenset(
    (
        *("running_mean", "running_var", "num_batches_tracked", "mean", "std", "pixel_mean"),
        *("pixel_std", "relative_coords_table", "relative_position_index", "attn_mask", "anchors"),
        *("position_ids", "inv_freq"),
    )
)


def floating(kind: int) -> bool:
    """Whether a data type of ONNX is of floating point, of 16 and of 8 bits too."""
    from onnx import TensorProto

    name = TensorProto.DataType.Name(kind) if kind in TensorProto.DataType.values() else ""
    return name.startswith(("FLOAT", "BFLOAT", "DOUBLE"))


def floats(array: Any) -> bool:
    """Whether an array is of floating point. NumPy has no kind for those of ONNX's own."""
    kind = array.dtype
    return bool(kind.kind == "f" or kind.name.startswith(("bfloat", "float")))


class Constant(NamedTuple):
    """A tensor that does not depend on the inputs.

    `data` are its numbers as an array where they are few and known. `roots` are the tensors of the
    file that it is made of, with their elements: `whole` if it is all of a single one, rearranged.
    A piece of a tensor is a root too. `learned` tells weights from constants; `by` is the operator
    to draw where it is worked out; `view` tells which elements these are, each of them once.
    """

    dims: Dims
    real: bool  # floating point, or integers that stand for such
    data: Any = None
    roots: tuple[tuple[str, int], ...] = ()
    learned: bool = False
    by: Node | None = None
    view: View | None = None
    sure: bool = False  # the exporter says what it is

    @property
    def elements(self) -> int:
        return prod(self.dims)

    @property
    def whole(self) -> bool:
        return len(self.roots) == 1 and self.roots[0][1] == self.elements

    @property
    def number(self) -> float | None:
        """The one number of it, if it has one element or all are the same."""
        if self.data is None or not self.data.size:
            return None
        first = self.data.flat[0]
        return float(first) if (self.data == first).all() else None


def held(tensor: "TensorProto", key: str, *, learned: bool, sure: bool = False) -> Constant:
    """A tensor of the file; it is `sure` that it is `learned` where an exporter says so, whatever
    its name is."""
    from onnx import numpy_helper

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
    # What starts with a slash was worked out by PyTorch's exporter.
    kept = not sure and (key.startswith("/") or buffered(key))
    roots = ((key, prod(dims)),)
    return Constant(
        dims, real, data, roots, learned and not kept, view=viewed(key, dims), sure=sure
    )


def buffered(key: str) -> bool:
    """Whether a tensor has the name of a buffer."""
    return key.replace("/", ".").rsplit(".", 1)[-1] in BUFFERS


# Operators that give the same elements, rearranged or of another type.
SAME = frozenset(
    (
        *("Cast", "CastLike", "Identity", "Transpose", "Reshape", "Squeeze", "Unsqueeze"),
        *("Flatten", "DequantizeLinear", "Expand", "Neg", "QuantizeLinear", "Dropout"),
    )
)


def known(node: Node, inputs: Mapping[str, Constant], opset: int) -> Any:
    """The numbers that a node gives, an array, if all it reads is known and few; else None."""
    arrays = [inputs[name].data if name else None for name in node.inputs]
    if any(name and array is None for name, array in zip(node.inputs, arrays, strict=True)):
        return None
    work = WORK.get(node.op)
    if work is None or not node.known or len(node.outputs) > 1:
        return None
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            result = work(np, node, *arrays)
    except (ValueError, TypeError, IndexError, KeyError, ZeroDivisionError, MemoryError):
        return None
    if result is None:
        return None
    result = np.asarray(result)
    return result if result.size <= LARGE else None


def stored(tensor: "TensorProto") -> tuple[str, int, int]:
    """How a tensor lies in the file: its type by name, its elements, its bytes."""
    names = {number: name.lower() for name, number in type(tensor).DataType.items()}
    name = {"float": "float32", "double": "float64"}.get(
        names.get(tensor.data_type, ""), names.get(tensor.data_type, "")
    )
    bits = int("".join(filter(str.isdigit, name.split("e")[0])) or 8)
    return name, prod(tensor.dims), (prod(tensor.dims) * bits + 7) // 8
