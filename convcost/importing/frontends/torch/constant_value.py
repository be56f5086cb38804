"""Tensors that do not depend on the inputs, and their layers: parameters, buffers, and tensors
computed from them alone."""

from collections.abc import Iterable, Iterator
from math import prod
from typing import Any, NamedTuple

from convcost.importing.frontends.torch.names import split_name
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import MAPS_RANK, Tensor
from convcost.importing.passes.lower.stored_tensors import constant_tensor, learned_once


class Parameter(NamedTuple):
    """A tensor that the model registers; `key` is its first name in the model."""

    key: str
    dims: tuple[int, ...]
    elements: int
    learned: bool


class ConstantValue(NamedTuple):
    """A tensor that does not depend on the inputs; `dims` as in the model. It is a registered
    tensor, or the result of a `call` that is lowered only if a layer needs it as an input. `leaves`
    are the registered tensors that it is computed from; a constant has none. `node` identifies the
    tensor."""

    dims: tuple[int, ...]
    leaves: tuple[Parameter, ...]
    node: Any
    call: Any = None
    has_whole_source: bool = (
        True  # it has an element for each element of a single leaf, in any order
    )

    @property
    def leaf(self) -> Parameter | None:
        """The single registered tensor that this one is, or is computed from element by element;
        None if there is none."""
        return self.leaves[0] if self.has_whole_source and len(self.leaves) == 1 else None


def tensors(arguments: Any) -> Iterator[Tensor | ConstantValue]:
    """All tensors in arguments, also in nested lists and mappings."""
    if isinstance(arguments, (Tensor, ConstantValue)):
        yield arguments
    elif isinstance(arguments, (tuple, list)):
        for value in arguments:
            yield from tensors(value)
    elif isinstance(arguments, dict):
        yield from tensors(tuple(arguments.values()))


def as_tensor(
    builder: GraphBuilder, x: Tensor | ConstantValue, other: Tensor | None = None
) -> Tensor:
    """The value as a tensor of the layer graph. A constant is added as a layer once. Its channels
    are those of the tensor `other` that it broadcasts with."""
    if isinstance(x, Tensor):
        return x
    if x.node not in builder.constant_layers:
        builder.constant_layers[x.node] = _lower_constant(builder, x, other)
    return builder.constant_layers[x.node]


def _lower_constant(builder: GraphBuilder, x: ConstantValue, other: Tensor | None) -> Tensor:
    """Adds the layer of a constant: of its numbers, of its registered tensor, or of the operator
    that computes it. The layer belongs to the module of the last layer, its neighbour."""
    neighbour = len(builder.layers) - 1
    channel = 1 if len(x.dims) >= MAPS_RANK else -1
    if other is not None and -len(x.dims) <= other.channel - len(other.dims) < 0:
        channel = other.channel - len(other.dims)
    if not x.leaves:
        return constant_tensor(builder, x.dims, neighbour=neighbour, channel=channel)
    if x.call is None or (x.leaf and x.leaf.elements == prod(x.dims)):
        leaf = x.leaves[0]
        return learned_once(
            builder, leaf.key, x.dims, split_name(leaf.key), neighbour=neighbour,
            buffer=not leaf.learned, channel=channel,
        )  # fmt: skip
    lowered: Tensor = x.call()
    return lowered


def weights(*values: ConstantValue | None) -> dict[str, int]:
    """The learned tensors that values are computed from, by key, with their elements."""
    return _elements(values, learned=True)


def buffers(*values: ConstantValue | None) -> dict[str, int]:
    """The buffers that values are computed from, by key, with their elements."""
    return _elements(values, learned=False)


def _elements(values: Iterable[ConstantValue | None], *, learned: bool) -> dict[str, int]:
    leaves = [leaf for value in values if value is not None for leaf in value.leaves]
    return {leaf.key: leaf.elements for leaf in leaves if leaf.learned == learned}


def learned_tensors(weight: ConstantValue) -> tuple[dict[str, int], dict[str, int]]:
    """The learned tensor with as many elements as the weight, and the other learned tensors that
    it is computed from. The others are factors of filters if weights are standardized or
    normalized."""
    elements_by_key = weights(weight)
    size = prod(weight.dims)
    weight_key = next((key for key, n in elements_by_key.items() if n == size), None)
    if weight_key is None:
        return elements_by_key, {}
    return {weight_key: size}, {key: n for key, n in elements_by_key.items() if key != weight_key}
