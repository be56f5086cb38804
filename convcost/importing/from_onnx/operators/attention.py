"""Attention, as a pattern found it or as an operator of its own."""

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.parts.heads import attended
from convcost.importing.value import Value, permuted, reshaped

HEADED = 4


@operator("AttentionOf")
def attention_of(sheet: Sheet, node: Node) -> Value:
    """The key comes turned: [.., d, m]."""
    query, key, value = (sheet.value(node, at) for at in range(3))
    rank = len(key.dims)
    key = permuted(key, (*range(rank - 2), rank - 1, rank - 2))
    return attended(sheet.easel, query, key, value, sheet.path(node))


@operator("Attention", "MultiHeadAttention")
def attention(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    """The standard operator, of 3 or 4 axes, and the one of ONNX Runtime that projects nothing."""
    standard = node.domain in ("", "ai.onnx")
    flowing = all(sheet.flows(node, at) for at in range(3))
    # Keys and values of earlier steps are attended to as well; nobody adds them up here.
    past = bool(node.input(4) or node.input(5) if standard else node.input(6) or node.input(7))
    past = past or any(sheet.wanted(node, at) for at in range(1, len(node.outputs)))
    if not flowing or past or (node.op == "Attention") is not standard:
        return uncounted(sheet, node)
    if not standard and sheet.constant(node, 3) is not None:
        return uncounted(sheet, node)
    sides = [sheet.value(node, at) for at in range(3)]
    if all(len(side.dims) == HEADED for side in sides):
        return attended(sheet.easel, sides[0], sides[1], sides[2], sheet.path(node))
    heads = get(node, "q_num_heads", get(node, "num_heads", 1))
    groups = get(node, "kv_num_heads", heads)
    if any(len(side.dims) != HEADED - 1 for side in sides):
        return uncounted(sheet, node)
    query, key, value = (
        _dealt(side, n) for side, n in zip(sides, (heads, groups, groups), strict=True)
    )
    seen = attended(sheet.easel, query, key, value, sheet.path(node))
    return reshaped(permuted(seen, (0, 2, 1, 3)), (*sides[0].dims[:2], heads * value.dims[3]))


def _dealt(x: Value, heads: int) -> Value:
    batch, n, width = x.dims
    return permuted(reshaped(x, (batch, n, heads, width // heads)), (0, 2, 1, 3))
