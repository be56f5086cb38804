"""Finds weights that a model also uses transposed, such as the table of an embedding in a linear
layer. Exporters store the transposed matrix as a second tensor, so only the numbers show that both
are the same. In a file of weights, two tensors may also refer to the same bytes, and an exporter
may write from which tensor it computed others."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto, TensorProto, helper, numpy_helper

from convcost.importing.frontends.onnx.graph import OnnxGraph
from convcost.importing.frontends.onnx.parameters import computed_tensors
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import MATRIX_RANK
from convcost.importing.ir.tensor_views import whole_view
from convcost.model.errors import ConstraintError

PRODUCTS = ("MatMul", "Gemm")
ROWS = 256  # rows that are compared at a time


def tie_same_bytes(model: ModelProto, constants: dict[str, Constant]) -> None:
    """Tensors at the same position of the same file become one tensor."""
    first: dict[tuple[object, ...], Constant] = {}
    for tensor in model.graph.initializer:
        constant = constants.get(tensor.name)
        if constant is None or not _is_external(tensor) or not constant.elements:
            continue
        place = _position_in_file(tensor)
        other = first.setdefault((*place, tensor.data_type, constant.elements), constant)
        if other is not constant and other.view is not None:
            view = whole_view(other.view.root, constant.dims)
            constants[tensor.name] = constant._replace(sources=other.sources, view=view)


def tie_same_source(model: ModelProto, constants: dict[str, Constant]) -> None:
    """Tensors that the exporter computed from the same tensor alone, such as the weights of a layer
    that runs twice, transposed for each run, become one tensor. Each has all of its elements."""
    computed = computed_tensors(model).items()
    first: dict[tuple[str, tuple[int, ...]], Constant] = {}
    for name, (source, *others) in ((name, sources) for name, sources in computed if sources):
        constant = constants.get(name)
        if others or constant is None or not constant.is_weight:
            continue
        other = first.setdefault((source, constant.dims), constant)
        if other is not constant and other.view is not None:
            view = whole_view(other.view.root, constant.dims)
            constants[name] = constant._replace(sources=other.sources, view=view)


def find_tied_weights(
    model: ModelProto, graph: OnnxGraph, constants: dict[str, Constant], folder: Path
) -> list[str]:
    """Gives a tied weight the matrix that it is the transpose of as its source, so that both are
    counted once. Returns notes about tables whose numbers cannot be read. `folder` has the files of
    weights."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    tables = dict.fromkeys(_tables(graph))
    factors = (node.input(1) for node in graph.nodes if node.op in PRODUCTS)
    names = dict.fromkeys((*tables, *factors))
    matrices = [name for name in names if name in stored and _is_matrix(constants.get(name))]
    unread = set()
    first: dict[tuple[Any, ...], str] = {}  # matrices by their extents and their diagonal
    for name in matrices:
        numbers, matrix = _numbers(stored[name], folder), constants[name]
        if numbers is None:
            unread.add(name)
            continue
        other = first.setdefault((*sorted(matrix.dims), numbers.diagonal()[:ROWS].tobytes()), name)
        if name not in tables and _is_transposed(_numbers(stored[other], folder), numbers):
            constants[name] = matrix._replace(sources=constants[other].sources, view=None)
    return [
        f"whether `{name}` is the table `{table}` transposed is not known, as the "
        "numbers cannot be read: both are counted"
        for table in matrices
        if table in tables
        for name in matrices
        if name not in tables
        and constants[name].dims == constants[table].dims[::-1]
        and unread.intersection((name, table))
    ]


def numbers_of(
    model: ModelProto, constants: Mapping[str, Constant], folder: Path
) -> Callable[[str], Any]:
    """A function of the name of a stored tensor: its numbers, or None if they cannot be read."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}

    def numbers(key: str) -> Any:
        constant = constants.get(key)
        if constant is not None and constant.data is not None:
            return constant.data
        return _numbers(stored[key], folder) if key in stored else None

    return numbers


def equal_numbers(numbers_of: Callable[[str], Any]) -> Callable[[str], bool | None]:
    """Whether all numbers of a stored tensor are equal, such as those of new norms; None if the
    numbers cannot be read."""

    @cache
    def are_equal(key: str) -> bool | None:
        numbers = numbers_of(key)
        return (
            None if numbers is None else bool(numbers.size and (numbers == numbers.flat[0]).all())
        )

    return are_equal


def _is_matrix(constant: Constant | None) -> bool:
    return constant is not None and constant.is_weight and len(constant.dims) == MATRIX_RANK


def _is_external(tensor: TensorProto) -> bool:
    return tensor.data_location == type(tensor).EXTERNAL


def _tables(graph: OnnxGraph) -> Iterator[str]:
    for node in graph.nodes:
        if node.op == "Gather" and not node.attributes.get("axis", 0):
            yield node.input(0)


def _position_in_file(tensor: TensorProto) -> tuple[str, int, int]:
    """The position of a tensor's numbers: the file, the first byte, and the number of bytes."""
    value_by_key = {entry.key: entry.value for entry in tensor.external_data}
    offset, length = (value_by_key.get(name) or "0" for name in ("offset", "length"))
    if not (offset.isdecimal() and length.isdecimal()):
        raise ConstraintError(
            "CC404", f"the tensor `{tensor.name}` has no valid position in its file"
        )
    return value_by_key.get("location", ""), int(offset), int(length)


def _numbers(tensor: TensorProto, folder: Path) -> Any:
    """A tensor as an array, or None if its numbers are missing. A file of weights is mapped into
    memory, so only the numbers that the caller uses are read."""
    if not _is_external(tensor):
        try:
            return numpy_helper.to_array(tensor)
        except (TypeError, ValueError):  # the numbers were removed from the model
            return None

    location, offset, _ = _position_in_file(tensor)
    path = folder / location
    try:
        if not path.is_file() or path.is_symlink():
            return None
        kind = helper.tensor_dtype_to_np_dtype(tensor.data_type)
        return np.memmap(path, kind, "r", offset, tuple(tensor.dims))
    # The file is too short, or NumPy has no such type.
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _is_transposed(first: Any, second: Any) -> bool:
    """Whether one matrix is the transpose of the other. Symmetric matrices, such as the identity,
    and those whose numbers are all equal do not count: several modules may have the same one."""
    if first.shape != second.shape[::-1]:
        return False
    for start in range(0, len(first), ROWS):
        rows = slice(start, start + ROWS)
        if not bool((first[rows] == second[:, rows].T).all()):
            return False
    uniform = not first.size or bool((first == first.flat[0]).all())
    return not uniform and not np.array_equal(first, second)
