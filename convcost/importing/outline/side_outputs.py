"""Finds layers that do not lead to the main output: auxiliary heads, and layers without a user."""

from collections.abc import Iterable, Sequence

from convcost.importing.outline.wiring import Inputs

MAX_NESTING = 6  # of side outputs


class SideOutputs:
    """The layers that do not lead to `main`, the output of the network that is computed last."""

    def __init__(self, inputs: Inputs, outputs: Sequence[int], depth: int = 0) -> None:
        self.inputs = inputs
        self.main = max(outputs, default=len(inputs) - 1)
        self.depth = depth

    def deeper(self) -> "SideOutputs":
        return SideOutputs(self.inputs, (self.main,), self.depth + 1)

    def sides(self, nodes: Sequence[int], main: int) -> dict[int, list[int]]:
        """The given layers that do not lead to `main`, grouped by the only value that they depend
        on."""
        if self.depth >= MAX_NESTING:
            return {}
        leads = self._leading_to(main, set(nodes))
        nodes_by_source: dict[int, list[int]] = {}
        for group in self.groups(index for index in nodes if index not in leads):
            sources = {source for index in group for source in self.inputs[index]} - set(group)
            if len(sources) == 1:
                nodes_by_source.setdefault(sources.pop(), []).extend(group)
        return nodes_by_source

    def groups(self, nodes: Iterable[int]) -> list[list[int]]:
        """Groups of connected layers, each in order."""
        group_of: dict[int, list[int]] = {}
        for index in nodes:
            group = group_of[index] = [index]
            for source in self.inputs[index]:
                other = group_of.get(source, group)
                if other is not group:
                    small, group = sorted((group, other), key=len)
                    group += small
                    group_of.update(dict.fromkeys(small, group))
        return [
            sorted(group)
            for group in {id(members): members for members in group_of.values()}.values()
        ]

    def _leading_to(self, main: int, among: set[int]) -> set[int]:
        leads, waiting = {main}, [main]
        while waiting:
            new = among.intersection(self.inputs[waiting.pop()]) - leads
            leads |= new
            waiting += new
        return leads
