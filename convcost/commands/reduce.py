"""1x1 reductions of a spec: what they would save, what the network costs without them, and the spec
rewritten either way."""

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.language.variant_text import as_document
from convcost.model.costs import Costs, costs
from convcost.model.errors import UsageError, usage_errors
from convcost.model.graph_edit import apply_edit
from convcost.model.record import NamedTuple
from convcost.reports.explain import paths, unknown_path
from convcost.reports.reduce.candidates import Width
from convcost.reports.reduce.insertion import Insertions
from convcost.reports.reduce.reductions import NetworkReductions, find_reductions
from convcost.reports.reduce.report import AppliedReduction, Reductions, UndoneNetwork
from convcost.reports.reduce.rewrite import Rewrite, rewrite_text
from convcost.reports.reduce.savings import SORT_KEYS, WIDTHS, find_savings
from convcost.sources.spec_files import open_source


class ReduceRequest(NamedTuple):
    """A spec and the layers or groups to reduce, each as `PATH` or `PATH=WIDTH`; by default all.

    `file` is the file for the rewritten spec, or None if no rewritten spec is requested.
    """

    spec: str
    layers: tuple[str, ...] = ()
    settings: Settings = Settings()
    batch: int = 1
    file: str | None = None


def reduce(
    request: ReduceRequest,
    channels: str | None = None,
    *,
    expand: bool = False,
    sort: str | None = None,
    top: int | None = None,
) -> Reductions:
    """The cost of each convolution with a 1x1 before it. `channels` are the output channels of the
    1x1: counts or fractions of its input channels, like `64,1/4`. `sort` has SORT_KEYS or `path`,
    and `top` is the number of layers in the table.

    With a file, the report also has the spec with the 1x1 in it. Raises SpecError, and UsageError
    for a request that the spec does not allow."""
    job = _Job(request)
    texts = channels.split(",") if channels is not None else ()
    widths = tuple(dict.fromkeys(map(Width.parse, texts))) or WIDTHS
    savings = tuple(
        find_savings(
            counted, job.layers, widths, expand=expand, sort=sort or SORT_KEYS[0]
        )._replace(top=top)
        for counted in job.requested_networks()
    )
    if request.file is None:
        return Reductions(savings)
    if any(len(saving.widths) > 1 for network in savings for saving in network.savings):
        raise UsageError("--write needs one number of channels; add for example --channels 1/4")
    rewrites, notes = [], []
    for network_savings in savings:
        insertions = Insertions(network_savings, named=bool(job.layers))
        notes += insertions.notes
        if insertions.chosen:
            rewrites.append(job.rewrite(network_savings.costs, "reduced", insertions))
    if not rewrites:
        raise UsageError(f"there is nothing to reduce in `{request.spec}`", help="".join(notes[:1]))
    return Reductions(savings, job.outcome(rewrites, notes))


def undo_reductions(request: ReduceRequest, *, projections: bool = True) -> Reductions:
    """What the network costs without its 1x1 reductions.

    If `file` is given, the report also has the spec without them. Raises SpecError, and
    UsageError for a request that the spec does not allow."""
    job = _Job(request)
    within = tuple(path for path, _ in job.layers)
    if any(width for _, width in job.layers):
        raise UsageError(
            "--undo accepts no number of channels; write PATH instead of PATH=CHANNELS"
        )
    networks, rewrites = [], []
    for before in job.requested_networks():
        network_reductions = find_reductions(before.network, projections=projections, within=within)
        rewrite = job.rewrite(before, "naive", network_reductions)
        networks.append(UndoneNetwork(before, network_reductions, rewrite.after))
        if network_reductions.reductions:
            rewrites.append(rewrite)
    has_no_reason = within and not any(undone.network_reductions.left for undone in networks)
    if not rewrites and (request.file is not None or has_no_reason):
        place = ", ".join(within) or request.spec
        raise UsageError(f"there is no 1x1 reduction in `{place}` to undo")
    return Reductions(tuple(networks), job.outcome(rewrites, []))


class _Job:
    """A request with the costs of its networks. Raises UsageError for an unknown layer."""

    def __init__(self, request: ReduceRequest) -> None:
        self.request = request
        self.source, self.pick = open_source(request.spec, request.settings)
        if request.file is not None and self.pick is not None:
            with usage_errors("cannot write the spec: "):  # a variant becomes a document
                self.source, self.pick = as_document(self.source, self.pick)
        self.networks = load(self.source, request.settings, self.pick)
        self.costs = [costs(network, request.batch) for network in self.networks]
        self.paths = {path for network in self.networks for path in paths(network)}
        self.layers = tuple(map(self._layer, request.layers))

    def _layer(self, text: str) -> tuple[str, Width | None]:
        """Splits `3x3/conv_1=96` into path and width; the name of a layer may also have a `=`."""
        path, equals, width = text.rpartition("=")
        if text in self.paths or not equals:
            path, equals = text, ""
        if path not in self.paths:
            raise unknown_path(path, self.request.spec, self.networks)
        return path, Width.parse(width) if equals else None

    def requested_networks(self) -> list[Costs]:
        """The networks that have all requested layers; the first one if none has."""
        layer_paths = {path for path, _ in self.layers}
        having = [counted for counted in self.costs if layer_paths <= set(paths(counted.network))]
        return having or self.costs[:1]

    def rewrite(self, before: Costs, suffix: str, plan: Insertions | NetworkReductions) -> Rewrite:
        """The change of a network, whose new name is its name and `suffix`: `GoogLeNet naive`."""
        name = before.network.name.removesuffix(" reduced").removesuffix(" naive")
        with usage_errors("removing the 1x1 leaves an invalid network: "):
            network = apply_edit(before.network, plan.change())._replace(name=f"{name} {suffix}")
        return Rewrite(self.costs.index(before), before, costs(network, before.batch), plan.edit)

    def outcome(self, rewrites: list[Rewrite], notes: list[str]) -> AppliedReduction:
        """The costs before and after the changes, and the checked new text if requested."""
        pairs = tuple((rewrite.before, rewrite.after) for rewrite in rewrites)
        if self.request.file is None:
            return AppliedReduction(pairs, notes=tuple(notes))
        with usage_errors("cannot write the spec: "):
            text = rewrite_text(self.source, self.pick, self.request.settings, rewrites)
        return AppliedReduction(pairs, self.request.file, tuple(notes), text)
