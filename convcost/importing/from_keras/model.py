"""Functional and sequential models of Keras: the graph of their layers, walked in order."""

from collections.abc import Callable, Iterator
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing, Path
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import LAYERS, Call
from convcost.importing.from_keras.names import paths
from convcost.importing.value import Value

Tensors = tuple[Value, ...]
FUNCTIONAL = ("Functional", "Model")
EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"


def drawn(
    config: dict[str, Any],
    file: str,
    size: tuple[int, ...] | None,
    given: tuple[tuple[int, ...], ...],
) -> Drawing:
    """A model's layers. Raises Refusal."""
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    easel = Easel(str(name or file), f"Keras, {file}")
    walk = _Walk(easel, size, given)
    try:
        outputs = walk.model(config, (), "", None)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        said = f"{type(error).__name__}: {error}"
        raise Refusal("CC404", f"the configuration is not as Keras writes it ({said})") from None
    return easel.drawing(outputs)


class _Walk:
    def __init__(
        self, easel: Easel, size: tuple[int, ...] | None, given: tuple[tuple[int, ...], ...]
    ) -> None:
        self.easel = easel
        self.size = size
        self.given = list(given)
        self.paths: dict[str, Path] = {}

    def model(self, config: dict[str, Any], path: Path, key: str, feed: Tensors | None) -> Tensors:
        """What a model gives for `feed`; without one it makes inputs of its own."""
        kind, inner = config["class_name"], config.get("config")
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
        self, layers: list[dict[str, Any]], inner: Any, path: Path, key: str, feed: Tensors | None
    ) -> Tensors:
        tensors = feed
        self.paths.update(paths([_name(one) for one in layers]))
        for one in layers:
            if one["class_name"] == "InputLayer":
                tensors = tensors or (self._input(one["config"]),)
                continue
            if tensors is None:
                built = inner.get("build_input_shape") if isinstance(inner, dict) else None
                shape = one["config"].get("batch_input_shape") or built
                tensors = (self._input({"name": "input", "batch_shape": shape}),)
            tensors = self._call(one, path, key, tensors)
        if tensors is None:
            raise Refusal("CC404", "the model has no layers")
        return tensors

    def _graph(self, inner: dict[str, Any], path: Path, key: str, feed: Tensors | None) -> Tensors:
        known: dict[tuple[str, int, int], Value] = {}
        layers = {_name(one): one for one in inner["layers"]}
        self.paths.update(paths(layers))
        for number, (name, _, _) in enumerate(_references(inner["input_layers"])):
            value = self._input(layers[name]["config"]) if feed is None else feed[number]
            known[name, 0, 0] = value
        waiting = [
            (name, node, call)
            for name, one in layers.items()
            for node, call in enumerate(one.get("inbound_nodes") or ())
            if (name, 0, 0) not in known
        ]
        while waiting:
            later = []
            for name, node, call in waiting:
                sources = list(_sources(call))
                if any(source[:3] not in known for source in sources):
                    later.append((name, node, call))
                    continue
                values = tuple(known[source[:3]] for source in sources)
                self._hold(values, sources, name)
                found = self._call(layers[name], path, key, values)
                known.update({(name, node, k): value for k, value in enumerate(found)})
            if len(later) == len(waiting):
                names = ", ".join(f"`{name}`" for name, *_ in later[:3])
                raise Refusal("CC404", f"the layers go in a circle, or their inputs lack: {names}")
            waiting = later
        return tuple(known[ref[0], ref[1], ref[2]] for ref in _references(inner["output_layers"]))

    def _call(self, one: dict[str, Any], path: Path, key: str, values: Tensors) -> Tensors:
        name, kind = _name(one), str(one["class_name"])
        here, own = (*path, *self.paths.get(name, (name,))), f"{key}/{name}"
        if kind in (*FUNCTIONAL, "Sequential"):
            return self.model(one, here, own, values)
        config = one["config"]
        draw = LAYERS.get(kind)
        if draw is None:
            return (self._unknown(one, here, values),)
        value = self._at(here, draw, Call(kind, config, values, here, own))
        return (value,)

    def _at(self, path: Path, draw: Callable[[Easel, Call], Value], call: Call) -> Value:
        try:
            return draw(self.easel, call)
        except Refusal as refusal:
            where = "/".join(path)
            raise Refusal(
                refusal.code, f"layer `{where}`: {refusal.message}", refusal.help
            ) from None

    def _input(self, config: dict[str, Any]) -> Value:
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        name = str(config.get("name", "input"))
        if self.given:
            c, *size = self.given.pop(0)
            dims: list[int | None] = [1, *size, c]
        elif shape is None:
            raise Refusal("CC405", "the model does not say what it takes", "add --input 3x224x224")
        else:
            dims = [1, *shape[1:]]
        axes = len(dims) - 2
        if self.size is not None:
            wanted = self.size * axes if len(self.size) == 1 else self.size
            dims[1:-1] = wanted
        if any(n is None for n in dims):
            shown = "×".join("?" if n is None else str(n) for n in dims[1:])
            raise Refusal(
                "CC405", f"input `{name}` is open: {shown}", "add --size 224, or --input 3x224x224"
            )
        found = [int(n) for n in dims if n is not None]
        first = axes == 2 and found[1] <= 4 < found[-1]  # noqa: PLR2004  maps, channels first
        return self.easel.input(name, found, 1 if first else len(found) - 1)

    def _hold(self, values: Tensors, sources: list[Any], name: str) -> None:
        """Our shapes against those that the configuration has, where it has them all."""
        if self.size is not None or self.given:
            return
        for value, (_, _, _, told) in zip(values, sources, strict=True):
            if told is None or len(told) != len(value.dims):
                continue
            pairs = zip(told[1:], value.dims[1:], strict=True)
            if any(a is not None and a != b for a, b in pairs):
                ours = "×".join(map(str, value.dims[1:]))
                theirs = "×".join(map(str, told[1:]))
                raise Refusal("CC402", f"what enters `{name}` is {ours}, the model says {theirs}")

    def _unknown(self, one: dict[str, Any], path: Path, values: Tensors) -> Value:
        raise Refusal(
            "CC401", f"layer `{'/'.join(path)}`: the class `{one['class_name']}` is not read",
            EXPORTED,
        )  # fmt: skip


