"""The table of a framework's operators: rows that map them to canonical operators, and rules for
the others."""

from collections.abc import Callable
from typing import Any, TypeVar

from convcost.importing.ir.ops import UNKNOWN, Row, Trait
from convcost.model.registry import Registry

F = TypeVar("F", bound=Callable[..., Any])


class OperatorTable(Registry[Row]):
    """The rows of operators by name. `package` has the modules that add them."""

    def __init__(self, package: str) -> None:
        super().__init__(package, quoted=False)

    def operator(
        self,
        *names: str,
        op: str = "",
        weights: int | None = None,
        bias: int | None = None,
        **ops: str,
    ) -> Callable[[F], F]:
        """Registers a rule for operators: all of `names` are the canonical operator `op`; each of
        `ops` maps a name to its own canonical operator. `weights` and `bias` are the positions of
        these inputs. A rule gets a call and returns its output, or all outputs in order; it may
        raise ConstraintError."""

        def register(rule: F) -> F:
            for name, canonical in {**dict.fromkeys(names, op), **ops}.items():
                self.add(name, Row(rule, canonical, weights, bias))
            return rule

        return register

    def row(self, op: str, *names: str, **attributes: Any) -> None:
        """Registers operators that are a canonical operator of their first input. `attributes` maps
        the attributes of the canonical operator to the framework's attributes by name, to functions
        of a call, or to values."""

        def value(call: Any, source: Any) -> Any:
            if callable(source):
                return source(call)
            return call.attribute(source) if isinstance(source, str) else source

        @self.operator(*names, op=op)
        def rule(call: Any) -> Any:
            options = {name: value(call, source) for name, source in attributes.items()}
            return call.lower(op, **options)

    def free_row(self, *names: str, what: str = "", like_input: bool = False) -> None:
        """Registers operators without a kind and without multiply-adds. The output has the dims of
        the first input, or those in the file."""

        @self.operator(*names)
        def rule(call: Any) -> Any:
            return call.custom(call.value().dims if like_input else None, what)

    def row_of(self, name: str) -> Row:
        """The row of an operator, or UNKNOWN."""
        return self.get(name) or UNKNOWN

    def has(self, name: str, *traits: Trait) -> bool:
        """Whether an operator has one of the traits."""
        return any(trait in self.row_of(name).traits for trait in traits)
