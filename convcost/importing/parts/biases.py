"""Biases of layers that share their weights: each is a layer of its own."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.value import Value


class Use(NamedTuple):
    """A layer's use of weights, by the names of tensors; `bias` is empty where it has none. Only
    layers of one `family` can share weights."""

    weights: str
    family: str
    bias: str


def apart(uses: Iterable[Use]) -> set[str]:
    """Weights that several layers share, not all of them with the same bias: each bias is drawn
    apart."""
    found: dict[tuple[str, str], set[str]] = {}
    for use in uses:
        found.setdefault((use.weights, use.family), set()).add(use.bias)
    return {weights for (weights, _), biases in found.items() if len(biases) > 1}


def shifted(easel: Easel, x: Value, path: Path, channel: int, tensors: Mapping[str, int]) -> Value:
    """A bias as a layer of its own, one number for each entry of the axis `channel`."""
    options = {"factor": False, "shift": True}
    return by_channel(easel, "scale", x, path, channel, options, tensors=tensors)
