"""Concatenations and slices."""

from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.passes.lower.slices import split_axis


@operator("cat", "concat", "concatenate")
def cat(call: TorchCall) -> Any:
    """PyTorch ignores empty vectors in a concatenation."""
    values = [call.tensor(tensor) for tensor in call.given["tensors"] if 0 not in tensor.dims]
    return values[0] if len(values) == 1 else call.lower("concat", *values, axis=call.given["dim"])


@operator("stack")
def stack(call: TorchCall) -> Any:
    values = [call.tensor(tensor) for tensor in call.given["tensors"]]
    return call.lower("concat", *values, axis=call.given["dim"], new=True)


@operator("split", "split_with_sizes", "chunk", "tensor_split")
def split(call: TorchCall) -> Any:
    dim = call.given["dim"]
    return _parts(call, [dims[dim] for dims in call.dims])


@operator("unbind")
def unbind(call: TorchCall) -> Any:
    return _parts(call, [1] * len(call.dims), remove_axis=True)


def _parts(call: TorchCall, lengths: list[int], *, remove_axis: bool = False) -> Any:
    """The parts of an axis. A part without entries, or that nothing reads, adds no layer."""
    is_read = [n > 0 and f"getitem:{number}" in call.users for number, n in enumerate(lengths)]
    axis, path = call.given["dim"], call.path
    return tuple(
        split_axis(
            call.builder, call.x, axis, lengths, path, is_read=is_read, remove_axis=remove_axis
        )
    )


@operator("slice", "narrow", "select")
def slice_(call: TorchCall) -> Any:
    """An empty slice adds no layer: a model may cut off tokens that it does not have."""
    if 0 in call.dims:
        return ConstantValue(call.dims, (), object())
    arguments = call.given
    dim = arguments["dim"] % len(call.x.dims)
    is_index, step = "index" in arguments, arguments.get("step") or 1
    at, extent = arguments["index"] if is_index else arguments["start"] or 0, call.x.dims[dim]
    start = min(max(at + extent if at < 0 else at, 0), extent)
    length = 1 if is_index else call.dims[dim]
    entries = range(start, start + length * step, step)
    return call.lower("slice", axis=dim, entries=entries, remove_axis=is_index)
