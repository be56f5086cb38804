"""Tensors that depend on no input: parameters, buffers, and what is made of them alone."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.importing.value import Value


class Leaf(NamedTuple):
    """A tensor that the model registers, by the first name it has there."""

    key: str
    dims: tuple[int, ...]
    elements: int
    learned: bool


class Held(NamedTuple):
    """`dims` as the model has them. It is a leaf itself, or a call of an operator that is drawn
    only if a layer needs it as an input. `leaves` are those it is made of; without any it is a
    constant. `node` tells tensors apart."""

    dims: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    node: Any
    call: Any = None
    whole: bool = True  # the elements of its one leaf, each by itself, in whatever order

    @property
    def leaf(self) -> Leaf | None:
        """The leaf whose elements these are, if they are those of one."""
        return self.leaves[0] if self.whole and len(self.leaves) == 1 else None


def tensors(given: Any) -> Iterator[Value | Held]:
    """All tensors among arguments, those in lists included."""
    if isinstance(given, (Value, Held)):
        yield given
    elif isinstance(given, (tuple, list)):
        for one in given:
            yield from tensors(one)
    elif isinstance(given, dict):
        yield from tensors(tuple(given.values()))
