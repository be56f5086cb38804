"""Functional and sequential models of Keras: the graph of their layers, walked in order."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing, Path
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, Draw
from convcost.importing.from_keras.classes import is_own
from convcost.importing.from_keras.entry import entry
from convcost.importing.from_keras.names import paths, snaked
from convcost.importing.from_keras.nodes import (
    FUNCTIONAL,
    Reference,
    Source,
    begins,
    is_older,
    keywords,
    masks,
    references,
    several,
    sources,
    unmasked,
)
from convcost.importing.from_keras.one import DAMAGED, damaged, drawer, made_up, name_of, plain
from convcost.importing.from_keras.unknown import EXPORTED, Known, helping, of_sequence, unknown
from convcost.importing.value import Value

Tensors = tuple[Value, ...]
MOST = 20_000  # layers: models within models, each called twice, soon are more than anyone reads
Stored = Callable[[str, str], int | None]  # elements in the file, by a group or a layer's key


class Feed(NamedTuple):
    """What a layer is called on, and where that comes from, if a graph tells."""

    values: Tensors
    sources: tuple[Source, ...] = ()


def drawn(
    config: dict[str, Any],
    file: str,
    size: tuple[int, ...] | None,
    given: tuple[tuple[int, ...], ...],
    stored: Stored = lambda *_: None,
    lack: str = "",
) -> Drawing:
    """A model's layers; `lack` says why nothing is `stored`. Raises Refusal."""
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    easel = Easel(str(name or file), f"Keras, {file}")
    walk = _Walk(easel, size, given, stored, lack)
    try:
        outputs = walk.model(config, (), "", None)
    except DAMAGED as error:
        raise Refusal("CC404", f"the configuration {damaged(error)}") from None
    except RecursionError:
        raise Refusal("CC404", "the configuration is nested too deep") from None
    if walk.given:
        taken = len(easel.inputs)
        raise Refusal("CC405", f"the model takes {taken}, but {len(given)} --input are given")
    if not easel.layers:
        raise Refusal("CC401", "nothing in the model costs anything: no layer is left to write")
    return easel.drawing(outputs)


