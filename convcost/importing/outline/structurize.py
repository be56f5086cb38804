"""Converts the graph to lists. Branches from one value to one join become branches of that join.
All other layers are in series, and reference by name the inputs that are not the output of the item
before them."""

from collections.abc import Iterable, Sequence

from convcost.importing.ir.layer_graph import INPUT_FREE, GraphLayer, LayerGraph
from convcost.importing.outline.chain import Chain
from convcost.importing.outline.flat import layer_item
from convcost.importing.outline.linearize import linearize
from convcost.importing.outline.open_chains import OpenChains
from convcost.importing.outline.side_outputs import SideOutputs
from convcost.importing.outline.tree import Item, ItemBranch, with_reference
from convcost.importing.outline.wiring import Inputs
from convcost.model.kind import KINDS, SizeLike

SHORT = 2  # the most layers of a short branch


def structurize(graph: LayerGraph, inputs: Inputs) -> tuple[Item, ...]:
    """The items of a network, in an order in which each item only uses earlier ones."""
    ends = SideOutputs(inputs, graph.outputs)
    flow = -1 if len(graph.inputs) == 1 else None
    return tuple(_Structurizer(graph, inputs, ends).items(range(len(inputs)), ends.main, flow))


class _Structurizer:
    """Reduces a graph layer by layer, like a series-parallel graph. A layer that is the only user
    of a value extends the chain of that value. Chains with the same start and end become the
    branches of one item."""

    def __init__(self, graph: LayerGraph, inputs: Inputs, ends: SideOutputs) -> None:
        self.graph = graph
        self.inputs = inputs
        self.ends = ends
        self.chains = OpenChains()

    def items(self, nodes: Sequence[int], main: int, flow: int | None) -> list[Item]:
        """The items for some layers, from the input value `flow` to the value `main`."""
        sides = self.ends.sides(nodes, main)
        in_sides = {index for group in sides.values() for index in group}
        kept = [index for index in nodes if index not in in_sides]
        for index in kept:
            if self.graph.layers[index].kind not in INPUT_FREE:
                for source in self.inputs[index]:
                    self.chains.uses[source] = self.chains.uses.get(source, 0) + 1
        for index in kept:
            self._place(index)
            if index in sides:
                self._append_sides(index, sides[index])
        begun = [
            item
            for source in sorted(sides, reverse=True)
            if source < 0 or source == flow
            for item in self._sides(source, sides[source], flow)
        ]
        return begun + linearize(self.chains.remaining(-1 if flow is None else flow), main, flow)

    # One layer

    def _place(self, index: int) -> None:
        layer = self.graph.layers[index]
        kind = KINDS[layer.kind]
        sources = self.inputs[index]
        if layer.kind in INPUT_FREE:
            self.chains.by_end[index] = Chain(None, index, [layer_item(index, layer)], 1)
        elif issubclass(kind, SizeLike):
            self._size_like(index, layer)
        elif kind.role == "join":
            self._join(index, layer)
        elif len(sources) == 1:
            self._extend(index, layer, sources[0])
        else:
            self._reference_inputs(index, layer)

    def _extend(self, index: int, layer: GraphLayer, source: int) -> None:
        chain = self.chains.extend(index, layer_item(index, layer), source)
        chain.record_size(layer, self.graph.shape(source))
        self.chains.join(chain.start)

    def _reference_inputs(self, index: int, layer: GraphLayer) -> None:
        """Adds a layer with several inputs but no branches. It references all inputs by name."""
        sources = self.inputs[index]
        last = max(sources)
        self.chains.uses[last] = self.chains.uses.get(last, 0) - sources.count(last) + 1
        chain = self.chains.extend(index, layer_item(index, layer, sources), last)
        self.chains.add_references([source for source in sources if source != last], index)
        self.chains.join(chain.start)

    # Joins

    def _size_like(self, index: int, layer: GraphLayer) -> None:
        """Adds a layer whose second input only provides a size. It references that input by name
        and continues the first input."""
        source, other = self.inputs[index]
        item = layer_item(index, layer, branches=[ItemBranch(), ItemBranch(ref=other)])
        chain = self.chains.extend(index, item, source)
        chain.record_size(layer, self.graph.shape(source))
        if other == chain.start:  # the start of a branch has its name outside of the branch
            self.chains.remove_use(other)
        else:
            self.chains.add_references([other], index)
        self.chains.join(chain.start)

    def _join(self, index: int, layer: GraphLayer) -> None:
        """Adds a join. If all branches start at one value, they are lists. Otherwise the join
        continues the input whose branch starts last, and the other branches are references by name,
        or start with one."""
        sources = self.inputs[index]
        parts = [self._branch_chain(source) for source in sources]
        starts = [s if part is None else part.start for s, part in zip(sources, parts, strict=True)]
        with_start = {start for start in starts if start is not None}
        flow_and_constants = starts.count(None) == len(starts) - 1 and len(with_start) == 1
        closed = not any(
            part is None and self.chains.with_one_use(s)
            for s, part in zip(sources, parts, strict=True)
        )
        skips = any(part is None or part.size <= SHORT for part in parts)
        u_shaped = skips and any(part is not None and part.u_shaped for part in parts)
        if closed and len(with_start) <= 1 and not u_shaped and not flow_and_constants:
            self._begin_join(index, layer, parts, with_start.pop() if with_start else None)
            return

        def rank(n: int) -> tuple[bool, int, bool, int]:
            part, start = parts[n], starts[n]
            return start is not None, start or 0, part is not None and part.u_shaped, sources[n]

        main = max(range(len(sources)), key=rank)
        chain = parts[main] or self.chains.with_one_use(sources[main])
        part = parts[main]
        short = part is not None and part.size <= SHORT and part.start is not None
        if chain is not None and (flow_and_constants or not short):
            self._append_join(index, layer, parts, main, chain)
        else:
            self._begin_join(index, layer, parts, starts[main])

    def _branch_chain(self, source: int) -> Chain | None:
        """The chain that ends with an input of a join, if the join is its only user and it can be
        a branch."""
        chain = self.chains.with_one_use(source)
        return chain if chain is not None and chain.is_closed else None

    def _begin_join(
        self, index: int, layer: GraphLayer, parts: Sequence[Chain | None], start: int | None
    ) -> None:
        """Begins a chain with a join whose branches start at the value `start`; None if there is no
        such value. The join replaces these branches as the user of the value."""
        sources = zip(self.inputs[index], parts, strict=True)
        same = [n for n, (s, part) in enumerate(sources) if (part.start if part else s) == start]
        branches, references = self._branches(index, parts, same)
        joined = [part for part in parts if part is not None and part.end not in self.chains.by_end]
        size = 1 + sum(part.size for part in joined)
        depth = 1 + max((part.depth for part in joined), default=0)
        chain = Chain(start, index, [layer_item(index, layer, branches=branches)], size, depth)
        self.chains.by_end[index] = chain
        if start is not None:
            self.chains.begin(chain, start)
            self.chains.uses[start] = self.chains.uses.get(start, 0) - len(same) + 1
            self.chains.join(start)
        self.chains.add_references(references, index)

    def _append_join(
        self, index: int, layer: GraphLayer, parts: Sequence[Chain | None], main: int, chain: Chain
    ) -> None:
        """Appends a join to `chain`, the chain of its input number `main`."""
        source = self.inputs[index][main]
        del self.chains.by_end[source]
        parts = [None if n == main else part for n, part in enumerate(parts)]
        branches, references = self._branches(index, parts, [main])
        if not any(branch.items for branch in branches):
            branches[main] = ItemBranch(ref=source)
        size = 1 + sum(part.size for part in parts if part)
        chain.extend(layer_item(index, layer, branches=branches), index, size)
        chain.depth = max(chain.depth, *(1 + part.depth if part else 1 for part in parts))
        self.chains.by_end[index] = chain
        self.chains.add_references(references, index)
        self.chains.join(chain.start)

    def _branches(
        self, index: int, parts: Sequence[Chain | None], same: Iterable[int]
    ) -> tuple[list[ItemBranch], list[int]]:
        """The branches of a join. Those numbered in `same` start at the join's input; the others at
        values referenced by name, which are returned."""
        branches, references = [], []
        for n, (source, part) in enumerate(zip(self.inputs[index], parts, strict=True)):
            if part is None:
                branches.append(ItemBranch() if n in same else ItemBranch(ref=source))
                if n not in same:
                    references.append(source)
                continue
            items = part.items
            if n in same or part.start is None:
                branches.append(ItemBranch(tuple(items)))
                self.chains.end(part)
            elif not items[0].is_side:
                branches.append(ItemBranch((with_reference(items[0], part.start), *items[1:])))
                references.append(part.start)
                self.chains.end(part)
            else:
                branches.append(ItemBranch(ref=source))
                references.append(source)
        return branches, references

    # Side outputs

    def _append_sides(self, source: int, nodes: list[int]) -> None:
        self.chains.by_end[source].items += self._sides(source, nodes, source)

    def _sides(self, source: int, nodes: list[int], flow: int | None) -> list[Item]:
        entering = source if source == flow else None
        items: list[Item] = []
        for group in self.ends.groups(nodes):
            inner = _Structurizer(self.graph, self.inputs, self.ends.deeper())
            inner_items = tuple(inner.items(group, max(group), entering))
            items.append(Item("side", branches=(ItemBranch(inner_items),)))
        return items
