"""A spec as written, read and checked: layers with their options, before they are expanded.

A layer node is read once, and expanded as often as its block is called or it is repeated.
"""

from typing import Any

from convcost.language.expressions import Evaluate, Lookup
from convcost.language.yaml_nodes import Node, Scalar
from convcost.model.kind import Kind, Option
from convcost.model.network import HasSpan
from convcost.model.record import NamedTuple

DEFERRED: Any = object()  # the constant of an option whose value is an expression


class OptionValue(NamedTuple):
    """The value of an option: a constant, or an expression that is evaluated at each expansion."""

    option: Option
    node: Node
    constant: Any = DEFERRED
    expression: Evaluate | None = None

    def resolve(self, lookup: Lookup) -> Any:
        """The value, with `lookup` for the names of its expression. Raises ConstraintError."""
        if self.expression is None:
            return self.constant
        value = self.expression(lookup)
        return self.option.default if value is None else self.option.type.check(value)


class Branch(NamedTuple):
    """A named list of layers or, in `source`, the name of a layer."""

    name: str
    origin: HasSpan
    items: "tuple[LayerNode, ...]" = ()
    source: Scalar | None = None


class Block:
    """A block of the spec: its options in order, and its layers, which are read after all blocks
    are known.

    `inputs` are the names of its input tensors; empty for a block whose one input has no name.
    `outputs` has one layer for each of them; these layers are the inputs of the next copy.
    """

    learns = False

    def __init__(self, name: str, origin: Scalar) -> None:
        self.name = name
        self.origin = origin
        self.options: dict[str, Option] = {}
        self.defaults: dict[str, OptionValue] = {}
        self.inputs: tuple[Scalar, ...] = ()
        self.outputs: tuple[Scalar, ...] = ()
        self.items: tuple[LayerNode, ...] = ()

    @property
    def principal(self) -> str | None:
        """The option that a single value gives: the first."""
        return next(iter(self.options), None)

    def outputs_of(self, name: str) -> tuple[Scalar, ...]:
        """The paths of the outputs of the copy with that name; none if the block has one input."""
        outputs = self.outputs if len(self.inputs) > 1 else ()
        return tuple([output._replace(text=f"{name}/{output.text}") for output in outputs])


class LayerNode(NamedTuple):
    """One layer as written; without kind and block if it has a problem.

    `layer` is there if all of its options are constants. A `simple` node also has no other keys
    than a name. `label` is the kind or block as written, and default names begin with it.
    `only_join` is true of a join without a name that is the only one in its list.
    """

    origin: HasSpan
    kind: type[Kind[Any]] | None = None
    layer: Kind[Any] | None = None
    name: str = ""
    simple: bool = False
    label: str = "layer"
    options: tuple[OptionValue, ...] = ()
    block: Block | None = None
    sources: tuple[Scalar, ...] = ()
    repeat: OptionValue | None = None
    when: OptionValue | None = None
    frozen: OptionValue | None = None
    density: OptionValue | None = None
    weights: Scalar | None = None
    items: "tuple[LayerNode, ...]" = ()
    branches: tuple[Branch, ...] = ()
    only_join: bool = False
    note: str = ""
