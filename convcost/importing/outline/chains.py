"""Chains: layers in series. The output of each layer except the last has one user, the next
layer."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import prod

from convcost.importing.ir.layer_graph import GraphLayer
from convcost.importing.outline.tree import Item
from convcost.model.shape import Shape

MAX_NESTING = 16  # of joins
# The next window undoes a pad; the others only rearrange elements.
NO_RESIZE = ("pad", "reshape", "flatten")


@dataclass(eq=False, slots=True)
class Chain:
    """Layers in series, with the branches of their joins.

    `start` is the value of its input, or None if it has none; `end` is the value of its output.
    `first` is its first layer. `layer_count` and `depth` include the layers and the nesting of the
    branches. `open_references` are the references by name between this chain and others. `shrinks`
    and `grows` are whether a layer makes the output smaller or larger than its input.
    """

    start: int | None
    end: int
    items: list[Item] = field(default_factory=list)
    layer_count: int = 0
    depth: int = 0
    open_references: set[int] = field(default_factory=set)
    shrinks: bool = False
    grows: bool = False
    first: int = field(init=False)

    def __post_init__(self) -> None:
        self.first = self.end

    def append(self, item: Item, end: int, layer_count: int, depth: int) -> None:
        self.items.append(item)
        self.end = end
        self.layer_count += layer_count
        self.depth = max(self.depth, depth)

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
        self.layer_count += other.layer_count
        self.depth = max(self.depth, other.depth)
        self.shrinks = self.shrinks or other.shrinks
        self.grows = self.grows or other.grows
        large, small = sorted((self.open_references, other.open_references), key=len, reverse=True)
        large ^= small  # references between the two chains are internal now
        self.open_references = large

    @property
    def is_closed(self) -> bool:
        return not self.open_references and self.depth < MAX_NESTING

    @property
    def u_shaped(self) -> bool:
        return self.shrinks and self.grows and self.layer_count > 3  # noqa: PLR2004  more than a resize


class OpenChains:
    """The chains of a graph during its series-parallel reduction, by the value at their end. `uses`
    counts the users of each value that are not in a chain yet, or begin one."""

    def __init__(self) -> None:
        self.uses: Counter[int] = Counter()
        self._by_end: dict[int, Chain] = {}
        self._references = 0

    def with_one_use(self, source: int) -> Chain | None:
        """The chain that ends with a value, if that value has exactly one user left."""
        return self._ending_with(source) if self.uses[source] == 1 else None

    def append(
        self, index: int, item: Item, source: int, layer_count: int = 1, depth: int = 0
    ) -> Chain:
        """Appends a layer to the chain that ends with `source`, or begins a chain there."""
        chain = self.with_one_use(source)
        if chain is None:
            return self.begin(Chain(source, index, [item], layer_count, depth))
        self.end(chain)
        chain.append(item, index, layer_count, depth)
        return self.begin(chain)

    def begin(self, chain: Chain) -> Chain:
        self._by_end[chain.end] = chain
        return chain

    def end(self, chain: Chain) -> None:
        """Removes a chain that has become a branch."""
        del self._by_end[chain.end]

    def add_references(self, sources: Iterable[int], index: int) -> None:
        """Records that the chain that ends with `index` references values by name. A reference is
        not a user, so its value can continue to another layer."""
        for source in sources:
            self.uses[source] -= 1
            chain, other = self._by_end[index], self._ending_with(source)
            if other is not None and other is not chain:
                self._references += 1
                other.open_references.add(self._references)
                chain.open_references.add(self._references)

    def remaining(self) -> list[Chain]:
        """The chains that are left after the reduction."""
        for end in list(self._by_end):
            self._ending_with(end)
        return list(self._by_end.values())

    def _ending_with(self, value: int) -> Chain | None:
        """The chain that ends with a value, with the chain before it if that has no other user."""
        chain = self._by_end.get(value)
        while chain is not None and chain.start is not None and self.uses[chain.start] == 1:
            before = self._by_end.get(chain.start)
            if before is None or before is chain:
                break
            del self._by_end[before.end]
            before.absorb(chain)
            self._by_end[value] = chain = before
        return chain
