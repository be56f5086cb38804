"""Remembers results by the identity of an object, because a hash of a tree visits all of it."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cached_by_identity(function: Callable[[T], R]) -> Callable[[T], R]:
    """The function, called once for each object, even if objects are equal."""
    known: dict[int, tuple[R, T]] = {}

    def cached(value: T) -> R:
        found = known.get(id(value))
        if found is None:
            # The identity is valid as long as the object exists, so the object is kept too.
            found = known[id(value)] = function(value), value
        return found[0]

    return cached
