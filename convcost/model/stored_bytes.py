"""The bytes of the numbers that a network stores: weights, biases and buffers."""

from collections.abc import Iterable, Iterator

from convcost.model.costs import LayerCost
from convcost.model.dtypes import Dtypes
from convcost.model.record import NamedTuple


class StoredBytes(NamedTuple):
    """The bytes of a layer, or of a network. Each of the three is rounded up to whole bytes."""

    weights: int = 0
    biases: int = 0
    buffers: int = 0

    @property
    def params(self) -> int:
        """The bytes of weights and biases."""
        return self.weights + self.biases

    @property
    def total(self) -> int:
        """The bytes of weights, biases and buffers."""
        return sum(self)


NOTHING = StoredBytes()


def stored_bytes(layers: Iterable[LayerCost], dtypes: Dtypes) -> Iterator[StoredBytes]:
    """The bytes of each layer. Shared weights count in the first layer that has them."""
    layers = tuple(layers)
    types = dtypes.for_paths(layer.path for layer in layers)
    for layer, layer_dtypes in zip(layers, types, strict=True):
        counts = layer.counts
        if counts.weights or counts.biases or counts.buffers:
            yield StoredBytes(
                layer_dtypes.weights.bytes(counts.weights),
                layer_dtypes.biases.bytes(counts.biases),
                layer_dtypes.buffers.bytes(counts.buffers),
            )
        else:
            yield NOTHING
