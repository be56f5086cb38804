"""The chains of a graph while it is reduced: their ends, and how often values are still used."""

from collections.abc import Iterable

from convcost.importing.outline.chain import Chain
from convcost.importing.outline.tree import Item


class UseCounts:
    """`uses` has the remaining uses of each value; `runs` and `starting` have the chains by their
    end and by their start."""

    def __init__(self) -> None:
        self.uses: dict[int, int] = {}
        self.runs: dict[int, Chain] = {}
        self.starting: dict[int, dict[int, Chain]] = {}
        self._references = 0

    def sole(self, source: int) -> Chain | None:
        """The chain that ends with a value that has one use left."""
        return self.runs.get(source) if self.uses.get(source, 0) == 1 else None

    def extended(self, index: int, item: Item, source: int) -> Chain:
        """The chain that ended with `source`, or a new chain, with one more layer."""
        run = self.sole(source)
        if run is None:
            run = Chain(source, source)
            self.begin(run, source)
        else:
            del self.runs[source]
        run.extend(item, index)
        self.runs[index] = run
        return run

    def begin(self, run: Chain, start: int) -> None:
        run.start = start
        self.starting.setdefault(start, {})[id(run)] = run

    def end(self, run: Chain) -> None:
        """Removes a chain that has become a branch."""
        self.runs.pop(run.end, None)
        if run.start is not None:
            self.starting.get(run.start, {}).pop(id(run), None)

    def referred(self, sources: Iterable[int], index: int) -> None:
        """Records the values that a chain references by name; it ends with `index`."""
        for source in sources:
            self._refer(source, self.runs[index])

    def served(self, source: int) -> None:
        """Removes one use of a value that does not block a chain."""
        self.uses[source] -= 1
        self.join(source)

    def _refer(self, source: int, run: Chain) -> None:
        """Removes a use by name, because it does not block a chain."""
        self.uses[source] -= 1
        made = self.runs.get(source)
        if made is not None and made is not run:
            self._references += 1
            made.loose.add(self._references)
            run.loose.add(self._references)
        self.join(source)

    def join(self, start: int | None) -> None:
        """Connects a chain to the only remaining chain that continues from it."""
        if start is None or self.uses.get(start) != 1:
            return
        before, after = self.runs.get(start), self.starting.get(start, {})
        if before is None or len(after) != 1:
            return
        (run,) = after.values()
        if run is before:
            return
        after.clear()
        del self.runs[start]
        before.absorb(run)
        self.runs[before.end] = before

    def left(self, flow: int) -> list[Chain]:
        """The remaining chains at the end. Chains without an input start at `flow`."""
        for run in [run for run in self.runs.values() if run.start is None]:
            self.begin(run, flow)
        return [run for group in self.starting.values() for run in group.values()]
