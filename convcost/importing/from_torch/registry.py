"""Operators announce themselves: how a call of one is drawn."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.registry import Registry


class Call(NamedTuple):
    """One call of an operator: `given` are its arguments by the names of its schema, defaults
    included, tensors as `Value` or `Held`; `dims` are what the model says comes out, of several
    tensors a tuple of dims; `users` the operators that take it; `apart` weights whose layers have
    their biases drawn apart."""

    easel: Easel
    path: Path
    name: str
    given: Mapping[str, Any]
    dims: Any
    users: frozenset[str] = frozenset()
    apart: frozenset[str] = frozenset()


Stroke: TypeAlias = Callable[[Call], Any]

OPERATORS: Registry[Stroke] = Registry("convcost.importing.from_torch.operators")

# Joins broadcast by themselves: a tensor that only they take need not be stretched for them.
STRETCHING = frozenset(
    f"aten.{name}{suffix}" for name in ("add", "sub", "mul", "div") for suffix in ("", "_")
)

# These ask a tensor for its shape alone.
SHAPED = frozenset(
    f"aten.{name}"
    for name in (
        *("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like"),
        *("full_like", "empty_like", "rand_like", "randn_like"),
    )
)


def operator(*names: str) -> Callable[[Stroke], Stroke]:
    """Registers how operators are drawn, by the names ATen has for them, without the overload."""

    def register(stroke: Stroke) -> Stroke:
        for name in names:
            OPERATORS.add(name, stroke)
        return stroke

    return register
