"""A network as a graph of boxes, few enough to be read, whose costs are sums without a gap."""

from typing import NamedTuple

from convcost.costs import Costs, inputs_of, summed
from convcost.network import Network, Step
from convcost.pictures import Box, Graph
from convcost.questions.pictures.spans import Folding, Plan, Span
from convcost.shapes import Shape
from convcost.window import spread

MOST = 60
WORDS = 3  # kinds that are told of a box without a kind of its own


class Part(NamedTuple):
    """A box to be: the span it is named after, and its steps in order."""

    span: Span
    steps: tuple[int, ...]


def graph(costs: Costs) -> Graph:
    """As many boxes as can be read, and no more. Layers that change each element by itself stand in
    the box before them, or, where that has other users, in the one after."""
    plan = Plan(costs.network)
    free = _free(costs)
    parts = _readable(costs, plan, free)
    numbers = {step: number for number, part in enumerate(parts) for step in part.steps}
    first = len(costs.network.inputs)
    boxes = [Box(name, "input", shape.text, 0, 0, (), layers=0) for name, shape in
             costs.network.inputs]  # fmt: skip
    for number, part in enumerate(parts):
        total = summed([costs.layers[step] for step in part.steps])
        fed = (
            first + numbers[source] if source >= 0 else -1 - source
            for step in part.steps
            for source in costs.network.steps[step].inputs
            if source < 0 or numbers[source] != number
        )
        boxes.append(
            Box(
                plan.whole(part.span.path, part.steps),
                _kind(plan, part, free),
                _output(costs.network, part).text,
                total.params,
                total.macs,
                tuple(dict.fromkeys(fed)),
                _label(plan, part),
                len(part.steps),
            )
        )
    title = f"{costs.network.name}: {len(costs.layers):,} layer{'s' * (len(costs.layers) != 1)}"
    return Graph("graph", title, tuple(boxes))


def _readable(costs: Costs, plan: Plan, free: list[bool]) -> list[Part]:
    """All layers, if they are few; else of all ways to fold them the one that leaves the most."""
    parts = _parts(plan, plan.spans(Folding(plan.depth, "")), free)
    room = MOST - len(costs.network.inputs)
    if len(parts) <= room:
        return parts
    best: list[Part] = []
    fewest = parts
    for alike in ("cost", "kind"):
        for depth in range(min(plan.depth, 8), 0, -1):
            parts = _parts(plan, plan.spans(Folding(depth, alike)), free)
            if len(best) < len(parts) <= room:
                best = parts
            if len(parts) < len(fewest):
                fewest = parts
    return best or _chunks(fewest, max(room, 1))


def _chunks(parts: list[Part], room: int) -> list[Part]:
    """The last resort: boxes in a row, put together by their number."""
    size = -(-len(parts) // room)
    chunks = []
    for start in range(0, len(parts), size):
        some = parts[start : start + size]
        steps = tuple(step for part in some for step in part.steps)
        span = Span(min(steps), max(steps) + 1, some[0].span.path, 0)
        chunks.append(Part(span, steps))
    return chunks


def _free(costs: Costs) -> list[bool]:
    """Whether a layer changes each element by itself: same shape, no window, no macs."""
    steps = costs.network.steps
    found = []
    for step, cost in zip(steps, costs.layers, strict=True):
        x = inputs_of(costs.network, step)
        alone = len(x) == 1 and x[0] == step.shape and not cost.macs
        found.append(alone and not step.layer.many and step.layer.sight(x[0]) is None)
    return found


def _parts(plan: Plan, spans: list[Span], free: list[bool]) -> list[Part]:
    """The spans, with every free layer that stands alone put into the part before or after it."""
    steps = plan.network.steps
    home = [number for number, span in enumerate(spans) for _ in range(span.start, span.stop)]
    inside: list[list[int]] = [list(range(span.start, span.stop)) for span in spans]
    users = [
        {u for step in held for u in plan.consumers[step] if home[u] != number}
        for number, held in enumerate(inside)
    ]
    alone = [n for n, held in enumerate(inside) if len(held) == 1 and free[held[0]]]
    waiting = []
    for number in alone:
        (step,) = inside[number]
        source = steps[step].inputs[0]
        before = home[source] if source >= 0 else -1
        if before < 0 or users[before] != {step}:
            waiting.append(number)
            continue
        inside[before].append(step)
        inside[number] = []
        home[step] = before
        users[before] = users[number]
    for number in reversed(waiting):
        after = {home[user] for user in users[number]}
        if len(after) == 1:
            (other,) = after
            first = inside[other][0]
            if len(steps[first].inputs) == 1 and first in users[number]:
                for step in inside[number]:
                    home[step] = other
                inside[other] = inside[number] + inside[other]
                inside[number] = []
    return [Part(span, tuple(held)) for span, held in zip(spans, inside, strict=True) if held]


def _output(network: Network, part: Part) -> Shape:
    """What is handed on: mostly the last step's; of a block whose layers drop out, its input's."""
    return network.steps[part.steps[-1]].shape


def _kind(plan: Plan, part: Part, free: list[bool]) -> str:
    steps = plan.network.steps
    span = part.span
    kind = plan.kinds.get(span.path, "")
    if span.times == 0:
        return f"{len(part.steps):,} layers"
    named = [s for s in part.steps if span.start <= s < span.stop]
    if len(named) == 1:
        return _told(plan.network, steps[named[0]])
    if kind not in ("", "branch", "sequence"):
        return kind
    counted = [s for s in named if not free[s]]
    if len(counted) > WORDS:
        return f"{len(named):,} layers"
    told = []
    for before, s in zip([-1, *counted], counted, strict=False):
        words = _told(plan.network, steps[s])
        same = before >= 0 and steps[before].layer.name == steps[s].layer.name
        told.append(words.partition(" ")[2] or words if same else words)
    return " → ".join(told)


def _told(network: Network, step: Step) -> str:
    """The kind, with the window it slides and its step: `conv 3×3 /2`."""
    kernel = getattr(step.layer, "kernel", None)
    stride = getattr(step.layer, "stride", None)
    rank = len(inputs_of(network, step)[0].size)
    words = step.layer.name
    if isinstance(kernel, int | tuple):
        words += f" {'×'.join(map(str, spread(kernel, rank, 'kernel')))}"
    if isinstance(stride, int | tuple):
        strides = spread(stride, rank, "stride")
        if any(one != 1 for one in strides):
            words += f" /{'×'.join(map(str, dict.fromkeys(strides)))}"
    return words


def _label(plan: Plan, part: Part) -> str:
    span = part.span
    if span.times == 0:
        steps = plan.network.steps
        return f"{steps[part.steps[0]].path} … {steps[part.steps[-1]].path}"
    if span.times == 1:
        return ""
    kind = plan.kinds.get(span.path) or plan.network.steps[span.start].layer.name
    return f"{kind} × {span.times:,}"
