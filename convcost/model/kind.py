"""The base of all kinds of layers. docs/plugins.md shows how to write one.

A kind is a class in a module of `convcost/layers`, or of the folder `layers` of a plug-in. Its
annotated fields are its options, its docstring is its meaning in `convcost kinds`, and a test runs
its examples. Kinds look like frozen dataclasses, and mypy reads them as such, but `dataclasses`
compiles code for each class at every start (1 to 1.7 ms each), so this module does that itself.
"""

import re
import sys
from collections.abc import Callable
from typing import (
    Any,
    ClassVar,
    Generic,
    Literal,
    Self,
    TypeAlias,
    TypeVar,
    dataclass_transform,
    get_args,
)

from convcost.model.cost_product import NOTHING, CostProduct
from convcost.model.errors import ConstraintError, DefinitionError, UsageError, brief
from convcost.model.measures import Measure
from convcost.model.options import TYPES, Layers, OptionType
from convcost.model.receptive_field import ReceptiveField
from convcost.model.record import NamedTuple
from convcost.model.registry import Registry
from convcost.model.shape import Shape
from convcost.model.window import AxisWindow

I = TypeVar("I")  # noqa: E741  the input of a kind: a Shape, or a tuple of them
C = TypeVar("C", bound="type[Kind[Any]]")

# What a kind computes. Counting conventions have one rule for each. `move` is for kinds that only
# pass or move elements.
Operation: TypeAlias = Literal[
    "conv", "transposed_conv", "deformable_conv", "linear", "matmul", "attention", "recurrent",
    "norm", "activation", "softmax", "pool", "reduction", "join", "experts", "resize", "scale",
    "lookup", "move", "stated", "contraction", "selective_scan", "fft", "sampling",
]  # fmt: skip
OPERATIONS: tuple[str, ...] = get_args(Operation)
Role: TypeAlias = Literal["layer", "join", "sequence", "side"]
# Where the output of a layer is: in memory of its own, in that of its input (a view), or with the
# weights.
Memory: TypeAlias = Literal["own", "input", "weights"]
# What the gradients of a layer need; `backward_reads` in `model/training.py` describes the values.
BackwardReads: TypeAlias = Literal[
    "input", "inputs", "linear", "factors", "quotient", "gate", "output", "nothing"
]
TRAIT_VALUES: dict[str, tuple[str | None, ...]] = {
    "operation": (None, *OPERATIONS),
    "role": get_args(Role),
    "backward_reads": (None, *get_args(BackwardReads)),
    "memory": get_args(Memory),
}
# The keys of a layer in a spec that are not options of its kind.
COMMON_KEYS = ("name", "from", "repeat", "when", "note", "frozen")
WEIGHT_KEYS = ("weights", "density")  # only for kinds with weights
RESERVED = (*COMMON_KEYS, "weights")
NOT_KINDS = (*RESERVED, "input")  # `input` is the input of a block
REQUIRED: Any = object()
OWN_POSITION = ReceptiveField()


class Option(NamedTuple):
    """An option of a kind in a spec; `field` is the attribute of the layer with its value."""

    name: str
    field: str
    type_name: str
    meaning: str
    default: Any = REQUIRED

    @property
    def type(self) -> OptionType:
        """The type, which checks values of the option."""
        return TYPES[self.type_name]

    @property
    def required(self) -> bool:
        """Whether the option has no default."""
        return self.default is REQUIRED


def option(meaning: str, default: Any = REQUIRED) -> Any:
    """Declares an option. Its annotation is its type; an option of `type | None` may be omitted in
    a spec."""
    return Option("", "", "", meaning, default)


