"""Matrix products, einsum, attention and experts: linear layers if one input is weights."""

from collections.abc import Sequence
from functools import partial

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.operators.elementwise import join
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.tensor import (
    MATRIX_RANK,
    Tensor,
    axes_swapped,
    reshaped,
    transposed,
)
from convcost.importing.passes.lower.einsum import Operand, lower_einsum
from convcost.importing.passes.lower.linear import linear_from_left


@operator("Gemm", op="linear", weights=1, bias=2)
def gemm(call: OnnxCall) -> Tensor:
    """A product and a summand."""
    weights, bias, turned = call.constant(1), call.constant(2), call.get("transB", 0)
    # Weights of equal numbers can belong to several modules, which differ in their biases.
    has_own_bias = (
        weights is not None
        and bias is not None
        and weights.learned
        and bias.learned
        and bias.elements == weights.dims[0 if turned else 1]
        and any(call.builder.has_equal_numbers(key) for key, _ in weights.sources)
    )
    y = _product(call, own_bias=has_own_bias)
    return y if has_own_bias else _add_input(call, y, 2)


def _add_input(call: OnnxCall, y: Tensor, position: int) -> Tensor:
    """Adds an input of a node to `y`, such as a bias that is not one number for each feature."""
    name = call.node.input(position)
    if not name:
        return y
    inner = f"{call.outputs[0]}:product"
    call.context.values[inner] = y
    call.context.uses[inner] = 1
    return join(call.as_operator("Add", inner, name))


@operator("MatMul", "MatMulInteger", "FusedMatMul", op="matmul", weights=1)
def matmul(call: OnnxCall) -> Tensor:
    return _product(call)


def _product(call: OnnxCall, *, own_bias: bool = False) -> Tensor:
    """A product of two inputs. It is a linear layer if one of them is learned, perhaps with the
    third input as its `own_bias`."""
    a, b = call.get("transA", 0), call.get("transB", 0)
    left, right = (
        constant if constant and constant.learned else None
        for constant in map(call.constant, (0, 1))
    )
    if right is not None and set(right.dims[:-MATRIX_RANK]) <= {1}:
        features = right.dims[-2 if b else -1] if len(right.dims) > 1 else 1
        x, tensors = _factor(call, 0), call.tensors(1, *((2,) if own_bias else ()))
        y = call.lower("linear", x, features=features, weights=tensors, bias=own_bias)
        if len(right.dims) == 1:
            return reshaped(y, y.dims[:-1])
        extra = len(right.dims) - max(len(y.dims), MATRIX_RANK)
        return reshaped(y, (1,) * extra + y.dims) if extra > 0 else y
    if left is not None and len(left.dims) == MATRIX_RANK:
        x, features = _factor(call, 1), left.dims[1 if a else 0]
        if len(x.dims) >= MATRIX_RANK:
            return linear_from_left(call.builder, call.path(), x, features, call.tensors(0))
    return call.lower("matmul", _factor(call, 0), _factor(call, 1))


def _factor(call: OnnxCall, position: int) -> Tensor:
    """A factor of a product, transposed if the node says so."""
    x = call.value(position)
    return transposed(x) if call.get(("transA", "transB")[position], 0) else x


@operator("QLinearMatMul", op="matmul", weights=3)
def qlinear_matmul(call: OnnxCall) -> Tensor:
    return matmul(call.as_operator("MatMul", call.inputs[0], call.inputs[3]))


@operator("QGemm", op="linear", weights=3, bias=6)
def qgemm(call: OnnxCall) -> Tensor:
    return gemm(call.as_operator("Gemm", *(call.node.input(position) for position in (0, 3, 6))))


# Einsum


