"""Computes the outputs of operators whose inputs are all known, with NumPy."""

from collections.abc import Callable
from math import prod
from typing import Any

from convcost.importing.frontends.onnx.graph import OnnxNode

LARGE = 1 << 20  # elements of one tensor that is computed at import
MOST = 1 << 24  # elements of all tensors that are computed at import


def _axes(node: OnnxNode, more: Any, none: Any = None) -> Any:
    if "axes" in node.attributes:
        return tuple(node.attributes["axes"])
    return none if more is None else tuple(int(n) for n in np_flat(more))


def np_flat(array: Any) -> Any:
    """The numbers of an array, as a list."""
    return array.reshape(-1).tolist()


def _slice(np: Any, node: OnnxNode, x: Any, *more: Any) -> Any:
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


def _reshape(np: Any, node: OnnxNode, x: Any, shape: Any = None) -> Any:
    to = list(node.attributes.get("shape", ())) if shape is None else np_flat(shape)
    if not node.attributes.get("allowzero"):
        to = [x.shape[at] if n == 0 else n for at, n in enumerate(to)]
    return x.reshape(to)


def _unsqueeze(np: Any, node: OnnxNode, x: Any, more: Any = None) -> Any:
    return np.expand_dims(x, _axes(node, more))


def _squeeze(np: Any, node: OnnxNode, x: Any, more: Any = None) -> Any:
    return np.squeeze(x, _axes(node, more))


def _constant_of_shape(np: Any, node: OnnxNode, shape: Any) -> Any:
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


def _cast(np: Any, node: OnnxNode, x: Any) -> Any:
    from onnx import helper

    return x.astype(helper.tensor_dtype_to_np_dtype(node.attributes["to"]))


def _reduce(name: str) -> Callable[..., Any]:
    def work(np: Any, node: OnnxNode, x: Any, more: Any = None) -> Any:
        return getattr(np, name)(
            x, axis=_axes(node, more), keepdims=bool(node.attributes.get("keepdims", 1))
        )

    return work


def _are_small(np: Any, *x: Any) -> bool:
    """Whether the arrays together are small enough to compute with."""
    return bool(prod(np.broadcast_shapes(*(one.shape for one in x))) <= LARGE)


def _ufunc(name: str) -> Callable[..., Any]:
    def work(np: Any, node: OnnxNode, *x: Any) -> Any:
        if not _are_small(np, *x):
            return None
        return getattr(np, name)(*x)

    return work


def _divide(np: Any, node: OnnxNode, a: Any, b: Any) -> Any:
    if not _are_small(np, a, b):
        return None
    if a.dtype.kind in "iu":  # ONNX divides integers towards zero
        quotient = abs(a) // abs(b)
        return np.where((a < 0) == (b < 0), quotient, -quotient).astype(a.dtype)
    return a / b


def _fold(name: str) -> Callable[..., Any]:
    def work(np: Any, node: OnnxNode, *x: Any) -> Any:
        if not _are_small(np, *x):
            return None
        result = x[0]
        for one in x[1:]:
            result = getattr(np, name)(result, one)
        return result

    return work


def _scatter(np: Any, node: OnnxNode, x: Any, at: Any, updates: Any) -> Any:
    if _reduction(node) != "none":
        return None
    result = x.copy()
    result[tuple(np.moveaxis(at, -1, 0))] = updates
    return result


def _itself(np: Any, node: OnnxNode, x: Any) -> Any:
    return x


def _shape(np: Any, node: OnnxNode, x: Any) -> Any:
    part = x.shape[node.attributes.get("start", 0) : node.attributes.get("end")]
    return np.array(part, np.int64)


def _size(np: Any, node: OnnxNode, x: Any) -> Any:
    return np.array(x.size, np.int64)


def _expand(np: Any, node: OnnxNode, x: Any, to: Any) -> Any:
    return np.broadcast_to(x, np.broadcast_shapes(x.shape, tuple(np_flat(to))))


def _tile(np: Any, node: OnnxNode, x: Any, times: Any) -> Any:
    return np.tile(x, np_flat(times)) if x.size * prod(np_flat(times)) <= LARGE else None


def _range(np: Any, node: OnnxNode, start: Any, end: Any, step: Any) -> Any:
    if not abs(end.item() - start.item()) <= LARGE * abs(step.item()):
        return None
    return np.arange(start.item(), end.item(), step.item(), dtype=start.dtype)


def _gather(np: Any, node: OnnxNode, x: Any, at: Any) -> Any:
    axis = node.attributes.get("axis", 0)
    few = x.size // max(x.shape[axis], 1) * at.size <= LARGE
    return np.take(x, at, axis=axis) if few else None


def _concat(np: Any, node: OnnxNode, *x: Any) -> Any:
    few = sum(one.size for one in x) <= LARGE
    return np.concatenate(x, axis=node.attributes["axis"]) if few else None


def _reduction(node: OnnxNode) -> str:
    return str(node.attributes.get("reduction") or "none")


WORK: dict[str, Callable[..., Any]] = {
    "Identity": _itself,
    "Cast": _cast,
    "CastLike": _itself,
    "Shape": _shape,
    "Size": _size,
    "Gather": _gather,
    "Concat": _concat,
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
