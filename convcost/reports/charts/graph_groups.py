"""Ranges of consecutive steps that share a box of a graph.

Ranges of consecutive steps keep a graph free of cycles, because a step only uses earlier steps.
"""

from collections.abc import Iterator

from convcost.model.network import Network, path_prefixes
from convcost.model.record import NamedTuple


class StepRange(NamedTuple):
    """The steps from `start` up to but not including `stop`.

    They are the steps of `path`, and of `times` − 1 equal nodes that follow it.
    """

    start: int
    stop: int
    path: str
    times: int = 1


class PathTree:
    """The paths of a network as a tree."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.kinds = {group.path: group.kind for group in network.groups}
        self.ranges: dict[str, StepRange] = {}
        self.children: dict[str, list[str]] = {}
        self.depth = 1
        for index, step in enumerate(network.steps):
            parent = ""
            for depth, path in enumerate(path_prefixes(step.path), 1):
                if path not in self.ranges:
                    self.ranges[path] = StepRange(index, index, path)
                    self.children.setdefault(parent, []).append(path)
                self.ranges[path] = self.ranges[path]._replace(stop=index + 1)
                self.depth = max(self.depth, depth)
                parent = path

    def shortest_path(self, path: str, steps: list[int]) -> str:
        """The shortest prefix of the path that has no other steps than these."""
        step_set = set(steps)
        prefixes = path_prefixes(path)
        return next(
            p for p in prefixes if step_set.issuperset(range(*self.ranges[p][:2])) or p == path
        )

    def fold(self, depth: int, path: str = "") -> Iterator[StepRange]:
        """All steps below `path`: a range for each node `depth` names deeper, and one for a run of
        nodes that are alike.

        The first node of a run is shown in full, unless one of its kind is just before it.
        """
        children = self.children.get(path, [])
        if path and (not children or not depth):
            yield self.ranges[path]
            return
        at = 0
        while at < len(children):
            stop = at + 1
            while stop < len(children) and self._are_alike(children[stop - 1], children[stop]):
                stop += 1
            before = self.kinds.get(children[at - 1]) if at else None
            is_known = before is not None and before == self.kinds.get(children[at])
            if stop == at + 1 or (children[at] in self.children and not is_known):
                yield from self.fold(depth - 1, children[at])
                at += 1
            if at < stop:
                first, last = self.ranges[children[at]], self.ranges[children[stop - 1]]
                yield StepRange(first.start, last.stop, first.path, stop - at)
            at = stop
        if path and self.ranges[children[-1]].stop < self.ranges[path].stop:  # its own join
            yield self.ranges[path]._replace(start=self.ranges[children[-1]].stop)

    def _are_alike(self, first: str, second: str) -> bool:
        """Whether two nodes have the same kind, layers and connections; inputs can differ."""
        same_kind = self.kinds.get(first) == self.kinds.get(second)
        return same_kind and self._relative_steps(first) == self._relative_steps(second)

    def _relative_steps(self, path: str) -> list[tuple[object, ...]]:
        start, stop, *_ = self.ranges[path]
        return [
            (step.layer, tuple(source - start for source in step.inputs), step.shared is None)
            for step in self.network.steps[start:stop]
        ]
