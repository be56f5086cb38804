"""Operators that move elements or change their dims; most of them add no layer."""

from math import prod

from convcost.importing.frontends.onnx.call import OperatorCall
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import has, operator, row
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor, permuted, reshaped
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast

row("pixel_shuffle", "DepthToSpace", factor="blocksize")
row("pixel_unshuffle", "SpaceToDepth", factor="blocksize")
row("channel_shuffle", "ChannelShuffle", groups="group")


@operator("Reshape", op="reshape")
def reshape(call: OperatorCall) -> Tensor:
    x = call.value()
    wanted = call.numbers("shape", 1)
    assert wanted is not None
    return reshaped(x, _fill_reshape_dims(x, wanted, bool(call.get("allowzero", 0))))


def _fill_reshape_dims(x: Tensor, wanted: Dims, zero: bool) -> Dims:
    """The output dims of a reshape: 0 keeps an axis, −1 is the rest."""
    dims = [x.dims[at] if n == 0 and not zero else n for at, n in enumerate(wanted)]
    if dims.count(-1) == 1:
        rest, over = divmod(x.elements, prod(n for n in dims if n != -1))
        if not over:
            dims[dims.index(-1)] = rest
    if prod(dims) != x.elements or min(dims, default=1) < 1:
        raise ConstraintError(
            "CC402",
            f"reshapes {x.elements:,} elements to [{', '.join(map(str, wanted))}]",
            "was the model exported for another size or batch? a reshape may have fixed dims",
        )
    return tuple(dims)


@operator("Flatten", op="flatten")
def flatten(call: OperatorCall) -> Tensor:
    x = call.value()
    axis = call.get("axis", 1)
    axis = axis + len(x.dims) if axis < 0 else axis
    return reshaped(x, (prod(x.dims[:axis]), prod(x.dims[axis:])))


@operator("Transpose", op="permute")
def transpose(call: OperatorCall) -> Tensor:
    x = call.value()
    order = call.get("perm", tuple(reversed(range(len(x.dims)))))
    if sorted(order) != list(range(len(x.dims))):
        raise ConstraintError(
            "CC404", f"its permutation {list(order)} does not fit {len(x.dims)} axes"
        )
    return permuted(x, order)


@operator("Squeeze", op="reshape")
def squeeze(call: OperatorCall) -> Tensor:
    x = call.value()
    axes = call.numbers("axes", 1)
    rank = len(x.dims)
    gone = [axis % rank for axis in axes] if axes else [a for a in range(rank) if x.dims[a] == 1]
    return reshaped(x, tuple(n for axis, n in enumerate(x.dims) if axis not in gone))


@operator("Unsqueeze", op="unsqueeze")
def unsqueeze(call: OperatorCall) -> Tensor:
    x = call.value()
    axes = call.numbers("axes", 1) or ()
    rank = len(x.dims) + len(axes)
    new = {axis % rank for axis in axes}
    if len(new) < len(axes):
        raise ConstraintError("CC404", f"its axes {list(axes)} contain an axis twice")
    old = iter(x.dims)
    return reshaped(x, tuple(1 if axis in new else next(old) for axis in range(rank)))


@operator("Expand", op="expand")
def expand(call: OperatorCall) -> Tensor:
    x = call.value()
    wide = broadcast(x.dims, call.numbers("shape", 1) or ())
    if wide is None:
        raise ConstraintError(
            "CC404", f"a tensor of {list(x.dims)} does not broadcast to the requested shape"
        )
    if len(wide) == len(x.dims) and _joined_only(call, wide):
        call.context.broadcast_by_readers.update(call.outputs)
        return call.free(x)
    return _spread(call, x, wide)


def _joined_only(call: OperatorCall, wide: Dims) -> bool:
    """Whether only joins read an expanded tensor. They broadcast it themselves."""
    readers = call.context.readers.get(call.outputs[0], [])
    others = [name for reader in readers for name in reader.inputs if name != call.outputs[0]]
    joins = all(has(reader.op, Trait.JOINS) and len(reader.inputs) == 2 for reader in readers)  # noqa: PLR2004
    computed = all(
        name in call.context.shapes and name not in call.context.constants for name in others
    )
    count = call.context.uses[call.outputs[0]]
    return (
        joins
        and computed
        and count == len(others)
        and all(call.context.shapes[name] == wide for name in others)
    )


@operator("Tile")
def tile(call: OperatorCall) -> Tensor:
    x = call.value()
    times = call.numbers("repeats", 1) or ()
    return _spread(call, x, tuple(n * t for n, t in zip(x.dims, times, strict=True)))


def _spread(call: OperatorCall, x: Tensor, dims: Dims) -> Tensor:
    longer = reshaped(x, (1,) * (len(dims) - len(x.dims)) + x.dims)
    if longer.dims == dims:
        return call.free(longer)
    return custom_layer(call, dims)
