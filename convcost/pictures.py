"""What a report shows in pictures, before any drawing: labels and exact numbers.

A report that has pictures yields them from `pictures()`; who draws them is `convcost.draw`.
"""

from typing import NamedTuple, TypeAlias


class Bar(NamedTuple):
    """One bar for each series; None where a series has none."""

    label: str
    values: tuple[int | None, ...]


class Bars(NamedTuple):
    """Horizontal bars: of one series, or of several side by side. `measure` is what they count."""

    name: str
    title: str
    measure: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]


class Curve(NamedTuple):
    """Numbers along the depth of a network, one for each layer."""

    name: str
    title: str
    measure: str
    labels: tuple[str, ...]
    values: tuple[int, ...]


class Box(NamedTuple):
    """A layer, or a group of them, in a graph. `inputs` are indices of boxes; none: an input."""

    path: str
    kind: str
    shape: str
    params: int
    macs: int
    inputs: tuple[int, ...]


class Graph(NamedTuple):
    """A network as boxes in the order of their layers, each fed by some before it."""

    name: str
    title: str
    boxes: tuple[Box, ...]


class Tile(NamedTuple):
    """A part of a whole: its value is that of its tiles, if it has any."""

    label: str
    value: int
    tiles: "tuple[Tile, ...]" = ()


class Treemap(NamedTuple):
    """A whole cut into areas."""

    name: str
    title: str
    measure: str
    root: Tile


Picture: TypeAlias = Bars | Curve | Graph | Treemap
