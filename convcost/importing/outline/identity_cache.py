"""Remembers results by the identity of an object, because a hash of a tree visits all of it."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def cached_by_identity(function: Callable[[T], R]) -> Callable[[T], R]:
    """The function, called once for each object, even if objects are equal."""
    known: dict[int, tuple[R, T]] = {}

    def cached(one: T) -> R:
        found = known.get(id(one))
        if found is None:
            found = known[id(one)] = function(one), one  # the identity is valid while it is kept
        return found[0]

    return cached
