"""What a model holds or can work out beforehand: weights by dims, small tensors by numbers."""

from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.shapes import SMALL, Dims

if TYPE_CHECKING:
    from onnx import TensorProto

LARGE = 1 << 20  # elements of a tensor that is worked out beforehand

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
    return array.dtype.kind == "f" or array.dtype.name.startswith(("bfloat", "float"))


class Constant(NamedTuple):
    """A tensor that does not depend on the inputs.

    `data` are its numbers as an array where they are few and known. `roots` are the tensors of the
    file that it is made of, with their elements: `whole` if it is all of a single one, rearranged.
    `learned` tells weights from constants; `by` is the operator to draw where it is worked out.
    """

    dims: Dims
    real: bool  # floating point, or integers that stand for such
    data: Any = None
    roots: tuple[tuple[str, int], ...] = ()
    learned: bool = False
    by: Node | None = None

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


def held(tensor: "TensorProto", key: str, *, learned: bool) -> Constant:
    """A tensor of the file."""
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
    kept = key.startswith("/") or key.replace("/", ".").rsplit(".", 1)[-1] in BUFFERS
    return Constant(dims, real, data, ((key, prod(dims)),), learned and not kept)


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


def _axes(node: Node, more: Any, none: Any = None) -> Any:
    if "axes" in node.attributes:
        return tuple(node.attributes["axes"])
    return none if more is None else tuple(int(n) for n in np_flat(more))


def np_flat(array: Any) -> Any:
    """The numbers of an array, in a list."""
    return array.reshape(-1).tolist()


def _slice(np: Any, node: Node, x: Any, *more: Any) -> Any:
    get = [np_flat(one) if one is not None else None for one in more]
    starts = node.attributes.get("starts") or get[0]
    ends = node.attributes.get("ends") or get[1]
    axes = node.attributes.get("axes") or (get[2] if len(get) > 2 else None)  # noqa: PLR2004
    steps = get[3] if len(get) > 3 else None  # noqa: PLR2004
    pieces = [slice(None)] * x.ndim
    for at, (start, end) in enumerate(zip(list(starts or ()), list(ends or ()), strict=True)):
        axis = axes[at] if axes else at
        step = steps[at] if steps else 1
        end = None if step < 0 and end < -x.shape[axis] else end  # noqa: PLW2901
        pieces[axis] = slice(start, end, step)
    return x[tuple(pieces)]


def _reshape(np: Any, node: Node, x: Any, shape: Any = None) -> Any:
    to = list(node.attributes.get("shape", ())) if shape is None else np_flat(shape)
    if not node.attributes.get("allowzero"):
        to = [x.shape[at] if n == 0 else n for at, n in enumerate(to)]
    return x.reshape(to)


def _unsqueeze(np: Any, node: Node, x: Any, more: Any = None) -> Any:
    return np.expand_dims(x, _axes(node, more))


def _squeeze(np: Any, node: Node, x: Any, more: Any = None) -> Any:
    return np.squeeze(x, _axes(node, more))


def _constant_of_shape(np: Any, node: Node, shape: Any) -> Any:
    dims = np_flat(shape)
    if prod(dims) > LARGE:
        return None
    value = node.attributes.get("value")
    if value is None:
        return np.zeros(dims, np.float32)
    if value.data_location == value.EXTERNAL:
        return None
    from onnx import numpy_helper

    return np.full(dims, numpy_helper.to_array(value).reshape(-1)[0])


def _cast(np: Any, node: Node, x: Any) -> Any:
    from onnx import helper

    return x.astype(helper.tensor_dtype_to_np_dtype(node.attributes["to"]))


def _reduce(name: str) -> Callable[..., Any]:
    def work(np: Any, node: Node, x: Any, more: Any = None) -> Any:
        return getattr(np, name)(
            x, axis=_axes(node, more), keepdims=bool(node.attributes.get("keepdims", 1))
        )

    return work


def _ufunc(name: str) -> Callable[..., Any]:
    def work(np: Any, node: Node, *x: Any) -> Any:
        return getattr(np, name)(*x)

    return work


