"""Attention."""

from typing import Any

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.operators.products import multiplied
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.parts.heads import attended
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.value import Value, permuted


@operator("aten.scaled_dot_product_attention")
def attention(call: Call) -> Any:
    """Whole, or, where something that flows or is learned joins the scores, as its two
    products."""
    given = call.given
    query, key, value = (flowing(call.easel, given[name]) for name in ("query", "key", "value"))
    mask = given["attn_mask"]
    if mask is None or (isinstance(mask, Held) and not mask.leaves):
        return attended(call.easel, query, key, value, call.path)
    rank = len(key.dims)
    turned = permuted(key, (*range(rank - 2), rank - 1, rank - 2))
    scores = multiplied(call, query, turned)
    joined = elementwise(call.easel, "add", [scores, flowing(call.easel, mask)], call.path)
    weighed: Value = pointwise(call.easel, "softmax", joined, call.path)
    return multiplied(call, weighed, value)
