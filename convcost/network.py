"""A network as it stands after the language is read: steps in order, each with its shape."""

from typing import Any, NamedTuple, Protocol

from convcost.errors import Place, printable
from convcost.kind import Kind
from convcost.shapes import Shape
from convcost.units import Figure


class Placed(Protocol):
    """What knows where it was written."""

    @property
    def place(self) -> Place: ...


class Step(NamedTuple):
    """One layer at its place in the network.

    `inputs` are indices of the steps that feed it; −1 − k is the k-th input of the network.
    `shared` is the index of the step whose weights it uses, or None.
    """

    path: str
    layer: Kind[Any]
    inputs: tuple[int, ...]
    shape: Shape
    origin: Placed
    shared: int | None = None
    note: str = ""


class Group(NamedTuple):
    """A name that holds others: a block, a branch, a sequence. Its output is that of a step.

    `options` are those of a block, by name, as they came out for this call.
    """

    path: str
    kind: str
    output: int
    origin: Placed
    options: tuple[tuple[str, Any], ...] = ()


class Published(NamedTuple):
    """Figures printed elsewhere, by measure; `layer` is a path, or empty for the whole network.

    `settings` and `size` say for which variables and input they hold; `off` names the measures that
    are known to be wrong.
    """

    layer: str
    figures: tuple[tuple[str, Figure], ...]
    source: str
    place: Place
    settings: tuple[tuple[str, Any], ...] = ()
    size: tuple[int, ...] | None = None
    note: str = ""
    off: tuple[str, ...] = ()


class Limit(NamedTuple):
    """A budget's line for one measure; counts exact, growth as (numerator, denominator)."""

    measure: str
    place: Place
    max: int | None = None
    min: int | None = None
    warn: int | None = None
    grow: tuple[int, int] | int | None = None
    grow_floor: int = 0
    dtype: str = ""


class Rule(NamedTuple):
    """The limits of the paths that `match`; without a pattern, of the whole network."""

    match: str
    limits: tuple[Limit, ...]


class Budget(NamedTuple):
    """What a network may cost: in total, by layer (first match wins), by the sum of a group."""

    total: tuple[Limit, ...] = ()
    layers: tuple[Rule, ...] = ()
    groups: tuple[Rule, ...] = ()
    message: str = ""
    name: str = ""


class Network(NamedTuple):
    """One document of a spec, read, with every block laid out and every shape known.

    `last` is the step, or input, that gives the `output`. `changed` and `resized` are what a
    request made different from the spec as it is written.
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

    def __repr__(self) -> str:
        """Short, as an interpreter and an assertion show it."""
        layers = "1 layer" if len(self.steps) == 1 else f"{len(self.steps):,} layers"
        return f"<Network {printable(self.name)}: {layers}>"

    def stands_as(self, entry: Published) -> bool:
        """Whether the network stands as a published figure was printed: with the same variables
        changed, at the same size."""
        return dict(entry.settings) == dict(self.changed) and entry.size == self.resized
