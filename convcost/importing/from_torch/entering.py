"""What enters the graph: inputs of the model, and the tensors that it registers."""

from typing import Any

from convcost.importing.easel import Easel
from convcost.importing.from_torch.held import Leaf
from convcost.importing.value import Value, reshaped

ROWS = 3  # [n, t, c]: channels are last where the first layer takes them so
LAST = tuple(
    f"aten.{name}."
    for name in ("linear", "matmul", "layer_norm", "rms_norm", "lstm", "gru", "rnn_tanh", "einsum",
                 "scaled_dot_product_attention", "embedding")
)  # fmt: skip
LOOKED_UP = "aten.embedding."
FIRST = ("aten.conv", "aten.batch_norm.", "aten.group_norm.", "aten.max_pool", "aten.avg_pool")
FAR = 100


def leaves(module: Any, program: Any) -> dict[str, Leaf]:
    """The registered tensors by the names that they have in the graph; one that has several names
    in the model goes by the first."""
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    held = tensors_of(module)
    first: dict[int, str] = {}
    for name, tensor in held.items():
        first.setdefault(id(tensor), name)
    learned = {id(one) for one in module.parameters()}
    found = {}
    for entry, name in names.items():
        tensor = held.get(name)
        if tensor is None:
            continue
        dims = tuple(int(n) for n in tensor.shape)
        key = first[id(tensor)]
        found[entry] = Leaf(key, dims, int(tensor.numel()), id(tensor) in learned)
    return found


def tensors_of(module: Any) -> dict[str, Any]:
    """Parameters and buffers by all names that they have."""
    return {
        **dict(module.named_parameters(remove_duplicate=False)),
        **dict(module.named_buffers(remove_duplicate=False)),
    }


def entered(easel: Easel, node: Any) -> Value | None:
    """An input of the model. Its channels are the axis behind the samples, or the last one where
    the first layer takes rows of features."""
    val = node.meta.get("val")
    if not hasattr(val, "shape"):
        return None
    dims = tuple(int(n) for n in val.shape)
    channel = min(1, len(dims) - 1)
    first = _decisive(node)
    if first.startswith(LOOKED_UP):  # a number at each position: one channel, of no axis
        return reshaped(easel.input(node.name, (*dims, 1), len(dims)), dims)
    if len(dims) == ROWS and first.startswith(LAST):
        channel = len(dims) - 1
    return easel.input(node.name, dims, channel)


def _decisive(node: Any) -> str:
    """The first operator behind a tensor that says which of its axes are channels."""
    waiting = list(node.users)
    seen: set[Any] = set()
    while waiting and len(seen) < FAR:
        user = waiting.pop(0)
        name = str(user.target)
        if name.startswith((*LAST, *FIRST)):
            return name
        if user not in seen:
            seen.add(user)
            waiting.extend(user.users)
    return ""