class _Walk:
    def __init__(
        self, easel: Easel, size: tuple[int, ...] | None, given: tuple[tuple[int, ...], ...],
        stored: Stored, lack: str,
    ) -> None:  # fmt: skip
        self.easel = easel
        self.size = size
        self.given = list(given)
        self.stored = stored
        self.lack = lack
        self.paths: dict[str, Path] = {}
        self.groups: dict[str, str] = {}  # where the file keeps the weights of a layer, by its key
        self.told: dict[tuple[str, int], list[int | None]] = {}  # what calls give, by their layer

    def model(self, config: dict[str, Any], path: Path, key: str, feed: Feed | None) -> Tensors:
        """What a model gives for `feed`; without one it makes inputs of its own."""
        kind, inner = config["class_name"], config.get("config")
        if not is_own(config):
            inner = None
        if kind == "Sequential" and isinstance(inner, dict | list):
            layers = inner["layers"] if isinstance(inner, dict) else inner
            return self._sequence(layers, inner, path, key, feed)
        if kind in FUNCTIONAL and isinstance(inner, dict) and "layers" in inner:
            return self._graph(inner, path, key, feed)
        raise Refusal(
            "CC401", f"`{kind}` is a model of its own class: its configuration holds no layers",
            EXPORTED,
        )  # fmt: skip

    def _sequence(
        self, layers: list[dict[str, Any]], inner: Any, path: Path, key: str, feed: Feed | None
    ) -> Tensors:
        tensors = None if feed is None else feed.values
        self._named(layers, key)
        for number, one in enumerate(layers):
            if (told := of_sequence(layers[number + 1 :])) is not None:
                self.told[f"{key}/{name_of(one)}", 0] = told
            if one["class_name"] == "InputLayer":
                tensors = tensors or (self._input(one["config"]),)
                continue
            if tensors is None:
                built = inner.get("build_input_shape") if isinstance(inner, dict) else None
                shape = one["config"].get("batch_input_shape") or built
                tensors = (self._input({"name": "input", "batch_shape": shape}),)
            tensors = self._call(one, path, key, Feed(tensors))
        if tensors is None:
            raise Refusal("CC404", "the model has no layers")
        return tensors

    def _graph(self, inner: dict[str, Any], path: Path, key: str, feed: Feed | None) -> Tensors:
        layers = {name_of(one): one for one in inner["layers"]}
        self._named(layers.values(), key)
        first = begins(layers, older=is_older(layers))
        known = self._entered(layers, references(inner["input_layers"]), feed)
        waiting = [
            (name, node, str(one["class_name"]), sources(call, first))
            for name, one in layers.items()
            for node, call in enumerate(one.get("inbound_nodes") or ())
            if (name, 0, 0) not in known
        ]
        self._tell((source for *_, taken in waiting for source in taken), key)
        ends = [end for _, end in references(inner["output_layers"], first)]
        masking = masks(waiting) - {name for name, *_ in ends}
        self.easel.free.update(kind for name, _, kind, _ in waiting if name in masking)
        waiting = [one for one in waiting if one[0] not in masking]
        while waiting:
            later = []
            for name, node, kind, taken in waiting:
                kept = self._unmasked(taken, kind, (*path, name))
                if any(one.reference not in known for one in kept):
                    later.append((name, node, kind, taken))
                    continue
                values = tuple(known[one.reference] for one in kept)
                self._hold(values, kept, name)
                found = self._call(layers[name], path, key, Feed(values, tuple(kept)), node)
                known.update({(name, node, k): value for k, value in enumerate(found)})
            if len(later) == len(waiting):
                several(known, (one.reference for *_, taken in later for one in taken))
                names = ", ".join(f"`{name}`" for name, *_ in later[:3])
                raise Refusal("CC404", f"the layers go in a circle, or their inputs lack: {names}")
            waiting = later
        several(known, ends)
        return tuple(known[end] for end in ends)

    def _entered(
        self, layers: dict[str, Any], ends: list[tuple[str, Reference]], feed: Feed | None
    ) -> dict[Reference, Value]:
        """What the inputs of a model are: those of a mapping by their names, others in order."""
        if feed is None:
            return {(name, 0, 0): self._input(layers[name]["config"]) for _, (name, *_) in ends}
        keys = [one.key for one in feed.sources]
        if any(keys):
            given = dict(zip(keys, feed.values, strict=True))
            wanted = [key or name for key, (name, *_) in ends]
            if missing := [name for name in wanted if name not in given]:
                raise Refusal("CC404", f"a model is called without its input `{missing[0]}`")
            return {
                (name, 0, 0): given[key] for key, (_, (name, *_)) in zip(wanted, ends, strict=True)
            }
        if len(feed.values) != len(ends):
            raise Refusal(
                "CC404", f"a model of {len(ends)} inputs is called with {len(feed.values)}"
            )
        return {
            (name, 0, 0): value for (_, (name, *_)), value in zip(ends, feed.values, strict=True)
        }

    def _unmasked(self, taken: list[Source], kind: str, path: Path) -> list[Source]:
        try:
            return unmasked(taken, kind)
        except Refusal as refusal:
            where = "/".join(path)
            raise Refusal(refusal.code, f"layer `{where}`: {refusal.message}") from None

    def _named(self, layers: Iterable[dict[str, Any]], key: str) -> None:
        """The paths of a model's layers, and where the file keeps their weights."""
        layers = list(layers)
        self.paths.update(paths(name_of(one) for one in layers if not made_up(one)))
        seen: Counter[str] = Counter()
        for one in layers:
            word = snaked(str(one["class_name"]))
            group = f"{word}_{seen[word]}" if seen[word] else word
            seen[word] += 1
            above = f"{self.groups[key]}/" if key else ""
            self.groups[f"{key}/{name_of(one)}"] = f"{above}layers/{group}"

    def _tell(self, taken: Iterable[Source], key: str) -> None:
        """What calls are said to give, by those that take it; of one tensor each."""
        several = set()
        for one in taken:
            call = f"{key}/{one.name}", one.node
            if one.tensor:
                several.add(call)
            if one.shape is not None:
                self.told[call] = one.shape
        for call in several:
            self.told.pop(call, None)

    def _call(
        self, one: dict[str, Any], path: Path, key: str, feed: Feed, node: int = 0
    ) -> Tensors:
        name, kind, values = name_of(one), str(one["class_name"]), feed.values
        here, own = (*path, *self.paths.get(name, (name,))), f"{key}/{name}"
        if kind in (*FUNCTIONAL, "Sequential") and is_own(one):
            return self.model(one, here, own, feed)
        if len(self.easel.layers) > MOST:
            raise Refusal("CC401", f"the model comes to more than {MOST:,} layers", EXPORTED)
        draw = drawer(one)
        if draw is None or not is_own(one):
            known = self._known(one, own, node, feed)
            return (unknown(self.easel, one, here, values, known, own),)
        begun = len(self.easel.layers)
        value = self._at(draw, one, here, own, feed, node)
        if made_up(one):  # then the kind says as much
            for index, layer in enumerate(self.easel.layers[begun:], begun):
                if layer.path == here:
                    path = (*here[:-1], layer.kind)
                    self.easel.layers[index] = layer._replace(path=path)
        return (value,)

    def _known(self, one: dict[str, Any], key: str, node: int, feed: Feed) -> Known:
        """What the file tells of a layer that cannot be counted."""
        given = feed.sources[0].shape if feed.sources else None
        stored = self.stored(self.groups[key], key)
        return Known(self.told.get((key, node)), given, stored, self.lack)

    def _at(
        self, draw: Draw, one: dict[str, Any], path: Path, key: str, feed: Feed, node: int
    ) -> Value:
        """A form of a layer that is not read is none of a kind, where the file tells enough."""
        places = tuple(source.place for source in feed.sources)
        call = Call(
            str(one["class_name"]), one["config"], feed.values, path, key, places,
            keywords(one, node), self._inner,
        )  # fmt: skip
        begun, where = len(self.easel.layers), "/".join(path)
        try:
            plain(call)
            return draw(self.easel, call)
        except Refusal as refusal:
            help_ = refusal.help
            if refusal.code == "CC401" and len(self.easel.layers) == begun:
                known = self._known(one, key, node, feed)
                if known.stored is not None and known.output is not None:
                    said = refusal.message
                    return unknown(self.easel, one, path, feed.values, known, key, said)
                help_ = help_ or helping(known)
            raise Refusal(refusal.code, f"layer `{where}`: {refusal.message}", help_) from None
        except DAMAGED as error:
            raise Refusal("CC404", f"layer `{where}` {damaged(error)}") from None

    def _inner(self, easel: Easel, one: dict[str, Any], x: Value, path: Path, key: str) -> Value:
        """What a layer within another gives; drawn on `easel`, which may be one of its own."""
        before, self.easel = self.easel, easel
        outer, _, name = key.rpartition("/")
        self.groups[f"{key}/{name_of(one)}"] = f"{self.groups[outer]}/{name}"
        try:
            (value,) = self._call(one, path, key, Feed((x,)))
        finally:
            self.easel = before
        return value

    def _input(self, config: dict[str, Any]) -> Value:
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        name = str(config.get("name", "input"))
        given = self.given.pop(0) if self.given else None
        dims, channel = entry(name, shape, given, self.size)
        return self.easel.input(name, dims, channel)

    def _hold(self, values: Tensors, taken: list[Source], name: str) -> None:
        """Our shapes against those that the configuration has, where it has them all."""
        for value, told in zip(values, (one.shape for one in taken), strict=True):
            if told is None or len(told) != len(value.dims):
                continue
            pairs = zip(told[1:], value.dims[1:], strict=True)
            if any(a is not None and a != b for a, b in pairs):
                ours = "×".join(map(str, value.dims[1:]))
                theirs = "×".join(map(str, told[1:]))
                raise Refusal("CC402", f"what enters `{name}` is {ours}, the model says {theirs}")
