"""Elementwise operators: joins, biases, scales, and scalars, which are free."""

import re

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.names import OPAQUE
from convcost.importing.frontends.onnx.registry import operator, row_of
from convcost.importing.ir.constant import Constant
from convcost.importing.ir.tensor import Tensor, with_rank
from convcost.importing.passes.fusions import SUMS
from convcost.importing.passes.lower.stored_tensors import LEARNED, join_with_learned
from convcost.model.shape import broadcast

SCALAR = re.compile(r"^[A-Za-z_]\w*$")  # a name that a model gives to a number


@operator(
    Add="add", Sum="add", Mean="add", Sub="subtract", Mul="multiply", Div="divide",
    Max="maximum", Min="minimum",
)  # fmt: skip
def join(call: OnnxCall) -> Tensor:
    """A join of the inputs that depend on the model's input, then one with each constant. An input
    that is joined with itself is two inputs."""
    if all(name in call.context.constants for name in call.inputs if name):
        # A join of constants: each learned one becomes a layer, in the order of the inputs.
        for position in range(len(call.inputs)):
            constant = call.constant(position)
            table = constant is not None and constant.is_weight and constant.elements > 1
            if table or not position:
                call.value(position)
    dependent = call.dependent_positions
    tensors = [call.value(position) for position in dependent]
    x = tensors[0]
    if call.inputs[:1] * 2 == call.inputs:
        tensors = [x, x]
    if len(tensors) > 1:
        x = call.lower(call.canonical, *tensors)
    constants = [position for position in range(len(call.inputs)) if position not in dependent]
    if not constants and len(tensors) == 1:
        return call.free(x)
    for position in constants:
        x = _with_constant(call, x, position)
    return x


def _with_constant(call: OnnxCall, x: Tensor, position: int) -> Tensor:
    """A tensor that depends on the inputs, and a constant."""
    constant = call.constant(position)
    assert constant is not None
    dims = _aligned_dims(call, x, constant)
    broadcast_dims = broadcast(x.dims, dims)
    kind = None if call.op == "Mean" else LEARNED.get(call.canonical)
    if constant.elements == 1 and not _is_learned_number(call, constant, kind):
        x = with_rank(x, len(dims))
        for key, _ in constant.sources if constant.is_float else ():
            plain = SCALAR.match(key) and not OPAQUE.match(key)
            if plain and key in call.context.stored and key not in call.context.buffers:
                call.context.excluded.setdefault(
                    key, "treated as a number of the code, and not counted as params"
                )
        return call.free(x)
    if constant.is_float and call.context.is_lowered(constant):
        table = call.value(position)
        return call.lower(call.canonical, x, table)
    is_learned = constant.learned and not (x.source < 0 and _standardizes(call, constant))
    if not constant.is_float or not is_learned:
        return _join_with_fixed(call, x, position, broadcast_dims)
    if call.op == "Mean":  # a learned summand of a mean is not a bias
        return call.lower(call.canonical, x, call.value(position))
    key = call.context.key_of_operand(x, call.node.input(position))
    return join_with_learned(call.builder, call.canonical, x, key, dims, call.path())


def _standardizes(call: OnnxCall, constant: Constant) -> bool:
    """Whether a constant normalizes the model's input by a mean and a deviation: it has one number
    for each channel, and the exporter does not declare it as a parameter. A larger constant is a
    table."""
    if any(
        call.context.constants[key].declared
        for key, _ in constant.sources
        if key in call.context.constants
    ):
        return False
    extents = [extent for extent in constant.dims if extent != 1]
    named = "." in constant.sources[0][0] and not OPAQUE.match(constant.sources[0][0])
    return len(extents) <= 1 and not (named and call.op in ("Add", "Mul"))


def _join_with_fixed(
    call: OnnxCall, x: Tensor, position: int, broadcast_dims: tuple[int, ...] | None
) -> Tensor:
    """A constant that is not learned. It is free if the shape does not change, unless the product
    is summed at once: that may be a contraction."""
    constant = call.constant(position)
    assert constant is not None
    if broadcast_dims == x.dims and not _is_buffer(call, constant) and not _is_summed(call):
        call.context.exclude(constant)
        return call.free(x)
    kind = call.canonical
    table = call.value(position)
    return call.lower(kind, x, table)


def _is_buffer(call: OnnxCall, constant: Constant) -> bool:
    """Whether a constant is a table that the model stores as a buffer."""
    extents = [extent for extent in constant.dims if extent != 1]
    return (
        len(extents) > 1
        and constant.has_whole_source
        and constant.sources[0][0] in call.context.buffers
    )


def _is_summed(call: OnnxCall) -> bool:
    """Whether only a sum or a mean reads a product."""
    readers = call.context.readers.get(call.outputs[0], ())
    summed = len(readers) == 1 and row_of(readers[0].op).op in SUMS
    return call.canonical == "multiply" and summed


def _is_learned_number(call: OnnxCall, constant: Constant, kind: str | None) -> bool:
    """Whether a scalar is learned, or computed from a learned scalar."""
    if not constant.is_weight or (kind is None and not constant.declared):
        return False
    return constant.has_whole_source or [n for _, n in call.context.derived.stored(constant)] == [1]


def _aligned_dims(call: OnnxCall, x: Tensor, constant: Constant) -> tuple[int, ...]:
    """The dims of a constant. Before opset 7, an attribute could set the axis it broadcasts
    along."""
    axis = call.node.attributes.get("axis")
    if axis is None or not call.node.attributes.get("broadcast"):
        return constant.dims
    axis %= len(x.dims)
    trailing = (1,) * (len(x.dims) - axis - len(constant.dims))
    return (*constant.dims, *trailing)


@operator("Pow", op="power")
def power(call: OnnxCall) -> Tensor:
    exponent = call.constant(1)
    if exponent is not None and exponent.is_weight:
        call.value(1)
        return call.custom(call.broadcast_dims, "power")
    if call.depends_on_input(0) and not call.depends_on_input(1):
        function = "square" if call.number(1) == 2 else "power"  # noqa: PLR2004
        x = call.value()
        return call.lower(function, x)
    return call.custom(call.broadcast_dims, "power")


@operator("Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor",
          "Not", "Mod", "BitShift", "IsNaN", "IsInf", "Atan", "Asin", "Acos", "Sinh", "Cosh",
          "Asinh", "Acosh", "Atanh", "Shrink", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
          "BitwiseNot", op="choose")  # fmt: skip
def comparison(call: OnnxCall) -> Tensor:
    """Comparisons and selections. One that only masks a tensor adds no layer."""
    dependent = call.dependent_positions
    dims = call.broadcast_dims
    # A selection may put a learned tensor in place of the input.
    choices = [
        (position, call.constant(position)) for position in ((1, 2) if call.op == "Where" else ())
    ]
    tokens = [
        position for position, constant in choices if constant is not None and constant.is_weight
    ]
    for position in tokens:
        call.value(position)
    masks = call.op == "Where" and len(dependent) == 1 and not tokens
    if masks and call.value(dependent[0]).dims == dims:
        return call.free(call.value(dependent[0]))
    return call.custom(dims)