def _name(one: dict[str, Any]) -> str:
    return str(one.get("name") or one["config"]["name"])


def _references(found: Any) -> list[tuple[str, int, int]]:
    """`["x", 0, 0]`, or a list or mapping of such."""
    if isinstance(found, dict):
        found = list(found.values())
    if len(found) == 3 and isinstance(found[0], str):  # noqa: PLR2004  name, node, tensor
        found = [found]
    return [(str(name), int(node), int(tensor)) for name, node, tensor, *_ in found]


def _sources(call: Any) -> Iterator[tuple[str, int, int, list[int | None] | None]]:
    """The tensors that a call takes, with the shapes they are said to have."""
    if isinstance(call, list):  # Keras 2
        for entry in call:
            name, node, tensor, *more = entry
            yield str(name), int(node), int(tensor), None
            yield from _kept(more[0] if more else {})
        return
    yield from _kept(call.get("args"))
    yield from _kept(call.get("kwargs"))


def _kept(given: Any) -> Iterator[tuple[str, int, int, list[int | None] | None]]:
    if isinstance(given, dict) and given.get("class_name") == "__keras_tensor__":
        name, node, tensor = given["config"]["keras_history"]
        yield str(name), int(node), int(tensor), given["config"].get("shape")
    elif isinstance(given, dict):
        for value in given.values():
            yield from _kept(value)
    elif isinstance(given, list | tuple):
        for value in given:
            yield from _kept(value)
