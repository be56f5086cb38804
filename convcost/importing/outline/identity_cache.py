"""Remembers results by the identity of an object, because a hash of a tree visits all of it."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cached_by_identity(function: Callable[[T], R]) -> Callable[[T], R]:
    """The function, called once for each object, even if objects are equal."""
    entry_by_identity: dict[int, tuple[R, T]] = {}

    def cached(value: T) -> R:
        entry = entry_by_identity.get(id(value))
        if entry is None:
            # The identity is valid as long as the object exists, so the object is kept too.
            entry = entry_by_identity[id(value)] = function(value), value
        return entry[0]

    return cached
