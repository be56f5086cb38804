"""The runs of a graph while it is reduced: where they begin and end, and what is still used."""

from collections.abc import Iterable

from convcost.importing.structure.run import Run
from convcost.importing.structure.tree import Item


class Ledger:
    """`uses` are those of a value that the flow has yet to serve, `runs` and `starting` the runs by
    the value at their end and at their start."""

    def __init__(self) -> None:
        self.uses: dict[int, int] = {}
        self.runs: dict[int, Run] = {}
        self.starting: dict[int, dict[int, Run]] = {}
        self._references = 0

    def sole(self, source: int) -> Run | None:
        """The run that ends in a value with one use left."""
        return self.runs.get(source) if self.uses.get(source, 0) == 1 else None

    def extended(self, index: int, item: Item, source: int) -> Run:
        """The run that went to `source`, or a new one, with one more layer."""
        run = self.sole(source)
        if run is None:
            run = Run(source, source)
            self.begin(run, source)
        else:
            del self.runs[source]
        run.extend(item, index)
        self.runs[index] = run
        return run

    def begin(self, run: Run, start: int) -> None:
        run.start = start
        self.starting.setdefault(start, {})[id(run)] = run

    def end(self, run: Run) -> None:
        """A run that has become a branch."""
        self.runs.pop(run.end, None)
        if run.start is not None:
            self.starting.get(run.start, {}).pop(id(run), None)

    def referred(self, sources: Iterable[int], index: int) -> None:
        """The run that ends in `index` takes values by name."""
        for source in sources:
            self._refer(source, self.runs[index])

    def served(self, source: int) -> None:
        """One use less, that stands in nobody's way."""
        self.uses[source] -= 1
        self.settle(source)

    def _refer(self, source: int, run: Run) -> None:
        """A use by name does not stand in the way of the flow."""
        self.uses[source] -= 1
        made = self.runs.get(source)
        if made is not None and made is not run:
            self._references += 1
            made.loose.add(self._references)
            run.loose.add(self._references)
        self.settle(source)

    def settle(self, start: int | None) -> None:
        """Joins a run to the only one that is left to go on from it."""
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

    def left(self, flow: int) -> list[Run]:
        """All runs in the end; those that take nothing begin at `flow`."""
        for run in [run for run in self.runs.values() if run.start is None]:
            self.begin(run, flow)
        return [run for group in self.starting.values() for run in group.values()]
