"""The inputs of the graph: the model's inputs and its registered tensors."""

from collections.abc import Iterator
from typing import Any

from convcost.importing.frontends.torch.constant_value import Parameter
from convcost.importing.frontends.torch.registry import known_row, operator_name
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import SEQUENCE_RANK, Tensor, reshaped
from convcost.importing.passes.channel_axis import AxisReader, channel_axis, has_one_channel

SAME = tuple(range(SEQUENCE_RANK))


def stored_parameters(module: Any, program: Any) -> dict[str, Parameter]:
    """The registered tensors by their names in the graph. A tensor with several names in the model
    has the first as its key."""
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensor_of = tensors_of(module)
    first: dict[int, str] = {}
    for name, tensor in tensor_of.items():
        first.setdefault(id(tensor), name)
    learned = {id(parameter) for parameter in module.parameters()}
    parameter_by_name = {}
    for entry, name in names.items():
        tensor = tensor_of.get(name)
        if tensor is None:
            continue
        dims = tuple(int(n) for n in tensor.shape)
        key = first[id(tensor)]
        parameter_by_name[entry] = Parameter(key, dims, int(tensor.numel()), id(tensor) in learned)
    return parameter_by_name


def tensors_of(module: Any) -> dict[str, Any]:
    """Parameters and buffers by all their names."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def graph_input(builder: GraphBuilder, node: Any) -> Tensor | None:
    """Adds an input of the model. Its channels are the axis after the batch, or the axis that the
    first layer uses as channels."""
    val = node.meta.get("val")
    if not hasattr(val, "shape"):
        return None
    dims = tuple(int(n) for n in val.shape)
    if has_one_channel(node, len(dims), _readers):  # an index or a sample at each position
        return reshaped(builder.input(node.name, (*dims, 1), len(dims)), dims)
    channel = min(1, len(dims) - 1)
    if len(dims) == SEQUENCE_RANK:
        channel = channel_axis(node, _readers) or channel
    return builder.input(node.name, dims, channel)


def _readers(node: Any) -> Iterator[AxisReader[Any]]:
    for user in node.users:
        row, order = known_row(operator_name(user.target)), _order(user, str(user.target))
        second = row.op == "matmul" and user.args[0] is not node
        yield AxisReader(row, _shape(node), _shape(user), (user,), order, second)


def _shape(node: Any) -> tuple[int, ...]:
    return tuple(getattr(node.meta.get("val"), "shape", ()))


def _order(node: Any, name: str) -> tuple[int, ...] | None:
    """The order of the axes after a permutation."""
    if name.startswith("aten.permute."):
        return tuple(axis % SEQUENCE_RANK for axis in node.args[1])
    if name.startswith("aten.transpose."):
        order = list(SAME)
        first, second = (axis % SEQUENCE_RANK for axis in node.args[1:3])
        order[first], order[second] = second, first
        return tuple(order)
    return None
