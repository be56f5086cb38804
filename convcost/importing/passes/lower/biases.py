"""Biases of layers that share their weights: each bias is a layer of its own."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.pointwise import by_channel


class Use(NamedTuple):
    """The use of weights by a layer, as names of tensors; `bias` is "" if it has none. Only layers
    of one `family` can share weights."""

    weights: str
    family: str
    bias: str


def weights_with_several_biases(uses: Iterable[Use]) -> set[str]:
    """The weights that several layers share with different biases. Each bias then becomes a layer
    of its own."""
    found: dict[tuple[str, str], set[str]] = {}
    for use in uses:
        found.setdefault((use.weights, use.family), set()).add(use.bias)
    return {weights for (weights, _), biases in found.items() if len(biases) > 1}


def shifted(
    builder: GraphBuilder, x: Tensor, path: Path, channel: int, tensors: Mapping[str, int]
) -> Tensor:
    """Adds a bias as a layer of its own, with one number for each entry of the axis `channel`."""
    options = {"factor": False, "shift": True}
    return by_channel(builder, "scale", x, path, channel, options, tensors=tensors)
