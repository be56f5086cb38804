"""An expanded network: steps in order of execution, each with its output shape."""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from convcost.model.cost_product import NOTHING, CostProduct
from convcost.model.errors import Span, printable
from convcost.model.figures import Figure
from convcost.model.kind import Kind
from convcost.model.measures import Measure
from convcost.model.number_format import counted
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.symbolic import Symbolic

if TYPE_CHECKING:
    from convcost.model.dtypes import Dtypes


# Parts of the params of a layer.
Parts: TypeAlias = tuple[Literal["weights", "biases"], ...]
ALL_PARTS: Parts = ("weights", "biases")


def path_prefixes(path: str) -> Iterator[str]:
    """The paths that a path begins with, the shortest first: a, a/b, a/b/c. They are the groups
    around a layer, and the layer."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
    yield path


class HasSpan(Protocol):
    """A part of the spec with a position in the source."""

    @property
    def span(self) -> Span: ...


class Choice(NamedTuple):
    """Experts of one join: there are `of`, and each position takes `take` of them. `join` is the
    number of layers before them: no other join at the same depth of nesting has it."""

    join: int
    of: int
    take: int


class Copies(NamedTuple):
    """Copies of a layer with weights of their own, of which each position uses some: a product over
    `choices`, the experts around the layer, the outermost first."""

    stored: int = 1
    used: int = 1
    choices: tuple[Choice, ...] = ()

    def times(self, choice: Choice) -> "Copies":
        """The copies of a layer of an expert, if the join of the experts has these copies."""
        return Copies(self.stored * choice.of, self.used * choice.take, (*self.choices, choice))


def most_used(choices: Sequence[tuple[Choice, ...]]) -> int:
    """How many copies of shared weights a position uses at most, by the choices of each layer that
    has them, which are equally many: two joins may take other experts."""
    by_join: dict[int, list[tuple[Choice, ...]]] = {}
    for layer in filter(None, choices):
        by_join.setdefault(layer[0].join, []).append(layer)
    if not by_join:
        return 1
    stored = prod(choice.of for choice in choices[0])
    used = (
        layers_of_join[0][0].take
        * most_used([layer_choices[1:] for layer_choices in layers_of_join])
        for layers_of_join in by_join.values()
    )
    return min(stored, sum(used))


class Density(NamedTuple):
    """The share of the weights of a layer that are not pruned: as it is stated, and the whole
    number of its `weights` that are `left`. All may be symbolic."""

    stated: Any
    weights: int
    left: int

    @classmethod
    def of_weights(cls, stated: Any, weights: int) -> "Density":
        """The density of a layer with so many weights. As `torch.nn.utils.prune` does, it rounds
        the number that is pruned half to even."""
        # A Fraction to the left of a symbolic number loses the expression.
        pruned: int = round(weights * (1 - stated))
        return cls(stated, weights, weights - pruned)

    def macs(self, macs: int) -> int:
        """Those of so many multiply-adds whose weights are left."""
        return macs * self.left // self.weights

    @property
    def share(self) -> Any:
        """The share of the weights that is left, a Fraction or a symbolic number. A search needs a
        trace for each value of a symbolic one, so it is computed only where it is printed."""
        for number in (self.left, self.weights):
            if isinstance(number, Symbolic):
                return number.calculate("/", self.left, self.weights)
        from fractions import Fraction

        return Fraction(self.left, self.weights)


class Step(NamedTuple):
    """One layer of the network.

    `inputs` are indices of steps; −1 − k is the k-th input of the network.
    `shared` is the index of the step whose weights this layer uses, or None. `frozen` names the
    parts of its params that training does not change.
    A layer of an expert has `copies`, and `shape` is the output of one. `density` is None if no
    weights are pruned.
    """

    path: str
    layer: Kind[Any]
    inputs: tuple[int, ...]
    shape: Shape
    origin: HasSpan
    shared: int | None = None
    note: str = ""
    frozen: Parts = ()
    copies: Copies = Copies()
    density: Density | None = None

    @property
    def elements(self) -> int:
        """The elements of the output, of all copies that run."""
        return self.shape.elements * self.copies.used

    @property
    def reads(self) -> tuple[int, ...]:
        """The inputs whose elements the layer reads. A stored tensor reads none, and of further
        inputs, such as the reference of `upsample_like`, only the shape matters."""
        return () if self.layer.memory == "weights" else self.inputs[: self.layer.data_inputs]

    def product(self, measure: Measure, x: Any) -> CostProduct:
        """The product of a measure that has one, for one sample. Shared weights are
        not params of this layer."""
        if self.shared is not None and measure is not Measure.MACS:
            return NOTHING
        product = self._copy_product(measure, x)
        if self.copies[:2] == (1, 1):
            return product
        if measure is Measure.MACS:
            return product.times(taken=self.copies.used)
        return product.times(experts=self.copies.stored)

    def _copy_product(self, measure: Measure, x: Any) -> CostProduct:
        """The product for one copy."""
        if measure is Measure.PARAMS:
            weights = self._copy_product(Measure.WEIGHTS, x)
            return weights.plus(self._copy_product(Measure.BIASES, x))
        product = self.layer.product(measure, x)
        if self.density is None or measure not in (Measure.WEIGHTS, Measure.MACS):
            return product
        return product.times(density=self.density.share)


class Group(NamedTuple):
    """A named group of steps: a block, a branch or a sequence. `output` is the index of a step.

    `options` are the values of the options of a block, by name, for this call.
    """

    path: str
    kind: str
    output: int
    origin: HasSpan
    options: tuple[tuple[str, Any], ...] = ()


# The measures of a figure that a convention can count.
COUNTED = ("macs", "flops", "activations")
# The measures in bytes of a dtype.
IN_BYTES = ("bytes", "flash", "peak_memory", "memory")


def convention_of(measure: str, counted_by: str) -> str:
    """The convention that counts a measure; empty if it is a measure of convcost."""
    if measure not in COUNTED:
        return ""
    return counted_by or ("flops" if measure == "flops" else "")


def counted_label(measure: str, counted_by: str) -> str:
    """A measure with its convention, such as `macs (thop)`."""
    return f"{measure} ({counted_by})" if counted_by and measure in COUNTED else measure


class Published(NamedTuple):
    """Published figures by measure; `layer` is a path, or empty for the whole network.

    They are valid for the variables `settings` and the input `size`. `off` names the measures that
    are known to be wrong, `binary` those with K = 1024, `truncated` those that are not rounded.
    `biases` is whether params and weights include the biases; if None, params do and weights do
    not. `counted_by` is the convention that counts operations and activations; if empty, the
    convention `flops` counts flops, and all other figures are measures of convcost. `dtype` is
    that of figures in bytes; if empty, it is that of the spec. `applies` is whether the network has
    these variables and this size.
    """

    layer: str
    figures: tuple[tuple[str, Figure], ...]
    source: str
    span: Span
    settings: tuple[tuple[str, Any], ...] = ()
    size: tuple[int, ...] | None = None
    note: str = ""
    off: tuple[str, ...] = ()
    binary: tuple[str, ...] = ()
    truncated: tuple[str, ...] = ()
    biases: bool | None = None
    counted_by: str = ""
    dtype: str = ""
    applies: bool = False

    def convention(self, measure: str) -> str:
        """The convention that counts a figure; empty if it is a measure of convcost."""
        return convention_of(measure, self.counted_by)


class Limit(NamedTuple):
    """The limits of one measure: exact counts; growth as a count or (numerator, denominator).

    `counted_by` is the convention that counts it, as in `Published`.
    """

    measure: str
    span: Span
    max: int | None = None
    min: int | None = None
    warn: int | None = None
    grow: tuple[int, int] | int | None = None
    grow_floor: int = 0
    dtype: str = ""
    counted_by: str = ""

    @property
    def convention(self) -> str:
        """The convention that counts it; empty if it is a measure of convcost."""
        return convention_of(self.measure, self.counted_by)

    @property
    def label(self) -> str:
        """The measure with its convention, such as `macs (thop)`."""
        return counted_label(self.measure, self.counted_by)


class Rule(NamedTuple):
    """The limits of the paths that match the pattern `match`; if empty, of the whole network."""

    match: str
    limits: tuple[Limit, ...]


class Budget(NamedTuple):
    """The limits of a network: in total, by layer (the first match counts), and by group."""

    total: tuple[Limit, ...] = ()
    layers: tuple[Rule, ...] = ()
    groups: tuple[Rule, ...] = ()
    message: str = ""
    name: str = ""

    def with_limits(self, change: Callable[[tuple[Limit, ...]], tuple[Limit, ...]]) -> "Budget":
        """The budget with other limits. All rules stay, because a layer has the limits of the first
        rule that matches it."""
        layers, groups = (
            tuple(rule._replace(limits=change(rule.limits)) for rule in rules)
            for rules in (self.layers, self.groups)
        )
        return self._replace(total=change(self.total), layers=layers, groups=groups)


def is_view(step: Step) -> bool:
    """Whether the output of a step has the memory of its input."""
    return step.layer.memory == "input"


class Network(NamedTuple):
    """One document of a spec, with all blocks expanded and all shapes computed.

    `last` is the index of the step or input with the shape `output`. `changed` and `resized` are
    the variables and the input size that replace those of the spec. `deployed` says how the
    network differs from that of the spec, if it was prepared for inference. `states_bias` is false
    for a spec without any option `bias`. `dtypes` is None if the spec has no section `dtype`.
    `notes` are those of the model that the spec is made of.
    """

    name: str
    file: str
    inputs: tuple[tuple[str, Shape], ...]
    steps: tuple[Step, ...]
    groups: tuple[Group, ...] = ()
    source: str = ""
    variables: tuple[tuple[str, Any], ...] = ()
    published: tuple[Published, ...] = ()
    budget: Budget | None = None
    output: Shape = Shape(0)
    last: int = -1
    changed: tuple[tuple[str, Any], ...] = ()
    resized: tuple[int, ...] | None = None
    deployed: str = ""
    states_bias: bool = True
    dtypes: "Dtypes | None" = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """A short text, for interpreters and failed assertions."""
        return f"<Network {printable(self.name)}: {counted(len(self.steps), 'layer')}>"

    def name_of(self, tensor: int) -> str:
        """The path of the layer that outputs a tensor, or the name of the input."""
        return self.steps[tensor].path if tensor >= 0 else self.inputs[-1 - tensor][0]

    def shape_of(self, tensor: int) -> Shape:
        """The shape of the output of a layer, or of an input."""
        return self.steps[tensor].shape if tensor >= 0 else self.inputs[-1 - tensor][1]

    def viewed(self, is_view: Callable[[Step], bool] = is_view) -> dict[int, int]:
        """For each tensor the one whose elements it shows: of a view of a view that of the first
        one, of any other tensor itself."""
        shown = {-1 - k: -1 - k for k in range(len(self.inputs))}
        for index, step in enumerate(self.steps):
            shown[index] = shown[step.inputs[0]] if is_view(step) else index
        return shown
