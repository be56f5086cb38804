"""Converts the graph to lists. Branches from one value to one join become branches of that join.
All other layers are in series, and reference by name the inputs that are not the output of the item
before them."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.outline.chains import Chain, OpenChains
from convcost.importing.outline.flat import layer_item
from convcost.importing.outline.linearize import linearize
from convcost.importing.outline.side_outputs import SideOutputs
from convcost.importing.outline.tree import Item, ItemBranch, Items, with_reference
from convcost.importing.outline.wiring import Inputs, shared_tables
from convcost.model.kind import KINDS, SizeLike

MAX_SHORT_BRANCH = 2  # layers of a short branch


class _JoinInput(NamedTuple):
    """An input of a join. `chain` is the chain that ends with it, if that can be a branch; `start`
    is the value at the start of the chain, or the input itself. `is_table` says that this value is
    a table that several modules use."""

    source: int
    chain: Chain | None
    is_table: bool

    @property
    def start(self) -> int | None:
        return self.source if self.chain is None else self.chain.start

    @property
    def is_short(self) -> bool:
        return self.chain is None or self.chain.layer_count <= MAX_SHORT_BRANCH

    @property
    def is_u_shaped(self) -> bool:
        return self.chain is not None and self.chain.u_shaped

    @property
    def rank(self) -> tuple[bool, int, bool, int]:
        """The highest is the input that the join continues: the branch that starts last."""
        follows = self.start is not None and not self.is_table
        return follows, self.start or 0, self.is_u_shaped, self.source


def structurize(graph: LayerGraph, inputs: Inputs) -> Items:
    """The items of a network, in an order in which each item only uses earlier ones."""
    ends = SideOutputs(inputs, graph.outputs)
    flow = -1 if len(graph.inputs) == 1 else None
    tables = shared_tables(graph.layers, inputs)
    whole = _Structurizer(graph, inputs, ends, tables)
    items = whole.items(range(len(inputs)), ends.main, flow)
    if flow is None and _begins_with_tensor(items[0]):
        # With several inputs, the first layer names one also if it reads none.
        items[0] = with_reference(items[0], -1)
    return tuple(items)


def _begins_with_tensor(item: Item) -> bool:
    """Whether an item, or the first one in a branch of it, has no input, such as a learned
    tensor."""
    if item.refs or not item.branches:
        return item.is_input_free and not item.refs
    return any(branch.items and _begins_with_tensor(branch.items[0]) for branch in item.branches)


class _Structurizer:
    """Reduces a graph layer by layer, like a series-parallel graph. A layer that is the only user
    of a value extends the chain of that value. Chains with the same start and end become the
    branches of one item."""

    def __init__(
        self, graph: LayerGraph, inputs: Inputs, ends: SideOutputs, tables: set[int]
    ) -> None:
        self.graph = graph
        self.inputs = inputs
        self.ends = ends
        self.tables = tables
        self.chains = OpenChains()

    def items(self, nodes: Sequence[int], main: int, flow: int | None) -> list[Item]:
        """The items for some layers, from the input value `flow` to the value `main`."""
        sides = self.ends.sides(nodes, main)
        in_sides = {index for group in sides.values() for index in group}
        main_nodes = [index for index in nodes if index not in in_sides]
        for index in main_nodes:
            if not self.graph.layers[index].is_input_free:
                self.chains.uses.update(self.inputs[index])
                if index not in self.tables:
                    # One more user keeps a table out of the chain of the last module that uses it.
                    self.chains.uses.update(self.tables.intersection(self.inputs[index]))
        for index in main_nodes:
            chain = self._append_layer(index)
            if index in sides:
                chain.items += self._sides(index, sides[index], index)
        side_items = [
            item
            for source in sorted(sides, reverse=True)
            if source < 0 or source == flow
            for item in self._sides(source, sides[source], flow)
        ]
        return side_items + linearize(self.chains.remaining(), main, flow, self.tables)

    def _append_layer(self, index: int) -> Chain:
        """Adds a layer to the chain that ends with its input. Returns that chain, or a new one."""
        layer = self.graph.layers[index]
        kind = KINDS[layer.kind]
        sources = self.inputs[index]
        if layer.is_input_free:
            return self.chains.begin(Chain(None, index, [layer_item(index, layer)], 1))
        if issubclass(kind, SizeLike):
            return self._append_size_like(index, layer)
        if kind.role == "join":
            return self._join(index, layer)
        if len(sources) > 1:
            return self._append_with_references(index, layer)
        chain = self.chains.append(index, layer_item(index, layer), sources[0])
        chain.record_size(layer, self.graph.shape(sources[0]))
        return chain

    def _append_with_references(self, index: int, layer: GraphLayer) -> Chain:
        """Adds a layer with several inputs but no branches. It references all inputs by name."""
        sources = self.inputs[index]
        last = max(sources)
        self.chains.uses[last] -= sources.count(last) - 1
        chain = self.chains.append(index, layer_item(index, layer, sources), last)
        self.chains.add_references([source for source in sources if source != last], index)
        return chain

    def _append_size_like(self, index: int, layer: GraphLayer) -> Chain:
        """Adds a layer whose second input only provides a size. It references that input by name
        and continues the first input."""
        source, other = self.inputs[index]
        item = layer_item(index, layer, branches=[ItemBranch(), ItemBranch(ref=other)])
        chain = self.chains.append(index, item, source)
        chain.record_size(layer, self.graph.shape(source))
        if other == chain.start:  # the start of a branch has its name outside of the branch
            self.chains.uses[other] -= 1
        else:
            self.chains.add_references([other], index)
        return chain

    # Joins

    def _join(self, index: int, layer: GraphLayer) -> Chain:
        """Adds a join. If all branches start at one value, they are lists. Otherwise the join
        continues the input whose branch starts last, and the other branches are references by name,
        or start with one."""
        inputs = [self._join_input(source) for source in self.inputs[index]]
        starts = [join_input.start for join_input in inputs]
        distinct = {start for start in starts if start is not None}
        adds_constants = len(distinct) == 1 and starts.count(None) == len(starts) - 1
        u_shaped = any(join_input.is_short for join_input in inputs) and any(
            join_input.is_u_shaped for join_input in inputs
        )
        if len(distinct) <= 1 and not u_shaped and not adds_constants:
            return self._begin_join(index, layer, inputs, max(distinct, default=None))
        main = max(inputs, key=lambda join_input: join_input.rank)
        short = main.chain is not None and main.is_short and main.start is not None
        if self.chains.with_one_use(main.source) and (adds_constants or not short):
            return self._append_join(index, layer, inputs, inputs.index(main))
        return self._begin_join(index, layer, inputs, main.start)

    def _join_input(self, source: int) -> _JoinInput:
        chain = self.chains.with_one_use(source)
        chain = chain if chain is not None and chain.is_closed else None
        start = source if chain is None else chain.start
        return _JoinInput(source, chain, start in self.tables)

    def _begin_join(
        self, index: int, layer: GraphLayer, inputs: Sequence[_JoinInput], start: int | None
    ) -> Chain:
        """Begins a chain with a join whose branches start at the value `start`; None if there is no
        such value. The join replaces these branches as the user of the value."""
        same = [n for n, join_input in enumerate(inputs) if join_input.start == start]
        branches, references = self._branches(inputs, same)
        inner = [
            join_input.chain
            for join_input, branch in zip(inputs, branches, strict=True)
            if join_input.chain is not None and branch.items
        ]
        layer_count = 1 + sum(chain.layer_count for chain in inner)
        depth = 1 + max((chain.depth for chain in inner), default=0)
        item = layer_item(index, layer, branches=branches)
        chain = self.chains.begin(Chain(start, index, [item], layer_count, depth))
        if start is not None:
            self.chains.uses[start] -= len(same) - 1
        self.chains.add_references(references, index)
        return chain

    def _append_join(
        self, index: int, layer: GraphLayer, inputs: Sequence[_JoinInput], main: int
    ) -> Chain:
        """Appends a join to the chain of its input number `main`."""
        source = inputs[main].source
        others = [
            join_input._replace(chain=None) if n == main else join_input
            for n, join_input in enumerate(inputs)
        ]
        branches, references = self._branches(others, [main])
        if not any(branch.items for branch in branches):
            branches[main] = ItemBranch(ref=source)
        layer_count = 1 + sum(
            join_input.chain.layer_count for join_input in others if join_input.chain
        )
        depth = 1 + max(join_input.chain.depth if join_input.chain else 0 for join_input in others)
        item = layer_item(index, layer, branches=branches)
        chain = self.chains.append(index, item, source, layer_count, depth)
        self.chains.add_references(references, index)
        return chain

    def _branches(
        self, inputs: Sequence[_JoinInput], at_join_input: Collection[int]
    ) -> tuple[list[ItemBranch], list[int]]:
        """The branches of a join. Those numbered in `at_join_input` start at the join's input; the
        others at values referenced by name, which are returned."""
        branches, references = [], []
        for n, (source, chain, _) in enumerate(inputs):
            begins_with_side = chain is not None and chain.items[0].is_side
            if n in at_join_input or (chain is not None and chain.start is None):
                branches.append(ItemBranch(tuple(chain.items) if chain is not None else ()))
            elif chain is None or chain.start is None or begins_with_side:
                branches.append(ItemBranch(ref=source))
                references.append(source)
                continue
            else:
                first, *others = chain.items
                branches.append(ItemBranch((with_reference(first, chain.start), *others)))
                references.append(chain.start)
            if chain is not None:
                self.chains.end(chain)
        return branches, references

    # Side outputs

    def _sides(self, source: int, nodes: list[int], flow: int | None) -> list[Item]:
        entering = source if source == flow else None
        items: list[Item] = []
        for group in self.ends.groups(nodes):
            inner = _Structurizer(self.graph, self.inputs, self.ends.deeper(), self.tables)
            inner_items = tuple(inner.items(group, max(group), entering))
            items.append(Item("side", branches=(ItemBranch(inner_items),)))
        return items
