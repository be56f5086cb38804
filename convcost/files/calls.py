"""What a call names, as values of Python, checked: specs, networks, files, names."""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from convcost.errors import UsageError, brief
from convcost.network import Network
from convcost.report import printable

A_SPEC = "a spec is a path or a name, as text or a pathlib.Path"


def name_of(spec: Any) -> str:
    """A spec as the command line names it. Raises UsageError for what is none."""
    if isinstance(spec, bytes):
        raise UsageError(f"{A_SPEC}, not bytes: os.fsdecode gives the text of {brief(spec)}")
    if isinstance(spec, str | os.PathLike):
        return text_of("a spec", spec)
    if isinstance(spec, Iterable) and not isinstance(spec, Network):
        raise UsageError(f"{A_SPEC}, and one at a time, not a {type(spec).__name__}")
    raise UsageError(f"{A_SPEC}, not {brief(spec)}")


def specs_of_call(specs: Any) -> tuple[tuple[str, ...], tuple[Network, ...]]:
    """The names, and the networks that are loaded already, of one or of several.

    Raises UsageError if there is none, or one is neither.
    """
    alone = isinstance(specs, str | bytes | os.PathLike | Network) or not isinstance(
        specs, Iterable
    )
    several = [specs] if alone else list(specs)
    if not several:
        raise UsageError("there is nothing to check: no spec is named")
    networks = tuple(one for one in several if isinstance(one, Network))
    return tuple(name_of(one) for one in several if not isinstance(one, Network)), networks


def text_of(what: str, value: Any) -> str:
    """Text, or a path as text, that a system can take for a name. Raises UsageError."""
    text = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(text, str):
        raise UsageError(f"{what} is text or a pathlib.Path, not {brief(value)}")
    if "\0" in text:
        raise UsageError(f"{what} has a zero byte: `{printable(text)}`")
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        message = f"{what} has a character that is none: `{printable(text)}`"
        raise UsageError(message) from None
    return text


def refuse_no_variables(variables: Any) -> None:
    """Raises UsageError for what is not a mapping of names."""
    if variables is None:
        return
    if not isinstance(variables, Mapping):
        shown = brief(variables)
        raise UsageError(f'set is a mapping of variables, like {{"classes": 10}}, not {shown}')
    for name in variables:
        if not isinstance(name, str):
            raise UsageError(f"set: the name of a variable is text, not {brief(name)}")