class Example(NamedTuple):
    """A layer in YAML, an input, and the exact output and counts for one sample."""

    spec: str
    input: Shape
    output: Shape
    params: int = 0
    macs: int = 0
    buffers: int = 0


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
class Kind(Generic[I]):
    """The base of all kinds; subclass `Layer`, `MultiInputLayer`, `Join` or `SizeLike`.

    Methods are pure. `x` is the input without the batch: a Shape [c, *size], or a tuple of Shapes.
    Costs are products of named factors for one sample; only `macs` and `activations` are multiplied
    by the batch. Any method may raise ConstraintError with the code of the problem, and `output` is
    called first: the others may rely on what it has checked.
    """

    name: ClassVar[str]
    principal: ClassVar[str | None]  # the option written as the value of the kind: {conv: 64}
    options: ClassVar[dict[str, Option]]
    examples: ClassVar[tuple[Example, ...]] = ()
    required_one_of: ClassVar[tuple[str, ...]] = ()  # options of which a layer needs one
    role: ClassVar[Role] = "layer"
    takes_several: ClassVar[bool] = False  # inputs
    data_inputs: ClassVar[int | None] = (
        None  # how many inputs are read; of further inputs only the shape matters
    )
    # The names that its branches must have, in the order of the inputs; `name?` may be missing.
    branch_names: ClassVar[tuple[str, ...]] = ()
    copied_branch: ClassVar[str] = ""  # the branch of which there are `copies`
    # Traits that reports read. The first two are found when the kind is registered.
    learns: ClassVar[bool]  # has weights that `weights: other_layer` can share
    is_free: ClassVar[bool]  # has no params, no buffers and no macs, whatever its options
    is_norm: ClassVar[bool] = False  # belongs to the layer before it
    mixes_channels: ClassVar[bool] = False  # an output element depends on other channels, too
    is_identity: ClassVar[bool] = False  # at inference, the output is the input
    folds_norms: ClassVar[bool] = False  # a batch norm after it can be part of its weights and bias
    stated: ClassVar[bool] = False  # the spec states its costs
    operation: ClassVar[Operation | None] = None  # what it computes, for counting conventions
    # None: what its operation says.
    backward_reads: ClassVar[BackwardReads | None] = None
    memory: ClassVar[Memory] = "own"

    def __init__(self, **options: Any) -> None:
        attributes = self.__dict__
        for option in type(self).options.values():
            attributes[option.field] = options.pop(option.name, option.default)
            if attributes[option.field] is REQUIRED:
                raise TypeError(f"{type(self).name} needs {option.name}")
        if options:
            raise TypeError(f"{type(self).name} has no option {', '.join(options)}")
        self.check()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).name} is frozen")

    def __repr__(self) -> str:
        return f"{type(self).name}({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"

    @property
    def option_values(self) -> dict[str, Any]:
        """The value of each option, by its name in a spec."""
        return {name: self.__dict__[option.field] for name, option in type(self).options.items()}

    def with_options(self, **changed: Any) -> Self:
        """The same kind of layer, with some options changed."""
        return type(self)(**{**self.option_values, **changed})

    def check(self) -> None:
        """Raises ConstraintError if options contradict each other for every input."""

    def select_inputs(self, inputs: tuple[Shape, ...]) -> I:
        """The argument `x` of the methods, from the shapes of all inputs.

        Raises ConstraintError if there are too few.
        """
        raise NotImplementedError

    def output(self, x: I) -> Shape:
        """The output shape [c, *size]. Raises ConstraintError if the layer does not accept `x`."""
        raise NotImplementedError

    def weights(self, x: I) -> CostProduct:
        """The number of learned factors: those of a convolution are [f, c / groups, *kernel]."""
        return NOTHING

    def biases(self, x: I) -> CostProduct:
        """The number of learned summands: those of a convolution are [f]. Params are weights plus
        biases."""
        return NOTHING

    def buffers(self, x: I) -> CostProduct:
        """How many numbers are stored with the model and not learned, such as running means."""
        return NOTHING

    def macs(self, x: I) -> CostProduct:
        """The number of multiply-adds of convolutions, linear layers and matrix products."""
        return NOTHING

    def input_macs(self, x: I) -> CostProduct:
        """The multiply-adds with elements of the input. All others are with states that the layer
        computes itself, as in a recurrent layer."""
        return self.macs(x)

    def product(self, measure: Measure, x: I) -> CostProduct:
        """The product of a measure other than `activations`."""
        if measure is Measure.PARAMS:
            return self.weights(x).plus(self.biases(x))
        work: CostProduct = getattr(self, measure)(x)
        return work

    @property
    def copies(self) -> tuple[int, int]:
        """How many copies of the layers in `copied_branch` are stored, and how many are used."""
        return 1, 1

    @property
    def macs_note(self) -> str:
        """A note on its macs, if the general note on the convention does not describe them: a
        formula of its own, or a part that is not counted. Reports print it after the name of the
        kind."""
        return ""

    def counted(self) -> bool:
        """Whether its macs are known. Reports name a layer that is not counted."""
        return True

    def windows(self, x: I) -> tuple[AxisWindow, ...]:
        """The window along each axis; empty for a kind without windows. `receptive_field` uses
        them, and `explain` prints their formula."""
        return ()

    def most_read(self, x: I) -> tuple[int, ...]:
        """The most elements that it reads of each of its first inputs, if these are not all that
        its windows cover, or all elements of the input."""
        return ()

    def receptive_field(self, x: I) -> tuple[ReceptiveField, ...] | None:
        """The receptive field on `x` along each axis of the size.

        None if an output element depends only on its own position; ANY_POSITION if positions are
        mixed so that it may depend on any.
        """
        fields = tuple(window.receptive_field for window in self.windows(x))
        is_pointwise = all(field[:4] == OWN_POSITION[:4] for field in fields)
        return None if is_pointwise else fields

    def branch_fields(self, x: I) -> tuple[tuple[ReceptiveField, ...], ...] | None:
        """The receptive field of a join on each branch, along each axis of the branch; None if an
        output element depends on all branches at the position that `receptive_field` gives."""
        return None

    def reads_one_branch(self) -> bool:
        """Whether each output element of a join depends on one branch only."""
        return False

    def is_positionwise(self, x: I) -> bool:
        """Whether the output has the shape of the input, and each of its elements depends only on
        the elements at its own position."""
        return False

    def overwrites(self, x: I) -> bool:
        """Whether an output element depends only on the same element of each input.

        The output can then be written over an input that has the shape of the output.
        """
        return False


