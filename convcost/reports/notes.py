"""Notes that reports of costs share: inputs, variables, the convention, what is not counted."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from convcost.model.costs import Costs, Field, LayerCost, inputs_of
from convcost.model.kind import KINDS, Kind
from convcost.model.measures import CONVENTION, PARTS, Measure
from convcost.model.network import Step, path_prefixes
from convcost.model.number_format import counted, format_count
from convcost.model.options import show
from convcost.model.shape import Shape

STATED = "the author of the spec gave these counts; convcost did not compute them"
PRUNED = (
    "the author of the spec stated the share of the weights that is not pruned; params and macs "
    "count these weights only"
)
WHY_BOUND = "an upper bound, because its pattern is too long or differs between outputs"
UPPER_BOUND = f"receptive field: {WHY_BOUND}"
MAX_NAMES = 3  # layers or networks that a note names
MAX_INPUTS = 8  # inputs that a note names


def costs_notes(networks: Sequence[Costs], *, inputs: bool = True) -> tuple[str, ...]:
    """The inputs, the variables that all networks share, the convention, and whether any count is
    stated or unknown."""
    first, *others = (
        dict.fromkeys(f"{name} {show(value).strip('`')}" for name, value in costs.network.variables)
        for costs in networks
    )
    shared = [text for text in first if all(text in other for other in others)]
    return (
        input_note(networks) if inputs else samples_note(networks),
        *([f"with {', '.join(shared)}"] if shared else []),
        *kind_notes(step.layer for costs in networks for step in costs.network.steps),
        *deployed_notes(networks),
        *dict.fromkeys(f"{c.network.name}: {note}" for c in networks for note in c.network.notes),
        *(note for part in PARTS for note in part_notes(part, networks)),
        CONVENTION,
        *dict.fromkeys(note for c in networks for count in c.by_convention for note in count.notes),
        *dict.fromkeys(stated_notes(networks)),
    )


def stated_notes(networks: Sequence[Costs], paths: Collection[str] = ()) -> Iterator[str]:
    """Whether any count is stated, or not known; with `paths`, of these layers and groups only."""
    yield from author_notes(networks, paths)
    for costs in networks:
        layers = (layer for layer in costs.layers if _is_noted(layer.path, paths))
        yield from uncounted_note(costs.network.name, layers)


def author_notes(networks: Sequence[Costs], paths: Collection[str] = ()) -> Iterator[str]:
    """Whether any count is stated; with `paths`, of these layers and groups only."""

    def noted(path: str) -> bool:
        return _is_noted(path, paths)

    if any(_is_stated(layer) and noted(layer.path) for c in networks for layer in c.layers):
        yield f"stated: {STATED}"
    if any(s.density is not None and noted(s.path) for c in networks for s in c.network.steps):
        yield f"density: {PRUNED}"


def _is_noted(path: str, paths: Collection[str]) -> bool:
    """Whether a layer is one of those wanted, or in a wanted group; without any, all are wanted."""
    return not paths or not set(paths).isdisjoint(path_prefixes(path))


def field_notes(field: Field) -> Iterator[str]:
    """Whether a receptive field is an upper bound."""
    if not all(axis.exact for axis in field):
        yield UPPER_BOUND


def convention_notes(names: Iterable[str]) -> Iterator[str]:
    """What each of these conventions counts, once; an empty name is not a convention."""
    for name in dict.fromkeys(filter(None, names)):
        from convcost.conventions import find_convention

        yield find_convention(name).note


def deployed_notes(networks: Sequence[Costs]) -> Iterator[str]:
    """What was folded, merged or removed in each network that is as inference runs it."""
    for costs in networks:
        if costs.network.deployed:
            yield f"{costs.network.name}: {costs.network.deployed}"


def part_notes(part: Measure, networks: Sequence[Costs]) -> Iterator[str]:
    """Notes such as `144,010 of 144,458 params are trainable, 448 are frozen`, one for each network
    with frozen params. The points of a sweep have one name, and so one note without numbers."""
    noted_networks = [costs for costs in networks if costs.totals.rest(part)]
    if len({costs.network.name for costs in networks}) < len(networks):
        if noted_networks:
            yield f"some {part.part_of} are {part.rest}: the column `{part}` has the others"
        return
    for costs in noted_networks:
        totals = costs.totals
        count, total = (
            format_count(totals.count_of(m).known) for m in (part, Measure(part.part_of))
        )
        rest = f"{format_count(totals.rest(part))} are {part.rest}"
        text = f"{count} of {total} {part.part_of} are {part}, {rest}"
        yield f"{costs.network.name}: {text}" if len(networks) > 1 else text


def input_note(networks: Sequence[Costs]) -> str:
    """A note such as `input 224×224×3; 1 sample`. If the inputs differ, it names each network."""
    names: dict[str, dict[str, None]] = {}
    separator = " and " if len({costs.network.inputs for costs in networks}) > 1 else ", "
    for costs in networks:
        inputs = (
            shape.text if name == "input" else f"{name} {shape.text}"
            for name, shape in costs.network.inputs
        )
        names.setdefault(separator.join(inputs), {})[costs.network.name] = None
    named = len({name for group in names.values() for name in group}) > 1 < len(names)
    texts = [
        f"{text} ({first_texts(list(group))})" if named else text for text, group in names.items()
    ]
    listed = first_texts(texts, MAX_INPUTS)
    return f"{'inputs' if len(texts) > 1 else 'input'} {listed}; {samples_note(networks)}"


def _is_stated(layer: LayerCost) -> bool:
    """Whether the costs of a layer are those of its kind, not of a density."""
    kind = KINDS.get(layer.kind)
    return layer.stated and not layer.uncounted and kind is not None and kind.stated


def has_note(step: Step) -> bool:
    """Whether a note is about a step."""
    return bool(step.density is not None or step.layer.macs_note)


def kind_notes(layers: Iterable[Kind[Any]]) -> tuple[str, ...]:
    """What kinds say about their macs, in their own words; each note once."""
    texts = (
        f"{layer.name}: {layer.macs_note}" for layer in dict.fromkeys(layers) if layer.macs_note
    )
    return tuple(dict.fromkeys(texts))


def samples_note(networks: Sequence[Costs]) -> str:
    """The number of samples, in words."""
    batch = networks[0].batch
    return "1 sample" if batch == 1 else f"a batch of {counted(batch, 'sample')}"


def first_texts(texts: Sequence[str], most: int = MAX_NAMES) -> str:
    """The first of the texts, and how many more there are: `a, b and 5 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {format_count(more)} more" if more > 0 else "")


def framework_notes(costs: Costs) -> Iterator[str]:
    """Notes with totals as other programs print them: with buffers, and with biases of convolutions
    if the spec sets no `bias`."""
    totals, network = costs.totals, costs.network
    if totals.buffers:
        stored = format_count(totals.params + totals.buffers)
        yield f"params + buffers = {stored}, which Keras prints as total params"
    if network.states_bias:
        return
    layers = biases = 0
    for step in network.steps:
        options = type(step.layer).options
        if "bias" in options and options["bias"].default is False and step.shared is None:
            layers += 1
            biases += _bias(step.layer, inputs_of(network, step)) * step.copies.stored
    if layers:
        has = "has" if layers == 1 else "have"
        number, added = counted(layers, "convolution"), counted(biases, "param")
        yield f"{number} {has} no bias, the default; `bias: true` adds {added}"


@lru_cache(1024)  # many layers are equal and have equal inputs
def _bias(layer: Kind[Any], inputs: tuple[Shape, ...]) -> int:
    """The number of biases that one copy of a layer would have with `bias: true`."""
    biased = layer.with_options(bias=True)
    return biased.biases(biased.select_inputs(inputs)).value


def uncounted_note(name: str, layers: Iterable[LayerCost]) -> Iterator[str]:
    """A note that names the uncounted layers, such as `uncounted: the macs of 2 layers of Net are
    unknown and not in the total: a, b`."""
    paths = [layer.path for layer in layers if layer.counts.uncounted]
    if paths:
        number = counted(len(paths), "layer")
        yield (
            f"uncounted: the macs of {number} of {name} are unknown and not in the total: "
            f"{first_texts(paths)}"
        )
