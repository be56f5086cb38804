"""Matrix products: fully connected layers if one input is weights, otherwise `matmul`."""

from convcost.importing.frontends.onnx.biases import added
from convcost.importing.frontends.onnx.constants import Constant
from convcost.importing.frontends.onnx.context import LoweringContext, get
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.operators.elementwise import join
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.tensor import Tensor, permuted, reshaped, transposed
from convcost.importing.passes.lower.linear import linear_from_left

MATRIX = 2
LINEAR = ("linear", "embedding")  # kinds that can share a matrix


@operator("Gemm", op="linear", weights=1, bias=2)
def gemm(context: LoweringContext, node: OnnxNode) -> Tensor:
    a, b = get(node, "transA", 0), get(node, "transB", 0)
    constant = context.constant(node, 1)
    if constant is None or not context.depends_on_input(node, 0) or context.buffer_of(constant):
        weights = context.constant(node, 0)
        if weights is not None and weights.learned and context.depends_on_input(node, 1):
            x = context.value(node, 1)
            x = permuted(x, (1, 0)) if b else x
            y = _from_left(context, node, 0, x, weights.dims[1 if a else 0])
            return _plus(context, node, y, 2)
        return _plus(context, node, _of_tensors(context, node), 2)
    x = context.value(node)
    x = permuted(x, (1, 0)) if a else x
    features = constant.dims[0 if b else 1]
    bias = context.constant(node, 2)
    own = bias is not None and bias.elements == features and bias.learned
    own = own and not context.has_several_biases(constant)
    tensors = context.tensors(node, 1, *((2,) if own else ()), kinds=LINEAR)
    y = context.lower(node, "linear", x, features=features, weights=tensors, bias=own)
    return y if own else _plus(context, node, y, 2)


def _of_tensors(context: LoweringContext, node: OnnxNode) -> Tensor:
    """A product of two tensors, each of which may be transposed."""
    one, other = context.value(node, 0), context.value(node, 1)
    one = transposed(one) if get(node, "transA", 0) else one
    other = transposed(other) if get(node, "transB", 0) else other
    return context.lower(node, "matmul", one, other)


def _plus(context: LoweringContext, node: OnnxNode, y: Tensor, at: int) -> Tensor:
    """Adds the last input of a node: a bias that is not one number for each feature."""
    name = node.input(at)
    if not name:
        return y
    inner = f"{node.outputs[0]}:product"
    context.values[inner] = y
    context.uses[inner] = 1
    return join(context, node._replace(op="Add", inputs=(inner, name)))


@operator("MatMul", "MatMulInteger", "FusedMatMul", op="matmul", weights=1)
def matmul(context: LoweringContext, node: OnnxNode) -> Tensor:
    if get(node, "transA", 0) or get(node, "transB", 0):
        return _of_tensors(context, node)
    return matrices(context, node, 0, 1)


@operator("QLinearMatMul", op="matmul", weights=3)
def qlinear_matmul(context: LoweringContext, node: OnnxNode) -> Tensor:
    return matrices(context, node, 0, 3)


@operator("QGemm", op="linear", weights=3)
def qgemm(context: LoweringContext, node: OnnxNode) -> Tensor:
    return gemm(context, node._replace(inputs=(node.input(0), node.input(3), node.input(6))))


def matrices(context: LoweringContext, node: OnnxNode, left: int, right: int) -> Tensor:
    """A product of two inputs; either input may be weights."""
    weights = context.constant(node, right)
    if weights is not None and weights.learned and _is_matrix(weights.dims):
        x = context.value(node, left)
        features = weights.dims[-1] if len(weights.dims) > 1 else 1
        # The bias is added at once, so that a module that runs twice shares weights and bias.
        both, bias = _with_bias(context, node, right, weights)
        tensors = context.tensors(both, *range(len(both.inputs)), kinds=LINEAR)
        y = context.lower(node, "linear", x, features=features, weights=tensors, bias=bias)
        if len(weights.dims) == 1:
            return reshaped(y, y.dims[:-1])
        extra = len(weights.dims) - len(y.dims)
        return reshaped(y, (1,) * extra + y.dims) if extra > 0 else y
    weights = context.constant(node, left)
    if weights is not None and weights.learned and len(weights.dims) == MATRIX:
        x = context.value(node, right)
        if len(x.dims) >= MATRIX:
            return _from_left(context, node, left, x, weights.dims[0])
    return context.lower(node, "matmul", context.value(node, left), context.value(node, right))


def _from_left(
    context: LoweringContext, node: OnnxNode, at: int, x: Tensor, features: int
) -> Tensor:
    tensors = context.tensors(node, at, kinds=LINEAR)
    return linear_from_left(context.builder, context.path(node), x, features, tensors)


def _with_bias(
    context: LoweringContext, node: OnnxNode, right: int, weights: Constant
) -> tuple[OnnxNode, bool]:
    """A node with the weights, and with the bias that the only operator after it adds."""
    alone = node._replace(inputs=(node.inputs[right],))
    features = weights.dims[-1] if len(weights.dims) > 1 else 1
    name = added(node, features, context.constants, context.readers)
    if (
        not name
        or context.has_several_biases(weights)
        or not context.has_one_reader(node.outputs[0])
    ):
        return alone, False
    context.spent.add(context.readers[node.outputs[0]][0].outputs[0])
    return alone._replace(inputs=(node.inputs[right], name)), True


def _is_matrix(dims: tuple[int, ...]) -> bool:
    return all(extent == 1 for extent in dims[:-MATRIX])
