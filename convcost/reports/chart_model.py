"""The data of charts: labels and exact counts, without positions and colours.

`convcost.render.svg` draws them.
"""

from typing import TypeAlias

from convcost.model.record import NamedTuple


class Bar(NamedTuple):
    """A value for each series, None for a series without one. `rest` is true for the bar with the
    sum of all bars that are left out."""

    label: str
    values: tuple[int | None, ...]
    rest: bool = False


class Bars(NamedTuple):
    """Horizontal bars of one series, or of several side by side.

    With `parts`, the bars are parts of a whole, and each also shows its share.
    """

    name: str
    title: str
    measure: str
    series: tuple[str, ...]
    bars: tuple[Bar, ...]
    parts: bool = False


class Curve(NamedTuple):
    """Counts along the depth of a network, one for each layer."""

    name: str
    title: str
    measure: str
    labels: tuple[str, ...]
    values: tuple[int, ...]


class ScatterPoint(NamedTuple):
    """A point of two measures; `front` is whether it is in the Pareto front."""

    label: str
    x: int
    y: int
    front: bool


class Scatter(NamedTuple):
    """Points by two measures, the names of the axes `x` and `y`."""

    name: str
    title: str
    x: str
    y: str
    points: tuple[ScatterPoint, ...]


class Box(NamedTuple):
    """One or several layers in a graph. `inputs` are indices of earlier boxes; an input has none.

    `label` replaces the path if the box is more than that path: `bottleneck × 35`. `uncounted` is
    the number of layers whose macs are unknown.
    """

    path: str
    kind: str
    shape: str
    params: int
    macs: int
    inputs: tuple[int, ...]
    label: str = ""
    layers: int = 1
    uncounted: int = 0


class GraphChart(NamedTuple):
    """A network as boxes in the order of their layers."""

    name: str
    title: str
    boxes: tuple[Box, ...]


class Tile(NamedTuple):
    """A part of a whole; if it has tiles, its value is their sum."""

    label: str
    value: int
    tiles: "tuple[Tile, ...]" = ()


class Treemap(NamedTuple):
    """A total as nested areas, each in proportion to its value."""

    name: str
    title: str
    measure: str
    root: Tile


Chart: TypeAlias = Bars | Curve | GraphChart | Scatter | Treemap
