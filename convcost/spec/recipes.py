"""What a spec says before it is laid out: layers with their options, read and checked.

A recipe is read once and laid out as often as a block is called or a layer repeated.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from convcost.kind import Kind, Option
from convcost.network import Placed
from convcost.spec.document import Node, Scalar
from convcost.spec.expressions import Lookup

DEFERRED: Any = object()


class Bound(NamedTuple):
    """A value for an option: known at once, or to be evaluated where the layer is laid out."""

    option: Option
    node: Node
    constant: Any = DEFERRED
    evaluate: Callable[[Lookup], Any] | None = None


class Branch(NamedTuple):
    """A named list of layers, or (`source`) the name of a layer."""

    name: str
    origin: Placed
    items: "tuple[Recipe, ...]" = ()
    source: Scalar | None = None
    lone: bool = False


class Block:
    """A block of the spec: its options in order and its layers. Filled in after all are known."""

    def __init__(self, name: str, origin: Scalar) -> None:
        self.name = name
        self.origin = origin
        self.options: dict[str, Option] = {}
        self.defaults: dict[str, Bound] = {}
        self.items: tuple[Recipe, ...] = ()
        self.broken = False


class Recipe(NamedTuple):
    """One layer as written. `layer` is there if it needs nothing from its surroundings;
    `plain` says that neither does anything else about it. Neither kind nor block: it is broken."""

    origin: Placed
    kind: type[Kind[Any]] | None = None
    layer: Kind[Any] | None = None
    name: str = ""
    plain: bool = False
    label: str = ""
    bound: tuple[Bound, ...] = ()
    block: Block | None = None
    sources: tuple[Scalar, ...] = ()
    repeat: Bound | None = None
    when: Bound | None = None
    weights: Scalar | None = None
    items: "tuple[Recipe, ...]" = ()
    branches: tuple[Branch, ...] = ()
    lone: bool = False
    note: str = ""

    @property
    def word(self) -> str:
        """What the layer is called after if it has no name."""
        if self.label:
            return self.label
        if self.block is not None:
            return self.block.name
        return self.kind.name if self.kind is not None else "layer"
