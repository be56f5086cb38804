"""The operator einsum."""

from functools import partial
from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue
from convcost.importing.frontends.torch.operators.joins import is_unclaimed
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.frontends.torch.weights import as_tensor, weights
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.einsum import Operand, lower_einsum


@operator("einsum", op="einsum")
def einsum(call: TorchCall) -> Any:
    operands = [_operand(call, one) for one in call.given["tensors"]]
    made = lower_einsum(call.builder, call.given["equation"], operands, call.path)
    return call.unknown() if made is None else made


def _operand(call: TorchCall, x: Tensor | ConstantValue) -> Operand:
    value = partial(as_tensor, call.builder, x)
    leaf = x.leaf if isinstance(x, ConstantValue) else None
    if not isinstance(x, ConstantValue) or leaf is None or not leaf.learned:
        return Operand(x.dims, value, depends_on_input=isinstance(x, Tensor))
    key = leaf.key
    factor = (lambda: key) if is_unclaimed(call, key) else None
    return Operand(x.dims, value, False, partial(weights, x), factor)
