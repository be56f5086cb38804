"""Wiring to lists: where branches run from one value to one join they become that join's, the
rest stands in series and takes by name what does not come from the item before it."""

from collections.abc import Iterable, Sequence

from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.structure.ends import Ends
from convcost.importing.structure.ledger import Ledger
from convcost.importing.structure.plain import drawn_layer
from convcost.importing.structure.run import LONGEST_BRANCH, Run
from convcost.importing.structure.schedule import FREE_STANDING, scheduled
from convcost.importing.structure.tree import Branch, Item, Join, Side, fed
from convcost.importing.structure.wiring import Inputs
from convcost.kind import KINDS, Like
from convcost.shapes import Shape

SHORT = 2  # layers


def woven(drawing: Drawing, inputs: Inputs) -> tuple[Item, ...]:
    """The items of a network, in an order in which each takes only what stands before it."""
    ends = Ends(inputs, drawing.outputs)
    flow = -1 if len(drawing.inputs) == 1 else None
    return tuple(_Weaver(drawing, inputs, ends).run(range(len(inputs)), ends.main, flow))


class _Weaver:
    """Reduces a graph, layer by layer: whatever has one consumer is continued, whatever has the
    same start and the same end becomes one item, from which it goes on in the same way."""

    def __init__(self, drawing: Drawing, inputs: Inputs, ends: Ends) -> None:
        self.drawing = drawing
        self.inputs = inputs
        self.ends = ends
        self.book = Ledger()

    def run(self, nodes: Sequence[int], main: int, flow: int | None) -> list[Item]:
        """The items for some layers, from `flow`, the value that comes in, to `main`."""
        sides = self.ends.sides(nodes, main)
        aside = {index for group in sides.values() for index in group}
        kept = [index for index in nodes if index not in aside]
        for index in kept:
            if self.drawing.layers[index].kind not in FREE_STANDING:
                for source in self.inputs[index]:
                    self.book.uses[source] = self.book.uses.get(source, 0) + 1
        for index in kept:
            self._place(index)
            if index in sides:
                self._aside(index, sides[index])
        begun = [
            item
            for source in sorted(sides, reverse=True)
            if source < 0 or source == flow
            for item in self._sides(source, sides[source], flow)
        ]
        return begun + scheduled(self.book.left(-1 if flow is None else flow), main, flow)

    # One layer

    def _place(self, index: int) -> None:
        layer = self.drawing.layers[index]
        kind = KINDS.get(layer.kind)
        sources = self.inputs[index]
        if layer.kind in FREE_STANDING:
            self.book.runs[index] = Run(None, index, [drawn_layer(index, layer)], 1)
        elif kind is not None and issubclass(kind, Like):
            self._lent(index, layer)
        elif kind is not None and kind.role == "join":
            self._join(index, layer)
        elif len(sources) == 1:
            self._follow(index, layer, sources[0])
        else:
            self._fan(index, layer)

    def _follow(self, index: int, layer: Drawn, source: int) -> None:
        run = self.book.extended(index, drawn_layer(index, layer), source)
        run.seen(layer, self._shape(source))
        self.book.settle(run.start)

    def _fan(self, index: int, layer: Drawn) -> None:
        """A layer of several inputs that has no branches: all are taken by name."""
        sources = self.inputs[index]
        last = max(sources)
        self.book.uses[last] = self.book.uses.get(last, 0) - sources.count(last) + 1
        run = self.book.extended(index, drawn_layer(index, layer, sources), last)
        self.book.referred([source for source in sources if source != last], index)
        self.book.settle(run.start)

    # Joins

    def _lent(self, index: int, layer: Drawn) -> None:
        """What only lends its shape is taken by name; the flow goes on through the first input."""
        source, other = self.inputs[index]
        branches = (Branch(), Branch(ref=other))
        run = self.book.extended(index, Join(drawn_layer(index, layer), branches), source)
        run.seen(layer, self._shape(source))
        if other == run.start:  # what a branch comes from has its name outside
            self.book.served(other)
        else:
            self.book.referred([other], index)
        self.book.settle(run.start)

    def _join(self, index: int, layer: Drawn) -> None:
        sources = self.inputs[index]
        parts = [self._branch_run(source) for source in sources]
        begun = [s if part is None else part.start for s, part in zip(sources, parts, strict=True)]
        starts = {start for start in begun if start is not None}
        if begun.count(None) == len(begun) - 1 and len(starts) == 1:
            self._met(index, layer, parts)
            return
        closed = not any(
            part is None and self.book.sole(s) for s, part in zip(sources, parts, strict=True)
        )
        skips = any(part is None or part.size <= SHORT for part in parts)
        u_shaped = skips and any(part is not None and part.u_shaped for part in parts)
        if closed and len(starts) <= 1 and not u_shaped:
            self._parallel(index, layer, parts, starts.pop() if starts else None)
        else:
            self._knot(index, layer, parts)

    def _branch_run(self, source: int) -> Run | None:
        """What leads to an input of a join, if it leads nowhere else and can be a branch of it."""
        run = self.book.sole(source)
        return run if run is not None and run.closed else None

    def _met(self, index: int, layer: Drawn, parts: Sequence[Run | None]) -> None:
        """The flow meets what the model has of its own: it goes on, the others are branches."""
        main = next(n for n, part in enumerate(parts) if part is None or part.start is not None)
        run = parts[main] or self.book.sole(self.inputs[index][main])
        if run is not None:
            self._behind(index, layer, parts, main, run)
        else:
            self._parallel(index, layer, parts, self.inputs[index][main])

    def _parallel(
        self, index: int, layer: Drawn, parts: Sequence[Run | None], start: int | None
    ) -> None:
        """All branches run from `start`, which then goes on from the join."""
        branches = [Branch(tuple(part.flat()) if part else ()) for part in parts]
        size = 1 + sum(part.size for part in parts if part)
        depth = 1 + max(part.depth if part else 0 for part in parts)
        taken = sum(part is None or part.start is not None for part in parts)
        for part in parts:
            if part is not None:
                self.book.end(part)
        item = Join(drawn_layer(index, layer), tuple(branches))
        self._continue(index, item, start, taken, size, depth)

    def _continue(
        self, index: int, item: Join, start: int | None, taken: int, size: int, depth: int
    ) -> None:
        """Puts a join behind the value its branches came from, which has `taken` uses less and one
        more."""
        run = Run(start, index, [item], size, depth)
        self.book.runs[index] = run
        if start is None:
            return
        self.book.begin(run, start)
        self.book.uses[start] = self.book.uses.get(start, 0) - taken + 1
        self.book.settle(start)

    def _knot(self, index: int, layer: Drawn, parts: Sequence[Run | None]) -> None:
        """A join whose branches do not all run from one value: it follows the one that came last,
        the others are taken by name, or run from a name."""
        sources = self.inputs[index]

        def begun(n: int) -> int:
            start = parts[n].start if parts[n] is not None else sources[n]  # type: ignore[union-attr]
            return -(10**9) if start is None else start

        def rank(n: int) -> tuple[int, bool, int]:
            part = parts[n]
            return begun(n), part is not None and part.u_shaped, sources[n]

        main = max(range(len(sources)), key=rank)
        run = parts[main] or self.book.sole(sources[main])
        if run is not None and (parts[main] is None or run.size > SHORT or run.start is None):
            self._behind(index, layer, parts, main, run)
            return
        start = begun(main)
        same = [n for n in range(len(sources)) if begun(n) == start]
        branches, references = self._branches(index, parts, same)
        joined = [part for part in parts if part is not None and part.end not in self.book.runs]
        size = 1 + sum(part.size for part in joined)
        item = Join(drawn_layer(index, layer), tuple(branches))
        self._continue(index, item, start, len(same), size, 1)
        self.book.referred(references, index)

    def _behind(
        self, index: int, layer: Drawn, parts: Sequence[Run | None], main: int, run: Run
    ) -> None:
        """The join behind the last item of `run`."""
        source = self.inputs[index][main]
        del self.book.runs[source]
        parts = [None if n == main else part for n, part in enumerate(parts)]
        branches, references = self._branches(index, parts, [main])
        if not any(branch.items for branch in branches):
            branches[main] = Branch(ref=source)
        size = 1 + sum(part.size for part in parts if part)
        run.extend(Join(drawn_layer(index, layer), tuple(branches)), index, size)
        run.depth = max(run.depth, *(1 + part.depth if part else 1 for part in parts))
        self.book.runs[index] = run
        self.book.referred(references, index)
        self.book.settle(run.start)

    def _branches(
        self, index: int, parts: Sequence[Run | None], same: Iterable[int]
    ) -> tuple[list[Branch], list[int]]:
        """Branches of which those numbered in `same` take what comes in, and the values that the
        others take by name."""
        branches, references = [], []
        for n, (source, part) in enumerate(zip(self.inputs[index], parts, strict=True)):
            if part is None:
                branches.append(Branch() if n in same else Branch(ref=source))
                if n not in same:
                    references.append(source)
                continue
            items = part.flat()
            if n in same or part.start is None:
                branches.append(Branch(tuple(items)))
                self.book.end(part)
            elif part.size <= LONGEST_BRANCH and not isinstance(items[0], Side):
                branches.append(Branch((fed(items[0], part.start), *items[1:])))
                references.append(part.start)
                self.book.end(part)
            else:
                branches.append(Branch(ref=source))
                references.append(source)
        return branches, references

    # Sides

    def _aside(self, source: int, nodes: list[int]) -> None:
        run = self.book.runs[source]
        for item in self._sides(source, nodes, source):
            run.items.append(item)

    def _sides(self, source: int, nodes: list[int], flow: int | None) -> list[Item]:
        come = source if source == flow else None
        items: list[Item] = []
        for group in self.ends.groups(nodes):
            inner = _Weaver(self.drawing, self.inputs, self.ends.deeper())
            items.append(Side(tuple(inner.run(group, max(group), come))))
        return items

    def _shape(self, source: int) -> Shape:
        if source >= 0:
            return self.drawing.layers[source].output
        return self.drawing.inputs[-1 - source][1]
