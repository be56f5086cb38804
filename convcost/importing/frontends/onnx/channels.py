"""Finds which axis of an input has the channels, from the operators that read the input."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import row_of
from convcost.importing.ir.ops import Trait
from convcost.importing.passes.channel_axis import FIRST, LAST, RANK, AxisReading, channel_axis


def read_channels(
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
    for node in readers.get(name, ()):
        traits = row_of(node.op).traits
        if Trait.CHANNELS_LAST in traits:
            yield AxisReading(FIRST if _is_summed_first(node, name) else LAST, (), None)
        elif Trait.CHANNELS_FIRST in traits:
            yield AxisReading(FIRST, (), None)
        else:
            order = node.attributes.get("perm") if node.op == "Transpose" else same
            output = node.outputs[0]
            ranked = (
                len(shapes[output]) == RANK if output in shapes else Trait.RESHAPES not in traits
            )
            yield AxisReading(None, node.outputs, order if ranked else None)


def _is_summed_first(node: OnnxNode, name: str) -> bool:
    """Whether a product sums over the second-to-last axis of a tensor instead of the last axis."""
    if not node.op.startswith(("MatMul", "Gemm")):
        return False
    if node.inputs[0] == name:
        return bool(node.attributes.get("transA", 0))
    return not node.attributes.get("transB", 0)
