"""Builds the layer graph layer by layer. The builder computes the costs of each layer with its
kind, and compares them with the tensors and the shape that the model has for it."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, Path, stated_options
from convcost.importing.ir.refusals import prefix_errors
from convcost.importing.ir.reshape_idioms import named_rearrangement
from convcost.importing.ir.shared_weights import (
    COPY_IN,
    counted_weights,
    may_be_reused,
    original,
    shareable,
)
from convcost.importing.ir.tensor import Tensor, is_in_order, output_tensor, shape_by_channel
from convcost.model.kind import KINDS, Kind
from convcost.model.shape import Shape

MIXED = -1  # the weights are partly a layer's own and partly another layer's


class GraphBuilder:
    """The layers added so far. A tensor is identified by a key, which is any unique text. If the
    file stores equal tensors once, also those of several modules, `has_equal_numbers` says of a
    stored tensor whether all its numbers are equal, as those of new modules are; None means
    unknown."""

    def __init__(
        self, name: str, source: str, has_equal_numbers: Callable[[str], bool | None] | None = None
    ) -> None:
        self.name = name
        self.source = source
        self._equal = has_equal_numbers
        self.copies: dict[frozenset[str], dict[str, str]] = {}  # the latest copies of tensors
        self.inputs: list[tuple[str, Shape]] = []
        self.layers: list[GraphLayer] = []
        self.free: Counter[str] = Counter()
        self.notes: list[str] = []
        self.gaps: list[str] = []  # the notes that `note_gap` added
        self.classes: dict[Path, str] = {}
        self.used: dict[str, int] = {}  # the index of the layer that used a tensor first
        self.constant_layers: dict[Any, Tensor] = {}  # layers of tensors that depend on no input
        self.frozen: set[str] = set()  # keys of frozen tensors
        self._tensors: list[Mapping[str, int]] = []  # the learned tensors of each layer
        self._buffers: list[Mapping[str, int]] = []
        self._kinds: list[Kind[Any]] = []
        self._varies: list[tuple[bool, ...]] = []  # whether an extent depends on the input size
        self._input_varies: list[tuple[bool, ...]] = []
        self._arranged: dict[tuple[Any, ...], int] = {}

    # Inputs and outputs

    def input(self, name: str, dims: Sequence[int], channel: int, batch: int | None = 0) -> Tensor:
        """Adds an input of the model; `dims` have a batch of 1. A scalar has one channel."""
        if not dims:
            return self.input(name, (1,), 0, None)._replace(dims=(), axes=())
        size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
        shape = Shape(dims[channel], size)
        self.inputs.append((name, shape))
        self._input_varies.append((False, *(True for _ in size)))
        return output_tensor(-len(self.inputs), shape, len(dims), channel, batch)

    def graph(self, outputs: Sequence[Tensor]) -> LayerGraph:
        """The finished layer graph. Outputs with a pending rearrangement get a layer for it."""
        ends = tuple(self.materialize(value, _channel(value), ("output",)) for value in outputs)
        return LayerGraph(
            name=self.name,
            source=self.source,
            inputs=tuple(self.inputs),
            layers=tuple(map(self._with_frozen, range(len(self.layers)))),
            outputs=tuple(dict.fromkeys(ends)),
            free=tuple(sorted(self.free.items())),
            notes=tuple(self.notes),
            classes=tuple(self.classes.items()),
            gaps=tuple(self.gaps),
        )

    def note_gap(self, note: str) -> None:
        """Adds a note about something that the layers do not count as the model has it."""
        self.notes.append(note)
        self.gaps.append(note)

    # Layers

    def emit(
        self,
        kind: str,
        path: Path,
        inputs: Sequence[int],
        options: Mapping[str, Any] | None = None,
        *,
        tensors: Mapping[str, int] | None = None,
        buffers: Mapping[str, int] | None = None,
        note: str = "",
        rest: int | None = None,
        follows: Mapping[str, str] | None = None,
        computes_size: bool = False,
    ) -> int:
        """Adds a layer and returns its index.

        `options` are those of the kind, by their names in the language; options equal to the
        default are dropped. `tensors` are the learned tensors and `buffers` the buffers, each with
        its elements; the kind must count as many. `follows` has expressions for options that depend
        on the input size. `computes_size` means that the model computes the size of a resize.
        Raises ConstraintError.
        """
        kind_class = KINDS.get(kind)
        assert kind_class is not None, kind
        layer = kind_class(**self._checked(kind_class, options or {}))
        x = layer.select_inputs(tuple(self.shape(source) for source in inputs))
        output = layer.output(x)
        tensors, buffers = self._module_tensors(layer, tensors or {}, buffers)
        params, buffer_count = counted_weights(layer, x, tensors, buffers)
        shares = self._shared_layer(layer, x, (*tensors, *(buffers or {})))
        if shares == MIXED:
            return self._emit_partly_shared(layer, x, path, inputs, tensors, buffers or {})
        index = len(self.layers)
        for key in (*tensors, *(buffers or {})) if shares is None else ():
            self.used.setdefault(key, index)
        self.layers.append(
            GraphLayer(
                path=path,
                kind=kind,
                options=stated_options(kind_class, options or {}),
                inputs=tuple(inputs),
                output=output,
                params=0 if shares is not None else params,
                buffers=0 if shares is not None else buffer_count,
                macs=layer.macs(x).value,
                shares=shares,
                note=note,
                rest=rest,
                follows=tuple((follows or {}).items()),
                computes_size=computes_size,
            )
        )
        self._kinds.append(layer)
        self._tensors.append(tensors)
        self._buffers.append(buffers or {})
        self._varies.append(self._varying_extents(layer, inputs, output))
        return index

    def shape(self, source: int) -> Shape:
        return self.layers[source].output if source >= 0 else self.inputs[-1 - source][1]

    def varies(self, source: int) -> tuple[bool, ...]:
        """For the channels and for each axis of the size: whether it depends on the input size."""
        return self._varies[source] if source >= 0 else self._input_varies[-1 - source]

    def restate(self, index: int, inputs: Sequence[int], options: Mapping[str, Any]) -> None:
        """Replaces an earlier layer by a `custom` layer, which states its own costs. The output
        stays the same."""
        kind_class = KINDS.get("custom")
        assert kind_class is not None
        old = self.layers[index]
        layer = kind_class(**self._checked(kind_class, options))
        x = layer.select_inputs(tuple(self.shape(source) for source in inputs))
        assert layer.output(x) == old.output, (layer.output(x), old.output)
        self.layers[index] = old._replace(
            kind="custom",
            options=stated_options(kind_class, options),
            inputs=tuple(inputs),
            params=options["params"],
            macs=layer.macs(x).value,
            shares=None,
        )
        self._kinds[index] = layer
        self._varies[index] = self._varying_extents(layer, inputs, old.output)

    def inputs_and_shape_options(
        self, sources: Sequence[int], shape: Shape, macs: int = 0
    ) -> tuple[list[int], dict[str, Any]]:
        """The inputs of a `custom` layer with the output `shape`, and its options about shapes.

        If all inputs have that shape, the output has the shape of the input at any size. A stated
        shape or stated macs are valid at one size only, so the layer then also states its input
        shape.
        """
        if not macs and all(self.shape(source) == shape for source in sources):
            return list(sources), {}
        inputs = sorted(sources, key=lambda source: not any(self.varies(source)))
        first = self.shape(inputs[0])
        options = {"input": first} if any(self.varies(inputs[0])) else {}
        return inputs, options | ({"output": shape} if shape != first else {})

    def materialize(self, value: Tensor, channel: int, path: Path) -> int:
        """The source of a tensor with the axis `channel` as the channels and the other axes as the
        size, in order. Adds a layer for a pending rearrangement."""
        if not value.dims:  # a scalar
            is_scalar = self.shape(value.source) == Shape(1)
            return value.source if is_scalar else self.emit("flatten", path, [value.source])
        channel %= len(value.dims)
        if is_in_order(value, channel):
            return value.source
        shape = shape_by_channel(value, channel)
        # A rearrangement that is needed twice is added once.
        key = (value.source, value.origin, value.moves, value.axes, shape)
        if key not in self._arranged:
            self._arranged[key] = self._arrange(value, channel, shape, path)
        return self._arranged[key]

    def _arrange(self, value: Tensor, channel: int, shape: Shape, path: Path) -> int:
        """Adds the layer of a pending rearrangement to `shape` and returns its index: a named one,
        such as `pixel_shuffle`, otherwise a flatten or a reshape."""
        origin = value.origin or value
        if named := named_rearrangement(origin, value.moves, channel):
            kind, options = named
            index = self.emit(kind, (*path[:-1], kind), [value.source], options)
            assert self.shape(index) == shape, (kind, options, shape)
            return index
        if not shape.size:
            return self.emit("flatten", (*path[:-1], "flatten"), [value.source])
        options = {"shape": shape}
        rest = self._rest_entry(value.source, shape)
        return self.emit("reshape", (*path[:-1], "reshape"), [value.source], options, rest=rest)

    def _rest_entry(self, source: int, shape: Shape) -> int | None:
        """The entry of a reshape that can be `rest`, because it is the only one that depends on the
        input size; None if there is no such entry."""
        before = self.shape(source)
        varies = self.varies(source)
        if not any(varies):
            return None
        fixed = 1
        for extent, free in zip((before.channels, *before.size), varies, strict=True):
            fixed *= 1 if free else extent
        extents = (shape.channels, *shape.size)
        fits = [n for n, extent in enumerate(extents) if shape.elements // extent == fixed]
        if not fits:  # a fixed extent was split: 2·3 channels became 3 channels and 2 positions
            rests = [shape.elements // extent for extent in extents]
            fits = [n for n, others in enumerate(rests) if fixed % others == 0]
        return fits[-1] if len(fits) == 1 else None

    def copy(self, key: str) -> str:
        """The key of a layer's own copy of a tensor, if the file stores equal tensors once and a
        layer has this one; otherwise the key itself."""
        copied = key in self.used and self._equal is not None
        return f"{key}{COPY_IN}{len(self.layers)}" if copied else key

    def has_equal_numbers(self, key: str) -> bool:
        """Whether all numbers of a stored tensor are equal, and the file stores such tensors once,
        also those of several modules."""
        return self._equal is not None and bool(self._equal(original(key)))

    def has_distinct_numbers(self, key: str) -> bool:
        """Whether some numbers of a stored tensor differ from others. Two modules never have the
        same such tensor by chance."""
        return self._equal is not None and self._equal(original(key)) is False

    def freeze(self, first: int) -> None:
        """Freezes the params of the layers from `first` on."""
        self.frozen.update(*self._tensors[first:])

    # Internal

    def _with_frozen(self, index: int) -> GraphLayer:
        """The layer with its frozen params. A note says so if a spec cannot express which params
        are frozen."""
        layer, kind, tensors = self.layers[index], self._kinds[index], self._tensors[index]
        frozen = {key: n for key, n in tensors.items() if key in self.frozen}
        elements = sum(frozen.values())
        if not elements:
            return layer
        frozen_part: bool | str = len(frozen) == len(tensors)
        if not frozen_part:
            x = kind.select_inputs(tuple(map(self.shape, layer.inputs)))
            (part, *others) = {"biases" if _is_bias(key) else "weights" for key in frozen}
            frozen_part = not others and elements == getattr(kind, part)(x).value and part
        if not frozen_part:
            name, params = layer.name, sum(tensors.values())
            self.note_gap(
                f"counts differ: {elements:,} of the {params:,} params of {name} are frozen, which "
                "a spec cannot express; here all of them are trainable"
            )
            return layer
        has_own_weights = layer.shares is None
        return layer._replace(frozen=frozen_part, frozen_params=elements if has_own_weights else 0)

    def _varying_extents(
        self, layer: Kind[Any], inputs: Sequence[int], output: Shape
    ) -> tuple[bool, ...]:
        """For the channels and for each axis of a layer's output: whether it depends on the input
        size."""
        sources = [self.varies(source) for source in inputs]
        any_varies = any(any(varying) for varying in sources)
        if layer.name == "flatten":
            return (any_varies,)
        if layer.name in ("global_avg_pool", "global_max_pool", "adaptive_avg_pool",
                          "adaptive_max_pool", "learned"):  # fmt: skip
            return (False, *(False for _ in output.size))
        if layer.name == "reshape":
            rest = self.layers[-1].rest
            return tuple(any_varies and rest == n for n in range(1 + len(output.size)))
        same = [varying for varying in sources if len(varying) == 1 + len(output.size)]
        if same:
            return (False, *(any(column) for column in list(zip(*same, strict=True))[1:]))
        return (False, *(any_varies for _ in output.size))

    def _module_tensors(
        self, layer: Kind[Any], tensors: Mapping[str, int], buffers: Mapping[str, int] | None
    ) -> tuple[Mapping[str, int], Mapping[str, int] | None]:
        """The tensors of a layer. If the file stores equal tensors once, it gets copies of them,
        unless an earlier layer has exactly these tensors, and may be the same module. Layers of one
        module have the same copies. Layers of several tensors that share only tensors of equal
        numbers, as new norms do, are not one module."""
        stored = {**tensors, **(buffers or {})}
        keys = frozenset(stored)
        if self._equal is None or layer.memory == "weights" or keys.isdisjoint(self.used):
            return tensors, buffers
        reused = [key for key in keys if key in self.used]
        are_copies = len(keys) > 1 and all(
            stored[key] > 1 and self.has_equal_numbers(key) for key in reused
        )
        if not are_copies and self._is_module(layer, keys):
            return tensors, buffers
        copies = self.copies.get(keys, {})
        if are_copies or not copies or not self._is_module(layer, frozenset(copies.values())):
            copies = self.copies[keys] = {key: self.copy(key) for key in keys}
        own_tensors = {copies[key]: n for key, n in tensors.items()}
        return own_tensors, buffers and {copies[key]: n for key, n in buffers.items()}

    def _is_module(self, layer: Kind[Any], keys: frozenset[str]) -> bool:
        """Whether no layer has these tensors yet, or one layer has exactly these, and may be the
        same module or a table of distinct numbers that the model also uses as weights. A layer
        without a kind may have distinct numbers among others, as those that its weights are
        computed from."""
        index = self._owner(keys)
        if index is None or index == MIXED:
            return index is None
        other = self._kinds[index]
        if "custom" in (layer.name, other.name) and all(map(self.has_distinct_numbers, keys)):
            return True
        table = other.memory == "weights" and all(map(self.has_distinct_numbers, keys))
        same = table or may_be_reused(layer, other)
        return same and keys == {*self._tensors[index], *self._buffers[index]}

    def _owner(self, keys: Iterable[str]) -> int | None:
        """The first layer that has these tensors; None if no layer has any of them; MIXED if they
        have different owners."""
        owners = {self.used.get(key) for key in keys} or {None}
        return owners.pop() if len(owners) == 1 else MIXED

    def _shared_layer(self, layer: Kind[Any], x: Any, keys: Iterable[str]) -> int | None:
        """The layer whose weights this layer shares; None if all are its own; MIXED if it shares
        only some of them, or if a spec cannot express that."""
        index = self._owner(keys)
        if index is None or index == MIXED:
            return index
        other = self._kinds[index]
        other_x = other.select_inputs(
            tuple(self.shape(source) for source in self.layers[index].inputs)
        )
        return index if shareable(layer, x, other, other_x) else MIXED

    def _emit_partly_shared(
        self, layer: Kind[Any], x: Any, path: Path, inputs: Sequence[int],
        tensors: Mapping[str, int], buffers: Mapping[str, int],
    ) -> int:  # fmt: skip
        """A `custom` layer for a layer that shares some of its weights. It states its costs, and
        its params are the weights that no earlier layer has."""
        own_tensors, own_buffers = (
            {key: n for key, n in stored.items() if key not in self.used}
            for stored in (tensors, buffers)
        )
        macs = layer.macs(x).value
        inputs, shape_options = self.inputs_and_shape_options(inputs, layer.output(x), macs)
        options = {
            "what": f"{layer.name} of shared weights",
            "params": sum(own_tensors.values()),
            "buffers": sum(own_buffers.values()),
            "macs": macs,
            **shape_options,
        }
        return self.emit("custom", path, inputs, options, tensors=own_tensors, buffers=own_buffers)

    @staticmethod
    def _checked(kind: type[Kind[Any]], options: Mapping[str, Any]) -> dict[str, Any]:
        """Options converted to the types of the kind. A Shape does not change."""
        made_of: dict[str, Any] = {}
        for name, value in options.items():
            option = kind.options[name]
            has_final_type = isinstance(value, Shape) or (value is None and option.default is None)
            with prefix_errors(f"`{name}` of {kind.name}"):
                made_of[name] = value if has_final_type else option.type.check(value)
        return made_of


def _is_bias(key: str) -> bool:
    """Whether a tensor has the name of a bias: `bias`, `in_proj_bias`, `beta`."""
    name = re.split(r"[./]", key)[-1]
    return "bias" in name or name.startswith("beta")


def _channel(value: Tensor) -> int:
    """The channel axis of an output: the second axis if the rearrangements before it indicate
    that."""
    origin = value.origin
    is_named = origin is not None and named_rearrangement(origin, value.moves, 1) is not None
    return 1 if is_named else value.channel
