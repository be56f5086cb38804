"""Which elements of a stored tensor another tensor has, if it has each of them once."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import gcd, prod
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.lib.stride_tricks import as_strided

Dims: TypeAlias = tuple[int, ...]

MAX_BLOCKS = 1 << 23  # blocks of a tensor whose parts are compared


class TensorView(NamedTuple):
    """Elements of the tensor `root`, like a view in NumPy: the position of the first element, and
    the step along each axis, in elements."""

    root: str
    total: int
    start: int
    dims: Dims
    steps: Dims

    @property
    def key(self) -> str:
        """A text that is equal for views of the same elements, in any order: `root` itself for all
        elements."""
        start, axes = _normal_form(self)
        if (start, axes) in ((0, ((self.total, 1),)), (0, ())) and prod(self.dims) == self.total:
            return self.root
        listed = ", ".join(f"{extent}·{step}" for extent, step in axes)
        return f"{self.root}[{start}{': ' if listed else ''}{listed}]"


def whole_view(root: str, dims: Dims) -> TensorView:
    """A view of all elements of a tensor."""
    steps = tuple(prod(dims[axis + 1 :]) for axis in range(len(dims)))
    return TensorView(root, prod(dims), 0, dims, steps)


class Coverage:
    """The elements of a tensor that some of its views have together. The tensor is divided into
    blocks; each view contains every block completely or not at all."""

    def __init__(self, total: int) -> None:
        self._block = total
        self._taken = np.zeros(1, bool)

    def add(self, view: TensorView) -> None:
        """Adds the elements of a view."""
        if self._divide(view):
            self._taken[_places(view, self._block)] = True

    def count_outside(self, view: TensorView) -> int:
        """The number of elements of a view that none of the added views has; all of them if there
        are too many blocks to compare."""
        if not self._divide(view):
            return prod(view.dims)
        return int((~self._taken[_places(view, self._block)]).sum()) * self._block

    def _divide(self, view: TensorView) -> bool:
        """Makes the blocks as small as a view needs; False if there are too many of them."""
        start, axes = _normal_form(view)
        inner = axes[-1][0] if axes and axes[-1][1] == 1 else 1
        rest = axes[:-1] if inner > 1 else axes
        block = gcd(self._block, start, inner, *(step for _, step in rest)) or 1
        if max(view.total, prod(view.dims)) // block > MAX_BLOCKS:
            return False
        if block != self._block:
            self._taken = self._taken.repeat(self._block // block)
            self._block = block
        return True


def elements_outside(view: TensorView, others: Iterable[TensorView]) -> int:
    """The number of elements of a view that are in none of the other views of the same tensor."""
    coverage = Coverage(view.total)
    for other in others:
        coverage.add(other)
    return coverage.count_outside(view)


@lru_cache(maxsize=1 << 14)
def _normal_form(view: TensorView) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The position of the first element, and the axes as (extent, step), the largest step first;
    axes are merged where possible."""
    start = view.start + sum(
        (n - 1) * step for n, step in zip(view.dims, view.steps, strict=True) if step < 0
    )
    axes = [(n, abs(step)) for n, step in zip(view.dims, view.steps, strict=True)]
    return start, tuple(_merge_axes(sorted(axes, key=lambda axis: -axis[1])))


def _merge_axes(axes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The axes as (extent, step), without those of extent 1. An axis is merged with the next one if
    one step along it is the whole extent of that one."""
    merged_axes: list[tuple[int, int]] = []
    for extent, step in axes:
        if merged_axes and merged_axes[-1][1] == extent * step:
            merged_axes[-1] = (merged_axes[-1][0] * extent, step)
        elif extent != 1:
            merged_axes.append((extent, step))
    return merged_axes


def _places(view: TensorView, block: int) -> Any:
    """The numbers of the blocks of a view."""
    start, axes = _normal_form(view)
    numbers = np.array([start // block])
    for extent, step in axes:
        has_whole_blocks = step >= block
        along = np.arange(extent if has_whole_blocks else extent // block) * (
            step // block if has_whole_blocks else 1
        )
        numbers = (numbers[:, None] + along).reshape(-1)
    return numbers


def view_of_entries(view: TensorView, axis: int, span: range, *, keep: bool = True) -> TensorView:
    """Entries of an axis. Without `keep`, the axis has a single entry and is removed."""
    stop = span.stop if span.stop >= 0 else None
    index = slice(span.start, stop, span.step) if keep else span.start
    axis %= len(view.dims)
    return changed_view(view, lambda array: array[(*(slice(None),) * axis, index)])


def changed_view(view: TensorView, change: Callable[[Any], Any]) -> TensorView:
    """The view after an operation of NumPy that only changes steps. The array has no memory."""
    before = as_strided(np.empty(1, np.int8), view.dims, view.steps)
    after = change(before)
    start = view.start + after.ctypes.data - before.ctypes.data
    return view._replace(start=start, dims=after.shape, steps=after.strides)


def view_of_reshape(view: TensorView, dims: Dims) -> TensorView | None:
    """The view in other dims, with the same elements in the same order; None if no steps express
    it."""
    if prod(dims) != prod(view.dims) or not prod(dims):
        return None
    runs = _merge_axes(zip(view.dims, view.steps, strict=True))
    steps: list[int] = []
    rest, step = runs.pop() if runs else (1, 1)
    for extent in reversed(dims):
        if extent == 1:
            steps.append(0)
            continue
        if rest == 1:
            rest, step = runs.pop()
        if rest % extent:
            return None
        steps.append(step)
        rest, step = rest // extent, step * extent
    return view._replace(dims=dims, steps=tuple(reversed(steps)))
