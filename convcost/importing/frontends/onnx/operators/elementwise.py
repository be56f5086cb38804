"""Elementwise operators: joins, biases, scales, and scalars, which are free."""

import re
from typing import Any

from convcost.importing.frontends.onnx.biases import bare
from convcost.importing.frontends.onnx.constants import Constant
from convcost.importing.frontends.onnx.context import LoweringContext
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.names import OPAQUE
from convcost.importing.frontends.onnx.registry import known, operator
from convcost.importing.frontends.onnx.unknown import custom_layer
from convcost.importing.ir.layer_graph import GraphLayer
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.stored_tensors import LEARNED, combined, learned_tensor
from convcost.model.kind import KINDS
from convcost.model.shape import broadcast

SCALAR = re.compile(r"^[A-Za-z_]\w*$")  # a name that a model gives to a number


@operator(
    Add="add", Sum="add", Mean="add", Sub="subtract", Mul="multiply", Div="divide",
    Max="maximum", Min="minimum",
)  # fmt: skip
def join(context: LoweringContext, node: OnnxNode) -> Tensor:
    if all(name in context.constants for name in node.inputs if name):
        # A join of constants: each learned one becomes a layer, in the order of the inputs.
        for at in range(len(node.inputs)):
            constant = context.constant(node, at)
            if constant is not None and (_is_table(constant) or not at):
                context.value(node, at)
    tensors = [
        context.value(node, at)
        for at in range(len(node.inputs))
        if context.depends_on_input(node, at)
    ]
    x = tensors[0]
    if node.inputs[:1] * 2 == node.inputs:
        tensors = [x, x]
    if len(tensors) > 1:
        x = context.lower(node, known(node.op).op, *tensors)
    if node.outputs[0] in context.spent:
        return x
    constants = [at for at in range(len(node.inputs)) if not context.depends_on_input(node, at)]
    if not constants and len(tensors) == 1:
        return context.free(node, x)
    for at in constants:
        x = _with_constant(context, node, x, at)
    return x


def _with_constant(context: LoweringContext, node: OnnxNode, x: Tensor, at: int) -> Tensor:
    """A tensor that depends on the inputs, and a constant."""
    constant = context.constant(node, at)
    assert constant is not None
    dims = _axis(node, x, constant)
    wide = broadcast(x.dims, dims)
    kind = None if node.op == "Mean" else LEARNED.get(known(node.op).op)
    if constant.elements == 1 and not _single(context, constant, kind):
        x = _longer(x, dims)
        for key, _ in constant.roots if constant.real else ():
            plain = SCALAR.match(key) and not OPAQUE.match(key)
            if plain and key in context.stored and key not in context.buffers:
                context.excluded.setdefault(
                    key, "treated as a number of the code, and not counted as params"
                )
        return context.free(node, x)
    if constant.real and context.is_lowered(constant):
        table = context.value(node, at)
        return context.lower(node, known(node.op).op, x, table)
    own = constant.learned and not (x.source < 0 and _standardizes(context, node, constant))
    if kind is None and constant.real and own:  # a learned bound
        return _bounded(context, node, x, at, dims)
    if kind is None or not constant.real or not own:
        return _fixed(context, node, x, at, wide)
    tensors = context.tensors(node, at)
    key = next(iter(tensors))
    if x.source < 0 or not _again_in(context, x.source, key):
        key = context.new_key(key)
    later = _merged_into_layer(context, node, x, key, dims, kind)
    if later is not None:
        return later
    return combined(context.builder, kind, x, key, dims, context.path(node))


def _is_table(constant: Constant) -> bool:
    return constant.learned and constant.real and constant.elements > 1


