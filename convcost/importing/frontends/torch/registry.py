"""The operators of ATen: rows that map them to canonical operators, and rules for the others."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from convcost.importing.frontends.torch.weights import as_tensor
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.ops import UNKNOWN, Row, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lowering import lower
from convcost.model.registry import Registry


class TorchCall(NamedTuple):
    """A call of an operator. `given` has its arguments by the names of the schema, including
    defaults; tensors are `Tensor` or `ConstantValue`. `dims` are the dims of the output in the
    model, or a tuple of dims for several outputs. `users` are the operators that read the
    output. `is_complex` is whether an argument has complex numbers."""

    builder: GraphBuilder
    path: Path
    name: str
    given: Mapping[str, Any]
    dims: Any
    users: frozenset[str] = frozenset()
    is_complex: bool = False

    @property
    def several(self) -> bool:
        """Whether it has several outputs."""
        return bool(self.dims) and isinstance(self.dims[0], tuple)

    @property
    def first_dims(self) -> Any:
        """The dims of its output, or of the first of several."""
        return self.dims[0] if self.several else self.dims

    @property
    def x(self) -> Tensor:
        """The first argument."""
        return as_tensor(self.builder, next(iter(self.given.values())))

    def lower(self, op: str, *inputs: Tensor, **more: Any) -> Tensor:
        """Adds the layers of a canonical operator. Its input is the first argument by default."""
        return lower(self.builder, op, self.path, *(inputs or (self.x,)), **more)


F = TypeVar("F", bound=Callable[..., Any])

OPERATORS: Registry[Row] = Registry("convcost.importing.frontends.torch.operators", quoted=False)

# These operators read only the shape of a tensor.
SHAPED = frozenset(
    f"aten.{name}"
    for name in (
        *("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like"),
        *("full_like", "empty_like", "rand_like", "randn_like"),
    )
)


def operator(
    *names: str, op: str = "", weights: int | None = None, bias: int | None = None
) -> Callable[[F], F]:
    """Registers a rule for operators, by their names in ATen without the overload. They are the
    canonical operator `op`, if it is given; `weights` and `bias` are the positions of these
    arguments."""

    def register(rule: F) -> F:
        for name in names:
            OPERATORS.add(name, Row(rule, op, weights, bias))
        return rule

    return register


def row(op: str, *names: str, **attributes: str) -> None:
    """Registers operators that are a canonical operator of their first argument. `attributes` maps
    the attributes of the canonical operator to the arguments of ATen."""

    @operator(*(f"aten.{name}" for name in names or (op,)), op=op)
    def rule(call: TorchCall) -> Tensor:
        given = {name: call.given.get(theirs) for name, theirs in attributes.items()}
        return call.lower(op, **given)


def operator_name(target: Any) -> str:
    """The name of an operator without its overload: `aten.conv2d` for aten.conv2d.default."""
    if hasattr(target, "_schema"):
        return str(target).rpartition(".")[0]
    return str(getattr(target, "__name__", target))


def known(name: str) -> Row:
    """The row of an operator. The names of in-place operators end in `_`."""
    return OPERATORS.get(name) or OPERATORS.get(name.removesuffix("_")) or UNKNOWN


def only_joined(users: frozenset[str]) -> bool:
    """Whether only joins read a tensor. They broadcast it themselves."""
    return all(Trait.JOINS in known(user).traits for user in users)
