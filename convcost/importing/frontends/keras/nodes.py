"""The inputs of a layer's calls: tensors by position and by keyword, in the formats of Keras 2 and
3."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.frontends.keras.classes import LayerConfig
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

Tensors: TypeAlias = tuple[Tensor, ...]
Reference: TypeAlias = tuple[str, int, int]  # layer, number of the call, number of the output
ATTENTION = ("MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention")
FUNCTIONAL = ("Functional", "Model")
# Tensors that are masks or initial states: they do not change params or macs.
IGNORED = ("mask", "query_mask", "value_mask", "key_mask", "attention_mask", "initial_state")
# Layers that compute masks; left out if nothing else reads them.
MASK_LAYERS = ("NotEqual", "Equal", "Any", "All", "LogicalAnd", "LogicalOr", "LogicalNot")
MASK_POSITIONS = ("3", "4", "5", "6")  # positions of the masks of attention, after its tensors
FIRST_KEYWORDS = ("inputs", "sequences", "x", "x1", "x2")  # keywords of the layer's first inputs


class TensorSource(NamedTuple):
    """A tensor that a call reads. `place` is its position or keyword, `key` its key if the inputs
    are a mapping, and `shape` its shape in the configuration."""

    place: str
    key: str
    name: str
    node: int
    tensor: int
    shape: list[int | None] | None = None

    @property
    def reference(self) -> Reference:
        return self.name, self.node, self.tensor


class GraphCall(NamedTuple):
    """A call of a layer in a functional model. `node` is its number among the calls of the layer,
    `kind` the class of the layer."""

    layer: str
    node: int
    kind: str
    sources: list[TensorSource]


class CallInputs(NamedTuple):
    """The inputs of a call, and where they come from, if a graph states that."""

    values: Tensors
    sources: tuple[TensorSource, ...] = ()


class KerasCall(NamedTuple):
    """A call of a layer with its inputs. `path` is the layer's path in the spec, `key` has the
    names of the models around it and its own name, and `node` is the number of the call."""

    layer: LayerConfig
    path: Path
    key: str
    feed: CallInputs
    node: int = 0

    @property
    def kind(self) -> str:
        return str(self.layer["class_name"])


def sources(call: Any, begins: Mapping[str, int]) -> list[TensorSource]:
    """The tensors that a call reads. `begins` has the number of each layer's first call in the
    format of Keras 2."""
    if isinstance(call, dict) and ("args" in call or "kwargs" in call):
        tensor_sources = list(_tensors(list(call.get("args") or ()), ""))
        for name, value in (call.get("kwargs") or {}).items():
            tensor_sources += [source._replace(place=name) for source in _tensors([value], "")]
        return tensor_sources
    return list(_older(call, begins))


def keywords(layer: LayerConfig, node: int) -> dict[str, Any]:
    """All keyword arguments of a call, tensors and others. The index of `x[…]`, which Keras writes
    as a positional argument, is `key`."""
    calls = layer.get("inbound_nodes") or ()
    call = calls[node] if node < len(calls) else None
    if not isinstance(call, dict):
        return {}
    positional, named = call.get("args"), call.get("kwargs")
    named = named if isinstance(named, dict) else {}
    if layer["class_name"] == "GetItem" and isinstance(positional, list) and len(positional) > 1:
        return {**named, "key": positional[1]}
    return named


def without_masks_and_states(tensor_sources: list[TensorSource], kind: str) -> list[TensorSource]:
    """The tensors without masks and initial states. Raises ConstraintError for an unknown
    keyword."""
    if kind == "TFOpLambda":
        return tensor_sources
    if kind in ATTENTION:
        places = (*IGNORED, *MASK_POSITIONS)
        return [source for source in tensor_sources if source.place not in places]
    for place in (source.place for source in tensor_sources):
        if not place.isdecimal() and place not in (*IGNORED, *FIRST_KEYWORDS):
            raise ConstraintError(
                "CC401", f"{kind} has a tensor as `{place}`, which convcost does not support"
            )
    return [source for source in tensor_sources if source.place not in IGNORED]


def masks(calls: Collection[GraphCall]) -> set[str]:
    """The names of layers that only compute masks."""
    mask_names = {call.layer for call in calls if call.kind in MASK_LAYERS}
    while mask_names:
        used = {
            source.name
            for call in calls
            for source in (() if call.layer in mask_names else call.sources)
            if source.name in mask_names and source.place not in IGNORED
        }
        if not used:
            break
        mask_names -= used
    return mask_names


def in_order(calls: Sequence[GraphCall], inputs: Container[Reference]) -> list[GraphCall]:
    """The calls, each after the calls whose outputs it reads, otherwise as in the file. `inputs`
    are those of the model. Raises ConstraintError for a cycle and for an input without a layer."""
    numbers = {(call.layer, call.node): number for number, call in enumerate(calls)}
    before: dict[int, list[int]] = {}
    lost = set()
    for number, call in enumerate(calls):
        read = [source.reference[:2] for source in call.sources if source.reference not in inputs]
        before[number] = sorted({numbers[key] for key in read if key in numbers})
        if any(key not in numbers for key in read):
            lost.add(number)
    order = list(before)
    try:
        if any(other >= number for number, others in before.items() for other in others):
            order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        lost |= {*error.args[1]}
    if lost:
        names = ", ".join(f"`{calls[number].layer}`" for number in sorted(lost)[:3])
        message = f"the layers have a cycle, or inputs are missing: {names}"
        raise ConstraintError("CC404", message)
    return [calls[number] for number in order]


def refuse_further_outputs(outputs: Container[Reference], read: Iterable[Reference]) -> None:
    """Raises ConstraintError if something reads a further output of a layer, such as its states or
    attention weights."""
    for name, node, tensor in read:
        if (name, node, tensor) not in outputs and (name, node, 0) in outputs:
            raise ConstraintError(
                "CC401",
                f"layer `{name}` has several outputs, and convcost supports only the first",
                "convcost reads the states of LSTM, GRU, SimpleRNN and Bidirectional",
            )


def first_call_numbers(layers: Mapping[str, LayerConfig], *, older: bool) -> dict[str, int]:
    """The number of each layer's first call: 1 for a model, because Keras also counts its
    construction as a call, otherwise 0."""
    first_call_by_layer = {}
    for name, layer in layers.items():
        config = layer["config"]
        inner: Any = config.get("layers") if isinstance(config, dict) else None
        fed = bool(inner) and inner[0]["class_name"] == "InputLayer"
        sequence = older and fed and layer["class_name"] == "Sequential"
        first_call_by_layer[name] = int(layer["class_name"] in FUNCTIONAL or sequence)
    return first_call_by_layer


def is_older(layers: Mapping[str, LayerConfig]) -> bool:
    """Whether calls have the format of Keras 2: lists of references."""
    calls = [call for layer in layers.values() for call in layer.get("inbound_nodes") or ()]
    return any(not isinstance(call, dict) or not {"args", "kwargs"} & set(call) for call in calls)


def references(ends: Any, begins: Mapping[str, int] = {}) -> list[tuple[str, Reference]]:
    """The inputs or outputs of a model, `["x", 0, 0]` or a list or mapping of these, each with its
    key if they are a mapping. Like in Keras, the keys are sorted."""
    if isinstance(ends, dict):
        return [(str(key), end) for key in sorted(ends) for _, end in references(ends[key], begins)]
    if not isinstance(ends, list | tuple):
        raise TypeError(f"{ends!r:.40} is not a tensor")
    if len(ends) == 3 and isinstance(ends[0], str):  # noqa: PLR2004  name, node, tensor
        name, node, tensor = ends
        return [("", (name, int(node) - begins.get(name, 0), int(tensor)))]
    return [end for entry in ends for end in references(entry, begins)]


def _tensors(argument: Any, place: str, key: str = "") -> Iterator[TensorSource]:
    if isinstance(argument, dict) and argument.get("class_name") == "__keras_tensor__":
        name, node, tensor = argument["config"]["keras_history"]
        shape = argument["config"].get("shape")
        yield TensorSource(place or "0", key, str(name), int(node), int(tensor), shape)
    elif isinstance(argument, dict):
        for name in sorted(argument):
            yield from _tensors(argument[name], place, name)
    elif isinstance(argument, list | tuple):
        for number, value in enumerate(argument):
            yield from _tensors(value, place or str(number), key)


def _older(call: Any, begins: Mapping[str, int]) -> Iterator[TensorSource]:
    """`["x", 0, 0, {"value": ["y", 0, 0]}]`, or a list or mapping of these."""
    keyed = sorted(call.items()) if isinstance(call, dict) else [("", entry) for entry in call]
    if not isinstance(call, dict) and call and isinstance(call[0], str):
        keyed = [("", call)]
    for number, (key, (name, node, tensor, *more)) in enumerate(keyed):
        if name != "_CONSTANT_VALUE":
            yield TensorSource("0", key, str(name), int(node) - begins.get(name, 0), int(tensor))
        if number == 0 and more:
            for place, value in more[0].items():
                yield from _keyword_sources(place, value, begins)


def _keyword_sources(place: str, value: Any, begins: Mapping[str, int]) -> Iterator[TensorSource]:
    if not isinstance(value, list):
        return
    match value:
        case [str(name), int(node), int(tensor)] if name in begins:
            yield TensorSource(place, "", name, node - begins[name], tensor)
        case _:
            for entry in value:
                yield from _keyword_sources(place, entry, begins)
