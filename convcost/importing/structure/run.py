"""A run: layers in series, of which each feeds nothing but the next."""

from dataclasses import dataclass, field
from math import prod
from typing import Any

from convcost.importing.drawing import Drawn
from convcost.importing.structure.tree import Item
from convcost.shapes import Shape

LONGEST_BRANCH = 12  # layers of a branch that comes from elsewhere
DEEPEST = 16  # joins in each other
NO_RESIZE = (
    "pad",
    "reshape",
    "flatten",
)  # a window takes a border back; elements only change places


@dataclass(eq=False, slots=True)
class Run:
    """`start` is the value it takes, None if it takes none at all; `end` the value it gives.

    `items` may hold the items of other runs as lists: merging costs no more than a look. `loose`
    are references by name that lead in or out.
    """

    start: int | None
    end: int
    items: list[Any] = field(default_factory=list)
    size: int = 0
    depth: int = 0
    loose: set[int] = field(default_factory=set)
    shrinks: bool = False
    grows: bool = False

    def extend(self, item: Item, end: int, size: int = 1) -> None:
        self.items.append(item)
        self.end = end
        self.size += size

    def seen(self, layer: Drawn, before: Shape) -> None:
        """Whether the size goes down and up again: a way through the bottom of a U."""
        if not before.size or not layer.output.size or layer.kind in NO_RESIZE:
            return
        old, new = prod(before.size), prod(layer.output.size)
        if len(before.size) == len(layer.output.size):
            self.grows = self.grows or (1 < old < new)
            self.shrinks = self.shrinks or (1 < new < old)

    def absorb(self, other: "Run") -> None:
        """Takes over the run that begins where this one ends."""
        self.items.append(other.items)
        self.end = other.end
        self.size += other.size
        self.depth = max(self.depth, other.depth)
        self.shrinks = self.shrinks or other.shrinks
        self.grows = self.grows or other.grows
        large, small = sorted((self.loose, other.loose), key=len, reverse=True)
        large ^= small  # what leads from one to the other is inside now
        self.loose = large

    @property
    def closed(self) -> bool:
        return not self.loose and self.depth < DEEPEST

    @property
    def u_shaped(self) -> bool:
        return self.shrinks and self.grows and self.size > 3  # noqa: PLR2004  more than a resize

    def flat(self) -> list[Item]:
        """Its items; joined lists are taken apart without recursion, however deep they lie."""
        found: list[Item] = []
        waiting: list[Any] = [self.items]
        while waiting:
            last = waiting.pop()
            if type(last) is list:
                waiting.extend(reversed(last))
            else:
                found.append(last)
        return found
