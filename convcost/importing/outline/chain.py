"""A chain: layers in series. The output of each layer except the last has one user, the next
layer."""

from dataclasses import dataclass, field
from math import prod

from convcost.importing.ir.layer_graph import GraphLayer
from convcost.importing.outline.tree import Item
from convcost.model.shape import Shape

DEEPEST = 16  # the most nested joins
# The next window undoes a pad; the others only rearrange elements.
NO_RESIZE = ("pad", "reshape", "flatten")


@dataclass(eq=False, slots=True)
class Chain:
    """`start` is the value of its input, or None if it has none; `end` is the value of its output.

    `open_references` are the references by name between this chain and others.
    """

    start: int | None
    end: int
    items: list[Item] = field(default_factory=list)
    size: int = 0
    depth: int = 0
    open_references: set[int] = field(default_factory=set)
    shrinks: bool = False
    grows: bool = False

    def extend(self, item: Item, end: int, size: int = 1) -> None:
        self.items.append(item)
        self.end = end
        self.size += size

    def record_size(self, layer: GraphLayer, before: Shape) -> None:
        """Records whether a layer shrinks or grows the size. The path through the bottom of a U-Net
        does both."""
        if not before.size or not layer.output.size or layer.kind in NO_RESIZE:
            return
        old, new = prod(before.size), prod(layer.output.size)
        if len(before.size) == len(layer.output.size):
            self.grows = self.grows or (1 < old < new)
            self.shrinks = self.shrinks or (1 < new < old)

    def absorb(self, other: "Chain") -> None:
        """Appends the chain that begins where this one ends."""
        self.items += other.items
        self.end = other.end
        self.size += other.size
        self.depth = max(self.depth, other.depth)
        self.shrinks = self.shrinks or other.shrinks
        self.grows = self.grows or other.grows
        large, small = sorted((self.open_references, other.open_references), key=len, reverse=True)
        large ^= small  # references between the two chains are internal now
        self.open_references = large

    @property
    def is_closed(self) -> bool:
        return not self.open_references and self.depth < DEEPEST

    @property
    def u_shaped(self) -> bool:
        return self.shrinks and self.grows and self.size > 3  # noqa: PLR2004  more than a resize
