"""Gives names to the items of every list, and paths to all references."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from convcost.importing.outline.branch_names import branch_names, declared_names
from convcost.importing.outline.scopes import NameScope, ScopeNode
from convcost.importing.outline.tree import (
    CallItem,
    Item,
    JoinItem,
    LayerItem,
    Repeated,
    SequenceItem,
    SideItem,
    layers,
    output,
    references,
)
from convcost.importing.outline.valid_names import stem, unused_name, valid_name

ATTEMPTS = 4


class Named(NamedTuple):
    """An item for the writer: its name, if it is written, and the references by name.

    `branches` are the names of a join's branches, each with a path, or None for a branch that is a
    list; `lists` has the named items of each inner list.
    """

    item: Item
    name: str
    sources: tuple[str, ...] = ()
    weights: str = ""
    branches: tuple[tuple[str, str | None], ...] = ()
    lists: "tuple[tuple[Named, ...], ...]" = ()
    repeat: int = 1
    when: str = ""


class Naming:
    """Names the items of a network, or of a block with the input `entering`.

    `entrances` are the names of a network's inputs; a block, or a network with one input, has none.
    """

    def __init__(
        self, items: tuple[Item, ...], entering: int | None, entrances: tuple[str, ...] = ()
    ) -> None:
        self.items = items
        self.entering = entering
        self.entrances = entrances
        self.reserved = frozenset(entrances)
        self.at: dict[int, ScopeNode] = {}
        self.everywhere: set[str] = set()
        shared = (layer.shares for layer in layers(items) if layer.shares is not None)
        self.taken = {*references(items), *shared}
        self.root = NameScope(None, self.reserved)
        self.top: list[ScopeNode] = []

    def named_items(self) -> tuple[Named, ...]:
        for _ in range(ATTEMPTS):
            known = len(self.taken)
            self.at = {}
            self.everywhere = set()
            self.root = NameScope(None, self.reserved)
            self.top = self._build(self.items, self.root, None)
            self._assign_names(self.top, self.root)
            self._resolve(self.top, self.root)
            if len(self.taken) == known:
                break
        return self._name_items(self.top, self.root)

    # The scopes of items

    def _build(
        self, items: tuple[Item, ...], scope: NameScope, above: ScopeNode | None
    ) -> list[ScopeNode]:
        return [self._node(item, scope, above) for item in items]

    def _node(self, item: Item, scope: NameScope, above: ScopeNode | None) -> ScopeNode:
        copies, last = 1, item
        if isinstance(item, Repeated):
            copies, last, item = len(item.copies), item.copies[-1], item.copies[0]
        node = ScopeNode(item, scope, above, output(last))
        node.copies = copies
        if isinstance(item, LayerItem):
            self.at[item.number] = node
        elif isinstance(item, SequenceItem | SideItem):
            inner = NameScope(scope, self.reserved)
            node.body = [(inner, self._build(item.items, inner, node))]
        elif isinstance(item, JoinItem):
            self.at[item.layer.number] = node
        if node.gives is not None:
            self.at.setdefault(node.gives, node)
        return node

    def _name_branches(self, node: ScopeNode, lone: bool) -> None:
        """Adds the branches of a join with their names. If the join is the only join without a name
        in its list (`lone`), the branches belong to that list, otherwise to a list of their own."""
        join: JoinItem = node.item
        holder = node.scope if lone else NameScope(node.scope, self.reserved)
        listed = not declared_names(join) and all(one.ref is not None for one in join.branches)
        wanted = branch_names(join)
        for branch, name in zip(join.branches, wanted, strict=True):
            above = node.above if lone else node
            branch_node = ScopeNode(
                branch, holder, above, output(branch.items[-1]) if branch.items else None
            )
            node.branches.append(branch_node)
            if not listed:
                branch_node.name = holder.reserve(valid_name(name) or "branch", branch_node)
            if branch.items:
                inner = NameScope(holder, self.reserved)
                nodes = self._build(branch.items, inner, branch_node)
                for one in nodes:
                    one.when = branch.when
                branch_node.body = [(inner, nodes)]
                self._assign_names(nodes, inner)

    # Names

    def _assign_names(self, nodes: list[ScopeNode], scope: NameScope) -> None:
        """Names the items of a list: given names where they are free, otherwise the kind with an
        ordinal."""
        stems = Counter(stem(valid_name(_original_name(_first(node.item)))) for node in nodes)
        wishes = [(node, self._preferred_name(node, scope, stems)) for node in nodes]
        for node, wanted in wishes:
            node.written = bool(wanted)
            if wanted:
                node.name = scope.reserve(wanted, node, node.copies)
        unnamed = [n for n in nodes if isinstance(n.item, JoinItem) and not n.written]
        alone = len(unnamed) == 1 and unnamed[0].copies == 1
        for node in nodes:
            if isinstance(node.item, JoinItem):
                self._name_branches(node, alone and node is unnamed[0])
            for inner, body in node.body:
                self._assign_names(body, inner)

    def _preferred_name(self, node: ScopeNode, scope: NameScope, stems: Counter[str]) -> str:
        """The name that an item should have; "" for the automatic name of its kind."""
        word = _word(node.item)
        wanted = valid_name(_original_name(node.item))
        if node.copies > 1:
            outer = node.above is not None and node.above.gives == node.gives
            needed = node.gives in self.taken and not outer
            wanted = stem(wanted)
            if not needed and stems[wanted] > 1:
                wanted = ""  # a number could make it the automatic name of another layer
            wanted = wanted or ("skip" if needed else "")
            if wanted:
                return wanted  # the language does not count copies with a name
        ordinals = scope.automatic_names(word, node.copies)
        node.name = ordinals[-1]
        if isinstance(node.item, JoinItem) and node.item.layer.number in self.taken:
            return wanted or node.name
        if not wanted:
            for name in ordinals:
                scope.add(name, node)
        return wanted

    # References

    def _resolve(self, nodes: list[ScopeNode], scope: NameScope) -> None:
        """Gives a name to every layer that is referenced, such that no nearer name hides it."""
        for node, values in self._references(nodes, scope):
            for value in values:
                chain = self._chain(value, node)
                if chain:
                    self._unhidden(chain[0], node)
                    for step in chain:
                        # The names of a join's branches are in another list if the join has a name.
                        step.written = step.written or not isinstance(step.item, JoinItem)

    def _references(
        self, nodes: list[ScopeNode], scope: NameScope
    ) -> "Iterator[tuple[NameScope, tuple[int, ...]]]":
        """For each item and branch: its list, and the values and layers that it references by
        name."""
        for node in nodes:
            item = node.item
            layer = item.layer if isinstance(item, JoinItem) else item
            if isinstance(layer, LayerItem | CallItem):
                shares = layer.shares if isinstance(layer, LayerItem) else None
                yield scope, (*layer.refs, *(() if shares is None else (shares,)))
            for branch_node in node.branches:
                if branch_node.item.ref is not None:
                    yield branch_node.scope, (branch_node.item.ref,)
                for inner, body in branch_node.body:
                    yield from self._references(body, inner)
            for inner, body in node.body:
                yield from self._references(body, inner)

    def _unhidden(self, node: ScopeNode, scope: NameScope) -> None:
        for inner in scope.upward():
            if inner is node.scope:
                return
            if node.name in inner.names:
                del node.scope.names[node.name]
                if not self.everywhere:
                    self.everywhere = self._all_names() | self.reserved
                node.name = unused_name(node.name, self.everywhere)
                self.everywhere.add(node.name)
                node.scope.names[node.name] = node
                if isinstance(node.item, JoinItem) and not node.written:
                    self.taken.add(node.item.layer.number)  # it must be written from now on
                return

    def _all_names(self) -> set[str]:
        found: set[str] = set()
        waiting = [(self.root, self.top)]
        while waiting:
            scope, nodes = waiting.pop()
            found |= scope.names.keys()
            for node in nodes:
                waiting += node.body
                for branch_node in node.branches:
                    found |= branch_node.scope.names.keys()
                    waiting += branch_node.body
        return found

    def _chain(self, value: int, scope: NameScope) -> "list[ScopeNode]":
        """The nodes whose names form the path from a list to a value; empty if the value is the
        list's input."""
        node: ScopeNode | None = self.at.get(value)
        around = set(map(id, scope.upward()))
        chain: list[ScopeNode] = []
        while node is not None:
            if node.gives == value:
                chain = []
            chain.insert(0, node)
            if id(node.scope) in around:
                return chain
            node = node.above
        return []

    def _path(self, value: int, scope: NameScope) -> str:
        chain = self._chain(value, scope)
        if chain:
            return "/".join(node.name for node in chain)
        if value < 0 and self.entrances:
            return self.entrances[-1 - value]
        return "input"

    # Results

    def _name_items(self, nodes: list[ScopeNode], scope: NameScope) -> tuple[Named, ...]:
        return tuple(self._named_item(node, scope) for node in nodes)

    def _named_item(self, node: ScopeNode, scope: NameScope) -> Named:
        item = node.item
        layer = item.layer if isinstance(item, JoinItem) else item
        by_name = layer.refs if isinstance(layer, LayerItem | CallItem) else ()
        shares = layer.shares if isinstance(layer, LayerItem) else None
        branches, lists = [], []
        for branch_node in node.branches:
            ref = branch_node.item.ref
            branches.append(
                (branch_node.name, None if ref is None else self._path(ref, branch_node.scope))
            )
            lists.append(
                self._name_items(branch_node.body[0][1], branch_node.body[0][0])
                if branch_node.body
                else ()
            )
        lists += [self._name_items(body, inner) for inner, body in node.body]
        return Named(
            item,
            node.name if node.written else "",
            tuple(self._path(value, scope) for value in by_name),
            "" if shares is None else self._path(shares, scope),
            tuple(branches),
            tuple(lists),
            node.copies,
            node.when,
        )


def _word(item: Item) -> str:
    """The name of the language for an item without a name."""
    if isinstance(item, LayerItem):
        return item.kind
    if isinstance(item, JoinItem):
        return item.layer.kind
    if isinstance(item, CallItem):
        return item.block
    return "side" if isinstance(item, SideItem) else "sequence"


def _first(item: Item) -> Item:
    return item.copies[0] if isinstance(item, Repeated) else item


def _original_name(item: Item) -> str:
    if isinstance(item, JoinItem):
        return item.layer.name
    return item.name if isinstance(item, LayerItem | SequenceItem | SideItem | CallItem) else ""
