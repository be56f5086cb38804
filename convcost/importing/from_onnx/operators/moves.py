"""Operators that move elements or give them other dims; most leave no layer behind."""

from math import prod

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.parts.windows import window
from convcost.importing.value import Value, permuted, reshaped
from convcost.shapes import broadcast

JOINS = ("Mul", "Add", "Sub", "Div")


@operator("Reshape")
def reshape(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    wanted = sheet.numbers(node, "shape", 1)
    assert wanted is not None
    return reshaped(x, _filled(x, wanted, bool(get(node, "allowzero", 0))))


def _filled(x: Value, wanted: Dims, zero: bool) -> Dims:
    """The dims that a reshape comes to: 0 keeps an axis, −1 takes what is left over."""
    dims = [x.dims[at] if n == 0 and not zero else n for at, n in enumerate(wanted)]
    if dims.count(-1) == 1:
        rest, over = divmod(x.elements, prod(n for n in dims if n != -1))
        if not over:
            dims[dims.index(-1)] = rest
    if prod(dims) != x.elements or min(dims, default=1) < 1:
        raise Refusal(
            "CC402",
            f"reshapes {x.elements:,} elements to [{', '.join(map(str, wanted))}]",
            "was the model exported for another size or batch? a reshape may hold it fast",
        )
    return tuple(dims)


@operator("Flatten")
def flatten(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axis = get(node, "axis", 1)
    axis = axis + len(x.dims) if axis < 0 else axis
    return reshaped(x, (prod(x.dims[:axis]), prod(x.dims[axis:])))


@operator("Transpose")
def transpose(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    order = get(node, "perm", tuple(reversed(range(len(x.dims)))))
    if sorted(order) != list(range(len(x.dims))):
        raise Refusal("CC404", f"its permutation {list(order)} is not of {len(x.dims)} axes")
    return permuted(x, order)


@operator("Squeeze")
def squeeze(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axes = sheet.numbers(node, "axes", 1)
    rank = len(x.dims)
    gone = [axis % rank for axis in axes] if axes else [a for a in range(rank) if x.dims[a] == 1]
    return reshaped(x, tuple(n for axis, n in enumerate(x.dims) if axis not in gone))


@operator("Unsqueeze")
def unsqueeze(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axes = sheet.numbers(node, "axes", 1) or ()
    rank = len(x.dims) + len(axes)
    new = {axis % rank for axis in axes}
    old = iter(x.dims)
    return reshaped(x, tuple(1 if axis in new else next(old) for axis in range(rank)))


@operator("Expand")
def expand(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    wide = broadcast(x.dims, sheet.numbers(node, "shape", 1) or ())
    if wide is None:
        raise Refusal("CC404", f"a tensor of {list(x.dims)} does not stretch as asked")
    if len(wide) == len(x.dims) and _joined_only(sheet, node, wide):
        sheet.stretched.update(node.outputs)
        return sheet.free(node, x)
    return _spread(sheet, node, x, wide)


def _joined_only(sheet: Sheet, node: Node, wide: Dims) -> bool:
    """Whether all that reads a stretched tensor is a join, which stretches it anyway."""
    readers = sheet.readers.get(node.outputs[0], [])
    others = [name for reader in readers for name in reader.inputs if name != node.outputs[0]]
    joins = all(reader.op in JOINS and len(reader.inputs) == 2 for reader in readers)  # noqa: PLR2004
    flowing = all(name in sheet.shapes and name not in sheet.constants for name in others)
    count = sheet.uses[node.outputs[0]]
    return (
        joins
        and flowing
        and count == len(others)
        and all(sheet.shapes[name] == wide for name in others)
    )


@operator("Tile")
def tile(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    times = sheet.numbers(node, "repeats", 1) or ()
    return _spread(sheet, node, x, tuple(n * t for n, t in zip(x.dims, times, strict=True)))


def _spread(sheet: Sheet, node: Node, x: Value, dims: Dims) -> Value:
    longer = reshaped(x, (1,) * (len(dims) - len(x.dims)) + x.dims)
    if longer.dims == dims:
        return sheet.free(node, longer)
    return stated(sheet, node, dims)


@operator("DepthToSpace", "SpaceToDepth")
def shuffle(sheet: Sheet, node: Node) -> Value:
    kind = "pixel_shuffle" if node.op == "DepthToSpace" else "pixel_unshuffle"
    options = {"factor": node.attributes["blocksize"]}
    return window(sheet.easel, kind, sheet.value(node), sheet.path(node), options)


@operator("Roll")
def roll(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    axis = node.attributes["axes"][0]
    channel = x.channel if x.channel != axis else len(x.dims) - 1
    if channel in (axis, x.batch):
        return sheet.free(node, x)
    options = {"places": node.attributes["places"]}
    return window(sheet.easel, "roll", x, sheet.path(node), options, channel=channel)


@operator("ChannelShuffle")
def channel_shuffle(sheet: Sheet, node: Node) -> Value:
    options = {"groups": get(node, "group", 1)}
    return window(sheet.easel, "channel_shuffle", sheet.value(node), sheet.path(node), options)
