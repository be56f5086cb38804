"""A network as a graph of few enough boxes to read; the costs of all boxes sum to the total."""

from convcost.model.costs import Costs, layer_input, total_counts
from convcost.model.network import Network
from convcost.model.number_format import counted
from convcost.model.record import NamedTuple
from convcost.reports.chart_model import Box, GraphChart
from convcost.reports.charts.graph_groups import PathTree, StepRange

MAX_BOXES = 60
MAX_KINDS = 3  # in the text of a box
MAX_DEPTH = 8  # levels of groups


class StepGroup(NamedTuple):
    """The steps of a box in order, and the range that the box is named after."""

    range: StepRange
    steps: list[int]


def graph(costs: Costs) -> GraphChart:
    """The network as a graph with a readable number of boxes.

    A layer that changes each element by itself shares the box before it, or, if that box has other
    users, the box after it.
    """
    network = costs.network
    tree = PathTree(network)
    elementwise = _elementwise(costs)
    groups = _readable(tree, elementwise)
    numbers = {step: number for number, group in enumerate(groups) for step in group.steps}
    first = len(network.inputs)
    boxes = [Box(name, "input", x.text, 0, 0, (), layers=0) for name, x in network.inputs]
    for number, group in enumerate(groups):
        layers = [costs.layers[step] for step in group.steps]
        total = total_counts(layers)
        sources = (
            first + numbers[source] if source >= 0 else -1 - source
            for step in group.steps
            for source in network.steps[step].inputs
            if source < 0 or numbers[source] != number
        )
        boxes.append(
            Box(
                path=tree.shortest_path(group.range.path, group.steps),
                kind=_kind(tree, group, elementwise),
                shape=network.steps[group.steps[-1]].shape.text,
                params=total.params,
                macs=total.macs,
                inputs=tuple(dict.fromkeys(sources)),
                label=_label(tree, group),
                layers=len(group.steps),
                uncounted=total.uncounted,
            )
        )
    title = f"{network.name}: {counted(len(costs.layers), 'layer')}"
    return GraphChart("graph", title, tuple(boxes))


def _elementwise(costs: Costs) -> list[bool]:
    """Whether a layer changes each element by itself, without macs."""
    return [
        not cost.macs and step.layer.is_positionwise(layer_input(costs.network, step))
        for step, cost in zip(costs.network.steps, costs.layers, strict=True)
    ]


# Groups


def _readable(tree: PathTree, elementwise: list[bool]) -> list[StepGroup]:
    """All layers, if they are few; else the folding that leaves the most boxes."""
    room = MAX_BOXES - len(tree.network.inputs)
    steps = range(len(tree.network.steps))
    single = [StepRange(n, n + 1, tree.network.steps[n].path) for n in steps]
    groups = _groups(tree.network, single, elementwise)
    if len(groups) <= room:
        return groups
    depths = range(min(tree.depth, MAX_DEPTH), 0, -1)
    foldings = [_groups(tree.network, list(tree.fold(depth)), elementwise) for depth in depths]
    readable = [folding for folding in foldings if len(folding) <= room]
    return max(readable, key=len) if readable else _chunks(min(foldings, key=len), max(room, 1))


def _chunks(groups: list[StepGroup], room: int) -> list[StepGroup]:
    """Consecutive groups in chunks of equal size, for a network that has too many boxes at every
    depth. The range of a chunk has `times` 0."""
    size = -(-len(groups) // room)
    chunks = [groups[start : start + size] for start in range(0, len(groups), size)]
    return [
        StepGroup(
            chunk[0].range._replace(times=0), sorted(s for group in chunk for s in group.steps)
        )
        for chunk in chunks
    ]


def _groups(network: Network, ranges: list[StepRange], elementwise: list[bool]) -> list[StepGroup]:
    """The boxes of the ranges. A single elementwise layer joins the box before or after it."""
    members = [list(range(steps.start, steps.stop)) for steps in ranges]
    home = [number for number, steps in enumerate(members) for _ in steps]
    sources: dict[int, set[int]] = {number: set() for number in range(-1, len(ranges))}
    users: dict[int, set[int]] = {number: set() for number in range(-1, len(ranges))}
    for step, number in enumerate(home):
        for source in network.steps[step].inputs:
            before = home[source] if source >= 0 else -1
            if before != number:
                sources[number].add(before)
                users[before].add(number)
    single = [n for n, steps in enumerate(members) if len(steps) == 1 and elementwise[steps[0]]]
    for number in single:
        before = min(sources[number], default=-1)
        if before >= 0 and sources[number] == {before} and users[before] == {number}:
            members[before] += members[number]
            members[number] = []
            users[before] = users[number]
            for user in users[number]:
                sources[user] = sources[user] - {number} | {before}
    for number in reversed(single):
        after = min(users[number], default=-1)
        if members[number] and users[number] == {after} and sources[after] == {number}:
            members[after] = members[number] + members[after]
            members[number] = []
            sources[after] = sources[number]
    return [StepGroup(steps, m) for steps, m in zip(ranges, members, strict=True) if m]


# Text


def _kind(tree: PathTree, group: StepGroup, elementwise: list[bool]) -> str:
    """The kind of the group, or the kinds of its few layers: `conv 3×3 → 1×1`."""
    network, step_range = tree.network, group.range
    named = [step for step in group.steps if step_range.start <= step < step_range.stop]
    if len(named) == 1:
        return " ".join(_step_text(network, named[0])).strip()
    kind = tree.kinds.get(step_range.path, "")
    if step_range.times and kind not in ("", "branch", "sequence"):
        return kind
    texts = [_step_text(network, step) for step in named if not elementwise[step]]
    names = {name for name, _ in texts}
    if len(names) == 1 and len(texts) <= MAX_KINDS and all(window for _, window in texts):
        return f"{names.pop()} {' → '.join(window for _, window in texts)}"
    return f"{len(named):,} layers"


def _step_text(network: Network, number: int) -> tuple[str, str]:
    """The kind, and the kernel and stride if it has windows: `conv` and `3×3 /2`."""
    step = network.steps[number]
    windows = step.layer.windows(layer_input(network, step))
    kernel = "×".join(str(window.f) for window in windows)
    stride = "×".join(dict.fromkeys(str(window.s) for window in windows))
    return step.layer.name, kernel if stride in ("", "1") else f"{kernel} /{stride}"


def _label(tree: PathTree, group: StepGroup) -> str:
    """The label of a box, such as `bottleneck × 35`; empty for a group that is one path."""
    steps, step_range = tree.network.steps, group.range
    if step_range.times == 0:
        return f"{steps[group.steps[0]].path} … {steps[group.steps[-1]].path}"
    kind = tree.kinds.get(step_range.path) or steps[step_range.start].layer.name
    return f"{kind} × {step_range.times:,}" if step_range.times > 1 else ""
