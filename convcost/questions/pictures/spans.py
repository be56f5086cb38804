"""Which steps stand together in one box: spans of steps that follow each other.

Spans keep a graph free of cycles, for a step is fed by steps before it only.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.costs import inputs_of
from convcost.network import Network


class Span(NamedTuple):
    """Steps from `start` up to `stop`; `times` parts like the one at `path`, one after another."""

    start: int
    stop: int
    path: str
    times: int = 1


class Node:
    """A name in the paths of a network, with what it holds."""

    __slots__ = ("nodes", "path", "start", "stop")

    def __init__(self, path: str, start: int) -> None:
        self.path = path
        self.start = self.stop = start
        self.nodes: dict[str, Node] = {}


class Folding(NamedTuple):
    """How much is put together: below `depth` names everything, and of parts in a row that are
    `alike`, by what they cost or by their kind, all but the first."""

    depth: int
    alike: str  # "", "cost" or "kind"


class Plan:
    """A network, read once so that it can be cut in several ways."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.kinds = {group.path: group.kind for group in network.groups}
        self.root = Node("", 0)
        self.depth = 1
        self.consumers: list[list[int]] = [[] for _ in network.steps]
        for index, step in enumerate(network.steps):
            for source in dict.fromkeys(step.inputs):
                if source >= 0:
                    self.consumers[source].append(index)
            self._place(index, step.path)

    def _place(self, index: int, path: str) -> None:
        node = self.root
        words = path.split("/")
        self.depth = max(self.depth, len(words))
        for number, word in enumerate(words, 1):
            held = node.nodes.get(word)
            if held is None:
                held = node.nodes[word] = Node("/".join(words[:number]), index)
            held.stop = index + 1
            node = held

    def whole(self, path: str, steps: tuple[int, ...]) -> str:
        """The path, or the shortest one above it, that holds these steps and no others."""
        node, held = self.root, set(steps)
        for word in path.split("/"):
            node = node.nodes[word]
            if held.issuperset(range(node.start, node.stop)):
                return node.path
        return path

    def spans(self, how: Folding) -> list[Span]:
        return list(self._cut(self.root, 0, how))

    def _cut(self, node: Node, depth: int, how: Folding) -> Iterator[Span]:
        if node is not self.root and (not node.nodes or depth >= how.depth):
            yield Span(node.start, node.stop, node.path)
            return
        own = list(node.nodes.values())
        at = 0
        while at < len(own):
            length = self._run(own, at, how.alike) if how.alike else 1
            first = own[at]
            seen = at and self._kind(own[at - 1]) == self._kind(first)
            if length > 1 and first.nodes and not seen:
                yield from self._cut(first, depth + 1, how)
                at, length = at + 1, length - 1
                first = own[at]
                yield Span(first.start, own[at + length - 1].stop, first.path, length)
            elif length > 1:
                yield Span(first.start, own[at + length - 1].stop, first.path, length)
            else:
                yield from self._cut(first, depth + 1, how)
            at += length
        last = own[-1].stop if own else node.start
        if last < node.stop:
            yield Span(last, node.stop, node.path)

    def _kind(self, node: Node) -> str:
        return self.kinds.get(node.path, "")

    def _run(self, own: list[Node], at: int, alike: str) -> int:
        length = 1
        while at + length < len(own) and self._follows(
            own[at + length - 1], own[at + length], alike
        ):
            length += 1
        return length

    def _follows(self, first: Node, second: Node, alike: str) -> bool:
        """Whether the one feeds the other and nothing else, and both are of a sort."""
        if first.stop != second.start or self._kind(first) != self._kind(second):
            return False
        fed = (source for i in range(second.start, second.stop) for source in self._inputs(i))
        if any(not first.start <= source < second.stop for source in fed):
            return False
        taken = (user for i in range(first.start, first.stop) for user in self.consumers[i])
        if any(user >= second.stop for user in taken):
            return False
        if alike == "kind" and self._kind(first):
            return True
        if first.stop - first.start != second.stop - second.start:
            return False
        return all(
            self._sign(first.start + i, first.start) == self._sign(second.start + i, second.start)
            for i in range(first.stop - first.start)
        )

    def _inputs(self, index: int) -> tuple[int, ...]:
        return self.network.steps[index].inputs

    def _sign(self, index: int, start: int) -> tuple[Any, ...]:
        """A step as it is inside its part: what it does, to what, from where."""
        step = self.network.steps[index]
        places = tuple(source - start for source in step.inputs)
        return step.layer, inputs_of(self.network, step), places, step.shared is None