class Layer(Kind[Shape]):
    """A kind with one input; `x` is its Shape. By default the output has the shape of the input."""

    def select_inputs(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def output(self, x: Shape) -> Shape:
        return x

    def is_positionwise(self, x: Shape) -> bool:
        return self.output(x) == x and self.receptive_field(x) is None

    def overwrites(self, x: Shape) -> bool:
        return not self.mixes_channels and self.is_positionwise(x)


class MultiInputLayer(Kind[tuple[Shape, ...]]):
    """A kind with one input or several; `x` is a tuple of Shapes."""

    takes_several = True

    def select_inputs(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return inputs


class Join(MultiInputLayer):
    """A kind whose principal option is branches."""

    role = "join"


class SizeLike(Join):
    """Resizes the first branch to the size of the second, which only provides the size."""

    branches: Layers = option("two named lists of layers, or names of layers", None)
    data_inputs = 1

    def select_inputs(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if len(inputs) != 2:  # noqa: PLR2004
            raise ConstraintError("CC303", f"{self.name} needs two branches, not {len(inputs)}")
        return inputs

    def require_same_axes(self, x: tuple[Shape, ...]) -> None:
        """Raises ConstraintError if the branches have different numbers of axes."""
        if len(x[0].size) != len(x[1].size):
            shapes = f"{x[0].text} and {x[1].text}"
            message = f"{self.name} needs branches with the same number of axes, not {shapes}"
            raise ConstraintError("CC303", message)


def invalid_result(
    layer: Kind[Any],
    method: str,
    value: object,
    expected: str,
    help: str = "",  # noqa: A002
) -> UsageError:
    """The error for a method of a kind of a plug-in that returns a value of a wrong type."""
    file = sys.modules[type(layer).__module__].__file__
    problem = f"`{file}`: {method} of the kind `{layer.name}` returns {brief(value)}"
    return UsageError(f"{problem}; it must return {expected}", help=help)


def check_definition(name: str, cls: type[Kind[Any]]) -> None:
    """Raises DefinitionError for a name that no spec can use, for an option or a trait that is not
    valid, and for a misspelt trait or method, which would be ignored."""
    from convcost.model.suggestions import did_you_mean, nearest

    if not re.fullmatch(r"(?!x-)[A-Za-z_][A-Za-z0-9_.-]*", str(name)) or name in NOT_KINDS:
        raise DefinitionError(
            f"`{name}` cannot be the name of a kind; use letters, digits, `_`, `-` and `.`, and "
            f"none of {', '.join(NOT_KINDS)}"
        )
    if cls.select_inputs is Kind.select_inputs:
        raise DefinitionError(f"the kind `{name}` must be a Layer, a MultiInputLayer or a Join")
    for trait, values in TRAIT_VALUES.items():
        value = getattr(cls, trait)
        if value not in values and not isinstance(value, property):
            hint = did_you_mean(str(value), filter(None, values), len(values))
            raise DefinitionError(
                f"the kind `{name}` has the {trait} `{value}`, which does not exist; {hint}"
            )
    if cls.principal not in (None, *cls.options):
        raise DefinitionError(
            f"the principal option of the kind `{name}` is `{cls.principal}`; "
            f"{did_you_mean(str(cls.principal), cls.options) or 'it has no options'}"
        )
    for own_option in cls.options.values():
        _check_option(name, own_option)
    member_by_name = {
        key: value
        for base in cls.__mro__
        if base.__module__ not in (__name__, "builtins", "typing")
        for key, value in vars(base).items()
        if not key.startswith("_") and not isinstance(value, Option)
    }
    kind_members = [key for key in (*vars(Kind), *Kind.__annotations__) if not key.startswith("_")]
    missing = [key for key in kind_members if key not in member_by_name]
    for key, value in member_by_name.items():
        meant = None if hasattr(Join, key) or key in kind_members else nearest(key, missing)
        if meant is not None and callable(value) == callable(getattr(Kind, meant, None)):
            raise DefinitionError(f"the kind `{name}` defines `{key}`; did you mean `{meant}`?")


def _check_option(kind_name: str, option: Option) -> None:
    """Raises DefinitionError for an option that no spec can use, or whose default is not valid."""
    subject = f"the option `{option.name}` of the kind `{kind_name}`"
    if option.name in COMMON_KEYS:
        raise DefinitionError(f"{subject} has the name of a key of every layer; rename it")
    if not isinstance(option.meaning, str):
        raise DefinitionError(f'{subject} has no meaning; write option("what it is", default)')
    if hasattr(Kind, option.field):
        raise DefinitionError(
            f"{subject} replaces `{option.field}` of Kind; call it `{option.field}_`"
        )
    if option.default not in (None, REQUIRED):
        try:
            option.type.check(option.default)
        except ConstraintError as error:
            raise DefinitionError(f"the default of {subject} {error.message}") from None


KINDS: Registry[type[Kind[Any]]] = Registry("convcost.layers", check=check_definition)


def kind(name: str, principal: str | None = None) -> Callable[[C], C]:
    """Registers a class as the kind `name`, whose value in a spec is the option `principal`.

    An option named like a method has a field with a trailing `_`: option `macs`, field `macs_`.
    Raises ValueError if the name is already used, TypeError if an annotation is not an option type.
    """

    def register(cls: C) -> C:
        cls.name = name
        cls.principal = principal
        cls.learns = cls.weights is not Kind.weights and not cls.stated
        costs = ("weights", "biases", "buffers", "macs")
        cls.is_free = all(getattr(cls, cost) is getattr(Kind, cost) for cost in costs)
        cls.options = {}
        for base in reversed(cls.__mro__):
            members = vars(base)
            # Python 3.14 has no `__annotations__` in the members of a class.
            for key, annotation in getattr(base, "__annotations__", {}).items():
                declared = members.get(key)
                if isinstance(declared, Option):
                    option = Option(key.rstrip("_"), key, _type_name(annotation), *declared[3:])
                    if not option.type_name:
                        raise TypeError(
                            f"the annotation of the option {name}.{key} is {brief(annotation)}; "
                            "it must be a type of convcost.model.options, like PositiveInt"
                        )
                    cls.options[option.name] = option
        KINDS.add(name, cls)
        return cls

    return register


def _type_name(annotation: Any) -> str:
    """The type of an option; that of `PerAxisInt | None` is PerAxisInt. Empty for any other."""
    for part in (annotation, *getattr(annotation, "__args__", ())):
        name = getattr(part, "__metadata__", (part,))[0]
        if name in TYPES:
            return str(name)
    return ""