def _bounded(
    context: LoweringContext, node: OnnxNode, x: Tensor, at: int, dims: tuple[int, ...]
) -> Tensor:
    x = _longer(x, dims)
    full = (1,) * (len(x.dims) - len(dims)) + dims
    key, path = context.new_key(next(iter(context.tensors(node, at)))), context.path(node)
    beside = context.beside(node)
    table = learned_tensor(
        context.builder, key, full, (*path, "learned"), beside=beside, channel=x.channel
    )
    return context.lower(node, known(node.op).op, x, table)


def _again_in(context: LoweringContext, index: int, key: str) -> bool:
    """Whether a layer shares weights, and this tensor belongs to these weights."""
    return context.builder.layers[index].shares is not None and context.builder.takes(index, key)


def _standardizes(context: LoweringContext, node: OnnxNode, constant: Constant) -> bool:
    """Whether a constant normalizes the model's input by a mean and a deviation: it has one number
    for each channel, and the exporter does not declare it as a parameter. A larger constant is a
    table."""
    if any(context.constants[key].sure for key, _ in constant.roots if key in context.constants):
        return False
    long = [extent for extent in constant.dims if extent != 1]
    named = "." in constant.roots[0][0] and not OPAQUE.match(constant.roots[0][0])
    return len(long) <= 1 and not (named and node.op in ("Add", "Mul"))


def _fixed(
    context: LoweringContext, node: OnnxNode, x: Tensor, at: int, wide: tuple[int, ...] | None
) -> Tensor:
    """A constant that is not learned. It is free if the shape does not change."""
    constant = context.constant(node, at)
    assert constant is not None
    if wide == x.dims and not _is_buffer(context, constant):
        for key, elements in constant.roots:
            if elements > 1 and constant.real:
                context.excluded.setdefault(key, "constant, and not counted as params")
        return context.free(node, x)
    kind = known(node.op).op
    table = context.value(node, at)
    return context.lower(node, kind, x, table)


def _is_buffer(context: LoweringContext, constant: Constant) -> bool:
    """Whether a constant is a table that the model stores as a buffer."""
    long = [extent for extent in constant.dims if extent != 1]
    return len(long) > 1 and constant.whole and constant.roots[0][0] in context.buffers


def _single(context: LoweringContext, constant: Constant, kind: str | None) -> bool:
    """Whether a scalar is learned, or computed from a learned scalar."""
    if not (constant.learned and constant.real) or (kind is None and not constant.sure):
        return False
    return constant.whole or [n for _, n in context.derived.stored(constant)] == [1]


def _axis(node: OnnxNode, x: Tensor, constant: Constant) -> tuple[int, ...]:
    """The dims of a constant. Before opset 7, an attribute could set the axis it broadcasts
    along."""
    axis = node.attributes.get("axis")
    if axis is None or not node.attributes.get("broadcast"):
        return constant.dims
    axis %= len(x.dims)
    behind = (1,) * (len(x.dims) - axis - len(constant.dims))
    return (*constant.dims, *behind)


def _longer(x: Tensor, dims: tuple[int, ...]) -> Tensor:
    rank = max(len(x.dims), len(dims))
    return reshaped(x, (1,) * (rank - len(x.dims)) + x.dims)


