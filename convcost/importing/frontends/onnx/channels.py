"""Finds which axis of an input has the channels, from the operators that read the input, otherwise
from its dims."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import has, row_of
from convcost.importing.ir.ops import Trait
from convcost.importing.passes.channel_axis import (
    FIRST,
    LAST,
    RANK,
    SUMMED_FIRST,
    AxisReading,
    averages_channels,
    channel_axis,
)
from convcost.importing.passes.model_inputs import COLOURS

DEEPEST = 5  # joins between an input and the operator that reads it


def input_channel(
    nodes: Sequence[OnnxNode],
    name: str,
    extents: Sequence[int | None],
    shapes: Mapping[str, Sequence[int]],
) -> int:
    """The channel axis of an input with at least two axes: the second one, or the last one. It is
    the last one if the model moves that to the front, or if only the last one is small enough for
    the colours of an image. An extent is None if it is open."""
    rank = len(extents)
    if rank < RANK:
        return 1
    if rank == RANK and (axis := _read_channels(nodes, name, shapes)) is not None:
        return axis
    readers = _readers(nodes, name)
    if any(node.op in ("Conv", "MaxPool", "AveragePool") for node in readers):
        return 1
    orders = [node.attributes.get("perm", ()) for node in readers if node.op == "Transpose"]
    second, last = extents[1], extents[-1]
    colours = last is not None and last <= COLOURS and (second is None or second > COLOURS)
    to_front = any(order[:2] == (0, rank - 1) for order in orders)
    return rank - 1 if to_front or (not orders and colours) else 1


def _readers(nodes: Sequence[OnnxNode], name: str) -> list[OnnxNode]:
    """The operators that read an input, also through joins with constants."""
    names, found = {name}, []
    dependent = {output for node in nodes for output in node.outputs} | {name}
    for node in nodes:
        if names.isdisjoint(node.inputs):
            continue
        joins = row_of(node.op).op == "identity" or has(node.op, Trait.JOINS, Trait.CHOOSES)
        alone = joins and len(dependent.intersection(node.inputs)) == 1
        if alone and len(names) < DEEPEST:
            names.update(node.outputs)
        else:
            found.append(node)
    return found


def _read_channels(
    nodes: Iterable[OnnxNode], name: str, shapes: Mapping[str, Sequence[int]]
) -> int | None:
    """The axis that the users of a three-axis input treat as the channels; None if no user
    determines it."""
    readers: dict[str, list[OnnxNode]] = {}
    for node in nodes:
        for one in node.inputs:
            readers.setdefault(one, []).append(node)
    return channel_axis(name, partial(_readings, readers, shapes))


def _readings(
    readers: Mapping[str, list[OnnxNode]], shapes: Mapping[str, Sequence[int]], name: str
) -> Iterator[AxisReading[str]]:
    same = tuple(range(RANK))
    dims = shapes.get(name, same)
    for node in readers.get(name, ()):
        row, output = row_of(node.op), node.outputs[0]
        if Trait.CHANNELS_LAST in row.traits:
            first = SUMMED_FIRST if len(dims) >= RANK else FIRST
            yield AxisReading(first if _is_summed_first(node, name) else LAST, (), None)
        elif Trait.CHANNELS_FIRST in row.traits:
            yield AxisReading(FIRST, (), None)
        elif averages_channels(row.op, dims, shapes.get(output, ())):
            yield AxisReading(LAST, (), None)
        else:
            order = node.attributes.get("perm") if node.op == "Transpose" else same
            views = Trait.RESHAPES in row.traits
            ranked = len(shapes[output]) == RANK if output in shapes else not views
            yield AxisReading(None, node.outputs, order if ranked else None)


def _is_summed_first(node: OnnxNode, name: str) -> bool:
    """Whether a product sums over the second-to-last axis of a tensor instead of the last axis."""
    if not node.op.startswith(("MatMul", "Gemm")):
        return False
    if node.inputs[0] == name:
        return bool(node.attributes.get("transA", 0))
    return not node.attributes.get("transB", 0)
