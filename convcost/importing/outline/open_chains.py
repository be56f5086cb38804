"""The chains of a graph during its series-parallel reduction, and how many users of each value are
not in a chain yet."""

from collections.abc import Iterable

from convcost.importing.outline.chain import Chain
from convcost.importing.outline.tree import Item


class OpenChains:
    """`uses` counts the users of each value that are not reduced yet. `by_end` finds a chain by the
    value at its end, `by_start` the chains that start at a value."""

    def __init__(self) -> None:
        self.uses: dict[int, int] = {}
        self.by_end: dict[int, Chain] = {}
        self.by_start: dict[int, dict[int, Chain]] = {}
        self._references = 0

    def with_one_use(self, source: int) -> Chain | None:
        """The chain that ends with the value `source`, if that value has exactly one user left."""
        return self.by_end.get(source) if self.uses.get(source, 0) == 1 else None

    def extend(self, index: int, item: Item, source: int) -> Chain:
        """The chain that ends with `source`, or a new chain, with a layer appended."""
        chain = self.with_one_use(source)
        if chain is None:
            chain = Chain(source, source)
            self.begin(chain, source)
        else:
            del self.by_end[source]
        chain.extend(item, index)
        self.by_end[index] = chain
        return chain

    def begin(self, chain: Chain, start: int) -> None:
        """Adds a chain that starts at a value."""
        chain.start = start
        self.by_start.setdefault(start, {})[id(chain)] = chain

    def end(self, chain: Chain) -> None:
        """Removes a chain that has become a branch."""
        self.by_end.pop(chain.end, None)
        if chain.start is not None:
            self.by_start.get(chain.start, {}).pop(id(chain), None)

    def add_references(self, sources: Iterable[int], index: int) -> None:
        """Records that the chain that ends with `index` references values by name."""
        for source in sources:
            self._add_reference(source, self.by_end[index])

    def remove_use(self, source: int) -> None:
        """Removes a user of a value. If one user is left, its chain can continue."""
        self.uses[source] -= 1
        self.join(source)

    def _add_reference(self, source: int, chain: Chain) -> None:
        """Records one reference. It is not a user, so its value can continue to another layer."""
        self.uses[source] -= 1
        made = self.by_end.get(source)
        if made is not None and made is not chain:
            self._references += 1
            made.open_references.add(self._references)
            chain.open_references.add(self._references)
        self.join(source)

    def join(self, start: int | None) -> None:
        """Merges the chain that ends with `start` and the chain that starts there, if there are no
        others."""
        if start is None or self.uses.get(start) != 1:
            return
        before, after = self.by_end.get(start), self.by_start.get(start, {})
        if before is None or len(after) != 1:
            return
        (chain,) = after.values()
        if chain is before:
            return
        after.clear()
        del self.by_end[start]
        before.absorb(chain)
        self.by_end[before.end] = before

    def remaining(self, flow: int) -> list[Chain]:
        """The chains that are left after the reduction. Chains without an input start at `flow`."""
        for chain in [chain for chain in self.by_end.values() if chain.start is None]:
            self.begin(chain, flow)
        return [chain for group in self.by_start.values() for chain in group.values()]
