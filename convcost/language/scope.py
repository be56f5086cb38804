"""Scopes: the names that `from` can use, from the innermost scope out to the block."""

from collections.abc import Iterator, MutableMapping
from typing import Any, TypeAlias

from convcost.language.problems import Problems
from convcost.language.syntax_tree import LayerNode
from convcost.language.yaml_nodes import Scalar
from convcost.model.errors import ConstraintError
from convcost.model.network import HasSpan
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.suggestions import did_you_mean

Variables: TypeAlias = MutableMapping[str, Any]

BEFORE = "a layer can use the layers before it in its block whose `when` is true"
AXES = {"in_width": 1, "in_height": 2, "in_depth": 3}


class StepOutput(NamedTuple):
    """The output of a step, or an input: its index (inputs are −1 − k), and its shape if known.

    A `source` of None is the start of a network or block with several inputs: no tensor is chosen
    yet.
    """

    source: int | None
    shape: Shape | None


DROPPED = StepOutput(None, None)  # the output of a layer whose `when` is false


class ScopeEntry:
    """A name in a scope. `tensor` is None while its layers are being expanded."""

    __slots__ = ("origin", "scope", "tensor")

    def __init__(
        self, origin: HasSpan, tensor: StepOutput | None = None, scope: "Scope | None" = None
    ) -> None:
        self.origin = origin
        self.tensor = tensor
        self.scope = scope


class UnknownValueError(Exception):
    """A value is not known, because of a problem that has been added."""


class Scope:
    """The names of one list of layers: of a block, a branch, a sequence, or the network."""

    def __init__(
        self,
        prefix: str,
        variables: Variables,
        parent: "Scope | None",
        items: tuple[LayerNode, ...],
        incoming: StepOutput,
        caller: "Scope | None" = None,
        inputs: tuple[str, ...] = (),
    ) -> None:
        self.prefix = prefix
        self.variables = variables
        self.parent = parent
        self.items = items
        self.incoming = incoming
        self.caller = caller  # the scope that calls the block; messages name it
        self.inputs = inputs  # the names of the inputs of a block or the network
        self.names: dict[str, ScopeEntry] = {}
        self.counts: dict[str, int] = {}

    def inner(self, name: str, items: tuple[LayerNode, ...], incoming: StepOutput) -> "Scope":
        """A new scope in this one, for a branch or sequence. Its layers can use the names of both
        scopes."""
        return Scope(f"{self.prefix}{name}/", self.variables, self, items, incoming)

    def value(self, name: str, x: StepOutput) -> Any:
        """The value of a name in an expression, for the tensor that enters the layer.

        Raises ConstraintError, UnknownValueError.
        """
        if name not in AXES and name != "in_channels":
            return self.variables[name]
        if x.shape is None:
            raise UnknownValueError
        if name == "in_channels":
            return x.shape.channels
        if AXES[name] > len(x.shape.size):
            raise ConstraintError("CC106", f"{name} has no value: the input is {x.shape.text}")
        return x.shape.size[-AXES[name]]

    def describe_inputs(self) -> tuple[str, str]:
        """The number and the names of the inputs of the block or network around, for messages."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        owner = "the network" if scope.caller is None else "the block"
        return f"{owner} has {len(scope.inputs)} inputs", ", ".join(f"`{n}`" for n in scope.inputs)

    def find(self, reference: Scalar, problems: Problems) -> StepOutput | None:
        """The tensor at a path such as `block_1/conv_1`.

        Looks up the first name in this scope, then in the scopes around it. If there is no such
        tensor, returns None and adds a problem.
        """
        first, *rest = reference.text.split("/")
        scope = self._scope_of(first, inside=bool(rest))
        if first == "input" and not rest and first not in scope.names:
            return scope.incoming
        entry, visible_names = scope.names.get(first), self._visible()
        for name in rest:
            if entry is None or entry.tensor is DROPPED:
                break
            if entry.scope is None and entry.tensor is not None and entry.tensor.shape is None:
                return entry.tensor  # unknown, because of another problem
            first, names = name, {} if entry.scope is None else entry.scope.names
            entry, visible_names = names.get(name), iter(names)
        if entry is not None and entry.tensor is not None and entry.tensor is not DROPPED:
            return entry.tensor
        message, hint = f"there is no layer `{reference.text}` before this one", ""
        caller = scope.caller if scope.parent is None and not rest else None
        if caller is not None and caller.has(first):
            message = f"`{first}` is outside of this block, and a block cannot use it"
            hint = (
                f"a block can use its own layers and its inputs: write `from: {first}` in the "
                f"call, give the block `inputs`, join `{first}` after the call, or write a "
                "`sequence`, which can use all names around it"
            )
        if entry is not None and entry.tensor is DROPPED:
            message = f"`{reference.text}` is left out here, because its `when` is false"
            hint = "give this layer the same `when`, or name another layer"
        hint = hint or did_you_mean(first, visible_names, listed=0) or BEFORE
        problems.add("CC108", message, reference, hint)
        return None

    def _visible(self) -> Iterator[str]:
        """The names that a layer can use, and the paths of the branches of joins."""
        scope: Scope | None = self
        yield "input"
        while scope is not None:
            for name, entry in scope.names.items():
                yield name
                if entry.scope is not None and entry.scope.parent is scope:
                    yield from (f"{name}/{branch}" for branch in entry.scope.names)
            scope = scope.parent

    def _scope_of(self, name: str, *, inside: bool) -> "Scope":
        """The innermost scope that has a name, or the outermost scope. A group has no output while
        it is expanded, so it counts only with `inside`: for the path of a layer in the group."""
        scope = self
        while scope.parent is not None:
            entry = scope.names.get(name)
            if entry is not None and (inside or entry.tensor is not None):
                break
            scope = scope.parent
        return scope

    def has(self, name: str) -> bool:
        """Whether a scope around this one has the name, also outside of the block."""
        scope = self._scope_of(name, inside=True)
        return name in scope.names or (scope.caller is not None and scope.caller.has(name))
