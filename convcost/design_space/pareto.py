"""The Pareto front: the points that no other point is better than in one measure and as good in
all.

H. T. Kung, F. Luccio and F. P. Preparata, On Finding the Maxima of a Set of Vectors, J. ACM 22(4),
1975: n points with 3 costs take about n · log(n) steps, also if all of them are in the front.
"""

import numpy as np

from convcost.design_space.vectors import Array

PAIR = 2  # costs; for two, one sort is enough
FEW = 64  # points that are compared pair by pair


def pareto_front(costs: list[Array]) -> Array:
    """The indices of the points of the front, in order; `costs` has an array for each measure, and
    less is better. Of equal points, the first is in the front."""
    order = np.lexsort(costs[::-1])
    if not len(order):
        return order
    if len(costs) == PAIR:
        second = costs[1][order]
        least = np.minimum.accumulate(second)
        return np.sort(order[np.concatenate(([True], second[1:] < least[:-1]))])
    front = order[:0]
    few = 0  # the points that exclude few others
    while len(order) and few < FEW:
        # The least remaining one: what it is not worse than in all measures is not in the front.
        better = [cost[order] < cost[order[0]] for cost in costs]
        rest = order[np.logical_or.reduce(better)]
        few += (len(order) - len(rest)) * FEW < len(order)
        front, order = np.append(front, order[0]), rest
    if len(order):
        # Ranks are int64, also those of larger integers.
        ranks = [np.unique(cost[order], return_inverse=True)[1] for cost in costs]
        front = np.append(front, order[_front(np.stack(ranks, axis=1))])
    return np.sort(front)


def _front(points: Array) -> Array:
    """The indices of the front. The rows are points, sorted by their first, second, … cost."""
    half = len(points) // 2
    if len(points) <= FEW:
        covers = np.all(points[:, None] <= points[None], axis=2)
        return np.flatnonzero(~np.any(np.triu(covers, 1), axis=0))
    first, second = _front(points[:half]), half + _front(points[half:])
    covered = _is_covered(points[first, 1:], points[second, 1:])
    return np.concatenate((first, second[~covered]))


def _is_covered(points: Array, others: Array) -> Array:
    """Which of the others have no cost below that of one of the points."""
    columns = points.shape[1]
    if columns == 1:
        return others[:, 0] >= points.min(initial=np.iinfo(np.int64).max)
    if columns == PAIR:
        points = points[np.argsort(points[:, 0])]
        least = np.minimum.accumulate(np.append(np.iinfo(np.int64).max, points[:, 1]))
        return least[np.searchsorted(points[:, 0], others[:, 0], "right")] <= others[:, 1]
    if len(points) * len(others) <= FEW**2:
        return np.any(np.all(points[:, None] <= others[None], axis=2), axis=0)
    values = np.unique(np.concatenate((points[:, 0], others[:, 0])))
    if len(values) == 1:
        return _is_covered(points[:, 1:], others[:, 1:])
    middle = values[(len(values) - 1) // 2]
    low, high = points[:, 0] <= middle, others[:, 0] > middle
    covered = np.empty(len(others), dtype=bool)
    covered[~high] = _is_covered(points[low], others[~high])
    covered[high] = _is_covered(points[~low], others[high]) | _is_covered(
        points[low, 1:], others[high, 1:]
    )
    return covered
