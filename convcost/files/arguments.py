"""What is asked for by name: the specs that it comes to, each of them once."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from convcost.errors import UsageError
from convcost.files.sources import Found, find, specs_of


class Lost(NamedTuple):
    """An argument that names no spec, and why."""

    argument: str
    error: UsageError


def each_once(arguments: Iterable[str]) -> tuple[Found | Lost, ...]:
    """Specs, and all of folders, in the order in which they are asked for first. A file under
    several names is one; a document of a file that is asked for whole is part of it."""
    found: dict[tuple[str, str | None], Found | Lost] = {}
    for argument in arguments:
        try:
            for name in specs_of(argument):
                one = find(name)
                found.setdefault((_file(one), one.pick), one)
        except UsageError as error:
            found.setdefault((argument, ""), Lost(argument, error))
    return tuple(
        one for (file, pick), one in found.items() if pick is None or (file, None) not in found
    )


def _file(found: Found) -> str:
    return "-" if found.path is None else os.path.realpath(found.path)


def own_file(found: Found) -> Path | None:
    """The user's file; a shipped spec, standard input and a pipe have none."""
    path = None if found.shipped else found.path
    return path if path is not None and path.is_file() else None
