"""What does a network cost under every combination of settings? One row a point."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from convcost import __version__
from convcost.costs import MEASURES
from convcost.options import show
from convcost.pictures import Picture
from convcost.questions.analyze import SCHEMA, Analysis, title_of
from convcost.questions.columns import Layout, shape_of
from convcost.questions.judge import Judged, summary
from convcost.questions.points import Counted
from convcost.questions.uncounted import uncounted
from convcost.report import Cell, Column, Size, Table
from convcost.units import CONVENTION, grouped

SHOWN = ("params", "macs", "activations")
COLUMNS = ("output", *MEASURES, "channels")
# Of what does not fit a terminal's width the highest goes first, and before these what is not here.
DROP = {"params": 0, "macs": 0, "macs_published": 1, "params_published": 2, "activations": 3}
PUBLISHED = 16  # what a column of figures needs: `34M[3] off +12.54 %` then takes two lines
MOST_INPUTS = 8


class View(NamedTuple):
    """Which points and columns are asked for; without `columns`, those that have something."""

    columns: tuple[str, ...] | None = None
    sort: str | None = None
    top: int | None = None
    layout: Layout = "hwc"


class Sweep(NamedTuple):
    """The report: for each network its points."""

    networks: tuple[tuple[Counted, ...], ...]
    view: View = View()

    def tables(self) -> Iterator[Table]:
        everywhere = {
            one.record.measure for some in self.networks for point in some for one in point.judged
        }
        for some in self.networks:
            yield self._table(some, everywhere)

    def _table(self, every: tuple[Counted, ...], published: set[str]) -> Table:
        some = self._points(every)
        names = self._names(published)
        sources = _sources(some, names)
        axes = [axis for axis in some[0].point.axes if axis.varies]
        # A variable may have the name of what is counted, or `size`.
        taken = {"size", "network", *names}
        heads = [f"set {axis.name}" if axis.name in taken else axis.title for axis in axes]
        rows = tuple(
            (
                *(
                    Size((axis.text(position),))
                    for axis, position in zip(
                        counted.point.axes, counted.point.positions, strict=True
                    )
                    if axis.varies
                ),
                *(self._cell(counted, name, sources) for name in names),
            )
            for counted in some
        )
        return Table(
            name=some[0].costs.network.name,
            title=title_of(some[0].costs.network),
            columns=(
                *(Column(head.replace(" ", "_"), head) for head in heads),
                *(self._column(name, names) for name in names),
            ),
            rows=rows,
            notes=(*_left_out(every, some), *self._figures(some, names, sources), *_footer(some)),
        )

    def _points(self, every: tuple[Counted, ...]) -> list[Counted]:
        some = list(every)
        if self.view.sort is not None:
            measure = self.view.sort
            some.sort(key=lambda counted: -getattr(counted.costs.totals, measure))
        return some[: self.view.top]

    def _names(self, published: set[str]) -> tuple[str, ...]:
        """The columns, those of published figures each beside what they are figures of."""
        chosen = self.view.columns
        if chosen is None:
            chosen = (*SHOWN, *(m for m in COLUMNS if m in published and m not in SHOWN))
        return tuple(
            name
            for measure in chosen
            for name in (measure, *([f"{measure}_published"] if measure in published else []))
        )

    def _column(self, name: str, names: tuple[str, ...]) -> Column:
        drop = names.index(name)
        if self.view.columns is None:
            drop = DROP.get(name, len(DROP) + drop)
        measure, _, printed = name.partition("_")
        if printed:
            head = f"published {measure}"
            return Column(f"published_{measure}", head, "left", drop, folds=True, least=PUBLISHED)
        return Column(name, name, "right", drop, scales=name in MEASURES)

    def _cell(self, counted: Counted, name: str, sources: dict[str, int]) -> Cell:
        network = counted.costs.network
        measure, _, printed = name.partition("_")
        if printed:
            return _printed(_of(counted, measure), sources)
        if name == "output":
            return shape_of(network.output, self.view.layout)
        if name == "channels":
            return network.output.channels
        return int(getattr(counted.costs.totals, name))

    def _figures(
        self, some: list[Counted], names: tuple[str, ...], sources: dict[str, int]
    ) -> Iterator[str]:
        """What the numbers in brackets stand for, and what came of all figures of these points."""
        for source, number in sources.items():
            yield f"[{number}] {source}"
        figures = [one for counted in some for one in counted.judged]
        if not figures:
            yield "no figure is published for exactly these settings"
            return
        yield summary(figures).text
        for counted in some:
            for one in counted.judged:
                if not one.record.expected:
                    record = one.record
                    yield (
                        f"{counted.point.label}: {record.measure} {record.published} "
                        f"({record.source}) {one.text}"
                    )
        hidden = {one.record.measure for one in figures} - set(names)
        if hidden:
            listed = ", ".join(measure for measure in COLUMNS if measure in hidden)
            yield f"published too, of columns that are not chosen: {listed}"

    def pictures(self) -> Iterator[Picture]:
        """The points side by side: a bar for each."""
        from convcost.questions.pictures import of_points

        for some in self.networks:
            shown = self._points(some)
            named = tuple(
                one.costs._replace(network=one.costs.network._replace(name=one.point.label))
                for one in shown
            )
            yield from of_points(some[0].costs.network.name, named, alone=len(self.networks) == 1)

    def tree(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "version": __version__,
            "networks": [
                Analysis((counted.costs,)).tree()["networks"][0] | counted.tree()
                for every in self.networks
                for counted in self._points(every)
            ],
        }


def _of(counted: Counted, measure: str) -> list[Judged]:
    return [one for one in counted.judged if one.record.measure == measure]


def _sources(some: list[Counted], names: tuple[str, ...]) -> dict[str, int]:
    """A number for each source of what is shown, in the order of the spec."""
    shown = {
        one.record.source
        for counted in some
        for one in counted.judged
        if one.record.measure in names
    }
    listed = dict.fromkeys(entry.source for entry in some[0].costs.network.published)
    return {source: number for number, source in enumerate((s for s in listed if s in shown), 1)}


def _printed(figures: Iterable[Judged], sources: dict[str, int]) -> str:
    """`569M[1,2] agrees, 575M[3] off +1.10 %`: one figure of several sources is told once."""
    told: dict[tuple[str, str], list[int]] = {}
    for one in figures:
        verdict = " ".join(word for word in (one.record.verdict, one.by) if word)
        numbers = told.setdefault((one.record.published, verdict), [])
        number = sources[one.record.source]
        if number not in numbers:
            numbers.append(number)
    return ", ".join(
        f"{figure}[{','.join(map(str, numbers))}] {verdict}"
        for (figure, verdict), numbers in told.items()
    )


def _left_out(every: tuple[Counted, ...], some: list[Counted]) -> Iterator[str]:
    left = len(every) - len(some)
    if left:
        yield f"{grouped(left)} more point{'s' * (left != 1)}"


def _footer(some: list[Counted]) -> Iterator[str]:
    first = some[0].costs
    inputs = list(
        dict.fromkeys(
            ", ".join(
                shape.text if name == "input" else f"{name} {shape.text}"
                for name, shape in counted.costs.network.inputs
            )
            for counted in some
        )
    )
    listed = ("; " if "," in inputs[0] else ", ").join(inputs[:MOST_INPUTS])
    more = len(inputs) - MOST_INPUTS
    samples = "1 sample" if first.batch == 1 else f"a batch of {grouped(first.batch)} samples"
    batched = any(counted.judged for counted in some) and first.batch > 1
    yield (
        f"input{'s' * (len(inputs) > 1)} {listed}{f' and {grouped(more)} more' * (more > 0)}; "
        f"{samples}{', published figures held against 1' * batched}"
    )
    # Not those that another variable's value is made of, either.
    fixed = [
        f"{name} {show(value).strip('`')}"
        for number, (name, value) in enumerate(first.network.variables)
        if all(counted.costs.network.variables[number][1] == value for counted in some)
    ]
    if fixed:
        yield f"with {', '.join(fixed)}"
    yield CONVENTION
    layers = [layer for counted in some for layer in counted.costs.layers]
    if any(layer.stated and not layer.uncounted for layer in layers):
        yield "stated costs are given by the spec's author, not derived"
    yield from uncounted(tuple(counted.costs for counted in some))
