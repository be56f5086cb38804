"""`analyze` and `compare` over every combination of several values of variables and input size."""

import gc
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from convcost.language.load import Documents
from convcost.model.costs import Costs, CountingConvention, costs
from convcost.model.errors import Problem, SpecError
from convcost.model.network import Network
from convcost.reports.compare import Comparison, compare_points
from convcost.reports.compare.settings import applied_notes
from convcost.reports.sweep import Sweep
from convcost.reports.sweep.points import Axis, Point, PointCosts, cost_point, points, points_text
from convcost.reports.sweep.selection import SweepView, SweptNetwork, select_points
from convcost.sources.networks import collect
from convcost.sources.spec_files import open_source


def analyze_sweep(
    specs: Iterable[str],
    axes: tuple[Axis, ...],
    batch: int = 1,
    view: SweepView | None = None,
    conventions: Sequence[CountingConvention] = (),
) -> Sweep:
    """The costs of every network at every point. Keeps the totals of the points, but not their
    layers, to save memory. Raises an ExceptionGroup of all errors of the specs."""
    chosen = view or SweepView()

    def sweep(spec: str) -> Iterable[SweptNetwork]:
        documents, pick = _documents(spec)
        points_by_network: dict[str, list[PointCosts]] = {}
        for point, network in _networks_at(documents, pick, axes):
            point_costs = cost_point(point, costs(network, batch, conventions))
            points_by_network.setdefault(network.name, []).append(point_costs.without_layers())
        for name, all_points in points_by_network.items():

            def recount(point: Point, name: str = name) -> Costs:
                (network,) = _load(documents, point, name)
                return costs(network, batch, conventions)

            yield select_points(all_points, chosen, recount)

    return Sweep(tuple(collect(specs, sweep)), chosen)


def compare_sweep(
    specs: Iterable[str],
    axes: tuple[Axis, ...],
    batch: int = 1,
    baseline: str | None = None,
    conventions: Sequence[CountingConvention] = (),
) -> Comparison:
    """All points, compared with the first, or with the point named `baseline`.

    A network has a point for each value of the variables that it has. Raises UsageError for an
    unknown baseline, and an ExceptionGroup of all errors of the specs.
    """
    specs = tuple(specs)
    networks: dict[tuple[str, str], Network] = {}

    def sweep(spec: str, *, if_present: bool = True) -> Iterable[PointCosts]:
        points_by_network: dict[str, list[PointCosts]] = {}
        for point, network in _networks_at(*_documents(spec), axes, if_present=if_present):
            networks.setdefault((network.file, network.name), network)
            network_point = point.on_axes_of(network)
            if network_point is not None:
                point_costs = cost_point(network_point, costs(network, batch, conventions))
                points_by_network.setdefault(network.name, []).append(point_costs)
        return chain(*points_by_network.values())

    every = tuple(collect(specs, sweep))
    first = next(points(axes))
    notes, unknown = applied_notes(networks.values(), first.settings)
    if unknown:
        collect(specs, partial(sweep, if_present=False))  # raises for names that no network has
    return compare_points(every, baseline)._replace(notes=notes)


def _documents(spec: str) -> tuple[Documents, str | None]:
    source, pick = open_source(spec)
    return Documents(source), pick


def _load(
    documents: Documents, point: Point, pick: str | None, *, if_present: bool = False
) -> list[Network]:
    """Loads the networks of one point, after it frees those of the point before.

    The command turned garbage collection off, and scopes refer to each other. Collecting only the
    youngest generation keeps the time per point constant."""
    gc.collect(0)
    settings = point.settings._replace(if_present=if_present)
    return documents.load(settings, pick, only_current=True)


def _networks_at(
    documents: Documents, pick: str | None, axes: tuple[Axis, ...], *, if_present: bool = False
) -> Iterator[tuple[Point, Network]]:
    """The networks of one spec at every point. At the end, raises SpecError with all problems;
    after the first problem, nothing more is yielded."""
    problems: dict[Problem, list[Point]] = {}
    for point in points(axes):
        try:
            networks = _load(documents, point, pick, if_present=if_present)
        except SpecError as error:
            for problem in error.problems:
                problems.setdefault(problem, []).append(point)
            continue
        if not problems:
            yield from ((point, network) for network in networks)
    if problems:
        raise SpecError(documents.source, [_with_points(*at, axes) for at in problems.items()])


def _with_points(problem: Problem, affected: list[Point], axes: tuple[Axis, ...]) -> Problem:
    """The problem, with the points that have it; unchanged if all points have it."""
    named = points_text(axes, affected)
    return problem._replace(message=f"{problem.message} (with {named})") if named else problem
