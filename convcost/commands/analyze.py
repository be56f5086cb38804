"""`analyze`: the costs of networks, layer by layer."""

from collections.abc import Iterable, Sequence

from convcost.language.network_inputs import Settings
from convcost.model.costs import CountingConvention, costs
from convcost.model.errors import UsageError
from convcost.reports.analyze import Analysis
from convcost.reports.analyze.columns import AnalysisView
from convcost.sources.networks import SpecOrNetwork, read_networks


def analyze(
    specs: Iterable[SpecOrNetwork],
    settings: Settings,
    batch: int = 1,
    view: AnalysisView | None = None,
    conventions: Sequence[CountingConvention] = (),
    *,
    deployed: bool = False,
) -> Analysis:
    """The costs of every network of the specs, for `batch` samples and by further conventions; with
    `deployed`, as inference runs them.

    Raises UsageError if a column shows the options of blocks and no row is a block, and an
    ExceptionGroup of all errors of the specs.
    """
    networks = read_networks(specs, settings, deployed=deployed)
    counted = tuple(costs(network, batch, conventions) for network in networks)
    report = Analysis(counted, view or AnalysisView())
    if report.lacks_options:
        raise UsageError("no row is a block that has options; add --depth 1")
    return report
