"""Modules out of flat names: `conv2_block1_1_conv` is conv2/block1/1/conv where others share its
beginnings. Names that Keras makes up itself are told apart."""

import re
from collections import Counter
from collections.abc import Iterable

from convcost.importing.drawing import Path

LEAST = 3  # names that share a beginning before it is taken for a module


def paths(names: Iterable[str]) -> dict[str, Path]:
    """The path of each name. A beginning counts as a module if it ends in a digit or a stage's
    letter, as in `block4a`, and enough names share it."""
    names = list(names)
    shared: Counter[tuple[str, ...]] = Counter()
    for name in names:
        parts = tuple(name.split("_"))
        shared.update(parts[:end] for end in range(1, len(parts)))
    return {name: _path(tuple(name.split("_")), shared) for name in names}


def snaked(kind: str) -> str:
    """What Keras makes of a class where it has no name: `max_pooling2d` of MaxPooling2D."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", kind).lower()


def automatic(name: str, kind: str) -> bool:
    """Whether Keras gave a layer its name: that of its class, and a number where there are more."""
    return re.fullmatch(rf"{re.escape(snaked(kind))}(_\d+)?", name) is not None


def _path(parts: tuple[str, ...], shared: Counter[tuple[str, ...]]) -> Path:
    found: list[str] = []
    begun = 0
    for end in range(1, len(parts)):
        numbered = any(character.isdigit() for character in parts[end - 1])
        if numbered and shared[parts[:end]] >= LEAST:
            found.append("_".join(parts[begun:end]))
            begun = end
    return (*found, "_".join(parts[begun:]))
