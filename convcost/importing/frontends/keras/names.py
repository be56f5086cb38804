"""Converts flat names to module paths: `conv2_block1_1_conv` becomes conv2/block1/1/conv if other
names share its prefixes. It also recognizes the names that Keras creates itself."""

import re
from collections import Counter
from collections.abc import Iterable

from convcost.importing.ir.layer_graph import Path

MIN_NAMES = 3  # names with a common prefix that make the prefix a module


def paths(names: Iterable[str]) -> dict[str, Path]:
    """The path of each name. A prefix is a module if its last part has a digit, such as `block4a`,
    and at least MIN_NAMES names share it."""
    names = list(names)
    shared: Counter[tuple[str, ...]] = Counter()
    for name in names:
        parts = tuple(name.split("_"))
        shared.update(parts[:end] for end in range(1, len(parts)))
    return {name: _path(tuple(name.split("_")), shared) for name in names}


def snake_case(kind: str) -> str:
    """The name that Keras creates for a class: `max_pooling2d` for MaxPooling2D."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])", "_", kind).lower()


def automatic(name: str, kind: str) -> bool:
    """Whether Keras created the name of a layer: the name of its class, with a number if there are
    several."""
    return re.fullmatch(rf"{re.escape(snake_case(kind))}(_\d+)?", name) is not None


def _path(parts: tuple[str, ...], prefix_counts: Counter[tuple[str, ...]]) -> Path:
    """The path of a name, from its `parts` between underscores. `prefix_counts` has the number of
    names with each prefix."""
    modules: list[str] = []
    start = 0
    for end in range(1, len(parts)):
        has_digit = any(character.isdigit() for character in parts[end - 1])
        if has_digit and prefix_counts[parts[:end]] >= MIN_NAMES:
            modules.append("_".join(parts[start:end]))
            start = end
    return (*modules, "_".join(parts[start:]))
