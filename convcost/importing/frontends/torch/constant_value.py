"""Tensors that do not depend on the inputs: parameters, buffers, and tensors computed from them
alone."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from convcost.importing.ir.tensor import Tensor


class Parameter(NamedTuple):
    """A tensor that the model registers; `key` is its first name in the model."""

    key: str
    dims: tuple[int, ...]
    elements: int
    learned: bool


class ConstantValue(NamedTuple):
    """A tensor that does not depend on the inputs; `dims` as in the model. It is a registered
    tensor, or the result of a `call` that is lowered only if a layer needs it as an input. `leaves`
    are the registered tensors that it is computed from; a constant has none. `node` identifies the
    tensor."""

    dims: tuple[int, ...]
    leaves: tuple[Parameter, ...]
    node: Any
    call: Any = None
    whole: bool = True  # it has an element for each element of a single leaf, in any order

    @property
    def leaf(self) -> Parameter | None:
        """The single registered tensor that this one is, or is computed from element by element;
        None if there is none."""
        return self.leaves[0] if self.whole and len(self.leaves) == 1 else None


def tensors(given: Any) -> Iterator[Tensor | ConstantValue]:
    """All tensors in arguments, also in nested lists and mappings."""
    if isinstance(given, (Tensor, ConstantValue)):
        yield given
    elif isinstance(given, (tuple, list)):
        for one in given:
            yield from tensors(one)
    elif isinstance(given, dict):
        yield from tensors(tuple(given.values()))
