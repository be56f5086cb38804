"""The Pareto front: the points that no other point is better than in one measure and as good in
all."""

import numpy as np

from convcost.design_space.vectors import Array

PAIR = 2  # costs; for two, one sort is enough


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
    front = []
    while len(order):
        # The least remaining one: what it is not worse than in all measures is not in the front.
        front.append(order[0])
        better = [cost[order] < cost[order[0]] for cost in costs]
        order = order[np.logical_or.reduce(better)]
    return np.sort(np.array(front))
