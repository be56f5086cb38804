"""`verify`: published figures compared with exact counts, each under its own settings."""

from collections.abc import Iterable, Iterator
from typing import Any

from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import ConstraintError, Problem, SpecError
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
    documents = Documents(source)
    problems: list[Problem] = []
    networks = []
    layers = values = 0
    for network in documents.load(pick=pick):
        size = documents.count_values(network.name, MAX_VALUES)
        checked: dict[int, PublishedEntry] = {}
        notes: dict[str, None] = {}
        for settings, entries in _by_settings(network):
            try:
                changed = network
                if settings != Settings():
                    (changed,) = documents.load(settings, network.name, figures=entries)
                costed = costs(changed)
            except SpecError as error:  # once for all entries with these settings
                problems += error.problems
                continue
            layers += len(costed.layers)
            values += 0 if changed is network else size
            if layers > MAX_LAYERS or values > MAX_VALUES:
                most = f"{MAX_LAYERS:,} layers" if layers > MAX_LAYERS else f"{MAX_VALUES:,} values"
                message = f"the published figures need more than {most} in all"
                span = network.published[entries[0]].span
                hint = "move some of the figures to a file of their own"
                raise SpecError(source, [*problems, Problem("CC110", message, span, help=hint)])
            named = {network.published[n].layer for n in entries}
            notes |= dict.fromkeys(stated_notes([costed], () if "" in named else named))
            exact = ExactCounts(costed, (network.published[n].layer for n in entries))
            for n in entries:
                entry = network.published[n]
                try:
                    checked[n] = exact.checked(entry)
                except ConstraintError as error:
                    span = entry.span
                    problems.append(Problem(error.code, error.message, span, help=error.help))
        figures = tuple(checked[n] for n in sorted(checked))
        networks.append(
            report.PublishedNetwork(
                network.name, network.file, network.source, figures, tuple(notes)
            )
        )
    if problems:
        raise SpecError(source, problems)
    return networks


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
