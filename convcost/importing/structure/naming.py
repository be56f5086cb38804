"""Every list of a tree gets its names, every reference the path by which it finds its layer."""

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from convcost.importing.structure.arms import arm_names
from convcost.importing.structure.names import clean, free, stem
from convcost.importing.structure.scopes import Node, Scope
from convcost.importing.structure.tree import (
    Call,
    Item,
    Join,
    Layer,
    Repeated,
    Sequence,
    Side,
    layers,
    output,
    taken,
)

ATTEMPTS = 4


class Named(NamedTuple):
    """What a writer has to know of an item: its name, if it is written, and what it takes by name.

    `branches` are the names of a join's branches, each with the path it takes, or None for a list;
    `lists` the items of each list inside, named.
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
    """Names the items of a network, or of a block whose incoming value is `entering`.

    `entrances` are the names of a network's inputs; a block and a network of one have none.
    """

    def __init__(
        self, items: tuple[Item, ...], entering: int | None, entrances: tuple[str, ...] = ()
    ) -> None:
        self.items = items
        self.entering = entering
        self.entrances = entrances
        self.reserved = frozenset(entrances)
        self.at: dict[int, Node] = {}
        self.everywhere: set[str] = set()
        shared = (layer.shares for layer in layers(items) if layer.shares is not None)
        self.taken = {*taken(items), *shared}
        self.root = Scope(None, self.reserved)
        self.top: list[Node] = []

    def named(self) -> tuple[Named, ...]:
        for _ in range(ATTEMPTS):
            known = len(self.taken)
            self.at = {}
            self.everywhere = set()
            self.root = Scope(None, self.reserved)
            self.top = self._build(self.items, self.root, None)
            self._christen(self.top, self.root)
            self._settle(self.top, self.root)
            if len(self.taken) == known:
                break
        return self._told(self.top, self.root)

    # Who stands where

    def _build(self, items: tuple[Item, ...], scope: Scope, above: Node | None) -> list[Node]:
        return [self._node(item, scope, above) for item in items]

    def _node(self, item: Item, scope: Scope, above: Node | None) -> Node:
        copies, last = 1, item
        if isinstance(item, Repeated):
            copies, last, item = len(item.copies), item.copies[-1], item.copies[0]
        node = Node(item, scope, above, output(last))
        node.copies = copies
        if isinstance(item, Layer):
            self.at[item.number] = node
        elif isinstance(item, Sequence | Side):
            inner = Scope(scope, self.reserved)
            node.body = [(inner, self._build(item.items, inner, node))]
        elif isinstance(item, Join):
            self.at[item.layer.number] = node
        if node.gives is not None:
            self.at.setdefault(node.gives, node)
        return node

    def _arms(self, node: Node, lone: bool) -> None:
        """Branches stand in the join's own list if it is the only one there that has no name."""
        join: Join = node.item
        held = any(branch.items for branch in join.branches) and not lone
        holder = Scope(node.scope, self.reserved) if held else node.scope
        listed = all(branch.ref is not None for branch in join.branches)
        wanted = arm_names(join)
        for branch, name in zip(join.branches, wanted, strict=True):
            above = node if held else node.above
            arm = Node(branch, holder, above, output(branch.items[-1]) if branch.items else None)
            node.arms.append(arm)
            if not listed:
                arm.name = holder.take(clean(name) or "branch", arm)
            if branch.items:
                inner = Scope(holder, self.reserved)
                nodes = self._build(branch.items, inner, arm)
                for one in nodes:
                    one.when = branch.when
                arm.body = [(inner, nodes)]
                self._christen(nodes, inner)

    # Names

    def _christen(self, nodes: list[Node], scope: Scope) -> None:
        """Names for a list: those given that are free, an ordinal of the kind for the others."""
        stems = Counter(stem(clean(_wanted(_first(node.item)))) for node in nodes)
        wishes = [(node, self._wish(node, scope, stems)) for node in nodes]
        for node, wanted in wishes:
            node.written = bool(wanted)
            if wanted:
                node.name = scope.take(wanted, node, node.copies)
        unnamed = [n for n in nodes if isinstance(n.item, Join) and not n.written]
        alone = len(unnamed) == 1 and unnamed[0].copies == 1
        for node in nodes:
            if isinstance(node.item, Join):
                self._arms(node, alone and node is unnamed[0])
            for inner, body in node.body:
                self._christen(body, inner)

    def _wish(self, node: Node, scope: Scope, stems: Counter[str]) -> str:
        """What an item would be called, if anything; without it takes the ordinals of its kind."""
        word = _word(node.item)
        wanted = clean(_wanted(node.item))
        if node.copies > 1:
            outer = node.above is not None and node.above.gives == node.gives
            needed = node.gives in self.taken and not outer
            wanted = stem(wanted)
            if not needed and stems[wanted] > 1:
                wanted = ""  # with a number it would be another's
            wanted = wanted or ("skip" if needed else "")
            if wanted:
                return wanted  # the language does not count copies that have a name
        ordinals = scope.ordinals(word, node.copies)
        node.name = ordinals[-1]
        if isinstance(node.item, Join) and node.item.layer.number in self.taken:
            return wanted or node.name
        if not wanted:
            for name in ordinals:
                scope.add(name, node)
        return wanted

    # References

    def _settle(self, nodes: list[Node], scope: Scope) -> None:
        """Every layer that is taken by name has one, which nothing nearer hides."""
        for node, values in self._references(nodes, scope):
            for value in values:
                chain = self._chain(value, node)
                if chain:
                    self._unhidden(chain[0], node)
                    for step in chain:
                        # Whether a join has a name decides where its branches have theirs.
                        step.written = step.written or not isinstance(step.item, Join)

    def _references(
        self, nodes: list[Node], scope: Scope
    ) -> "Iterator[tuple[Scope, tuple[int, ...]]]":
        for node in nodes:
            item = node.item
            layer = item.layer if isinstance(item, Join) else item
            if isinstance(layer, Layer | Call):
                shares = layer.shares if isinstance(layer, Layer) else None
                yield scope, (*layer.refs, *(() if shares is None else (shares,)))
            for arm in node.arms:
                if arm.item.ref is not None:
                    yield arm.scope, (arm.item.ref,)
                for inner, body in arm.body:
                    yield from self._references(body, inner)
            for inner, body in node.body:
                yield from self._references(body, inner)

    def _unhidden(self, node: Node, scope: Scope) -> None:
        for inner in scope.upward():
            if inner is node.scope:
                return
            if node.name in inner.names:
                del node.scope.names[node.name]
                if not self.everywhere:
                    self.everywhere = self._all_names() | self.reserved
                node.name = free(node.name, self.everywhere)
                self.everywhere.add(node.name)
                node.scope.names[node.name] = node
                if isinstance(node.item, Join) and not node.written:
                    self.taken.add(node.item.layer.number)  # it has to be written from the start
                return

    def _all_names(self) -> set[str]:
        found: set[str] = set()
        waiting = [(self.root, self.top)]
        while waiting:
            scope, nodes = waiting.pop()
            found |= scope.names.keys()
            for node in nodes:
                waiting += node.body
                for arm in node.arms:
                    found |= arm.scope.names.keys()
                    waiting += arm.body
        return found

    def _chain(self, value: int, scope: Scope) -> "list[Node]":
        """The nodes whose names lead from a list to a value; none for what comes in."""
        node: Node | None = self.at.get(value)
        around = set(map(id, scope.upward()))
        chain: list[Node] = []
        while node is not None:
            if node.gives == value:
                chain = []
            chain.insert(0, node)
            if id(node.scope) in around:
                return chain
            node = node.above
        return []

    def _path(self, value: int, scope: Scope) -> str:
        chain = self._chain(value, scope)
        if chain:
            return "/".join(node.name for node in chain)
        if value < 0 and self.entrances:
            return self.entrances[-1 - value]
        return "input"

    # Telling

    def _told(self, nodes: list[Node], scope: Scope) -> tuple[Named, ...]:
        return tuple(self._named(node, scope) for node in nodes)

    def _named(self, node: Node, scope: Scope) -> Named:
        item = node.item
        layer = item.layer if isinstance(item, Join) else item
        by_name = layer.refs if isinstance(layer, Layer | Call) else ()
        shares = layer.shares if isinstance(layer, Layer) else None
        branches, lists = [], []
        for arm in node.arms:
            ref = arm.item.ref
            branches.append((arm.name, None if ref is None else self._path(ref, arm.scope)))
            lists.append(self._told(arm.body[0][1], arm.body[0][0]) if arm.body else ())
        lists += [self._told(body, inner) for inner, body in node.body]
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
    """What the language calls an item that has no name."""
    if isinstance(item, Layer):
        return item.kind
    if isinstance(item, Join):
        return item.layer.kind
    if isinstance(item, Call):
        return item.block
    return "side" if isinstance(item, Side) else "sequence"


def _first(item: Item) -> Item:
    return item.copies[0] if isinstance(item, Repeated) else item


def _wanted(item: Item) -> str:
    if isinstance(item, Join):
        return item.layer.name
    return item.name if isinstance(item, Layer | Sequence | Side | Call) else ""
