"""Lists while they are being named: what is in them, which names are taken there."""

from collections.abc import Iterator
from typing import Any


class Scope:
    """A list of a tree, in another one or, if `parent` is None, a network's or block's own."""

    def __init__(self, parent: "Scope | None", reserved: frozenset[str] = frozenset()) -> None:
        self.parent = parent
        self.names: dict[str, Node] = {}
        self.counts: dict[str, int] = {}  # of a kind, as the language counts
        self.taken = set(reserved)
        self._next: dict[str, int] = {}

    def upward(self) -> "Iterator[Scope]":
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def ordinals(self, word: str, copies: int) -> list[str]:
        """What the language calls the next layers of a kind that have no name."""
        first = self.counts.get(word, 0) + 1
        self.counts[word] = first + copies - 1
        return [f"{word}_{number}" for number in range(first, first + copies)]

    def take(self, wanted: str, node: "Node", copies: int = 1) -> str:
        """The name, with a number behind it if it is taken; copies of x are x_1, x_2, too."""
        ends = ("",) if copies == 1 else ("", *(f"_{n}" for n in range(1, copies + 1)))
        number = self._next.get(wanted, 1)
        name = wanted if number == 1 else f"{wanted}_{number}"
        while any(f"{name}{end}" in self.taken for end in ends):
            number += 1
            name = f"{wanted}_{number}"
        self._next[wanted] = number
        for end in ends:
            self.add(f"{name}{end}", node)
        return name

    def add(self, name: str, node: "Node") -> None:
        self.names[name] = node
        self.taken.add(name)


class Node:
    """An item, or a branch, with the list it has its name in; `gives` is the value under it.

    `body` are the lists inside, `arms` a join's branches. `written` says that its name is.
    """

    def __init__(self, item: Any, scope: Scope, above: "Node | None", gives: int | None) -> None:
        self.item = item
        self.scope = scope
        self.above = above
        self.gives = gives
        self.name = ""
        self.written = False
        self.copies = 1
        self.when = ""
        self.body: list[tuple[Scope, list[Node]]] = []
        self.arms: list[Node] = []
