"""How each number of one layer or group is computed."""

from collections.abc import Iterable, Iterator
from typing import Any

from convcost.model.costs import Costs, Field, LayerCost, total_counts
from convcost.model.errors import UsageError
from convcost.model.measures import CONVENTION, PARTS, Measure
from convcost.model.network import Network, path_prefixes
from convcost.model.number_format import format_count
from convcost.model.shape import Shape
from convcost.model.suggestions import did_you_mean
from convcost.reports.analyze import field_record
from convcost.reports.analyze.columns import AnalysisView
from convcost.reports.analyze.table import group_output, table_of_rows
from convcost.reports.explain.layer import (
    UNKNOWN_MACS,
    WHAT_AND_VALUE,
    context_rows,
    explain_layer,
    layer_tables,
    part_text,
    share_record,
)
from convcost.reports.notes import (
    author_notes,
    deployed_notes,
    field_notes,
    kind_notes,
    uncounted_note,
)
from convcost.reports.report import Report, versioned
from convcost.reports.table import Table

SCHEMA = "convcost.explain/1"


class Explanation(Report):
    """The layer or group at `path`, in each of the networks.

    A join with branches is both a layer and a group, and is explained as both.
    """

    name = "explain"
    networks: tuple[Costs, ...]
    path: str

    def tables(self) -> Iterator[Table]:
        for costs in self.networks:
            for row in self._rows(costs):
                yield from layer_tables(costs, row)
            if _is_group(costs.network, self.path):
                yield from _group_tables(costs, self.path)

    def _rows(self, costs: Costs) -> list[LayerCost]:
        return [row for row in costs.layers if row.path == self.path]

    def tree(self) -> dict[str, Any]:
        layers = [
            explain_layer(costs, row).tree() for costs in self.networks for row in self._rows(costs)
        ]
        groups = [
            explain_group(costs, self.path)
            for costs in self.networks
            if _is_group(costs.network, self.path)
        ]
        return versioned(SCHEMA, layers=layers, groups=groups)


def paths(network: Network) -> tuple[str, ...]:
    """The paths of all layers and groups, each group before its layers."""
    steps = (path for step in network.steps for path in path_prefixes(step.path))
    return tuple(dict.fromkeys((*steps, *(group.path for group in network.groups))))


def unknown_path(
    path: str, spec: str, networks: Iterable[Network], *, deployed: bool = False
) -> UsageError:
    """The error for a path that is in none of the networks of a spec."""
    from shlex import quote

    hint = did_you_mean(path, (layer_path for network in networks for layer_path in paths(network)))
    listed = f"`convcost analyze {quote(spec)}{' --deploy' if deployed else ''}` lists the layers"
    return UsageError(f"there is no layer `{path}` in `{spec}`; {hint or listed}")


# Groups


def _is_group(network: Network, path: str) -> bool:
    return any(group.path == path for group in network.groups) or any(
        step.path.startswith(f"{path}/") for step in network.steps
    )


def explain_group(costs: Costs, path: str) -> dict[str, Any]:
    """A group in `convcost.explain/1`: the sums of its layers, and their paths. `stated` and
    `uncounted` are true if a layer states its costs, or its macs are unknown.

    Output and receptive field are those of the output layer of the group, or, for a group without
    layers such as an identity shortcut, those of its input.
    """
    members = members_of(costs, path)
    kinds = (group.kind for group in costs.network.groups if group.path == path)
    output, field = output_of(costs, path)
    total = total_counts(members)
    return {
        "network": costs.network.name,
        "path": path,
        "kind": next(kinds, "branch"),
        "output": output,
        **total.by_measure(),
        "receptive_field": field_record(field),
        "share": share_record(total, costs),
        "stated": any(member.stated for member in members),
        "uncounted": total.uncounted > 0,
        "layers": [member.path for member in members],
    }


def output_of(costs: Costs, path: str) -> tuple[Shape, Field]:
    """The output shape and the receptive field of a layer or group; with an empty path, those of
    the network."""
    last = costs.network.last
    if path:
        members = members_of(costs, path)
        outputs = (group.output for group in costs.network.groups if group.path == path)
        last = next(outputs, members[-1].step if members else last)
    shape, field, _ = group_output(costs, last)
    return shape, field


def members_of(costs: Costs, path: str) -> list[LayerCost]:
    """The layer at a path, or the layers of the group."""
    return [row for row in costs.layers if row.path == path or row.path.startswith(f"{path}/")]


def _group_tables(costs: Costs, path: str) -> Iterator[Table]:
    """The sums, then the layers, each with its share of the macs of the group."""
    group = explain_group(costs, path)
    title = f"{path}: {group['kind']}"
    members = members_of(costs, path)
    counts = total_counts(members)
    macs = counts.count_of(Measure.MACS).shown
    yield Table(
        name=costs.network.name,
        title=title,
        columns=WHAT_AND_VALUE,
        rows=(
            ("network", costs.network.name),
            ("layers", format_count(len(members))),
            ("output", group["output"].text),
            ("params", format_count(counts.params)),
            *((part, part_text(part, counts)) for part in PARTS if counts.rest(part)),
            ("macs", UNKNOWN_MACS if macs is None else format_count(macs)),
            *context_rows(group["receptive_field"], group["share"], macs_known=macs is not None),
        ),
        notes=(
            *field_notes(output_of(costs, path)[1]),
            *kind_notes(costs.network.steps[member.step].layer for member in members),
            *deployed_notes([costs]),
            CONVENTION,
            *author_notes([costs], [path]),
            *uncounted_note(costs.network.name, costs.layers),
        ),
    )
    if members:
        group_costs = costs._replace(totals=total_counts(members))
        table = table_of_rows(group_costs, AnalysisView(), members)
        yield table._replace(title=f"layers of {title}")
