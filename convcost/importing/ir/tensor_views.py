"""Which elements of a stored tensor another tensor has, if it has each of them once."""

from collections.abc import Callable, Collection, Iterable, Sequence
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
    return TensorView(root, prod(dims), 0, dims, _steps(dims))


def elements_outside(view: TensorView, others: Collection[TensorView]) -> int:
    """The number of elements of a view that are in none of the other views of the same tensor."""
    near = [other for other in others if _overlap(view, other)]
    if not near:
        return prod(view.dims)

    block = _block((view, *near))
    if max(view.total, *(prod(one.dims) for one in (view, *near))) // block > MAX_BLOCKS:
        return prod(view.dims)
    taken = np.zeros(-(-view.total // block), bool)
    for other in near:
        taken[_places(other, block)] = True
    return int((~taken[_places(view, block)]).sum()) * block


def _steps(dims: Dims) -> Dims:
    return tuple(prod(dims[axis + 1 :]) for axis in range(len(dims)))


@lru_cache(maxsize=1 << 14)
def _normal_form(view: TensorView) -> tuple[int, tuple[tuple[int, int], ...]]:
    """The position of the first element, and the axes as (extent, step), the largest step first;
    axes are merged where possible."""
    start = view.start + sum(
        (n - 1) * step for n, step in zip(view.dims, view.steps, strict=True) if step < 0
    )
    long = [(n, abs(step)) for n, step in zip(view.dims, view.steps, strict=True)]
    return start, tuple(_merged(sorted(long, key=lambda axis: -axis[1])))


def _merged(axes: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The axes as (extent, step), without those of extent 1. An axis is merged with the next one if
    one step along it is the whole extent of that one."""
    found: list[tuple[int, int]] = []
    for extent, step in axes:
        if found and found[-1][1] == extent * step:
            found[-1] = (found[-1][0] * extent, step)
        elif extent != 1:
            found.append((extent, step))
    return found


def _overlap(one: TensorView, other: TensorView) -> bool:
    """Whether the ranges of two views overlap."""
    spans = []
    for view in (one, other):
        start, axes = _normal_form(view)
        spans.append((start, start + sum((extent - 1) * step for extent, step in axes)))
    (first, last), (begin, end) = spans
    return first <= end and begin <= last


def _block(views: Sequence[TensorView]) -> int:
    """The largest block size such that each view contains every block completely or not at all."""
    found = views[0].total
    for view in views:
        start, axes = _normal_form(view)
        inner = axes[-1][0] if axes and axes[-1][1] == 1 else 1
        rest = axes[:-1] if inner > 1 else axes
        found = gcd(found, start, inner, *(step for _, step in rest))
    return max(found, 1)


def _places(view: TensorView, block: int) -> Any:
    """The numbers of the blocks of a view."""
    start, axes = _normal_form(view)
    found = np.array([start // block])
    for extent, step in axes:
        wide = step >= block
        along = np.arange(extent if wide else extent // block) * (step // block if wide else 1)
        found = (found[:, None] + along).reshape(-1)
    return found


def view_of_entries(view: TensorView, axis: int, kept: range, *, keep: bool = True) -> TensorView:
    """Entries of an axis. Without `keep`, the axis has a single entry and is removed."""
    stop = kept.stop if kept.stop >= 0 else None
    index = slice(kept.start, stop, kept.step) if keep else kept.start
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
    runs = _merged(zip(view.dims, view.steps, strict=True))
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
