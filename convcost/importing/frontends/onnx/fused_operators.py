"""Replaces fused operators of ONNX Runtime by the operators that they combine.

The optimizer and the quantizer of ONNX Runtime write them, in the domain `com.microsoft`; its
ContribOperators.md defines them. If no rule supports the form of a fused operator, it stays in the
graph: the rule of its own name counts it, or it is reported as not counted.
"""

import ast
from collections.abc import Callable
from math import prod
from string import ascii_lowercase
from typing import Any, TypeAlias

from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.ir.constant import Constant, StoredTensor
from convcost.importing.ir.tensor_views import whole_view

DOMAIN = "com.microsoft"
BYTE = 8  # bits


class FusedCall:
    """A fused operator, and the operators that replace it. Rules raise LookupError for a form that
    they do not support."""

    def __init__(
        self,
        node: OnnxNode,
        constants: dict[str, Constant],
        stored: dict[str, StoredTensor],
        shapes: dict[str, Dims],
    ) -> None:
        self.node = node
        self.constants = constants
        self.stored = stored
        self.shapes = shapes
        self.nodes: list[OnnxNode] = []

    def name(self, position: int) -> str:
        """The name of an input; "" if it is left out."""
        return self.node.input(position)

    def get(self, name: str, default: Any) -> Any:
        return self.node.attributes.get(name, default)

    def dims(self, position: int) -> Dims:
        """The dims of a constant input."""
        return self.constants[self.name(position)].dims

    def put(self, op: str, *inputs: str, outputs: int = 1, **attributes: Any) -> tuple[str, ...]:
        """Adds an operator and returns the names of its outputs."""
        stem = f"{self.node.outputs[0]}:{len(self.nodes)}"
        names = tuple(f"{stem}.{number}" for number in range(outputs))
        self.nodes.append(
            self.node._replace(op=op, inputs=inputs, outputs=names, attributes=attributes)
        )
        return names

    def one(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Adds an operator with one output and returns the name of that output."""
        return self.put(op, *inputs, **attributes)[0]

    def plus(self, x: str, position: int) -> str:
        """`x` plus an input; `x` if that input is left out."""
        return self.one("Add", x, self.name(position)) if self.name(position) else x

    def add_activation(self, x: str) -> str:
        """`x` after the activation that the operator's attribute names, if there is one."""
        op = self.get("activation", "")
        return self.one(op, x) if op else x

    def unpacked(self, position: int, dims: Dims, bits: int) -> str:
        """Adds a constant of `dims` for a stored tensor that packs numbers of `bits` bits into
        bytes, and returns its name."""
        key = self.name(position)
        name, elements = f"{key}:unpacked", prod(dims)
        sources = ((key, elements),)
        view = whole_view(key, dims)
        self.constants[name] = Constant(
            dims, is_float=False, sources=sources, learned=True, view=view
        )
        self.constants[key] = self.constants[name]
        self.stored[key] = StoredTensor(f"uint{bits}", elements, self.stored[key].bytes)
        return name


Rule: TypeAlias = Callable[[FusedCall], tuple[str, ...]]
RULES: dict[str, Rule] = {}


def expansion(*ops: str) -> Callable[[Rule], Rule]:
    """Registers a rule that replaces fused operators. The rule returns the names of the outputs."""

    def register(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, rule))
        return rule

    return register


def expand_fused(
    graph: OnnxGraph,
    constants: dict[str, Constant],
    stored: dict[str, StoredTensor],
    shapes: dict[str, Dims],
) -> OnnxGraph:
    """The graph with every fused operator replaced. Adds the new tensors to `constants`, `stored`
    and `shapes`."""
    nodes: list[OnnxNode] = []
    for node in graph.nodes:
        table = _from_table if node.op in TABLE else None
        rule = RULES.get(node.op, table) if node.domain == DOMAIN else None
        call = FusedCall(node, constants, stored, shapes)
        nodes += [node] if rule is None else _expansion(rule, call)
    return graph._replace(nodes=tuple(nodes))


def _expansion(rule: Rule, call: FusedCall) -> list[OnnxNode]:
    try:
        names = dict(zip(rule(call), call.node.outputs, strict=False))
    except LookupError:
        return [call.node]
    return [
        node._replace(
            inputs=tuple(names.get(name, name) for name in node.inputs),
            outputs=tuple(names.get(name, name) for name in node.outputs),
        )
        for node in call.nodes
    ]


