"""The operators of ONNX: rows that map them to canonical operators, and rules for the others."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from convcost.importing.ir.ops import UNKNOWN, Row, Trait
from convcost.model.registry import Registry

if TYPE_CHECKING:
    from convcost.importing.frontends.onnx.call import OnnxCall
    from convcost.importing.ir.tensor import Tensor

F = TypeVar("F", bound=Callable[..., Any])

OPERATORS: Registry[Row] = Registry("convcost.importing.frontends.onnx.operators", quoted=False)


def operator(
    *names: str, op: str = "", weights: int | None = None, bias: int | None = None, **ops: str
) -> Callable[[F], F]:
    """Registers a rule for operators of ONNX: all of `names` are the canonical operator `op`; each
    of `ops` maps a name to its own canonical operator. `weights` and `bias` are the positions of
    these inputs. A rule gets an OnnxCall and returns the output tensors in order; it may raise
    ConstraintError."""

    def register(rule: F) -> F:
        for name, canonical in {**dict.fromkeys(names, op), **ops}.items():
            OPERATORS.add(name, Row(rule, canonical, weights, bias))
        return rule

    return register


def row(op: str, *names: str, **attributes: str | bool) -> None:
    """Registers operators that are a canonical operator of their first input. `attributes` maps the
    attributes of the canonical operator to those of ONNX, or to a value."""

    @operator(*names, op=op)
    def rule(call: "OnnxCall") -> "Tensor":
        given: dict[str, Any] = dict(attributes)
        given |= {name: call.get(one) for name, one in attributes.items() if isinstance(one, str)}
        return call.lower(op, **given)


def without_layer(op: str, *names: str) -> None:
    """Registers operators that need no rule."""
    for name in names:
        OPERATORS.add(name, Row(op=op))


def row_of(name: str) -> Row:
    return OPERATORS.get(name) or UNKNOWN


def has(name: str, *traits: Trait) -> bool:
    """Whether an operator has one of the traits."""
    return any(trait in row_of(name).traits for trait in traits)
