"""Padding, and its opposite."""

from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.windows import padded
from convcost.importing.value import Value, made

LARGEST = 3  # axes that the kinds know borders of


@operator("aten.pad", "aten.constant_pad_nd", "aten.reflection_pad1d", "aten.reflection_pad2d",
          "aten.reflection_pad3d", "aten.replication_pad1d", "aten.replication_pad2d",
          "aten.replication_pad3d")  # fmt: skip
def pad(call: Call) -> Any:
    """`pad` has begin and end of the last axis first."""
    x = flowing(call.easel, call.given["self"])
    numbers = call.given.get("pad", call.given.get("padding"))
    rank = len(x.dims)
    begins, ends = [0] * rank, [0] * rank
    for n in range(len(numbers) // 2):
        begins[rank - 1 - n], ends[rank - 1 - n] = numbers[2 * n], numbers[2 * n + 1]
    if not any((*begins, *ends)):
        return x
    sizes = [axis for axis in range(rank) if axis not in (x.channel, x.batch)]
    outside = [n for axis in range(rank) if axis not in sizes for n in (begins[axis], ends[axis])]
    if any(outside) or len(sizes) > LARGEST:
        return stated(call, "pad")
    y = x
    if max((*begins, *ends)) > 0:
        y = _edge(call, "pad", y, sizes, [max(n, 0) for n in begins], [max(n, 0) for n in ends])
    if min((*begins, *ends)) < 0:
        y = _edge(call, "crop", y, sizes, [max(-n, 0) for n in begins], [max(-n, 0) for n in ends])
    return y


def _edge(
    call: Call, kind: str, x: Value, sizes: list[int], begins: list[int], ends: list[int]
) -> Value:
    border = padded([begins[axis] for axis in sizes], [ends[axis] for axis in sizes])
    channel = x.channel
    index = call.easel.emit(
        kind, call.path, [call.easel.demand(x, channel, call.path)], {"border": border}
    )
    return made(index, call.easel.shape(index), len(x.dims), channel, x.batch)