# The inputs are `a`, `b` …; each operator has the attributes of the fused one. A summand that is
# left out adds nothing. `activated` is the activation that an attribute names. An embedding has as
# many positions as words, and perhaps a second sort of ids.
TABLE = {
    "DynamicQuantizeMatMul": "MatMulInteger(a, b) + e",
    "MatMulIntegerToFloat": "MatMulInteger(a, b) + g",
    "QOrderedMatMul": "MatMulInteger(a, c) + f + g",
    "QOrderedLayerNormalization": "LayerNormalization(a, c, d)",
    "QOrderedGelu": "Gelu(a)",
    "QuantizeWithOrder": "Identity(a)",
    "DequantizeWithOrder": "Identity(a)",
    "BiasGelu": "Gelu(a + b)",
    "FastGelu": "Gelu(a + b)",
    "BiasSoftmax": "Softmax(a + b)",
    "BiasAdd": "a + b + c",
    "GemmFastGelu": "Gelu(MatMul(a, b) + c)",
    "FusedConv": "activated(Conv(a, b, c) + d)",
    "FusedGemm": "activated(Gemm(a, b, c))",
    "SkipGroupNorm": "GroupNorm(a + d + e, b, c)",
    "QLinearAdd": "Add(DequantizeLinear(a, b, c), DequantizeLinear(d, e, f))",
    "QLinearMul": "Mul(DequantizeLinear(a, b, c), DequantizeLinear(d, e, f))",
    **dict.fromkeys(
        ("EmbedLayerNormalization", "QEmbedLayerNormalization"),
        "LayerNormalization(Gather(c, a) + Gather(d, a) + Gather(e, b), f, g)",
    ),
}


def _from_table(call: FusedCall) -> tuple[str, ...]:
    return (_value(call, ast.parse(TABLE[call.node.op], mode="eval").body),)


def _value(call: FusedCall, form: ast.expr) -> str:
    """The tensor that an expression of the table gives; "" if it is left out."""
    match form:
        case ast.BinOp(left, _, right):
            x, more = _value(call, left), _value(call, right)
            return call.one("Add", x, more) if more else x
        case ast.Call(ast.Name("activated"), [inner]):
            return call.add_activation(_value(call, inner))
        case ast.Call(ast.Name(op), inner):
            names = [_value(call, expression) for expression in inner]
            return call.one(op, *names, **_without_activation(call)) if names[0] else ""
    return call.name(ascii_lowercase.index(ast.unparse(form)))


# Products with weights of few bits


@expansion("MatMulNBits", "MatMulBnb4")
def matmul_n_bits(call: FusedCall) -> tuple[str, ...]:
    """Inputs: x, packed weights, scales, zero points, group indices, bias. The weights are [K,
    N]."""
    dims = (call.get("K", 0), call.get("N", 0))
    bits = call.get("bits", 4)
    if prod(call.dims(1)) * BYTE < prod(dims) * bits:
        raise LookupError("the stored weights have fewer numbers than the product needs")
    y = call.one("MatMulInteger", call.name(0), call.unpacked(1, dims, bits))
    return (call.plus(y, 5),)


