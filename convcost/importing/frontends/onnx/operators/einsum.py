"""The operator Einsum."""

from functools import partial

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.einsum import Operand, lower_einsum


@operator("Einsum", op="einsum")
def einsum(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    operands = [_operand(call, position) for position in range(len(call.inputs))]
    made = lower_einsum(call.builder, call.node.attributes["equation"], operands, call.path())
    return call.uncounted() if made is None else made


def _operand(call: OnnxCall, position: int) -> Operand:
    constant, value = call.constant(position), partial(call.value, position)
    if constant is None:
        return Operand(value().dims, value, depends_on_input=call.depends_on_input(position))
    if not constant.learned:
        return Operand(constant.dims, value, depends_on_input=False)

    def factor() -> str:
        return call.builder.copy(next(iter(call.tensors(position))))

    matrix = partial(call.tensors, position)
    alone = constant.real and not call.context.is_lowered(constant)
    return Operand(constant.dims, value, False, matrix, factor if alone else None)
