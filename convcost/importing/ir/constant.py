"""Tensors that do not depend on the inputs of a model."""

from math import prod
from typing import Any, NamedTuple

from convcost.importing.ir.operator_graph import OperatorNode
from convcost.importing.ir.tensor import MATRIX_RANK
from convcost.importing.ir.tensor_views import Dims, TensorView


class StoredTensor(NamedTuple):
    """How a file stores a tensor; `dtype` is the name of its type, such as `float32`."""

    dtype: str
    elements: int
    bytes: int


class Constant(NamedTuple):
    """A tensor that does not depend on the model's inputs.

    `data` is the array of its numbers, if they are known and few. `sources` are the stored tensors
    that it is computed from, each with its number of elements; a part of a stored tensor can be a
    source too. `learned` distinguishes weights from other constants. `producer` is the operator
    that computes it; None for a stored tensor and for a part of one. `view` says which elements of
    a stored tensor it has, if it has each of them once.
    """

    dims: Dims
    is_float: bool  # of floating point, or quantized to integers from it
    data: Any = None
    sources: tuple[tuple[str, int], ...] = ()
    learned: bool = False
    producer: OperatorNode | None = None
    view: TensorView | None = None
    declared: bool = False  # the exporter declares it as a parameter

    @property
    def is_weight(self) -> bool:
        return self.learned and self.is_float

    @property
    def elements(self) -> int:
        return prod(self.dims)

    @property
    def has_whole_source(self) -> bool:
        """Whether it has all elements of a single source, perhaps in another order."""
        return len(self.sources) == 1 and self.sources[0][1] == self.elements

    @property
    def number(self) -> float | None:
        """The value of all its elements if they are equal; otherwise None."""
        if self.data is None or not self.data.size:
            return None
        first = self.data.flat[0]
        return float(first) if (self.data == first).all() else None


MASKED = -1000  # masks add this or less to the scores that do not count
UNREACHED = -1e30  # no parameter is as low as this


def is_mask(numbers: Any) -> bool:
    """Whether a model adds an array to the scores of attention: its lowest number is one that
    training does not reach, or a large negative one among zeros only. An array that begins with
    another number is not read."""
    if numbers is None or numbers.ndim < MATRIX_RANK or not numbers.size:
        return False
    if numbers.dtype.kind not in "fV" or MASKED < numbers.flat[0] != 0:
        return False
    lowest = float(numbers.min())
    zeros = lowest <= MASKED and ((numbers == 0) | (numbers == lowest)).all()
    return lowest <= UNREACHED or bool(zeros)
