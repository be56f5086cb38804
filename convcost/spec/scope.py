"""Names in scopes: what a `from` finds, from the inside out up to the edge of its block."""

from typing import Any, NamedTuple

from convcost.errors import Note, Problem, Refusal
from convcost.names import did_you_mean
from convcost.network import Placed
from convcost.shapes import Shape
from convcost.spec.document import Scalar
from convcost.spec.recipes import Recipe

AXES = {"in_width": 1, "in_height": 2, "in_depth": 3}


class Tensor(NamedTuple):
    """What flows: the step it comes from (inputs are −1 − k), and its shape if that is known.

    A `source` of None is the start of a network with several inputs: nothing flows yet.
    """

    source: int | None
    shape: Shape | None


class Entry:
    """A name that is taken. `tensor` is None while its layers are being laid out, or if dropped."""

    __slots__ = ("dropped", "origin", "scope", "tensor")

    def __init__(
        self,
        origin: Placed,
        tensor: Tensor | None = None,
        scope: "Scope | None" = None,
        *,
        dropped: bool = False,
    ) -> None:
        self.origin = origin
        self.tensor = tensor
        self.scope = scope
        self.dropped = dropped


class Unknown(Exception):  # noqa: N818  a shape that an earlier problem left open
    """Raised by a look-up of `in_channels` where the incoming shape is not known."""


class Scope:
    """One list of layers, laid out: a block, a branch, a sequence, or the network itself."""

    def __init__(
        self,
        prefix: str,
        variables: dict[str, Any],
        parent: "Scope | None",
        items: tuple[Recipe, ...],
        entering: Tensor,
    ) -> None:
        self.prefix = prefix
        self.variables = variables
        self.parent = parent
        self.items = items
        self.entering = entering
        self.names: dict[str, Entry] = {}
        self.counts: dict[str, int] = {}

    def inner(self, name: str, items: tuple[Recipe, ...], entering: Tensor) -> "Scope":
        """A scope that sees this one: a branch or sequence, not a block."""
        return Scope(f"{self.prefix}{name}/", self.variables, self, items, entering)

    def value(self, name: str, flow: Tensor) -> Any:
        """A name of an expression. Raises Refusal, or Unknown."""
        if name not in AXES and name != "in_channels":
            return self.variables[name]
        if flow.shape is None:
            raise Unknown
        if name == "in_channels":
            return flow.shape.channels
        if AXES[name] > len(flow.shape.size):
            raise Refusal("CC106", f"{name} has no value: the input is {flow.shape.text}")
        return flow.shape.size[-AXES[name]]

    def find(self, reference: Scalar) -> Tensor | Problem:
        """The tensor a path names: its first name from the inside out, the rest from there in."""
        path = reference.text
        first, *rest = path.split("/")
        scope: Scope | None = self
        while scope is not None:
            if first in scope.names:
                return self._descend(scope.names[first], path, rest, reference)
            if first == "input" and scope.parent is None and not rest:
                return scope.entering
            scope = scope.parent
        return self._lost(path, first, reference)

    def _descend(
        self, entry: Entry, path: str, rest: list[str], reference: Scalar
    ) -> Tensor | Problem:
        for name in rest:
            if entry.scope is None and entry.tensor is not None and entry.tensor.shape is None:
                return entry.tensor  # what it would have held is not known; that was said
            inner = entry.scope.names if entry.scope is not None else {}
            if name not in inner:
                hint = did_you_mean(name, inner)
                return Problem(
                    "CC108",
                    f"`{path}` names nothing: there is no `{name}` in it",
                    reference.place,
                    (Note("looked for in this", entry.origin.place),),
                    hint,
                )
            entry = inner[name]
        if entry.dropped:
            return Problem(
                "CC108",
                f"`{path}` is left out here: its `when` is false",
                reference.place,
                (Note("this layer", entry.origin.place),),
            )
        if entry.tensor is None:
            return Problem(
                "CC108",
                f"`{path}` cannot be taken from inside itself",
                reference.place,
                (Note("it is not finished here", entry.origin.place),),
            )
        return entry.tensor

    def _in_block(self) -> bool:
        root = self
        while root.parent is not None:
            root = root.parent
        return root.prefix != ""

    def _lost(self, path: str, first: str, reference: Scalar) -> Problem:
        known = ["input"]
        scope: Scope | None = self
        while scope is not None:
            for item in scope.items:
                if item.name == first:
                    return _not_yet(path, item, reference)
            known += scope.names
            scope = scope.parent
        hint = did_you_mean(first, known, listed=0 if self._in_block() else 12)
        return Problem(
            "CC108",
            f"there is no layer `{path}` before this one",
            reference.place,
            help=hint or "a block sees `input` and its own layers, nothing of its caller",
        )


def _not_yet(path: str, item: Recipe, reference: Scalar) -> Problem:
    if reference in item.sources:
        message = f"`{path}` cannot take its own output"
        return Problem("CC108", message, reference.place)
    return Problem(
        "CC108",
        f"`{path}` comes later: a layer takes only what stands before it",
        reference.place,
        (Note("it stands here", item.origin.place),),
    )
