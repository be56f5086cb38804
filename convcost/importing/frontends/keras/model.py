"""Functional and sequential models of Keras: lowers the layers of their graph in order."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from convcost.importing.frontends.keras import nodes
from convcost.importing.frontends.keras.call import LayerCall, Rule
from convcost.importing.frontends.keras.classes import LayerConfig, is_of_keras
from convcost.importing.frontends.keras.input_shape import input_dims, own_input_shape
from convcost.importing.frontends.keras.layer_config import (
    READ_ERRORS,
    format_error,
    is_frozen,
    lowering_rule,
    made_up,
    name_of,
    refuse_options,
)
from convcost.importing.frontends.keras.names import paths, snake_case
from convcost.importing.frontends.keras.nodes import FUNCTIONAL, CallInputs, KerasCall, Tensors
from convcost.importing.frontends.keras.stored_weights import StoredWeights
from convcost.importing.frontends.keras.unknown import (
    EXPORTED,
    LayerFacts,
    add_uncounted,
    help_text,
    next_input_shape,
)
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import LayerGraph, Path
from convcost.importing.ir.refusals import prefix_errors
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.rewrite import rewrite
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

MAX_LAYERS = 20_000  # nested models that are each called twice grow exponentially


def lower_model(
    config: dict[str, Any],
    file: str,
    size: tuple[int, ...] | None,
    inputs: tuple[tuple[int, ...], ...],
    weights: StoredWeights,
) -> LayerGraph:
    """The layers of a model; `weights` are those of its file. Raises ConstraintError."""
    inner = config.get("config")
    name = inner.get("name") if isinstance(inner, dict) else None
    builder = GraphBuilder(str(name or file), f"Keras, {file}")
    walk = _KerasWalk(builder, size, inputs, weights)
    try:
        outputs = walk.model(config, (), "", None)
        if is_frozen(config):
            builder.freeze(0)
    except READ_ERRORS as error:
        raise ConstraintError("CC404", f"the configuration {format_error(error)}") from None
    except RecursionError:
        raise ConstraintError("CC404", "the configuration is nested too deeply") from None
    if walk.given:
        input_count = len(builder.inputs)
        raise ConstraintError(
            "CC405", f"the model takes {input_count}, but {len(inputs)} --input are given"
        )
    return rewrite(builder.graph(outputs))


class _KerasWalk:
    """Adds the layers of a configuration to `builder`, in the order of the calls. `size` and
    `given` are the sizes that the user gives; each input of the model takes the next entry of
    `given`. `paths` has the path of each layer within its model, by the layer's name."""

    def __init__(
        self, builder: GraphBuilder, size: tuple[int, ...] | None,
        inputs: tuple[tuple[int, ...], ...], weights: StoredWeights,
    ) -> None:  # fmt: skip
        self.builder = builder
        self.size = size
        self.given = list(inputs)
        self.weights = weights
        self.paths: dict[str, Path] = {}
        # The group of a layer's weights in the file, by the layer's key.
        self.groups: dict[str, str] = {}
        # Output shapes of calls in the configuration, by layer and call.
        self.declared: dict[tuple[str, int], list[int | None]] = {}

    def model(
        self, config: dict[str, Any], path: Path, key: str, feed: CallInputs | None
    ) -> Tensors:
        """The outputs of a model for the inputs `feed`. Without `feed`, the model's own inputs are
        added."""
        kind, inner = config["class_name"], config.get("config")
        if not is_of_keras(config):
            inner = None
        if kind == "Sequential" and isinstance(inner, dict):
            return self._sequence(inner, path, key, feed)
        if kind in FUNCTIONAL and isinstance(inner, dict) and "layers" in inner:
            return self._graph(inner, path, key, feed)
        raise ConstraintError(
            "CC401",
            f"`{kind}` is a subclassed model: its configuration has no layers",
            EXPORTED,
        )  # fmt: skip

    def _sequence(
        self, inner: dict[str, Any], path: Path, key: str, feed: CallInputs | None
    ) -> Tensors:
        """Adds the layers of a Sequential model, and returns its outputs."""
        layers: list[LayerConfig] = inner["layers"]
        tensors = None if feed is None else feed.values
        self._set_paths(layers, key)
        for number, layer in enumerate(layers):
            if (shape := next_input_shape(layers[number + 1 :])) is not None:
                self.declared[f"{key}/{name_of(layer)}", 0] = shape
            if layer["class_name"] == "InputLayer":
                tensors = tensors or (self._input(layer["config"]),)
                continue
            if tensors is None:
                shape = own_input_shape(layer) or inner.get("build_input_shape")
                tensors = (self._input({"name": "input", "batch_shape": shape}),)
            tensors = self._call(layer, path, key, CallInputs(tensors))[:1]
        if tensors is None:
            raise ConstraintError("CC404", "the model has no layers")
        return tensors

    def _graph(
        self, inner: dict[str, Any], path: Path, key: str, feed: CallInputs | None
    ) -> Tensors:
        """Adds the layers of a functional model, and returns its outputs."""
        layers = {name_of(layer): layer for layer in inner["layers"]}
        self._set_paths(layers.values(), key)
        first = nodes.first_call_numbers(layers, older=nodes.is_older(layers))
        tensor_by_reference = self._connect_inputs(
            layers, nodes.references(inner["input_layers"]), feed
        )
        calls = [
            nodes.GraphCall(name, node, str(layer["class_name"]), nodes.sources(call, first))
            for name, layer in layers.items()
            for node, call in enumerate(layer.get("inbound_nodes") or ())
            if (name, 0, 0) not in tensor_by_reference
        ]
        self._declare((source for call in calls for source in call.sources), key)
        ends = [end for _, end in nodes.references(inner["output_layers"], first)]
        masking = nodes.masks(calls) - {name for name, *_ in ends}
        self.builder.free.update(call.kind for call in calls if call.layer in masking)
        calls = [call for call in calls if call.layer not in masking]
        self._lower_calls(calls, layers, tensor_by_reference, path, key)
        nodes.refuse_further_outputs(tensor_by_reference, ends)
        return tuple(tensor_by_reference[end] for end in ends)

    def _lower_calls(
        self,
        calls: list[nodes.GraphCall],
        layers: dict[str, LayerConfig],
        tensor_by_reference: dict[nodes.Reference, Tensor],
        path: Path,
        key: str,
    ) -> None:
        """Adds the calls of layers to a graph, and their outputs to `tensor_by_reference`."""
        without_masks = []
        for call in calls:
            with prefix_errors(f"layer `{'/'.join((*path, call.layer))}`"):
                without_masks.append(
                    call._replace(sources=nodes.without_masks_and_states(call.sources, call.kind))
                )
        for name, node, _, read in nodes.in_order(without_masks, tensor_by_reference):
            nodes.refuse_further_outputs(tensor_by_reference, (source.reference for source in read))
            values = tuple(tensor_by_reference[source.reference] for source in read)
            self._verify_inputs(values, read, name)
            feed = CallInputs(values, tuple(read))
            for k, value in enumerate(self._call(layers[name], path, key, feed, node)):
                tensor_by_reference[name, node, k] = value

    def _connect_inputs(
        self,
        layers: dict[str, LayerConfig],
        ends: list[tuple[str, nodes.Reference]],
        feed: CallInputs | None,
    ) -> dict[nodes.Reference, Tensor]:
        """Connects the inputs of a model: by name if they are a mapping, otherwise in order."""
        names = [name for _, (name, *_) in ends]
        if feed is None:
            values = [self._input(layers[name]["config"]) for name in names]
        elif any(source.key for source in feed.sources):
            keys = (source.key for source in feed.sources)
            value_by_key = dict(zip(keys, feed.values, strict=True))
            input_keys = [key or name for key, (name, *_) in ends]
            if missing := [key for key in input_keys if key not in value_by_key]:
                raise ConstraintError(
                    "CC404", f"a model is called without its input `{missing[0]}`"
                )
            values = [value_by_key[key] for key in input_keys]
        else:
            values = [*feed.values]
            if len(values) != len(ends):
                raise ConstraintError(
                    "CC404",
                    f"a model of {counted(len(ends), 'input')} is called with {len(values)}",
                )
        return {(name, 0, 0): value for name, value in zip(names, values, strict=True)}

    def _set_paths(self, layers: Iterable[LayerConfig], key: str) -> None:
        """Sets the paths of a model's layers, and the groups of their weights in the file."""
        layers = list(layers)
        self.paths.update(paths(name_of(layer) for layer in layers if not made_up(layer)))
        seen: Counter[str] = Counter()
        for layer in layers:
            word = snake_case(str(layer["class_name"]))
            group = f"{word}_{seen[word]}" if seen[word] else word
            seen[word] += 1
            above = f"{self.groups[key]}/" if key else ""
            self.groups[f"{key}/{name_of(layer)}"] = f"{above}layers/{group}"

    def _declare(self, tensor_sources: Iterable[nodes.TensorSource], key: str) -> None:
        """Collects the output shapes of calls from the layers that read them. Calls with several
        outputs are left out."""
        several = set()
        for source in tensor_sources:
            call = f"{key}/{source.name}", source.node
            if source.tensor:
                several.add(call)
            if source.shape is not None:
                self.declared[call] = source.shape
        for call in several:
            self.declared.pop(call, None)

    def _call(
        self, layer: LayerConfig, path: Path, key: str, feed: CallInputs, node: int = 0
    ) -> Tensors:
        """The outputs of a layer, or of a model inside, in the model with this path and key. If it
        is not trainable, all layers in it are frozen."""
        name, first = name_of(layer), len(self.builder.layers)
        here = (*path, *self.paths.get(name, (name,)))
        use = KerasCall(layer, here, f"{key}/{name}", feed, node)
        if use.kind in (*FUNCTIONAL, "Sequential") and is_of_keras(layer):
            outputs = self.model(layer, here, use.key, feed)
        elif first > MAX_LAYERS:
            raise ConstraintError(
                "CC401", f"the model has more than {MAX_LAYERS:,} layers", EXPORTED
            )
        else:
            outputs = self._lower_call(use)
        if is_frozen(layer):
            self.builder.freeze(first)
        return outputs

    def _lower_call(self, use: KerasCall) -> Tensors:
        """Adds the layers of one call of a Keras layer, and returns its outputs."""
        rule, first = lowering_rule(use.layer), len(self.builder.layers)
        if rule is None or not is_of_keras(use.layer):
            return (add_uncounted(self.builder, use, self._stated_facts(use)),)
        outputs = self._lower(rule, use)
        if made_up(use.layer):  # the kind is a better name than Keras' automatic one
            for index, added in enumerate(self.builder.layers[first:], first):
                if added.path == use.path:
                    path = (*use.path[:-1], added.kind)
                    self.builder.layers[index] = added._replace(path=path)
        return outputs

    def _stated_facts(self, use: KerasCall) -> LayerFacts:
        """The facts that the file states about a layer that convcost cannot count."""
        shape = use.feed.sources[0].shape if use.feed.sources else None
        stored = self.weights.elements(self.groups[use.key], use.key)
        return LayerFacts(self.declared.get((use.key, use.node)), shape, stored, self.weights.lack)

    def _lower(self, rule: Rule, use: KerasCall) -> Tensors:
        """The outputs of a layer. If its rule does not support it, it becomes a `custom` layer,
        provided that the file states its shape and its weights."""
        places = tuple(source.place for source in use.feed.sources)
        call = LayerCall(
            self.builder, use.kind, use.layer["config"], use.feed.values, use.path, use.key, places,
            nodes.keywords(use.layer, use.node), self._inner,
        )  # fmt: skip
        first, where = len(self.builder.layers), "/".join(use.path)
        try:
            refuse_options(call)
            outputs = rule(call)
            return (outputs,) if isinstance(outputs, Tensor) else outputs
        except ConstraintError as refusal:
            help_ = refusal.help
            if refusal.code == "CC401" and len(self.builder.layers) == first:
                facts = self._stated_facts(use)
                if facts.stored is not None and facts.output is not None:
                    return (add_uncounted(self.builder, use, facts, refusal.message),)
                help_ = help_ or help_text(facts)
            raise ConstraintError(
                refusal.code, f"layer `{where}`: {refusal.message}", help_
            ) from None
        except READ_ERRORS as error:
            raise ConstraintError("CC404", f"layer `{where}` {format_error(error)}") from None

    def _inner(
        self, builder: GraphBuilder, layer: LayerConfig, x: Tensor, path: Path, key: str
    ) -> Tensor:
        """The output of a layer inside another layer. `builder` may differ from the model's
        builder."""
        before, self.builder = self.builder, builder
        outer, _, name = key.rpartition("/")
        self.groups[f"{key}/{name_of(layer)}"] = f"{self.groups[outer]}/{name}"
        try:
            value, *_ = self._call(layer, path, key, CallInputs((x,)))
        finally:
            self.builder = before
        return value

    def _input(self, config: dict[str, Any]) -> Tensor:
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        name = str(config.get("name", "input"))
        option_dims = self.given.pop(0) if self.given else None
        dims, channel = input_dims(name, shape, option_dims, self.size)
        return self.builder.input(name, dims, channel)

    def _verify_inputs(self, values: Tensors, sources: list[nodes.TensorSource], name: str) -> None:
        """Compares computed shapes with the shapes in the configuration. Raises ConstraintError."""
        for value, expected in zip(values, (source.shape for source in sources), strict=True):
            if expected is None or len(expected) != len(value.dims):
                continue
            pairs = zip(expected[1:], value.dims[1:], strict=True)
            if any(a is not None and a != b for a, b in pairs):
                computed = "×".join(map(str, value.dims[1:]))
                shape = "×".join(map(str, expected[1:]))
                raise ConstraintError(
                    "CC402", f"the input of `{name}` is {computed}, but the model states {shape}"
                )
