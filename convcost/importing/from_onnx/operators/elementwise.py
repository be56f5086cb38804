"""Tensors that meet element by element: joins, biases, scales, and single numbers, for free."""

import re

from convcost.importing.from_onnx.biases import bare
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.names import OPAQUE
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.tensors import learned, met
from convcost.importing.value import Value, reshaped
from convcost.shapes import broadcast

KINDS = {
    "Add": "add",
    "Sum": "add",
    "Mul": "multiply",
    "Sub": "subtract",
    "Div": "divide",
    "Max": "maximum",
    "Min": "minimum",
    "Mean": "add",
    "QLinearAdd": "add",
    "QLinearMul": "multiply",
}
SCALAR = re.compile(r"^[A-Za-z_]\w*$")  # how a model calls a number of its own
LEARNED = {"Add": "add", "Sum": "add", "Sub": "add", "Mul": "multiply", "Div": "multiply"}


@operator("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean")
def join(sheet: Sheet, node: Node) -> Value:
    if not any(sheet.flows(node, at) for at in range(len(node.inputs))):
        sheet.value(node, 0)  # of constants that are drawn
    flowing = [sheet.value(node, at) for at in range(len(node.inputs)) if sheet.flows(node, at)]
    x = flowing[0]
    if node.op == "Mul" and len(node.inputs) == 2 and node.inputs[0] == node.inputs[1]:  # noqa: PLR2004
        options = {"function": "square"}
        return pointwise(sheet.easel, "elementwise", x, sheet.path(node), options)
    if len(flowing) > 1:
        x = elementwise(sheet.easel, KINDS[node.op], flowing, sheet.path(node))
    if node.outputs[0] in sheet.spent:
        return x
    constants = [at for at in range(len(node.inputs)) if not sheet.flows(node, at)]
    if not constants and len(flowing) == 1:
        return sheet.free(node, x)
    for at in constants:
        x = _meets(sheet, node, x, at)
    return x


@operator("QLinearAdd", "QLinearMul")
def quantized_join(sheet: Sheet, node: Node) -> Value:
    a, b = node.inputs[0], node.inputs[3]
    plain = {"QLinearAdd": "Add", "QLinearMul": "Mul"}[node.op]
    return join(sheet, node._replace(op=plain, inputs=(a, b)))


def _meets(sheet: Sheet, node: Node, x: Value, at: int) -> Value:
    """One tensor that flows, and a constant."""
    constant = sheet.constant(node, at)
    assert constant is not None
    dims = _axis(node, x, constant)
    wide = broadcast(x.dims, dims)
    kind = LEARNED.get(node.op)
    if constant.elements == 1 and not _single(sheet, constant, kind):
        x = _longer(x, dims)
        for key, _ in constant.roots if constant.real else ():
            plain = SCALAR.match(key) and not OPAQUE.match(key)
            if plain and key in sheet.stored and key not in sheet.buffers:
                sheet.told.setdefault(key, "taken for a number of the code, and no params")
        return sheet.free(node, x)
    if constant.real and sheet.drawn(constant):
        table = sheet.value(node, at)
        return elementwise(sheet.easel, KINDS[node.op], [x, table], sheet.path(node))
    own = constant.learned and not (x.source < 0 and _standardizes(sheet, node, constant))
    if kind is None and constant.real and own:  # a bound that is learned
        return _bounded(sheet, node, x, at, dims)
    if kind is None or not constant.real or not own:
        return _fixed(sheet, node, x, at, wide)
    tensors = sheet.tensors(node, at)
    key = next(iter(tensors))
    if x.source < 0 or not _again_in(sheet, x.source, key):
        key = sheet.again(key)
    later = _taken_up(sheet, node, x, key, dims, kind)
    if later is not None:
        return later
    return met(sheet.easel, kind, x, key, dims, sheet.path(node))