@expansion("MoE", "QMoE")
def mixture(call: FusedCall) -> tuple[str, ...]:
    """Inputs: x, the scores of a router, then weights and biases of three products. QMoE has scales
    between them, and stores two weights of four bits in a byte."""
    step = 3 if call.node.op == "QMoE" else 2
    bits = call.get("expert_weight_bits", 4) if call.node.op == "QMoE" else BYTE
    names: list[str] = []
    for position in range(2, 2 + 3 * step, step):
        name = call.name(position)
        if name and bits < BYTE:
            *outer, inner = call.dims(position)
            name = call.unpacked(position, (*outer, inner * BYTE // bits), bits)
        names += [name, call.name(position + step - 1)]
    return (call.one("Experts", call.name(0), *names, chosen=call.get("k", 1)),)


@expansion("GatherBlockQuantized")
def gather_block_quantized(call: FusedCall) -> tuple[str, ...]:
    """Inputs: packed table, indices, scales, zero points."""
    bits = call.get("bits", 4)
    *rows, row = call.dims(0)
    share = BYTE // bits if call.stored[call.name(0)].dtype == "uint8" else 1
    table = call.unpacked(0, (*rows, row * share), bits) if share > 1 else call.name(0)
    return (call.one("Gather", table, call.name(1), axis=call.get("gather_axis", 0)),)


@expansion("FusedMatMul", "TransposeMatMul")
def fused_matmul(call: FusedCall) -> tuple[str, ...]:
    """A product whose second input is a transposed constant. A plain product stays in the graph."""
    if call.get("transA", 0) or not call.get("transB", 0):
        raise LookupError("a product without a transpose, or with a transposed first input")
    *outer, _, _ = range(len(call.dims(1)))
    order = (*outer, len(outer) + 1, len(outer))
    return (call.one("MatMul", call.name(0), call.one("Transpose", call.name(1), perm=order)),)


@expansion("DynamicQuantizeLSTM")
def dynamic_quantize_lstm(call: FusedCall) -> tuple[str, ...]:
    """Inputs: x, transposed weights and recurrent weights, biases, lengths, two states, peepholes,
    scales."""
    weights = [call.one("Transpose", call.name(position), perm=(0, 2, 1)) for position in (1, 2)]
    rest = [call.name(position) for position in range(3, 8)]
    return call.put("LSTM", call.name(0), *weights, *rest, outputs=3, **call.node.attributes)


# Attention


@expansion("Attention", "QAttention")
def attention(call: FusedCall) -> tuple[str, ...]:
    """Inputs: x, weights of query, key and value, biases, and then keys of earlier steps and a
    summand of the scores among inputs without weights."""
    plain = call.node.op == "Attention"
    product, past = ("MatMul", 4) if plain else ("MatMulInteger", 8)
    if call.name(past):
        raise LookupError("keys of earlier steps")
    width = call.dims(1)[-1]
    sizes = tuple(call.get("qkv_hidden_sizes", ())) or (width // 3,) * 3
    x = call.plus(call.one(product, call.name(0), call.name(1)), 2)
    sides = call.put("Split", x, outputs=3, axis=-1, split=sizes)
    summand = ("", "", call.name(5)) if plain else ()
    return (call.one("MultiHeadAttention", *sides, *summand, num_heads=call.get("num_heads", 1)),)


@expansion("MultiHeadAttention")
def biased_attention(call: FusedCall) -> tuple[str, ...]:
    """Inputs: query, key, value, and one tensor with the three biases."""
    width, remainder = divmod(call.dims(3)[0], 3)
    if remainder:
        raise LookupError("values of another width")
    biases = call.put("Split", call.name(3), outputs=3, axis=0, split=(width,) * 3)
    call.shapes.update(dict.fromkeys(biases, (width,)))
    sides = [call.one("Add", call.name(position), bias) for position, bias in enumerate(biases)]
    rest = [call.name(position) for position in range(4, len(call.node.inputs))]
    return call.put(
        "MultiHeadAttention", *sides, "", *rest,
        outputs=len(call.node.outputs), **call.node.attributes,
    )  # fmt: skip


@expansion("GroupQueryAttention")
def grouped_attention(call: FusedCall) -> tuple[str, ...]:
    """Inputs: query, key, value, past keys and values, lengths, tables of rotations, positions, and
    a summand and a further score of the heads. If query, key and value are packed in one tensor,
    only the first input is present."""
    if call.name(3) or call.name(4):
        raise LookupError("keys of earlier steps")
    if any(call.name(position) in call.constants for position in (10, 11)):
        raise LookupError("learned scores")
    heads, groups = call.get("num_heads", 1), call.get("kv_num_heads", 1)
    sides: tuple[str, ...] = (call.name(0), call.name(1), call.name(2))
    if not call.name(1):
        head_width = call.shapes[call.name(0)][-1] // (heads + 2 * groups)
        split = (heads * head_width, groups * head_width, groups * head_width)
        sides = call.put("Split", call.name(0), outputs=3, axis=-1, split=split)
    outputs = len(call.node.outputs)
    numbers = {"q_num_heads": heads, "kv_num_heads": groups}
    names = call.put("Attention", *sides, outputs=outputs, **numbers)
    call.nodes[-1] = call.nodes[-1]._replace(domain="")  # the standard operator with the same name
    return names


def _without_activation(call: FusedCall) -> dict[str, Any]:
    return {k: value for k, value in call.node.attributes.items() if not k.startswith("activation")}


# Layouts


@expansion("NhwcConv", "NhwcFusedConv", "NhwcMaxPool", "QLinearConv", "QLinearAveragePool",
           "QLinearGlobalAveragePool")  # fmt: skip
def channels_last(call: FusedCall) -> tuple[str, ...]:
    """Convolutions and pools of [n, h, w, c]; the layout of the weights is the usual one."""
    op = call.node.op
    if not op.startswith("Nhwc") and not call.get("channels_last", 0):
        raise LookupError("channels first")
    rank, fused = _rank(call), op == "NhwcFusedConv"
    x = call.one("Transpose", call.name(0), perm=(0, rank - 1, *range(1, rank - 1)))
    inputs = call.node.inputs[1 : 3 if fused else None]
    inner = op.removeprefix("Nhwc").removeprefix("Fused")
    y = call.one(inner, x, *inputs, **_without_activation(call))
    y = call.one("Transpose", y, perm=(0, *range(2, rank), 1))
    return (call.add_activation(call.plus(y, 3)) if fused else y,)


def _rank(call: FusedCall) -> int:
    """The number of axes of the kernel and of the size."""
    if "kernel_shape" in call.node.attributes:
        return len(call.node.attributes["kernel_shape"]) + 2
    weights = 3 if call.node.op == "QLinearConv" else 1
    if "Conv" in call.node.op:
        return len(call.dims(weights))
    return len(call.shapes[call.name(0)])


# Norms and sums


@expansion("SkipLayerNormalization", "SkipSimplifiedLayerNormalization")
def skip_norm(call: FusedCall) -> tuple[str, ...]:
    """Inputs: x, skip, scale; then a shift if the norm subtracts the mean; then a bias of the
    sum."""
    simplified = "Simplified" in call.node.op
    total = call.plus(call.one("Add", call.name(0), call.name(1)), 3 if simplified else 4)
    op = "SimplifiedLayerNormalization" if simplified else "LayerNormalization"
    inputs = (total, call.name(2), *(() if simplified else (call.name(3),)))
    y, *statistics = call.put(op, *inputs, outputs=3, axis=-1)
    return (y, *statistics, total)
