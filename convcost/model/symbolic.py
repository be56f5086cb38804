"""Symbolic numbers: the costs of a network are computed once for a set of values.

`convcost.design_space` implements them. The rest of the package only knows that a number may be
symbolic, and that a dict cannot look one up by its value.
"""

from typing import Any, TypeGuard


class Symbolic:
    """A number that is not known. It has the arithmetic of an int or a Fraction."""

    __slots__ = ()

    @property
    def key(self) -> object:
        """A value that two equal expressions share; it can be hashed."""
        raise NotImplementedError

    def calculate(self, sign: str, a: Any, b: Any) -> Any:
        """The exact value of `a sign b` in an expression of a spec; one of both is symbolic.

        Raises ConstraintError or ZeroDivisionError if it has no value.
        """
        raise NotImplementedError

    @property
    def bits(self) -> int:
        """An upper bound of the bits of the numerator and of the denominator, for all values."""
        raise NotImplementedError


def is_integer(value: object) -> TypeGuard[int]:
    """Whether a value is an integer, known or symbolic. True and false are not integers."""
    return isinstance(value, int) and type(value) is not bool


def is_symbolic(value: object) -> bool:
    """Whether a value is a symbolic number, or a tuple that contains one."""
    if isinstance(value, Symbolic):
        return True
    return isinstance(value, tuple) and any(map(is_symbolic, value))


def same_value(a: object, b: object) -> bool:
    """Whether two values are equal and of one type; without a decision about a symbolic number."""
    return a is b or (type(a) is type(b) and _key(a) == _key(b))


def memo(*values: object) -> dict[Any, Any]:
    """An empty dict for results by their arguments, which are computed from these values."""
    return _Memo() if is_symbolic(values) else {}


class _Memo(dict[Any, Any]):
    """Looks symbolic numbers up by their expressions."""

    def __contains__(self, key: object) -> bool:
        return super().__contains__(_key(key))

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(_key(key))

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_key(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_key(key), value)


def _key(value: Any) -> Any:
    if isinstance(value, Symbolic):
        return value.key
    return tuple(map(_key, value)) if isinstance(value, tuple) else value
