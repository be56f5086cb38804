"""The result of a front end: the layers of a model, in the order of execution."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from convcost.language.network_inputs import AllowedSizes
from convcost.model.kind import KINDS, Kind
from convcost.model.shape import Shape

Path: TypeAlias = tuple[str, ...]
P = TypeVar("P", Path, str)


class GraphLayer(NamedTuple):
    """One layer of a model, as a kind of the spec language.

    `path` is the name in the model, outermost module first; it need not be unique. `inputs` are
    indices of layers; −1−k is the k-th input of the model. `output` and `params` are computed by
    the kind and compared with the model. `shares` is the layer whose weights this layer uses again.
    `rest` is the entry of a reshape that follows from the others: 0 the channels, 1… the size.
    `follows` has options that depend on the input size, as expressions of the language; for a
    shape, one expression for each entry, or "" if the entry is fixed. `computes_size` means that
    the model computes the size of a resize, whatever its options are. `sized_by_input` is a layer
    whose first input is the model's input and only provides a size. `frozen` states which params
    training does not change: `true`, `weights` or `biases` in a spec; `frozen_params` is their
    number.
    """

    path: Path
    kind: str
    options: tuple[tuple[str, Any], ...]
    inputs: tuple[int, ...]
    output: Shape
    params: int = 0
    buffers: int = 0
    macs: int = 0
    shares: int | None = None
    note: str = ""
    rest: int | None = None
    follows: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    computes_size: bool = False
    sized_by_input: bool = False
    frozen: bool | str = False
    frozen_params: int = 0

    @property
    def name(self) -> str:
        """The path as text, or the kind if it is empty."""
        return "/".join(self.path) or self.kind

    @property
    def is_input_free(self) -> bool:
        """Whether the layer depends on no input; the size of a constant may follow that of one."""
        return is_stored(self.kind) and not self.follows

    @property
    def uncounted(self) -> bool:
        return dict(self.options).get("macs") == "uncounted"

    def option(self, name: str) -> Any:
        """The value of an option, as given or by default."""
        return dict(self.options).get(name, KINDS[self.kind].options[name].default)


def is_stored(kind: str) -> bool:
    """Whether the output of a kind is stored with the weights, so that it depends on no input."""
    kind_class = KINDS.get(kind)
    return kind_class is not None and kind_class.memory == "weights"


def read_by(layer: GraphLayer) -> tuple[int, ...]:
    """The values that a layer reads. A stored tensor only has a neighbour, which it does not
    read."""
    return () if layer.is_input_free else layer.inputs


def common_prefix(names: Sequence[P]) -> P:
    """The longest start that all names have; `names` must not be empty."""
    low, high = min(names), max(names)
    pairs = enumerate(zip(low, high, strict=False))
    return low[: next((n for n, (a, b) in pairs if a != b), min(len(low), len(high)))]


def shared_depth(paths: Sequence[Path]) -> int:
    """The number of leading names that all paths have in common: the model's own name."""
    modules = [path[:-1] for path in paths if path]
    return len(common_prefix(modules)) if len(modules) > 1 else 0


def weights_owner(layers: Sequence[GraphLayer], index: int) -> int:
    """The layer whose weights a layer has: another one, or itself."""
    shared = layers[index].shares
    return index if shared is None else shared


def stated_options(
    kind: type[Kind[Any]], options: Mapping[str, Any]
) -> tuple[tuple[str, Any], ...]:
    """The options that a spec has to state, in the kind's order."""
    return tuple(
        (name, options[name])
        for name, option in kind.options.items()
        if name in options and (option.required or options[name] != option.default)
    )


class LayerGraph(NamedTuple):
    """A model as layers. `outputs` are the layers whose outputs the model returns. `free` counts
    the operators without a layer, which cost nothing. `classes` has the class names of modules by
    path, if the model has modules. `sizes` are the other sizes that the model accepts. A `plain`
    graph is the same at every size. `gaps` are the notes about what the layers do not count as the
    model has it: operators that are left out, and counts that differ."""

    name: str
    source: str
    inputs: tuple[tuple[str, Shape], ...]
    layers: tuple[GraphLayer, ...]
    outputs: tuple[int, ...]
    free: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[tuple[Path, str], ...] = ()
    sizes: AllowedSizes = AllowedSizes()
    plain: bool = False
    gaps: tuple[str, ...] = ()

    def shape(self, source: int) -> Shape:
        """The output shape of a layer, or the shape of an input of the model."""
        return self.layers[source].output if source >= 0 else self.inputs[-1 - source][1]


def without_layers(
    graph: LayerGraph, removed: set[int], aliases: Mapping[int, int] = {}
) -> LayerGraph:
    """The graph without the layers in `removed`. Nothing reads them any more, except through
    `aliases`, which have the values to read instead."""
    indices = [index for index in range(len(graph.layers)) if index not in removed]
    number = {index: new for new, index in enumerate(indices)}
    for index, other in sorted(aliases.items()):  # a value to read may be removed, too
        number[index] = number.get(other, other)
    layers = [graph.layers[index] for index in indices]
    return graph._replace(
        layers=tuple(
            layer._replace(
                inputs=tuple(number.get(source, source) for source in layer.inputs),
                shares=None if layer.shares is None else number[layer.shares],
            )
            for layer in layers
        ),
        outputs=tuple(number.get(source, source) for source in graph.outputs),
    )
