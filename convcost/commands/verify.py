"""`verify`: published figures compared with exact counts, each under its own settings."""

from collections.abc import Iterable, Iterator
from typing import Any

from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.costs import Costs, costs
from convcost.model.errors import ConstraintError, Problem, Source, SpecError
from convcost.model.network import Network
from convcost.reports import verify as report
from convcost.reports.notes import stated_notes
from convcost.reports.verify.figure_check import ExactCounts, PublishedEntry
from convcost.sources.networks import collect
from convcost.sources.spec_files import open_source

# Of one spec, over all settings that its figures are published for:
MAX_LAYERS = 1_000_000
MAX_VALUES = 500_000


def verify(specs: Iterable[str]) -> report.Verification:
    """Every figure in the `published` sections of the specs.

    Raises an ExceptionGroup of all errors of the specs.
    """
    return report.verify(tuple(collect(specs, _published_networks)))


def _published_networks(spec: str) -> list[report.PublishedNetwork]:
    """The networks of one spec, each published figure with its exact counts.

    Raises SpecError with all problems.
    """
    source, pick = open_source(spec)
    checker = _FigureChecker(source)
    networks = [checker.check(network) for network in checker.documents.load(pick=pick)]
    if checker.problems:
        raise SpecError(source, checker.problems)
    return networks


class _FigureChecker:
    """Counts what the published figures of one spec state, and collects the problems."""

    def __init__(self, source: Source) -> None:
        self.documents = Documents(source)
        self.problems: list[Problem] = []
        self.layers = self.values = 0

    def check(self, network: Network) -> report.PublishedNetwork:
        """A network, and its published figures in their order. Raises SpecError at a limit."""
        checked: dict[int, PublishedEntry] = {}
        notes: dict[str, None] = {}
        for settings, indices in _by_settings(network):
            changed_costs = self._costs(network, settings, indices)
            if changed_costs is None:
                continue
            names = {network.published[n].layer for n in indices}
            notes |= dict.fromkeys(stated_notes([changed_costs], () if "" in names else names))
            exact = ExactCounts(changed_costs, names)
            for n in indices:
                entry = network.published[n]
                try:
                    checked[n] = exact.checked(entry)
                except ConstraintError as error:
                    problem = Problem(error.code, error.message, entry.span, help=error.help)
                    self.problems.append(problem)
        figures = tuple(checked[n] for n in sorted(checked))
        return report.PublishedNetwork(
            network.name, network.file, network.source, figures, tuple(notes)
        )

    def _costs(self, network: Network, settings: Settings, indices: list[int]) -> Costs | None:
        """The costs of a network with other settings, for the figures with these indices. None,
        and one problem for all these figures, if the settings are not valid."""
        changed = network
        try:
            if settings != Settings():
                (changed,) = self.documents.load(settings, network.name, figures=indices)
            changed_costs = costs(changed)
        except SpecError as error:
            self.problems += error.problems
            return None
        self.layers += len(changed_costs.layers)
        if changed is not network:
            self.values += self.documents.count_values(network.name, MAX_VALUES)
        if self.layers > MAX_LAYERS or self.values > MAX_VALUES:
            limit = (
                f"{MAX_LAYERS:,} layers" if self.layers > MAX_LAYERS else f"{MAX_VALUES:,} values"
            )
            message = f"the published figures need more than {limit} in all"
            span = network.published[indices[0]].span
            hint = "move some of the figures to a file of their own"
            problem = Problem("CC110", message, span, help=hint)
            raise SpecError(self.documents.source, [*self.problems, problem])
        return changed_costs


def _by_settings(network: Network) -> Iterator[tuple[Settings, list[int]]]:
    """The settings that figures are published for, each with the indices of its entries."""
    indices_by_settings: dict[Any, list[int]] = {}
    for n, entry in enumerate(network.published):
        # True equals 1 in Python, but the two are different settings.
        typed = frozenset((name, type(value), value) for name, value in entry.settings)
        indices_by_settings.setdefault((typed, entry.size), []).append(n)
    for entries in indices_by_settings.values():
        first = network.published[entries[0]]
        yield Settings(first.settings, first.size), entries