def _divide(np: Any, node: Node, a: Any, b: Any) -> Any:
    if a.dtype.kind in "iu":  # towards zero, in integers
        quotient = abs(a) // abs(b)
        return np.where((a < 0) == (b < 0), quotient, -quotient).astype(a.dtype)
    return a / b


def _fold(name: str) -> Callable[..., Any]:
    def work(np: Any, node: Node, *x: Any) -> Any:
        result = x[0]
        for one in x[1:]:
            result = getattr(np, name)(result, one)
        return result

    return work


def _scatter(np: Any, node: Node, x: Any, at: Any, updates: Any) -> Any:
    if _reduction(node) != "none":
        return None
    result = x.copy()
    result[tuple(np.moveaxis(at, -1, 0))] = updates
    return result


def _itself(np: Any, node: Node, x: Any) -> Any:
    return x


def _shape(np: Any, node: Node, x: Any) -> Any:
    part = x.shape[node.attributes.get("start", 0) : node.attributes.get("end")]
    return np.array(part, np.int64)


def _size(np: Any, node: Node, x: Any) -> Any:
    return np.array(x.size, np.int64)


def _expand(np: Any, node: Node, x: Any, to: Any) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(np_flat(to))))


def _tile(np: Any, node: Node, x: Any, times: Any) -> Any:
    return np.tile(x, np_flat(times))


def _range(np: Any, node: Node, start: Any, end: Any, step: Any) -> Any:
    return np.arange(start.item(), end.item(), step.item(), dtype=start.dtype)


def _reduction(node: Node) -> str:
    return str(node.attributes.get("reduction") or "none")


WORK: dict[str, Callable[..., Any]] = {
    "Identity": _itself,
    "Cast": _cast,
    "CastLike": _itself,
    "Shape": _shape,
    "Size": _size,
    "Gather": lambda np, node, x, at: np.take(x, at, axis=node.attributes.get("axis", 0)),
    "Concat": lambda np, node, *x: np.concatenate(x, axis=node.attributes["axis"]),
    "ConstantOfShape": _constant_of_shape,
    "Unsqueeze": _unsqueeze,
    "Squeeze": _squeeze,
    "Slice": _slice,
    "Reshape": _reshape,
    "Transpose": lambda np, node, x: np.transpose(x, node.attributes.get("perm")),
    "Expand": _expand,
    "ScatterND": _scatter,
    "Tile": _tile,
    "Range": _range,
    "Add": _ufunc("add"),
    "Sub": _ufunc("subtract"),
    "Mul": _ufunc("multiply"),
    "Div": _divide,
    "Pow": _ufunc("power"),
    "Mod": _ufunc("mod"),
    "Neg": _ufunc("negative"),
    "Abs": _ufunc("abs"),
    "Sqrt": _ufunc("sqrt"),
    "Exp": _ufunc("exp"),
    "Log": _ufunc("log"),
    "Reciprocal": _ufunc("reciprocal"),
    "Floor": _ufunc("floor"),
    "Ceil": _ufunc("ceil"),
    "Round": _ufunc("round"),
    "Equal": _ufunc("equal"),
    "Greater": _ufunc("greater"),
    "Less": _ufunc("less"),
    "GreaterOrEqual": _ufunc("greater_equal"),
    "LessOrEqual": _ufunc("less_equal"),
    "Not": _ufunc("logical_not"),
    "And": _ufunc("logical_and"),
    "Or": _ufunc("logical_or"),
    "Where": _ufunc("where"),
    "Max": _fold("maximum"),
    "Min": _fold("minimum"),
    "ReduceProd": _reduce("prod"),
    "ReduceSum": _reduce("sum"),
    "ReduceMax": _reduce("max"),
    "ReduceMin": _reduce("min"),
    "ReduceMean": _reduce("mean"),
}


def stored(tensor: "TensorProto") -> tuple[str, int, int]:
    """How a tensor lies in the file: its type by name, its elements, its bytes."""
    names = {number: name.lower() for name, number in type(tensor).DataType.items()}
    name = {"float": "float32", "double": "float64"}.get(
        names.get(tensor.data_type, ""), names.get(tensor.data_type, "")
    )
    bits = int("".join(filter(str.isdigit, name.split("e")[0])) or 8)
    return name, prod(tensor.dims), (prod(tensor.dims) * bits + 7) // 8