def _bounded(sheet: Sheet, node: Node, x: Value, at: int, dims: tuple[int, ...]) -> Value:
    x = _longer(x, dims)
    full = (1,) * (len(x.dims) - len(dims)) + dims
    key, path = sheet.again(next(iter(sheet.tensors(node, at)))), sheet.path(node)
    beside = sheet.beside(node)
    table = learned(sheet.easel, key, full, (*path, "learned"), beside=beside, channel=x.channel)
    return elementwise(sheet.easel, KINDS[node.op], [x, table], path)


def _again_in(sheet: Sheet, index: int, key: str) -> bool:
    """Whether a layer uses weights again, and this tensor belongs to those."""
    return sheet.easel.layers[index].shares is not None and sheet.easel.takes(index, key)


def _standardizes(sheet: Sheet, node: Node, constant: Constant) -> bool:
    """Whether a constant that meets the model's input brings it to a mean and a deviation: one
    number a channel, not said to be a parameter. Anything larger is a table."""
    if any(sheet.constants[key].sure for key, _ in constant.roots if key in sheet.constants):
        return False
    long = [extent for extent in constant.dims if extent != 1]
    named = "." in constant.roots[0][0] and not OPAQUE.match(constant.roots[0][0])
    return len(long) <= 1 and not (named and node.op in ("Add", "Mul"))


def _fixed(sheet: Sheet, node: Node, x: Value, at: int, wide: tuple[int, ...] | None) -> Value:
    """A constant that nobody learns: free where the shape stays."""
    constant = sheet.constant(node, at)
    assert constant is not None
    if wide == x.dims and not _kept(sheet, constant):
        for key, elements in constant.roots:
            if elements > 1 and constant.real:
                sheet.told.setdefault(key, "constant, and no params")
        return sheet.free(node, x)
    kind = KINDS[node.op]
    table = sheet.value(node, at)
    return elementwise(sheet.easel, kind, [x, table], sheet.path(node))


def _kept(sheet: Sheet, constant: Constant) -> bool:
    """Whether a constant is a table that the model keeps beside what it learns: a buffer."""
    long = [extent for extent in constant.dims if extent != 1]
    return len(long) > 1 and constant.whole and constant.roots[0][0] in sheet.buffers


def _single(sheet: Sheet, constant: Constant, kind: str | None) -> bool:
    """Whether one number is learned, as it stands or worked out of one that is."""
    if not (constant.learned and constant.real) or (kind is None and not constant.sure):
        return False
    return constant.whole or [n for _, n in sheet.books.stored(constant)] == [1]


def _axis(node: Node, x: Value, constant: Constant) -> tuple[int, ...]:
    """The dims of a constant; before opset 7 they could be laid along an axis."""
    axis = node.attributes.get("axis")
    if axis is None or not node.attributes.get("broadcast"):
        return constant.dims
    axis %= len(x.dims)
    behind = (1,) * (len(x.dims) - axis - len(constant.dims))
    return (*constant.dims, *behind)


def _longer(x: Value, dims: tuple[int, ...]) -> Value:
    rank = max(len(x.dims), len(dims))
    return reshaped(x, (1,) * (rank - len(x.dims)) + x.dims)


