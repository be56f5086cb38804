"""Scaled dot-product attention."""

from convcost.importing.frontends.torch.constant_value import ConstantValue
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import Tensor, transposed


@operator("scaled_dot_product_attention", op="attention")
def attention(call: TorchCall) -> Tensor:
    """One attention layer or, if a learned tensor is added to the scores, its two products."""
    sides = [call.tensor(call.given[name]) for name in ("query", "key", "value")]
    mask = call.given["attn_mask"]
    if mask is None or (isinstance(mask, ConstantValue) and not mask.leaves):
        return call.lower("attention", *sides)
    query, key, value = sides
    scores = call.lower("matmul", query, transposed(key))
    joined = call.lower("add", scores, call.tensor(mask))
    return call.lower("matmul", call.lower("softmax", joined), value)


@operator("flex_attention", op="attention")
def flex_attention(call: TorchCall) -> tuple[Tensor, None, None]:
    """The outputs are the values and two statistics of the scores. As with a mask, each query is
    multiplied with every key, whatever the scores are changed to."""
    sides = [call.tensor(call.given[name]) for name in ("0", "1", "2")]
    return call.lower("attention", *sides), None, None
