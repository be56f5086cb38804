"""Gives names to the items of every list, and paths to all references."""

from collections import Counter
from collections.abc import Iterator, Mapping

from convcost.importing.outline.branch_names import branch_names, declared_names
from convcost.importing.outline.scopes import NameScope, ScopeNode
from convcost.importing.outline.tree import Item, ItemBranch, Items, named_by_others, output
from convcost.importing.outline.valid_names import stem, unused_name, valid_name


class Naming:
    """Names the items of a network, or of a block.

    `input_names` are the names of its inputs, by value, if it has several. With `names_output`, the
    output has a name, too.
    """

    def __init__(
        self, items: Items, input_names: Mapping[int, str], *, names_output: bool = False
    ) -> None:
        self.items = items
        self.input_names = input_names
        self.nodes: dict[int, ScopeNode] = {}
        self.output = output(items[-1]) if names_output else None
        self.referenced = named_by_others(items)
        if self.output is not None:
            self.referenced.add(self.output)
        self.root = NameScope(None, input_names.values())

    def named_items(self) -> Items:
        """The items with their names and with paths as references."""
        self._build(self.items, self.root, None)
        self._assign_names(self.root)
        self._resolve()
        return self._named_items(self.root)

    def output_path(self) -> str:
        """The path of the output, after `named_items`."""
        return "" if self.output is None else self._path(self.output, self.root)

    # The scopes of items

    def _build(self, items: Items, scope: NameScope, around: ScopeNode | None) -> NameScope:
        scope.nodes = [self._node(item, scope, around) for item in items]
        return scope

    def _node(self, item: Item, scope: NameScope, around: ScopeNode | None) -> ScopeNode:
        node = ScopeNode(item, scope, around, output(item))
        if item.number is not None:
            self.nodes[item.number] = node
        elif item.branches:
            node.inner = self._build(item.items, NameScope(scope), node)
        if node.output is not None:
            self.nodes.setdefault(node.output, node)
        return node

    def _name_branches(self, node: ScopeNode, is_lone: bool) -> None:
        """Adds the branches of a join with their names. If the join is the only join without a name
        in its list (`is_lone`), the branches belong to that list, otherwise to a list of their
        own."""
        join: Item = node.item
        holder = node.scope if is_lone else NameScope(node.scope)
        listed = not declared_names(join) and all(
            branch.ref is not None for branch in join.branches
        )
        for branch, name in zip(join.branches, branch_names(join), strict=True):
            last = output(branch.items[-1]) if branch.items else None
            branch_node = ScopeNode(branch, holder, node.around if is_lone else node, last)
            node.branches.append(branch_node)
            if not listed:
                branch_node.name = holder.reserve(valid_name(name) or "branch", branch_node)
            if branch.items:
                inner = NameScope(holder)
                branch_node.inner = self._build(branch.items, inner, branch_node)
                self._assign_names(inner)

    # Names

    def _assign_names(self, scope: NameScope) -> None:
        """Names the items of a list: given names where they are free, otherwise the kind with an
        ordinal."""
        nodes = scope.nodes
        stems = Counter(stem(valid_name(node.item.name)) for node in nodes)
        wishes = [(node, self._preferred_name(node, scope, stems)) for node in nodes]
        for node, preferred_name in wishes:
            node.written = bool(preferred_name)
            if preferred_name:
                node.name = scope.reserve(preferred_name, node, node.item.repeat)
        unnamed = [node for node in nodes if node.is_join and not node.written]
        is_only_join = len(unnamed) == 1 and unnamed[0].item.repeat == 1
        for node in nodes:
            if node.is_join:
                self._name_branches(node, is_only_join and node is unnamed[0])
            elif node.inner is not None:
                self._assign_names(node.inner)

    def _preferred_name(self, node: ScopeNode, scope: NameScope, stems: Counter[str]) -> str:
        """The name that an item should have; "" for the automatic name of its kind."""
        item: Item = node.item
        preferred_name = valid_name(item.name)
        if item.repeat > 1:
            has_other_name = node.around is not None and node.around.output == node.output
            needed = node.output in self.referenced and not has_other_name
            preferred_name = stem(preferred_name)
            if not needed and stems[preferred_name] > 1:
                preferred_name = ""  # a number could make it the automatic name of another layer
            preferred_name = preferred_name or ("skip" if needed else "")
            if preferred_name:
                return preferred_name  # the language does not count copies with a name
        ordinals = scope.automatic_names(item.kind, item.repeat)
        node.name = ordinals[-1]
        if item.is_join and item.number in self.referenced:
            return preferred_name or node.name
        if not preferred_name:
            for name in ordinals:
                scope.add(name, node)
        return preferred_name

    # References

    def _resolve(self) -> None:
        """Gives a name to every layer that is referenced, such that no nearer name hides it."""
        named = [] if self.output is None else [(self.root, self.output)]
        for scope, value in (*self._references(self.root), *named):
            chain = self._chain(value, scope)
            if chain:
                self._rename_hidden(chain[0], scope)
                for step in chain:
                    # The names of a join's branches are in another list if the join has a name.
                    step.written = step.written or not step.is_join

    def _references(self, scope: NameScope) -> Iterator[tuple[NameScope, int]]:
        """The values and layers that the items of a list reference by name, each with the list in
        which the reference is."""
        for node in scope.nodes:
            yield from ((scope, value) for value in node.item.refs)
            if node.item.shares is not None:
                yield scope, node.item.shares
            for branch_node in node.branches:
                if branch_node.item.ref is not None:
                    yield branch_node.scope, branch_node.item.ref
            for inner in node.lists:
                yield from self._references(inner)

    def _rename_hidden(self, node: ScopeNode, scope: NameScope) -> None:
        for inner in scope.upward():
            if inner is node.scope:
                return
            if node.name in inner.names:
                del node.scope.names[node.name]
                node.name = unused_name(node.name, self.root.everywhere)
                node.scope.add(node.name, node)
                return

    def _chain(self, value: int, scope: NameScope) -> list[ScopeNode]:
        """The nodes whose names form the path from a list to a value; empty if the value is the
        list's input."""
        node: ScopeNode | None = self.nodes.get(value)
        visible = set(map(id, scope.upward()))
        chain: list[ScopeNode] = []
        while node is not None:
            if node.output == value:
                chain = []
            chain.insert(0, node)
            if id(node.scope) in visible:
                return chain
            node = node.around
        return []

    def _path(self, value: int, scope: NameScope) -> str:
        chain = self._chain(value, scope)
        if chain:
            return "/".join(node.name for node in chain)
        return self.input_names.get(value, "input")

    # Results

    def _named_items(self, scope: NameScope | None) -> Items:
        return () if scope is None else tuple(map(self._named_item, scope.nodes))

    def _named_item(self, node: ScopeNode) -> Item:
        item: Item = node.item
        branches = tuple(map(self._named_branch, node.branches))
        if node.inner is not None:
            branches = (ItemBranch(self._named_items(node.inner)),)
        return item._replace(
            name=node.name if node.written else "",
            branches=branches,
            sources=tuple(self._path(value, node.scope) for value in item.refs),
            weights="" if item.shares is None else self._path(item.shares, node.scope),
        )

    def _named_branch(self, node: ScopeNode) -> ItemBranch:
        branch: ItemBranch = node.item
        return branch._replace(
            name=node.name,
            items=self._named_items(node.inner),
            source="" if branch.ref is None else self._path(branch.ref, node.scope),
        )