def _merged_into_layer(
    context: LoweringContext, node: OnnxNode, x: Tensor, key: str, dims: tuple[int, ...], kind: str
) -> Tensor | None:
    """Adds a bias or scale to the layer just before it, if it belongs to that layer; otherwise
    None."""
    name = next(name for name in node.inputs if name in context.values)
    alone = x.source >= 0 and not bare(context, x.source) and context.has_one_reader(name)
    if x.axes is None or not alone or len(dims) > len(x.dims):
        return None
    full = (1,) * (len(x.dims) - len(dims)) + dims
    long = [axis for axis, extent in enumerate(full) if extent != 1]
    layer = context.builder.layers[x.source]
    options = dict(layer.options)
    whole = options.get("over") == "all"
    elements = context.builder.shape(x.source).elements
    fits = (len(long) == 1 and x.axes[long[0]] == 0) or (not long and x.shape.channels == 1)
    if options.get("shared") and layer.kind == "scale":
        fits = not long
    elif whole:
        fits = all(full[axis] == x.dims[axis] for axis in range(len(full)))
    if not fits:
        return None
    learns = {name: _option(layer, name) for name in ("scale", "shift")}
    norm = None not in learns.values() and layer.kind != "scale"
    if kind == "multiply":
        change = {"scale": True} if norm and not any(learns.values()) else {}
    elif norm:
        change = {} if learns["shift"] else {"shift": True}
    elif layer.kind == "scale":
        taken = options.get("shift") or options.get("factor") is False
        change = {} if taken else {"shift": True}
    elif layer.kind in ("conv", "depthwise", "transposed_conv", "linear"):
        given = options.get("bias", layer.kind == "linear")
        change = {} if given else {"bias": True}
    else:
        change = {}
    if not change or not context.builder.takes(x.source, key):
        return None
    count = elements if whole else 1 if options.get("shared") else x.shape.channels
    context.builder.revise(x.source, {key: count}, **change)
    return x


def _option(layer: GraphLayer, name: str) -> Any:
    """The value of an option of a layer, given or default; None if its kind has no such option."""
    kind = KINDS.get(layer.kind)
    option = None if kind is None else kind.options.get(name)
    return None if option is None else dict(layer.options).get(name, option.default)


@operator("Pow", op="power")
def power(context: LoweringContext, node: OnnxNode) -> Tensor:
    exponent = context.constant(node, 1)
    if exponent is not None and exponent.learned and exponent.real:
        context.value(node, 1)
        return custom_layer(context, node, _wide(context, node), "power")
    if context.depends_on_input(node, 0) and not context.depends_on_input(node, 1):
        function = "square" if context.number(node, 1) == 2 else "power"  # noqa: PLR2004
        x = context.value(node)
        return context.lower(node, function, x)
    return custom_layer(context, node, _wide(context, node), "power")


@operator("Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor",
          "Not", "Mod", "BitShift", "IsNaN", "IsInf", "Atan", "Asin", "Acos", "Sinh", "Cosh",
          "Asinh", "Acosh", "Atanh", "Shrink", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
          "BitwiseNot", op="choose")  # fmt: skip
def choice(context: LoweringContext, node: OnnxNode) -> Tensor:
    """Comparisons and selections. One that only masks a tensor adds no layer."""
    dependent = [at for at in range(len(node.inputs)) if context.depends_on_input(node, at)]
    dims = _wide(context, node)
    tokens = [at for at in (1, 2) if node.op == "Where" and _is_token(context, node, at)]
    for at in tokens:
        context.value(node, at)
    masks = node.op == "Where" and len(dependent) == 1 and not tokens
    if masks and context.value(node, dependent[0]).dims == dims:
        return context.free(node, context.value(node, dependent[0]))
    return custom_layer(context, node, dims)


def _is_token(context: LoweringContext, node: OnnxNode, at: int) -> bool:
    """Whether a selection puts a learned tensor in place of the input."""
    constant = context.constant(node, at)
    return constant is not None and constant.learned and constant.real


def _wide(context: LoweringContext, node: OnnxNode) -> tuple[int, ...] | None:
    found = []
    for at in range(len(node.inputs)):
        constant = context.constant(node, at)
        found.append(constant.dims if constant is not None else context.value(node, at).dims)
    return broadcast(*found)


@operator("BiasGelu", "BiasAdd")
def bias_gelu(context: LoweringContext, node: OnnxNode) -> Tensor:
    x = join(context, node._replace(op="Add", inputs=node.inputs[:2]))
    if node.op == "BiasAdd":
        return x
    return context.lower(node, "gelu", x, path=("gelu",))


@operator("Affine", "Scale", "ImageScaler")
def affine(context: LoweringContext, node: OnnxNode) -> Tensor:
    return context.lower(node, "affine")
