"""Computations on shapes, which a file contains as operators."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from convcost.importing.frontends.tflite.call import TfliteCall

MAX_ELEMENTS = 4096  # elements of a tensor that is computed


def slice_index(option: Callable[[str], int], rank: int, *ends: Sequence[int]) -> list[Any]:
    """The index of a STRIDED_SLICE, as in NumPy: None is a new axis."""
    masks = ("Ellipsis", "NewAxis", "ShrinkAxis", "Begin", "End")
    bits = {mask: option(f"{mask}Mask") for mask in masks}
    new, index, count = bits["NewAxis"].bit_count(), list[Any](), len(ends[0])
    for axis, (first, last, step) in enumerate(zip(*ends, strict=True)):
        is_ellipsis, added, single, begin, end = (bits[mask] >> axis & 1 for mask in masks)
        if is_ellipsis:
            index += [slice(None)] * (rank - (count - 1 - new))
        elif added or single:
            index.append(None if added else first)
        else:
            index.append(slice(None if begin else first, None if end else last, step))
    return index


# By operator: a function of the options and the numbers of the inputs.
COMPUTED: dict[str, Callable[..., Any]] = {
    "PACK": lambda option, *xs: np.stack(xs, option("Axis")),
    "CONCATENATION": lambda option, *xs: np.concatenate(xs, option("Axis")),
    "STRIDED_SLICE": lambda option, x, *ends: x[tuple(slice_index(option, x.ndim, *ends))],
    "GATHER": lambda option, x, indices: np.take(x, indices, option("Axis")),
    "REDUCE_PROD": lambda option, x, axes: x.prod(tuple(axes.flat), keepdims=option("KeepDims")),
    "ADD": lambda _, a, b: a + b,
    "SUB": lambda _, a, b: a - b,
    "MUL": lambda _, a, b: a * b,
    "FLOOR_DIV": lambda _, a, b: a // b,
    "MAXIMUM": lambda _, a, b: np.maximum(a, b),
    "RANGE": lambda _, *ends: np.array(range(*map(int, ends))[:MAX_ELEMENTS]),
    "SPLIT_V": lambda _, x, n, axis: np.split(x, np.cumsum(n)[:-1], int(axis.flat[0])),
    "UNPACK": lambda option, x: [*np.moveaxis(x, option("Axis"), 0)],
    "CAST": lambda _, x: x,
    "RESHAPE": lambda _, x, *to: x.reshape(to[0] if to else -1),
    "SQUEEZE": lambda _, x: x.squeeze(),
    "EXPAND_DIMS": lambda _, x, axis: np.expand_dims(x, int(axis.flat[0])),
}


def compute_integers(call: TfliteCall) -> list[np.ndarray]:
    """The integers that an operator computes from integers, for each output; [] if they are not
    known."""
    if call.op == "SHAPE":
        return [np.array(call.input_dims(0), np.int64)]
    inputs = call.constants.values()
    data = [
        constant.data
        for constant in inputs
        if constant.data is not None and constant.data.dtype.kind == "i"
    ]
    many = sum(array.size for array in data) > MAX_ELEMENTS
    if call.op not in COMPUTED or many or len(data) < len(inputs):
        return []
    outputs = COMPUTED[call.op](call.option, *(array.astype(np.int64) for array in data))
    return [
        np.asarray(numbers, np.int64)
        for numbers in (outputs if isinstance(outputs, list) else [outputs])
    ]
