"""What a kind of layer is: its options, its output shape, its costs, its examples.

A kind is a class whose annotated fields are its YAML options. It reads like a frozen dataclass and
mypy takes it for one, but `dataclasses` would generate and compile code for each of the kinds at
every start (1 to 1.7 ms a class, measured), so the few lines that are needed stand here.
"""

from collections.abc import Callable
from inspect import get_annotations
from typing import Any, ClassVar, Generic, Literal, NamedTuple, TypeVar, dataclass_transform

from convcost.errors import Refusal
from convcost.field import Sight
from convcost.options import TYPES, Layers, OptionType
from convcost.registry import Registry
from convcost.shapes import Shape
from convcost.work import NOTHING, Work

I = TypeVar("I")  # noqa: E741  what a kind takes: a Shape, or a tuple of them
C = TypeVar("C", bound="type[Kind[Any]]")

REQUIRED: Any = object()


class Option(NamedTuple):
    """One YAML option of a kind; `field` is the attribute that holds its value."""

    name: str
    field: str
    type_name: str
    meaning: str
    default: Any = REQUIRED

    @property
    def type(self) -> OptionType:
        return TYPES[self.type_name]

    @property
    def required(self) -> bool:
        return self.default is REQUIRED


class _Declared(NamedTuple):
    meaning: str
    default: Any


def option(meaning: str, default: Any = REQUIRED) -> Any:
    """Declares an option; the annotation beside it names its type in `options.TYPES`."""
    return _Declared(meaning, default)


class Example(NamedTuple):
    """A layer as YAML and what it must come to on `input`; a test runs every one."""

    spec: str
    input: Shape
    output: Shape
    params: int = 0
    macs: int = 0
    buffers: int = 0


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(option,))
class Kind(Generic[I]):
    """The base of all kinds: what leaves its shape alone and costs nothing.

    Methods take `x`, the shape that comes in, and are pure. They may raise Refusal.
    """

    name: ClassVar[str]
    principal: ClassVar[str | None]
    options: ClassVar[dict[str, Option]]
    examples: ClassVar[tuple[Example, ...]] = ()
    role: ClassVar[Literal["layer", "join", "sequence", "side"]] = "layer"
    stated: ClassVar[bool] = False
    many: ClassVar[bool] = False
    size_rule: ClassVar[str] = ""
    either: ClassVar[tuple[str, ...]] = ()  # options of which a layer has one
    seen: ClassVar[int | None] = None  # how many inputs it sees; the others lend it their shape

    def __init__(self, **options: Any) -> None:
        own = self.__dict__
        for known in type(self).options.values():
            own[known.field] = options.pop(known.name, known.default)
            if own[known.field] is REQUIRED:
                raise TypeError(f"{type(self).name} needs {known.name}")
        if options:
            raise TypeError(f"{type(self).name} has no option {', '.join(options)}")
        self.check()

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).name} is frozen")

    def __repr__(self) -> str:
        return f"{type(self).name}({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"

    def check(self) -> None:
        """Raises Refusal if options contradict each other whatever comes in."""

    def take(self, inputs: tuple[Shape, ...]) -> I:
        """What `x` is, of the shapes that come in."""
        raise NotImplementedError

    def output(self, x: I) -> Shape:
        raise NotImplementedError

    def weights(self, x: I) -> Work:
        return NOTHING

    def biases(self, x: I) -> Work:
        return NOTHING

    def buffers(self, x: I) -> Work:
        return NOTHING

    def macs(self, x: I) -> Work:
        return NOTHING

    def counted(self) -> bool:
        """Whether its macs are known at all; a layer that is not counted is never a silent 0."""
        return True

    def sight(self, x: I) -> tuple[Sight, ...] | None:
        """What an output element sees of the input, for each axis; None where it is just the one
        at its own place."""
        return None


class Layer(Kind[Shape]):
    """A kind with one input."""

    def take(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]

    def output(self, x: Shape) -> Shape:
        return x


class Fan(Kind[tuple[Shape, ...]]):
    """A kind with one input or several."""

    many = True

    def take(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        return inputs


class Join(Fan):
    """A kind with branches."""

    role = "join"


class Like(Join):
    """A join whose second branch lends the first its size, and is not seen."""

    branches: Layers = option("two named lists of layers, or names of layers", None)
    seen = 1

    def take(self, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
        if len(inputs) != 2:  # noqa: PLR2004
            raise Refusal("CC303", f"{self.name} takes two branches, not {len(inputs)}")
        return inputs

    def same_axes(self, x: tuple[Shape, ...]) -> None:
        """Raises Refusal where the second has other axes than the first."""
        if len(x[0].size) != len(x[1].size):
            raise Refusal(
                "CC303",
                f"{self.name} gives {x[0].text} the size of another, and {x[1].text} has "
                f"{len(x[1].size)} axes",
            )


KINDS: Registry[type[Kind[Any]]] = Registry("convcost.layers")


def kind(name: str, principal: str | None = None) -> Callable[[C], C]:
    """Registers a class as the kind `name`, whose own key in a spec holds the option `principal`.

    A field whose option would hide a method ends in an underscore that the option has not.
    """

    def register(cls: C) -> C:
        cls.name = name
        cls.principal = principal
        cls.options = {}
        for base in reversed(cls.__mro__):
            for key, annotation in get_annotations(base).items():
                declared = base.__dict__.get(key)
                if isinstance(declared, _Declared):
                    # `Extent | None` is an option that may be left out; its type is Extent.
                    type_name = ""
                    for part in (annotation, *getattr(annotation, "__args__", ())):
                        type_name = getattr(part, "__metadata__", (part,))[0]
                        if type_name in TYPES:
                            break
                    if type_name not in TYPES:
                        raise TypeError(f"{name}.{key}: {annotation} is no type of options")
                    option_name = key.rstrip("_")
                    cls.options[option_name] = Option(option_name, key, type_name, *declared)
        KINDS.add(name, cls)
        return cls

    return register
