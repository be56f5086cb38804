"""`compare`: the costs of networks and their ratios."""

from collections.abc import Iterable, Sequence

from convcost.language.network_inputs import Settings
from convcost.model.costs import CountingConvention, costs
from convcost.reports.compare import Comparison, compare_networks
from convcost.reports.compare.settings import applied_notes
from convcost.sources.networks import SpecOrNetwork, read_networks


def compare(
    specs: Iterable[SpecOrNetwork],
    settings: Settings,
    batch: int = 1,
    baseline: str | None = None,
    conventions: Sequence[CountingConvention] = (),
    *,
    deployed: bool = False,
) -> Comparison:
    """The networks of all specs, compared with the first, or with the one named `baseline`. With
    `deployed`, each is followed by the network as inference runs it.

    A variable, or the size of one input, applies to the networks that have it. Raises UsageError
    for fewer than two networks and for an unknown baseline, and an ExceptionGroup of all errors of
    the specs.
    """
    specs = tuple(specs)
    has_settings = settings != Settings()
    networks = read_networks(specs, settings._replace(if_present=has_settings))
    notes, unknown = applied_notes(networks, settings)
    if unknown:
        read_networks(specs, settings)  # raises for the names that no network has
    if deployed:
        from convcost.model.deploy import deploy

        networks = [version for network in networks for version in (network, deploy(network))]
    counted = [costs(network, batch, conventions) for network in networks]
    report = compare_networks(counted, baseline)
    return report._replace(notes=notes)
