"""The operator Einsum."""

from functools import partial

from convcost.importing.frontends.onnx.context import LoweringContext
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.operators.products import LINEAR
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.frontends.onnx.unknown import uncounted
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.einsum import Operand, lower_einsum


@operator("Einsum", op="einsum")
def einsum(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    operands = [_operand(context, node, at) for at in range(len(node.inputs))]
    made = lower_einsum(context.builder, node.attributes["equation"], operands, context.path(node))
    return uncounted(context, node) if made is None else made


def _operand(context: LoweringContext, node: OnnxNode, at: int) -> Operand:
    constant, value = context.constant(node, at), partial(context.value, node, at)
    if constant is None:
        return Operand(value().dims, value, depends_on_input=context.depends_on_input(node, at))
    if not constant.learned:
        return Operand(constant.dims, value, depends_on_input=False)

    def factor() -> str:
        return context.new_key(next(iter(context.tensors(node, at))))

    matrix = partial(context.tensors, node, at, kinds=LINEAR)
    alone = constant.real and not context.is_lowered(constant)
    return Operand(constant.dims, value, False, matrix, factor if alone else None)
