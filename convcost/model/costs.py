"""Exact costs of every layer of a network."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from math import prod
from typing import Any, Protocol, TypeAlias

from convcost.model.cost_product import CostProduct
from convcost.model.errors import printable
from convcost.model.kind import OWN_POSITION, Kind, invalid_result
from convcost.model.measures import Count, Counts, sum_counts
from convcost.model.network import Copies, Network, Step, most_used
from convcost.model.number_format import format_count
from convcost.model.receptive_field import (
    MAX_INTERVALS,
    MAX_PERIOD,
    NO_INPUT,
    ReceptiveField,
    after_longest,
    compose,
    compose_bounds,
    join,
    upper_bound,
    whole_axis,
)
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.symbolic import is_integer, memo

Totals: TypeAlias = Counts
ComposeAxis: TypeAlias = Callable[[ReceptiveField, ReceptiveField], ReceptiveField]
Field: TypeAlias = tuple[ReceptiveField, ...]  # one for each axis of the input


class LayerCost(NamedTuple):
    """What one layer costs; `counts` are those of the whole batch."""

    path: str
    kind: str
    output: Shape
    counts: Counts
    field: Field  # the receptive field
    stated: bool
    step: int

    @property
    def uncounted(self) -> bool:
        """Whether the macs are not known; of a group, those of a layer."""
        return self.counts.uncounted > 0

    @property
    def weights(self) -> int:
        return self.counts.weights

    @property
    def biases(self) -> int:
        return self.counts.biases

    @property
    def params(self) -> int:
        return self.counts.params

    @property
    def trainable(self) -> int:
        return self.counts.trainable

    @property
    def active(self) -> int:
        return self.counts.active

    @property
    def buffers(self) -> int:
        return self.counts.buffers

    @property
    def macs(self) -> int:
        return self.counts.macs

    @property
    def activations(self) -> int:
        return self.counts.activations


class UncountedKind(NamedTuple):
    """A kind, and how many of its layers are not counted."""

    kind: str
    layers: int


def column_title(name: str, word: str) -> str:
    """The title of a column: the convention and its word, such as `thop MACs`.

    If both are the same word, it is there once: `FLOPs`, `macs:biases`."""
    tool, variant, _ = name.partition(":")
    if tool.lower() == word.lower():
        return name if variant else word
    return name if tool.endswith(f"_{word}") else f"{name} {word}"


class ConventionCounts(NamedTuple):
    """The counts of the layers of a network by a counting convention; None for a layer that the
    convention does not count.

    `word` is the tool's own name for its count. `notes` are for reports.
    """

    name: str
    word: str
    kinds: tuple[str, ...]
    layers: tuple[int | None, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """The title of a column, such as `thop MACs`."""
        return column_title(self.name, self.word)

    @property
    def total(self) -> int:
        """The sum over all layers that are counted."""
        return sum(number or 0 for number in self.layers)

    @property
    def total_count(self) -> Count:
        """The total, with the number of layers that are not in it."""
        return Count(self.total, self.layers.count(None))

    @property
    def by_kind(self) -> dict[str, Count]:
        """The count of each kind, in order of appearance."""
        numbers_by_kind: dict[str, list[int | None]] = {kind: [] for kind in self.kinds}
        for kind, number in zip(self.kinds, self.layers, strict=True):
            numbers_by_kind[kind].append(number)
        return {
            kind: Count(sum(number or 0 for number in numbers), numbers.count(None))
            for kind, numbers in numbers_by_kind.items()
        }

    @property
    def uncounted(self) -> tuple[UncountedKind, ...]:
        """The kinds with layers that are not counted."""
        layers = zip(self.kinds, self.layers, strict=True)
        return _uncounted_kinds(kind for kind, number in layers if number is None)


def _uncounted_kinds(kinds: Iterable[str]) -> tuple[UncountedKind, ...]:
    """Each kind once, with its number of layers."""
    return tuple(UncountedKind(*item) for item in Counter(kinds).items())


class Costs(NamedTuple):
    """The costs of a network; `by_convention` has the counts by the requested conventions."""

    network: Network
    batch: int
    layers: tuple[LayerCost, ...]
    totals: Counts
    by_convention: tuple[ConventionCounts, ...] = ()

    @property
    def uncounted(self) -> tuple[UncountedKind, ...]:
        """The kinds with layers whose macs are not known. The total has the other macs only."""
        return _uncounted_kinds(layer.kind for layer in self.layers if layer.counts.uncounted)

    def counts_by(self, convention: str) -> ConventionCounts:
        """The counts by one of the requested conventions, such as `thop`."""
        return next(counts for counts in self.by_convention if counts.name == convention)

    def __repr__(self) -> str:
        """A short text, for interpreters and failed assertions."""
        counts = f"{format_count(self.totals.params)} params, {format_count(self.totals.macs)} macs"
        batch = f" of {format_count(self.batch)} samples" if self.batch > 1 else ""
        return f"<Costs {printable(self.network.name)}: {counts}{batch}>"


class CountingConvention(Protocol):
    """What a tool counts."""

    @property
    def name(self) -> str:
        """The name, such as `thop`."""

    def count(self, costs: Costs, /) -> ConventionCounts:
        """The counts of a network by the convention."""


def inputs_of(network: Network, step: Step) -> tuple[Shape, ...]:
    """The input shapes of a step."""
    return tuple(map(network.shape_of, step.inputs))


def layer_input(network: Network, step: Step) -> Any:
    """What the kind of a step computes with: the shape of its input, or those of all inputs."""
    return step.layer.select_inputs(inputs_of(network, step))


class _Counted(NamedTuple):
    counts: Counts
    receptive_field: tuple[ReceptiveField, ...] | None
    branch_fields: tuple[tuple[ReceptiveField, ...], ...] | None


def costs(
    network: Network,
    batch: int = 1,
    conventions: Iterable[CountingConvention] = (),
    *,
    receptive_fields: bool = True,
) -> Costs:
    """Counts every step for `batch` samples, and by further conventions. Without
    `receptive_fields`, the field of each layer is left empty.

    Shared weights count as params once, and as macs for each layer.
    """
    cache: dict[tuple[object, ...], _Counted] = memo(batch, network.variables, network.inputs)
    steps = network.steps
    fields: list[Field] = []
    layers: list[LayerCost] = []
    intervals = 0
    starts: list[Field] = [
        (ReceptiveField(),) * len(shape.size) if receptive_fields else ()
        for _, shape in network.inputs
    ]
    for index, step in enumerate(steps):
        layer, x = step.layer, inputs_of(network, step)
        key = (layer, x, step.copies[:2], step.density)
        counted = cache.get(key)
        if counted is None:
            counted = cache[key] = _count(step, x, batch, fields=receptive_fields)
        read = [fields[i] if i >= 0 else starts[-1 - i] for i in step.inputs[: layer.data_inputs]]
        field = _field(read, x, step, counted, network, exact=intervals <= MAX_INTERVALS)
        if counted.receptive_field is not None or len(read) > 1:
            intervals += len(read) * sum(len(axis.first) - 1 for axis in field)
        fields.append(field)
        counts = counted.counts
        if step.shared is not None:
            counts = counts._replace(weights=0, biases=0, buffers=0, idle=0)
        elif step.frozen:
            counts = counts._replace(frozen=sum(getattr(counts, part) for part in step.frozen))
        path, name, shape = step.path, layer.name, step.shape
        is_stated = layer.stated or step.density is not None
        output_field = _existing_outputs(field, shape.size) if intervals else field
        layers.append(LayerCost(path, name, shape, counts, output_field, is_stated, index))
    for index, most in _shared_copies(steps):
        counts, copies = layers[index].counts, steps[index].copies
        active = counts.params // copies.stored * most
        counts = counts._replace(idle=counts.params - active)
        layers[index] = layers[index]._replace(counts=counts)
    network_costs = Costs(network, batch, tuple(layers), total_counts(layers))
    return network_costs._replace(
        by_convention=tuple(convention.count(network_costs) for convention in conventions)
    )


def _shared_copies(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """The layers of experts whose weights other layers use, with the most copies that a position
    uses of them."""
    users: dict[int, list[Copies]] = {}
    for step in steps:
        if step.shared is not None and steps[step.shared].copies.choices:
            users.setdefault(step.shared, []).append(step.copies)
    for owner, others in users.items():
        choices = steps[owner].copies.choices
        yield owner, most_used([choices, *(copies.choices[: len(choices)] for copies in others)])


def total_counts(layers: Iterable[LayerCost]) -> Counts:
    """The sum of each measure over layers."""
    return sum_counts([layer.counts for layer in layers])


def _count(step: Step, inputs: tuple[Shape, ...], batch: int, *, fields: bool) -> _Counted:
    layer, (stored, used, _) = step.layer, step.copies
    x = layer.select_inputs(inputs)
    weights, biases = _value(layer, "weights", x), _value(layer, "biases", x)
    macs = _value(layer, "macs", x)
    if step.density is not None:
        weights, macs = step.density.left, step.density.macs(macs)
    counts = Counts(
        weights * stored,
        biases * stored,
        _value(layer, "buffers", x) * stored,
        macs * used * batch,
        step.elements * batch,
        idle=(weights + biases) * (stored - used),
        uncounted=int(not layer.counted()),
    )
    field = layer.receptive_field(x) if fields else None
    axes: Any = field or ()  # a plug-in may return anything
    if not isinstance(axes, tuple) or not all(isinstance(axis, ReceptiveField) for axis in axes):
        raise invalid_result(layer, "receptive_field", field, "None or a tuple of ReceptiveField")
    branches = layer.branch_fields(x) if fields else None
    return _Counted(counts, field, branches)


def _value(layer: Kind[Any], cost: str, x: Any) -> int:
    """The integer of a cost. Raises UsageError if the kind of a plug-in returns anything else."""
    product = getattr(layer, cost)(x)
    value = product.value if isinstance(product, CostProduct) else None
    if is_integer(value) and (type(value) is not int or value >= 0):
        return value
    expected = "a CostProduct of integers that are not negative"
    hint = "product(filters=64, channels=3) is one, and NOTHING is 0"
    raise invalid_result(layer, cost, product, expected, hint)


def _existing_outputs(field: Field, size: tuple[int, ...]) -> Field:
    """The field of the outputs that exist: a period may have more outputs than the axis."""
    return tuple(
        axis._replace(first=axis.first[:n], last=axis.last[:n])
        for axis, n in zip(field, _positions(field, size), strict=True)
    )


def _positions(field: Field, size: tuple[int, ...]) -> tuple[int, ...]:
    """The number of positions along each axis of a field, in a tensor of this size.

    If the tensor has more axes than the field, such as heads, the outermost ones are left out. If
    it has fewer, nothing says which ones are left. Each number is then that of all positions: 1
    after a `flatten`.
    """
    added = len(size) - len(field)
    return size[added:] if added >= 0 else (prod(size),) * len(field)


def _hides_axes(field: Field, x: Shape, output: Shape) -> bool:
    """Whether nothing says which axes of an output are those of the input: it has more axes than
    `x`, which has fewer than the input, or it has fewer than `x` and other innermost axes."""
    axes, before, after = len(field), len(x.size), len(output.size)
    adds = before < axes and before < after and prod(x.size) > 1
    moves = 0 < axes <= after < before and x.size[-axes:] != output.size[-axes:]
    return (adds or moves) and not _is_constant(field)


def _broadcast(field: Field, x: Shape, output: Shape, network: Network) -> Field:
    """The field of a branch in the output of its join: along an axis that has one position in the
    branch and several in the output, all of them depend on the same inputs."""
    if _hides_axes(field, x, output):
        return _whole_input(network, len(field))
    branch_positions, joined = (_positions(field, shape.size) for shape in (x, output))
    if branch_positions == joined:
        return field
    return tuple(
        axis.broadcast() if m == 1 and n != 1 and axis is not NO_INPUT else axis
        for axis, m, n in zip(field, branch_positions, joined, strict=True)
    )


def _field(
    read: list[Field],
    x: tuple[Shape, ...],
    step: Step,
    counted: _Counted,
    network: Network,
    *,
    exact: bool,
) -> Field:
    """The field after a layer that reads tensors with the fields `read`; without `exact`, a long
    pattern becomes an upper bound."""
    compose_axis = compose if exact else compose_bounds
    if len(read) == 1:
        field = read[0]
    else:
        read = list(map(_broadcast, read, x, repeat(step.shape), repeat(network)))
        if counted.branch_fields is not None:
            read = [
                field
                if _is_constant(field)
                else _compose_fields(field, branch, step.shape, network, compose_axis)
                for field, branch in zip(read, counted.branch_fields, strict=True)
            ]
        field = _join_fields(read, step, MAX_PERIOD if exact else 1)
    if step.layer.memory == "weights":
        return (NO_INPUT,) * len(field)
    if len(read) == 1 and _hides_axes(field, x[0], step.shape):
        return _whole_input(network, len(field))
    if counted.receptive_field is None or _is_constant(field):
        return field
    return _compose_fields(field, counted.receptive_field, step.shape, network, compose_axis)


def _join_fields(fields: list[Field], step: Step, max_period: int) -> Field:
    """The field after a join, for each axis. Branches with fewer axes, and those that depend on no
    input, are ignored. If each output depends on one branch, those that depend on no input make the
    field an upper bound."""
    varying = [field for field in fields if not _is_constant(field)] or fields[:1]
    axes = max(map(len, varying))
    same = [field for field in varying if len(field) == axes]
    one_branch = step.layer.reads_one_branch()
    joined = []
    for *branches, outputs in zip(*same, _positions(same[0], step.shape.size), strict=True):
        axis = join(list(branches), outputs, max_period, one_branch=one_branch)
        if one_branch and len(varying) < len(fields) and axis.advance != 0:
            axis = upper_bound(axis, [axis], outputs)
        joined.append(axis)
    return tuple(joined)


def _is_constant(field: Field) -> bool:
    """Whether a tensor depends on no input. `==` would add a condition to a traced formula."""
    return bool(field) and field[0] is NO_INPUT


def _compose_fields(
    field: Field,
    fields: tuple[ReceptiveField, ...],
    output: Shape,
    network: Network,
    compose_axis: ComposeAxis,
) -> Field:
    """The field after a layer. If its axes are not those of the input, the positions are not
    known: the field is then the whole input, or unchanged if the layer mixes no positions."""
    if len(fields) != len(field):
        positionwise = fields and all(axis[:4] == OWN_POSITION[:4] for axis in fields)
        return field if positionwise else _whole_input(network, len(field))
    if len(field) == 2 and field[0] == field[1] and fields[0] == fields[1]:  # noqa: PLR2004  square
        composed: Field = (compose_axis(field[0], fields[0]),) * 2
    else:
        composed = tuple(map(compose_axis, field, fields))
    if all(axis.longest is None for axis in (*field, *fields)):
        return composed
    return tuple(map(after_longest, composed, field, fields, _positions(field, output.size)))


def _whole_input(network: Network, axes: int) -> Field:
    sizes = [shape.size for _, shape in network.inputs if len(shape.size) == axes]
    return tuple(whole_axis(max(numbers)) for numbers in zip(*sizes, strict=True))