@operator("Einsum", op="einsum", weights=1)
def einsum(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    operands = [_operand(call, position) for position in range(len(call.inputs))]
    output = lower_einsum(call.builder, call.node.attributes["equation"], operands, call.path())
    return call.add_uncounted() if output is None else output


def _operand(call: OnnxCall, position: int) -> Operand:
    constant, value = call.constant(position), partial(call.value, position)
    if constant is None:
        return Operand(value().dims, value, depends_on_input=call.depends_on_input(position))
    if not constant.learned:
        return Operand(constant.dims, value, depends_on_input=False)

    def factor() -> str:
        return call.builder.copy(next(iter(call.tensors(position))))

    matrix = partial(call.tensors, position)
    is_unused = constant.is_float and not call.context.is_lowered(constant)
    return Operand(constant.dims, value, False, matrix, factor if is_unused else None)


# Attention

HEADS_RANK = 4  # samples, heads, steps, channels of a head


@operator("Attention", "MultiHeadAttention", op="attention")
def attention(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """The standard operator with 3 or 4 axes, and ONNX Runtime's operator without projections."""
    standard = call.node.domain in ("", "ai.onnx")
    all_depend = all(call.depends_on_input(position) for position in range(3))
    # convcost does not count attention to the keys and values of earlier steps.
    past = bool(
        call.node.input(4) or call.node.input(5)
        if standard
        else call.node.input(6) or call.node.input(7)
    )
    past = past or any(call.is_output_used(position) for position in range(1, len(call.outputs)))
    if not all_depend or past or (call.op == "Attention") is not standard:
        return call.add_uncounted()
    if not standard and call.constant(3) is not None:
        return call.add_uncounted()
    sides = [call.value(position) for position in range(3)]
    split = all(len(side.dims) == HEADS_RANK for side in sides)
    if not split and any(len(side.dims) != HEADS_RANK - 1 for side in sides):
        return call.add_uncounted()
    heads = {} if split else {"heads": call.get("q_num_heads", call.get("num_heads", 1))}
    position = 3 if standard else 5
    mask = call.constant(position)
    if mask is None or not mask.is_float or mask.elements == 1:
        return call.lower("attention", *sides, **heads)
    if not split and call.get("kv_num_heads", heads["heads"]) != heads["heads"]:
        return call.add_uncounted()
    return _with_mask(call, sides, position, **heads)


def _with_mask(
    call: OnnxCall, sides: Sequence[Tensor], position: int, heads: int | None = None
) -> Tensor:
    """The two products of attention that adds a constant, perhaps a learned table, to the
    scores. `heads` is None if heads are an axis of the sides."""
    dims = (*sides[0].dims[:-1], sides[2].dims[-1])
    if heads is not None:
        by_head = [reshaped(x, (*x.dims[:-1], heads, x.dims[-1] // heads)) for x in sides]
        sides = [axes_swapped(x, 1, 2) for x in by_head]
    query, key, value = sides
    scores = _add_input(call, call.lower("matmul", query, transposed(key)), position)
    y = call.lower("matmul", call.lower("softmax", scores), value)
    return y if heads is None else reshaped(axes_swapped(y, 1, 2), dims)


# Mixtures of experts, in which each row uses only a few experts

EXPERT_INPUTS = range(1, 7)  # positions of the weights and biases of three products
EXPERT_WEIGHTS_RANK = 3  # axes of a tensor with the weights of all experts


@operator("Experts", op="experts")
def experts(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """The products of the experts that each row uses. `macs` count all rows."""
    tables = {
        place: table for place in EXPERT_INPUTS if (table := call.constant(place)) is not None
    }
    weights = [table for table in tables.values() if len(table.dims) == EXPERT_WEIGHTS_RANK]
    if not weights or not call.depends_on_input(0):
        return call.add_uncounted()
    x = call.value()
    rows = x.elements // x.dims[-1] * call.node.attributes["chosen"]
    macs = sum(rows * table.elements // table.dims[0] for table in weights)
    tensors = call.tensors(*tables)
    return call.lower("custom", x, what="experts", dims=x.dims, macs=macs, weights=tensors)
