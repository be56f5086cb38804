"""Finds layers that do not lead to the main output: auxiliary heads, and layers without a user."""

from collections.abc import Iterable, Sequence

from convcost.importing.outline.wiring import Inputs

DEEPEST = 6  # the most nested side outputs


class SideOutputs:
    """`main` is the output of the network that is computed last."""

    def __init__(self, inputs: Inputs, outputs: Sequence[int], depth: int = 0) -> None:
        self.inputs = inputs
        self.main = max(outputs, default=len(inputs) - 1)
        self.depth = depth

    def deeper(self) -> "SideOutputs":
        return SideOutputs(self.inputs, (self.main,), self.depth + 1)

    def sides(self, nodes: Sequence[int], main: int) -> dict[int, list[int]]:
        """The given layers that do not lead to `main`, grouped by the only value that they depend
        on."""
        if self.depth >= DEEPEST:
            return {}
        leads = self._leading_to(nodes, main)
        groups = self.groups([index for index in nodes if index not in leads])
        found: dict[int, list[int]] = {}
        for group in groups:
            own = set(group)
            hung = {s for index in group for s in self.inputs[index] if s not in own}
            if len(hung) == 1:
                found.setdefault(hung.pop(), []).extend(group)
        return found

    def groups(self, nodes: Iterable[int]) -> list[list[int]]:
        """Groups of connected layers, each in order."""
        root: dict[int, int] = {}

        def find(index: int) -> int:
            while root[index] != index:
                root[index] = root[root[index]]
                index = root[index]
            return index

        for index in nodes:
            root[index] = index
            for source in self.inputs[index]:
                if source in root:
                    root[find(source)] = find(index)
        groups: dict[int, list[int]] = {}
        for index in root:
            groups.setdefault(find(index), []).append(index)
        return [sorted(group) for group in groups.values()]

    def _leading_to(self, nodes: Sequence[int], main: int) -> set[int]:
        among = set(nodes)
        leads, waiting = {main}, [main]
        while waiting:
            for source in self.inputs[waiting.pop()]:
                if source in among and source not in leads:
                    leads.add(source)
                    waiting.append(source)
        return leads
