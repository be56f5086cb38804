"""Operators that move elements or change their dims, most of which add no layer."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import has, operator, row
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor, with_rank
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast

row("pixel_shuffle", "DepthToSpace", factor="blocksize")
row("pixel_unshuffle", "SpaceToDepth", factor="blocksize")
row("channel_shuffle", "ChannelShuffle", groups="group")
row("flatten", "Flatten", axis="axis")
row("permute", "Transpose", order="perm")
for _op in ("squeeze", "unsqueeze"):
    row(_op, _op.capitalize(), axes=lambda call: call.numbers("axes", 1) or ())


@operator("Reshape", op="reshape")
def reshape(call: OnnxCall) -> Tensor:
    """In the stated dims, 0 keeps an axis."""
    dims = call.value().dims
    shape = call.numbers("shape", 1)
    assert shape is not None
    is_zero_kept = not call.get("allowzero", 0)
    to = [dims[axis] if n == 0 and is_zero_kept else n for axis, n in enumerate(shape)]
    return call.lower("reshape", to=to)


@operator("Expand", op="expand")
def expand(call: OnnxCall) -> Tensor:
    x = call.value()
    shape = call.numbers("shape", 1) or ()
    broadcast_dims = broadcast(x.dims, shape)
    if broadcast_dims is None:
        message = f"a tensor of {list(x.dims)} does not broadcast to {list(shape)}"
        raise ConstraintError("CC404", message)
    if len(broadcast_dims) == len(x.dims) and _joined_only(call, broadcast_dims):
        call.context.broadcast_by_readers.update(call.outputs)
        return call.free(x)
    return _spread(call, x, broadcast_dims)


def _joined_only(call: OnnxCall, broadcast_dims: Dims) -> bool:
    """Whether only joins read an expanded tensor. They broadcast it themselves. The readers of a
    constant are not known."""
    readers = call.context.readers.get(call.outputs[0], [])
    others = [name for reader in readers for name in reader.inputs if name != call.outputs[0]]
    joins = all(has(reader.op, Trait.JOINS) and len(reader.inputs) == 2 for reader in readers)  # noqa: PLR2004
    computed = all(
        name in call.context.shapes and name not in call.context.constants for name in others
    )
    count = call.context.uses[call.outputs[0]]
    return (
        bool(readers)
        and joins
        and computed
        and count == len(others)
        and all(call.context.shapes[name] == broadcast_dims for name in others)
    )


@operator("Tile")
def tile(call: OnnxCall) -> Tensor:
    x = call.value()
    times = call.numbers("repeats", 1) or ()
    return _spread(call, x, tuple(n * t for n, t in zip(x.dims, times, strict=True)))


def _spread(call: OnnxCall, x: Tensor, dims: Dims) -> Tensor:
    longer = with_rank(x, len(dims))
    if longer.dims == dims:
        return call.free(longer)
    readers = call.context.readers.get(call.outputs[0], [])
    merged = bool(readers) and all(has(reader.op, Trait.RESHAPES) for reader in readers)
    return call.lower("expand", longer, what=call.op.lower(), dims=dims, merged=merged)