def _taken_up(
    sheet: Sheet, node: Node, x: Value, key: str, dims: tuple[int, ...], kind: str
) -> Value | None:
    """A bias or scale that belongs to the layer just before it: that layer gets it."""
    name = next(name for name in node.inputs if name in sheet.values)
    alone = x.source >= 0 and not bare(sheet, x.source) and sheet.alone(name)
    if x.axes is None or not alone or len(dims) > len(x.dims):
        return None
    full = (1,) * (len(x.dims) - len(dims)) + dims
    long = [axis for axis, extent in enumerate(full) if extent != 1]
    layer = sheet.easel.layers[x.source]
    options = dict(layer.options)
    whole = options.get("over") == "all"
    elements = sheet.easel.shape(x.source).elements
    fits = (len(long) == 1 and x.axes[long[0]] == 0) or (not long and x.shape.channels == 1)
    if options.get("shared") and layer.kind == "scale":
        fits = not long
    elif whole:
        fits = all(full[axis] == x.dims[axis] for axis in range(len(full)))
    if not fits:
        return None
    norm = layer.kind.endswith("_norm") and layer.kind != "local_response_norm"
    if kind == "multiply":
        change = (
            {"scale": True}
            if norm and options.get("scale") is False and options.get("shift") is False
            else {}
        )
    elif norm:
        change = {"shift": True} if options.get("shift") is False else {}
    elif layer.kind == "scale":
        taken = options.get("shift") or options.get("factor") is False
        change = {} if taken else {"shift": True}
    elif layer.kind in ("conv", "depthwise", "transposed_conv", "linear"):
        given = options.get("bias", layer.kind == "linear")
        change = {} if given else {"bias": True}
    else:
        change = {}
    if not change or not sheet.easel.takes(x.source, key):
        return None
    count = elements if whole else 1 if options.get("shared") else x.shape.channels
    sheet.easel.revise(x.source, {key: count}, **change)
    return x


@operator("Pow")
def power(sheet: Sheet, node: Node) -> Value:
    exponent = sheet.constant(node, 1)
    if exponent is not None and exponent.learned and exponent.real:
        sheet.value(node, 1)
        return stated(sheet, node, _wide(sheet, node), "power")
    if sheet.flows(node, 0) and not sheet.flows(node, 1):
        function = "square" if sheet.number(node, 1) == 2 else "power"  # noqa: PLR2004
        x = sheet.value(node)
        return pointwise(sheet.easel, "elementwise", x, sheet.path(node), {"function": function})
    return stated(sheet, node, _wide(sheet, node), "power")


@operator("Where", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or", "Xor",
          "Not", "Mod", "BitShift", "IsNaN", "IsInf", "Atan", "Asin", "Acos", "Sinh", "Cosh",
          "Asinh", "Acosh", "Atanh", "Softsign", "Shrink", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
          "BitwiseNot")  # fmt: skip
def choice(sheet: Sheet, node: Node) -> Value:
    """Comparisons and choices. One that only masks what flows leaves no layer."""
    flowing = [at for at in range(len(node.inputs)) if sheet.flows(node, at)]
    dims = _wide(sheet, node)
    tokens = [at for at in (1, 2) if node.op == "Where" and _is_token(sheet, node, at)]
    for at in tokens:
        sheet.value(node, at)
    masks = node.op == "Where" and len(flowing) == 1 and not tokens
    if masks and sheet.value(node, flowing[0]).dims == dims:
        return sheet.free(node, sheet.value(node, flowing[0]))
    return stated(sheet, node, dims)


def _is_token(sheet: Sheet, node: Node, at: int) -> bool:
    """Whether a choice puts something learned in place of what flows."""
    constant = sheet.constant(node, at)
    return constant is not None and constant.learned and constant.real


def _wide(sheet: Sheet, node: Node) -> tuple[int, ...] | None:
    found = []
    for at in range(len(node.inputs)):
        constant = sheet.constant(node, at)
        found.append(constant.dims if constant is not None else sheet.value(node, at).dims)
    return broadcast(*found)


@operator("BiasGelu", "BiasAdd")
def bias_gelu(sheet: Sheet, node: Node) -> Value:
    x = join(sheet, node._replace(op="Add", inputs=node.inputs[:2]))
    if node.op == "BiasAdd":
        return x
    return pointwise(sheet.easel, "gelu", x, (*sheet.path(node), "gelu"))


@operator("Affine", "Scale", "ImageScaler")
def affine(sheet: Sheet, node: Node) -> Value:
    x = sheet.value(node)
    options = {"function": get(node, "function", "affine")}
    return pointwise(sheet.easel, "elementwise", x, sheet.path(node), options)
