"""Estimates the size of a network before it is expanded.

Aliases and blocks can double the number of layers with each line of a spec.
"""

from convcost.language.problems import Problems
from convcost.language.syntax_tree import Block, LayerNode
from convcost.language.yaml_nodes import MAX_DEPTH
from convcost.model.record import NamedTuple

MAX_CALL_DEPTH = 64


class SizeEstimate(NamedTuple):
    """The number of layers and groups with every `when` true, and with one copy where `repeat` is
    an expression; and the levels of nesting."""

    parts: int
    height: int


class SizeEstimator:
    """Estimates layer nodes. Each is estimated once, however often an alias repeats it. Adds a
    problem for a block that calls itself, directly or through others."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._known: dict[int, SizeEstimate] = {}
        self._calls: list[Block] = []

    def layers(self, nodes: tuple[LayerNode, ...], depth: int = 0) -> SizeEstimate:
        """The size of what layer nodes expand to."""
        parts = height = 0
        if depth > MAX_DEPTH:
            return SizeEstimate(0, 1)
        for node in nodes:
            if node.simple:
                parts += 1
                continue
            size = self._known.get(id(node))
            if size is None:
                size = self._known[id(node)] = self._node(node, depth)
            parts += size.parts
            height = max(height, size.height)
        return SizeEstimate(parts, height)

    def block(self, block: Block, depth: int = 0) -> SizeEstimate:
        """The size of one call of a block."""
        if block in self._calls:
            names = [called.name for called in self._calls[self._calls.index(block) :]]
            message = f"block `{block.name}` calls itself: {' → '.join([*names, block.name])}"
            hint = "write the levels out, or use `repeat`"
            self.problems.add("CC109", message, block.origin, hint)
            return SizeEstimate(0, 0)
        if len(self._calls) >= MAX_CALL_DEPTH:
            message = f"blocks call each other more than {MAX_CALL_DEPTH} deep"
            self.problems.add("CC004", message, block.origin)
            return SizeEstimate(0, 0)
        self._calls.append(block)
        size = self.layers(block.items, depth)
        self._calls.pop()
        return size

    def _node(self, node: LayerNode, depth: int) -> SizeEstimate:
        sizes = [self.layers(branch.items, depth + 1) for branch in node.branches]
        if node.block is not None:
            sizes.append(self.block(node.block, depth + 1))
        else:
            sizes.append(self.layers(node.items, depth + 1))
        parts = 1 + sum(size.parts for size in sizes)
        if node.repeat is not None and type(node.repeat.constant) is int:
            parts *= node.repeat.constant
        return SizeEstimate(parts, 1 + max(size.height for size in sizes))
