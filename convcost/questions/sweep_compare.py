"""What does each point of a sweep cost against one of them? One column a point."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.pages import Page
from convcost.pictures import Picture
from convcost.questions.compare import Comparison
from convcost.questions.points import Counted
from convcost.report import Table


class SweepComparison(NamedTuple):
    """The report: all points of all networks as networks of their own, named by their settings."""

    networks: tuple[tuple[Counted, ...], ...]
    baseline: int = 0
    layers: bool = False
    bars: bool = True

    @property
    def points(self) -> tuple[Counted, ...]:
        return tuple(counted for every in self.networks for counted in every)

    @property
    def names(self) -> list[str]:
        return [f"{one.costs.network.name} {one.point.label}" for one in self.points]

    @property
    def heads(self) -> list[str]:
        """The names as a table has them: of one network, its own stands in the title only."""
        if len(self.networks) > 1:
            return self.names
        return [one.point.label for one in self.points]

    def tables(self) -> Iterator[Table]:
        first, *others = self._comparison(self.heads).tables()
        if len(self.networks) == 1:
            first = first._replace(title=f"{self.points[0].costs.network.name}: {first.title}")
        # Two columns always stay. Of what does not fit a terminal's width, the last goes first.
        stay = {0, self.baseline + 1, 1 if self.baseline else 2}
        yield first._replace(
            columns=tuple(
                column if number in stay else column._replace(drop=number)
                for number, column in enumerate(first.columns)
            )
        )
        yield from others

    def pictures(self) -> Iterator[Picture]:
        return self._comparison(self.names).pictures()

    def page(self) -> Page:
        page = self._comparison(self.heads).page()
        if len(self.networks) > 1:
            return page
        title = f"{self.points[0].costs.network.name}: {page.title}"
        (chapter,) = page.chapters
        return page._replace(title=title, chapters=(chapter._replace(title=title),))

    def tree(self) -> dict[str, Any]:
        tree = self._comparison(self.names).tree()
        told = zip(tree["networks"], self.points, strict=True)
        return tree | {"networks": [network | counted.tree() for network, counted in told]}

    def _comparison(self, names: list[str]) -> Comparison:
        named = tuple(
            one.costs._replace(network=one.costs.network._replace(name=name))
            for one, name in zip(self.points, names, strict=True)
        )
        return Comparison(named, self.baseline, self.layers, self.bars)
