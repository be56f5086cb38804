"""What a call of a layer takes: tensors by position and by name, in the forms of Keras 2 and 3."""

from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from convcost.errors import Refusal

Reference: TypeAlias = tuple[str, int, int]  # layer, its call, the call's tensor
ATTENTION = ("MultiHeadAttention", "GroupedQueryAttention", "GroupQueryAttention")
FUNCTIONAL = ("Functional", "Model")
# Tensors that choose what is seen or start a state: neither params nor macs come of them.
FREE = ("mask", "query_mask", "value_mask", "key_mask", "attention_mask", "initial_state")
# What masks are made of; left out where nothing else takes it.
OF_MASKS = ("NotEqual", "Equal", "Any", "All", "LogicalAnd", "LogicalOr", "LogicalNot")
FIRST = ("inputs", "sequences", "x", "x1", "x2")  # the tensors themselves, called by name


class Source(NamedTuple):
    """A tensor that a call takes: `place` is its position or keyword, `key` its own in a mapping,
    `shape` what the configuration says of it."""

    place: str
    key: str
    name: str
    node: int
    tensor: int
    shape: list[int | None] | None = None

    @property
    def reference(self) -> Reference:
        return self.name, self.node, self.tensor


def sources(call: Any, begins: Mapping[str, int]) -> list[Source]:
    """The tensors that a call takes; `begins` gives each layer's number of its first call in the
    form of Keras 2."""
    if isinstance(call, dict) and ("args" in call or "kwargs" in call):
        found = list(_kept(list(call.get("args") or ()), ""))
        for name, value in (call.get("kwargs") or {}).items():
            found += [one._replace(place=name) for one in _kept([value], "")]
        return found
    return list(_older(call, begins))


def keywords(one: dict[str, Any], node: int) -> dict[str, Any]:
    """What a call is given by keyword, tensors and all else."""
    calls = one.get("inbound_nodes") or ()
    call = calls[node] if node < len(calls) else None
    if not isinstance(call, dict):
        return {}
    given, found = call.get("args"), call.get("kwargs")
    found = found if isinstance(found, dict) else {}
    if one["class_name"] == "GetItem" and isinstance(given, list) and len(given) > 1:
        return {**found, "key": given[1]}  # what stands in the brackets of x[…]
    return found


def unmasked(found: list[Source], kind: str) -> list[Source]:
    """Those that the layer works on. Raises Refusal for a keyword of unknown meaning."""
    if kind == "TFOpLambda":
        return found
    if kind in ATTENTION:
        return [one for one in found if one.place not in FREE and one.place not in "3456"]
    for one in found:
        if not one.place.isdecimal() and one.place not in (*FREE, *FIRST):
            raise Refusal("CC401", f"{kind} takes a tensor as `{one.place}`, which is not read")
    return [one for one in found if one.place not in FREE]


def masks(waiting: list[tuple[str, int, str, list[Source]]]) -> set[str]:
    """The names of layers that only make masks, out of (name, call, class, what it takes)."""
    found = {name for name, _, kind, _ in waiting if kind in OF_MASKS}
    while found:
        used = {
            one.name
            for name, _, kind, taken in waiting
            for one in (() if name in found else taken)
            if one.name in found and one.place not in FREE
        }
        if not used:
            break
        found -= used
    return found


def several(known: Container[Reference], wanted: Iterable[Reference]) -> None:
    """Raises Refusal for a tensor of a call that gave another: states, or the weights of
    attention."""
    for name, node, tensor in wanted:
        if (name, node, tensor) not in known and (name, node, 0) in known:
            raise Refusal(
                "CC401",
                f"layer `{name}` gives several tensors, of which only the first is read",
                "states that only start other layers' are no obstacle",
            )


def begins(layers: Mapping[str, dict[str, Any]], *, older: bool) -> dict[str, int]:
    """The number that a layer's first call has where references count a model's own making too."""
    found = {}
    for name, one in layers.items():
        inner: Any = one["config"].get("layers") if isinstance(one["config"], dict) else None
        fed = bool(inner) and inner[0]["class_name"] == "InputLayer"
        sequence = older and fed and one["class_name"] == "Sequential"
        found[name] = int(one["class_name"] in FUNCTIONAL or sequence)
    return found


def is_older(layers: Mapping[str, dict[str, Any]]) -> bool:
    """Whether calls are written as Keras 2 does: lists of references."""
    calls = [call for one in layers.values() for call in one.get("inbound_nodes") or ()]
    return any(not isinstance(call, dict) or not {"args", "kwargs"} & set(call) for call in calls)


def references(found: Any, begins: Mapping[str, int] = {}) -> list[tuple[str, Reference]]:
    """The ends of a model, `["x", 0, 0]` or a list or mapping of such, each with its key in a
    mapping; in the order of Keras, which sorts keys."""
    if isinstance(found, dict):
        return [
            (str(key), one) for key in sorted(found) for _, one in references(found[key], begins)
        ]
    if not isinstance(found, list | tuple):
        raise TypeError(f"{found!r:.40} is no tensor")
    if len(found) == 3 and isinstance(found[0], str):  # noqa: PLR2004  name, node, tensor
        name, node, tensor = found
        return [("", (name, int(node) - begins.get(name, 0), int(tensor)))]
    return [one for each in found for one in references(each, begins)]


def _kept(given: Any, place: str, key: str = "") -> Iterator[Source]:
    if isinstance(given, dict) and given.get("class_name") == "__keras_tensor__":
        name, node, tensor = given["config"]["keras_history"]
        shape = given["config"].get("shape")
        yield Source(place or "0", key, str(name), int(node), int(tensor), shape)
    elif isinstance(given, dict):
        for name in sorted(given):
            yield from _kept(given[name], place, name)
    elif isinstance(given, list | tuple):
        for number, value in enumerate(given):
            yield from _kept(value, place or str(number), key)


def _older(call: Any, begins: Mapping[str, int]) -> Iterator[Source]:
    """`["x", 0, 0, {"value": ["y", 0, 0]}]`, or a list or mapping of such."""
    keyed = sorted(call.items()) if isinstance(call, dict) else [("", one) for one in call]
    if not isinstance(call, dict) and call and isinstance(call[0], str):
        keyed = [("", call)]
    for number, (key, (name, node, tensor, *more)) in enumerate(keyed):
        if name != "_CONSTANT_VALUE":
            yield Source("0", key, str(name), int(node) - begins.get(name, 0), int(tensor))
        if number == 0 and more:
            for place, value in more[0].items():
                yield from _named(place, value, begins)


def _named(place: str, value: Any, begins: Mapping[str, int]) -> Iterator[Source]:
    if not isinstance(value, list):
        return
    match value:
        case [str(name), int(node), int(tensor)] if name in begins:
            yield Source(place, "", name, node - begins[name], tensor)
        case _:
            for one in value:
                yield from _named(place, one, begins)
