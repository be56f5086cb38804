"""The lists of a tree during naming: their items, and the names in use."""

from collections.abc import Iterable, Iterator
from typing import Any

from convcost.importing.outline.tree import Item, ItemBranch


class NameScope:
    """A list of a tree; `parent` is the list around it, or None for the list of a network or
    block. No list uses a name that is `reserved`; `everywhere` has the names of all lists."""

    def __init__(self, parent: "NameScope | None", reserved: Iterable[str] = ()) -> None:
        self.parent = parent
        self.reserved: frozenset[str] = frozenset(reserved) if parent is None else parent.reserved
        self.everywhere: set[str] = set(reserved) if parent is None else parent.everywhere
        self.taken: set[str] = set()  # names that items have or had
        self.nodes: list[ScopeNode] = []
        self.names: dict[str, ScopeNode] = {}
        # The number of layers of each kind, as the language counts.
        self.counts: dict[str, int] = {}
        self._next: dict[str, int] = {}

    def upward(self) -> "Iterator[NameScope]":
        scope: NameScope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def automatic_names(self, word: str, copies: int) -> list[str]:
        """The automatic names of the next layers of a kind."""
        first = self.counts.get(word, 0) + 1
        self.counts[word] = first + copies - 1
        return [f"{word}_{number}" for number in range(first, first + copies)]

    def reserve(self, base_name: str, node: "ScopeNode", copies: int = 1) -> str:
        """Reserves a name, with a number appended if it is in use. Copies of x also reserve x_1,
        x_2, …."""
        suffixes = ("",) if copies == 1 else ("", *(f"_{n}" for n in range(1, copies + 1)))
        number = self._next.get(base_name, 1)
        while True:
            name = base_name if number == 1 else f"{base_name}_{number}"
            names = [f"{name}{suffix}" for suffix in suffixes]
            if self.taken.isdisjoint(names) and self.reserved.isdisjoint(names):
                break
            number += 1
        self._next[base_name] = number
        for reserved_name in names:
            self.add(reserved_name, node)
        return name

    def add(self, name: str, node: "ScopeNode") -> None:
        self.names[name] = node
        self.taken.add(name)
        self.everywhere.add(name)


class ScopeNode:
    """An item or a branch, with the list that has its name.

    `around` is the item or branch whose list has it; None in the list of a network or block.
    `output` is the value with its name; None for a branch without layers. `inner` is its own list,
    `branches` a join's branches. `written` says whether the spec has its name; a name that is not
    written is the automatic one.
    """

    def __init__(
        self,
        item: Item | ItemBranch,
        scope: NameScope,
        around: "ScopeNode | None",
        output: int | None,
    ) -> None:
        self.item: Any = item
        self.is_join = isinstance(item, Item) and item.is_join
        self.scope = scope
        self.around = around
        self.output = output
        self.name = ""
        self.written = False
        self.inner: NameScope | None = None
        self.branches: list[ScopeNode] = []

    @property
    def lists(self) -> list[NameScope]:
        """Its own list, or those of its branches."""
        return [node.inner for node in (self, *self.branches) if node.inner is not None]
