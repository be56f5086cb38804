"""What a report shows in pictures, before any drawing: labels and exact numbers.

A report that has pictures yields them from `pictures()`; who draws them is `convcost.draw`.
"""

from typing import NamedTuple, TypeAlias


class Bar(NamedTuple):
    """One bar for each series; None where a series has none. A `rest` sums what has no own bar."""

    label: str
    values: tuple[int | None, ...]
    rest: bool = False


class Bars(NamedTuple):
    """Horizontal bars: of one series, or of several side by side. `measure` is what they count.

    `parts` of a whole are told with their shares of it.
    """

    name: str
    title: str
    measure: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    parts: bool = False


class Curve(NamedTuple):
    """Numbers along the depth of a network, one for each layer."""

    name: str
    title: str
    measure: str
    labels: tuple[str, ...]
    values: tuple[int, ...]


class Box(NamedTuple):
    """A layer, or several, in a graph. `inputs` are indices of boxes before it; none: an input.

    `label` stands for the path where the box is more than that path: `bottleneck × 35`.
    """

    path: str
    kind: str
    shape: str
    params: int
    macs: int
    inputs: tuple[int, ...]
    label: str = ""
    layers: int = 1


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
