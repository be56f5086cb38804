"""Matrix products: with weights they are fully connected layers, of two tensors `matmul`."""

from convcost.errors import Refusal
from convcost.importing.from_onnx.biases import added
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.operators.elementwise import join
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.parts.joins import product
from convcost.importing.parts.linear import connected
from convcost.importing.value import Value, permuted, reshaped

MATRIX = 2
LINEAR = ("linear", "embedding")  # whose table may be the matrix of a linear layer


@operator("Gemm")
def gemm(sheet: Sheet, node: Node) -> Value:
    a, b = get(node, "transA", 0), get(node, "transB", 0)
    constant = sheet.constant(node, 1)
    if constant is None or not sheet.flows(node, 0) or sheet.kept(constant):
        weights = sheet.constant(node, 0)
        if weights is not None and weights.learned and sheet.flows(node, 1):
            x = sheet.value(node, 1)
            x = permuted(x, (1, 0)) if b else x
            y = _from_left(sheet, node, 0, x, weights.dims[1 if a else 0])
            return _plus(sheet, node, y, 2)
        return _plus(sheet, node, _plain_gemm(sheet, node, bool(a), bool(b)), 2)
    x = sheet.value(node)
    x = permuted(x, (1, 0)) if a else x
    features = constant.dims[0 if b else 1]
    bias = sheet.constant(node, 2)
    own = bias is not None and bias.elements == features and bias.learned
    own = own and not sheet.is_apart(constant)
    y = connected(
        sheet.easel,
        x,
        sheet.path(node),
        features=features,
        tensors=sheet.tensors(node, 1, *((2,) if own else ()), kinds=LINEAR),
        bias=own,
    )
    return y if own else _plus(sheet, node, y, 2)


def _plain_gemm(sheet: Sheet, node: Node, a: bool, b: bool) -> Value:
    one, other = sheet.value(node, 0), sheet.value(node, 1)
    one = permuted(one, (1, 0)) if a else one
    other = permuted(other, (1, 0)) if b else other
    return _multiplied(sheet, node, one, other)


def _plus(sheet: Sheet, node: Node, y: Value, at: int) -> Value:
    """Adds what else a node is given: a bias that is not one number a feature."""
    name = node.input(at)
    if not name:
        return y
    inner = f"{node.outputs[0]}:product"
    sheet.values[inner] = y
    sheet.uses[inner] = 1
    return join(sheet, node._replace(op="Add", inputs=(inner, name)))


@operator("MatMul", "MatMulInteger", "FusedMatMul")
def matmul(sheet: Sheet, node: Node) -> Value:
    if get(node, "transA", 0) or get(node, "transB", 0):
        one, other = sheet.value(node, 0), sheet.value(node, 1)
        one = _turned(one) if get(node, "transA", 0) else one
        other = _turned(other) if get(node, "transB", 0) else other
        return _multiplied(sheet, node, one, other)
    return matrices(sheet, node, 0, 1)


@operator("QLinearMatMul")
def qlinear_matmul(sheet: Sheet, node: Node) -> Value:
    return matrices(sheet, node, 0, 3)


@operator("QGemm")
def qgemm(sheet: Sheet, node: Node) -> Value:
    return gemm(sheet, node._replace(inputs=(node.input(0), node.input(3), node.input(6))))


def matrices(sheet: Sheet, node: Node, left: int, right: int) -> Value:
    """A product of two inputs, either of which may be weights."""
    weights = sheet.constant(node, right)
    if weights is not None and weights.learned and _is_matrix(weights.dims):
        x = sheet.value(node, left)
        features = weights.dims[-1] if len(weights.dims) > 1 else 1
        # The bias comes along at once, so that a module that runs twice shares both.
        both, bias = _with_bias(sheet, node, right, weights)
        y = connected(
            sheet.easel,
            x,
            sheet.path(node),
            features=features,
            tensors=sheet.tensors(both, *range(len(both.inputs)), kinds=LINEAR),
            bias=bias,
        )
        if len(weights.dims) == 1:
            return reshaped(y, y.dims[:-1])
        extra = len(weights.dims) - len(y.dims)
        return reshaped(y, (1,) * extra + y.dims) if extra > 0 else y
    weights = sheet.constant(node, left)
    if weights is not None and weights.learned and len(weights.dims) == MATRIX:
        x = sheet.value(node, right)
        if len(x.dims) >= MATRIX:
            return _from_left(sheet, node, left, x, weights.dims[0])
    return _multiplied(sheet, node, sheet.value(node, left), sheet.value(node, right))


def _from_left(sheet: Sheet, node: Node, at: int, x: Value, features: int) -> Value:
    """Weights times a tensor: A·X is (Xᵀ·Aᵀ)ᵀ."""
    inner = x.batch is not None and x.batch >= len(x.dims) - MATRIX
    y = connected(
        sheet.easel,
        _turned(x._replace(batch=None) if inner else x),
        sheet.path(node),
        features=features,
        tensors=sheet.tensors(node, at, kinds=LINEAR),
        bias=False,
    )
    return _turned(y)


def _with_bias(sheet: Sheet, node: Node, right: int, weights: Constant) -> tuple[Node, bool]:
    """A node of the weights, and of the bias that the only operator after them adds."""
    alone = node._replace(inputs=(node.inputs[right],))
    features = weights.dims[-1] if len(weights.dims) > 1 else 1
    name = added(node, features, sheet.constants, sheet.readers)
    if not name or sheet.is_apart(weights) or not sheet.alone(node.outputs[0]):
        return alone, False
    sheet.spent.add(sheet.readers[node.outputs[0]][0].outputs[0])
    return alone._replace(inputs=(node.inputs[right], name)), True


def _is_matrix(dims: tuple[int, ...]) -> bool:
    return all(extent == 1 for extent in dims[:-MATRIX])


def _turned(x: Value) -> Value:
    rank = len(x.dims)
    return permuted(x, (*range(rank - 2), rank - 1, rank - 2))


def _multiplied(sheet: Sheet, node: Node, one: Value, other: Value) -> Value:
    """A product of two tensors that both flow, of any rank, as NumPy has it."""
    if not one.dims or not other.dims:
        raise Refusal("CC404", "a matrix product takes no single numbers")
    first, second = len(one.dims) == 1, len(other.dims) == 1
    a = reshaped(one, (1, *one.dims)) if first else one
    b = reshaped(other, (*other.dims, 1)) if second else other
    rank = max(len(a.dims), len(b.dims))
    a, b = (_ranked(x, rank) for x in (a, b))
    y = product(sheet.easel, "matmul", [a, b], sheet.path(node))
    dims = list(y.dims)
    if second:
        del dims[-1]
    if first:
        del dims[-1 if second else -2]
    return reshaped(y, dims)


def _ranked(x: Value, rank: int) -> Value:
    return reshaped(x, (1,) * (rank - len(x.dims)) + x.dims)
