"""Errors of front ends: what a message begins with, and files that do not have their format."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from convcost.model.errors import ConstraintError

# Errors of code that reads a table, an option or an input which is missing or has another form.
FORM_ERRORS = (LookupError, ValueError, TypeError, AssertionError, AttributeError, ArithmeticError)


def import_packages(*packages: str, extra: str) -> Any:
    """The last of the packages that read a file. Raises ConstraintError if one is missing, with the
    `extra` of convcost that installs it."""
    try:
        return [import_module(name) for name in packages][-1]
    except ImportError:
        message = f"{packages[-1]} is needed to read this file"
        raise ConstraintError("CC401", message, f"pip install 'convcost[{extra}]'") from None


def unsupported(subject: str, hint: str = "") -> ConstraintError:
    return ConstraintError("CC401", f"convcost does not support {subject}", hint)


@contextmanager
def as_invalid_file(
    message: str, hint: str, errors: tuple[type[Exception], ...] = FORM_ERRORS
) -> Iterator[None]:
    """Raises ConstraintError CC404 in place of one of the errors."""
    try:
        yield
    except errors as error:
        raise ConstraintError("CC404", message, hint) from error


@contextmanager
def prefix_errors(name: str) -> Iterator[None]:
    """The messages of ConstraintErrors begin with a name."""
    try:
        yield
    except ConstraintError as refusal:
        raise ConstraintError(refusal.code, f"{name}: {refusal.message}", refusal.help) from None
