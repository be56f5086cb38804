"""Where a model is drawn, layer by layer: each is counted by its kind as it is put down, and held
against the tensors and the shape that the model has for it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing, Drawn, Path
from convcost.importing.rearranged import recognized
from convcost.importing.value import Value, arranged, made
from convcost.importing.weights import held, shareable
from convcost.kind import KINDS, Kind
from convcost.shapes import Shape

MIXED = -1  # weights that are neither a layer's own nor all of another's


class Easel:
    """Layers drawn so far. Tensors are known by keys, any text that is one tensor's own."""

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        self.source = source
        self.inputs: list[tuple[str, Shape]] = []
        self.layers: list[Drawn] = []
        self.free: Counter[str] = Counter()
        self.notes: list[str] = []
        self.classes: dict[Path, str] = {}
        self.used: dict[str, int] = {}  # tensor to the layer that first used it
        self.held: dict[Any, Value] = {}  # what no input reaches, once it is drawn
        self._kinds: list[Kind[Any]] = []
        self._varies: list[tuple[bool, ...]] = []  # extents that follow the size of the input
        self._input_varies: list[tuple[bool, ...]] = []
        self._arranged: dict[tuple[Any, ...], int] = {}

    # What comes in and goes out

    def input(self, name: str, dims: Sequence[int], channel: int, batch: int | None = 0) -> Value:
        """A tensor that the model is given; `dims` with a batch of 1."""
        size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
        shape = Shape(dims[channel], size)
        self.inputs.append((name, shape))
        self._input_varies.append((False, *(True for _ in size)))
        return made(-len(self.inputs), shape, len(dims), channel, batch)

    def drawing(self, outputs: Sequence[Value]) -> Drawing:
        """All of it. An output whose elements have moved is arranged first."""
        ends = tuple(self.demand(value, value.channel, ("output",)) for value in outputs)
        return Drawing(
            self.name,
            self.source,
            tuple(self.inputs),
            tuple(self.layers),
            tuple(dict.fromkeys(ends)),
            tuple(sorted(self.free.items())),
            tuple(self.notes),
            tuple(self.classes.items()),
        )

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
        sized: bool = False,
    ) -> int:
        """Puts a layer down; its index.

        `options` are the kind's, by the names of the language; those at their default are dropped.
        `tensors` are what it learns and `buffers` what it keeps, each with its elements: the kind
        must count as many. `follows` are options that go with the size of what comes in, `sized` is
        a resize to a size that the model works out. Raises Refusal.
        """
        found = KINDS.get(kind)
        assert found is not None, kind
        layer = found(**self._checked(found, options or {}))
        x = layer.take(tuple(self.shape(source) for source in inputs))
        output = layer.output(x)
        params, kept = held(layer, x, tensors or {}, buffers)
        shares = self._owner(layer, x, tensors or buffers or {})
        if shares == MIXED:
            return self._again(layer, x, path, inputs, tensors or {}, buffers or {})
        index = len(self.layers)
        for key in (*(tensors or {}), *(buffers or {})):
            self.used.setdefault(key, index)
        self.layers.append(
            Drawn(
                path,
                kind,
                self._told(found, options or {}),
                tuple(inputs),
                output,
                0 if shares is not None else params,
                0 if shares is not None else kept,
                layer.macs(x).value,
                shares,
                note,
                rest,
                tuple((follows or {}).items()),
                sized,
            )
        )
        self._kinds.append(layer)
        self._varies.append(self._varied(layer, inputs, output))
        return index

    def shape(self, source: int) -> Shape:
        return self.layers[source].output if source >= 0 else self.inputs[-1 - source][1]

    def varies(self, source: int) -> tuple[bool, ...]:
        """Of the channels and of every axis of the size, whether it follows the input's size."""
        return self._varies[source] if source >= 0 else self._input_varies[-1 - source]

    def takes(self, index: int, key: str) -> bool:
        """Whether a tensor can be given to a layer drawn before: it is nobody's yet, or belongs to
        the layer whose weights that one uses again."""
        shares = self.layers[index].shares
        if shares is None:
            return key not in self.used
        return self.used.get(key) == shares

    def revise(self, index: int, tensors: Mapping[str, int], **options: Any) -> None:
        """Gives a layer drawn before further options and tensors: a bias that came later."""
        old = self.layers[index]
        found = KINDS.get(old.kind)
        assert found is not None
        given = {**dict(old.options), **options}
        layer = found(**self._checked(found, given))
        x = layer.take(tuple(self.shape(source) for source in old.inputs))
        params = layer.weights(x).value + layer.biases(x).value
        if old.shares is not None:
            params = 0
        elif params != old.params + sum(tensors.values()):
            raise Refusal("CC403", f"{old.kind} counts {params:,} params, the model holds others")
        for key in tensors:
            self.used.setdefault(key, index)
        self.layers[index] = old._replace(options=self._told(found, given), params=params)
        self._kinds[index] = layer

    def restate(self, index: int, inputs: Sequence[int], options: Mapping[str, Any]) -> None:
        """Puts a `custom` layer, which states all it has, in place of one drawn before; what comes
        out stays as it is."""
        found = KINDS.get("custom")
        assert found is not None
        old = self.layers[index]
        layer = found(**self._checked(found, options))
        x = layer.take(tuple(self.shape(source) for source in inputs))
        assert layer.output(x) == old.output, (layer.output(x), old.output)
        self.layers[index] = old._replace(
            kind="custom",
            options=self._told(found, options),
            inputs=tuple(inputs),
            params=options["params"],
            macs=layer.macs(x).value,
            shares=None,
        )
        self._kinds[index] = layer
        self._varies[index] = self._varied(layer, inputs, old.output)

    def demand(self, value: Value, channel: int, path: Path) -> int:
        """The source of a tensor with that axis as channels and the others as size, in order; a
        rearrangement is put down first if it needs one."""
        if not value.dims:  # a single number
            alone = self.shape(value.source) == Shape(1)
            return value.source if alone else self.emit("flatten", path, [value.source])
        channel %= len(value.dims)
        shape, stands = arranged(value, channel)
        if stands:
            return value.source
        # What is asked for twice is put down once.
        key = (value.source, value.begun, value.moves, value.axes, shape)
        if key not in self._arranged:
            self._arranged[key] = self._arrange(value, channel, shape, path)
        return self._arranged[key]

    def _arrange(self, value: Value, channel: int, shape: Shape, path: Path) -> int:
        begun = value.begun or value
        if known := recognized(begun, value.moves, channel):
            kind, options = known
            index = self.emit(kind, (*path[:-1], kind), [value.source], options)
            assert self.shape(index) == shape, (kind, options, shape)
            return index
        if not shape.size:
            return self.emit("flatten", (*path[:-1], "flatten"), [value.source])
        options = {"shape": shape}
        rest = self._rest(value.source, shape)
        return self.emit("reshape", (*path[:-1], "reshape"), [value.source], options, rest=rest)

    def _rest(self, source: int, shape: Shape) -> int | None:
        """The entry that takes up all that follows the input's size, if a single one does."""
        before = self.shape(source)
        varies = self.varies(source)
        if not any(varies):
            return None
        fixed = 1
        for extent, free in zip((before.channels, *before.size), varies, strict=True):
            fixed *= 1 if free else extent
        extents = (shape.channels, *shape.size)
        fits = [n for n, extent in enumerate(extents) if shape.elements // extent == fixed]
        if not fits:  # what does not follow was dealt out further: 2·3 channels are 3, two a place
            left = [shape.elements // extent for extent in extents]
            fits = [n for n, others in enumerate(left) if fixed % others == 0]
        return fits[-1] if len(fits) == 1 else None

    # Within

    def _varied(self, layer: Kind[Any], inputs: Sequence[int], output: Shape) -> tuple[bool, ...]:
        sources = [self.varies(source) for source in inputs]
        any_varies = any(any(one) for one in sources)
        if layer.name == "flatten":
            return (any_varies,)
        if layer.name in ("global_avg_pool", "global_max_pool", "adaptive_avg_pool",
                          "adaptive_max_pool", "learned"):  # fmt: skip
            return (False, *(False for _ in output.size))
        if layer.name == "reshape":
            rest = self.layers[-1].rest
            return tuple(any_varies and rest == n for n in range(1 + len(output.size)))
        same = [one for one in sources if len(one) == 1 + len(output.size)]
        if same:
            return (False, *(any(column) for column in list(zip(*same, strict=True))[1:]))
        return (False, *(any_varies for _ in output.size))

    def _owner(self, layer: Kind[Any], x: Any, tensors: Mapping[str, int]) -> int | None:
        """The layer whose weights this one uses again; None if they are its own, MIXED if only some
        are or a spec has no word for it."""
        owners = {self.used.get(key) for key in tensors}
        if owners <= {None}:
            return None
        index = owners.pop()
        if owners or index is None:
            return MIXED
        other = self._kinds[index]
        taken = other.take(tuple(self.shape(source) for source in self.layers[index].inputs))
        return index if shareable(layer, x, other, taken) else MIXED

    def _again(
        self, layer: Kind[Any], x: Any, path: Path, inputs: Sequence[int],
        tensors: Mapping[str, int], buffers: Mapping[str, int],
    ) -> int:  # fmt: skip
        """A layer of which some weights are another's: it states what it costs, and has as params
        those that nobody has yet."""
        own, kept = (
            {key: n for key, n in held.items() if key not in self.used}
            for held in (tensors, buffers)
        )
        macs, output, first = layer.macs(x).value, layer.output(x), self.shape(inputs[0])
        bound = {} if output == first else {"output": output}
        if (macs or bound) and any(self.varies(inputs[0])):  # true at this size only
            bound["input"] = first
        options = {
            "what": f"{layer.name} of shared weights",
            "params": sum(own.values()),
            "buffers": sum(kept.values()),
            "macs": macs,
            **bound,
        }
        return self.emit("custom", path, inputs, options, tensors=own, buffers=kept)

    @staticmethod
    def _checked(kind: type[Kind[Any]], options: Mapping[str, Any]) -> dict[str, Any]:
        """Options as the kind's own types make them; a Shape is taken as it is."""
        made_of: dict[str, Any] = {}
        for name, value in options.items():
            option = kind.options[name]
            given = isinstance(value, Shape) or (value is None and option.default is None)
            made_of[name] = value if given else option.type.check(value)
        return made_of

    @staticmethod
    def _told(kind: type[Kind[Any]], options: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
        """Those options that a spec has to write, in the kind's order."""
        return tuple(
            (name, options[name])
            for name, option in kind.options.items()
            if name in options and (option.required or options[name] != option.default)
        )
