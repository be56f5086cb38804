"""Fuses several layers into one kind: norms, gates, attention and contractions that a model writes
by hand.

Each rule starts at the last layer of a pattern. The other layers are removed if nothing else reads
them. Constants of the code, such as ε and √2, are not in the layer graph, so no rule checks them.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from convcost.importing.ir.layer_graph import (
    GraphLayer,
    LayerGraph,
    read_by,
    stated_options,
    without_layers,
)
from convcost.importing.passes.lower.reductions import GLOBAL
from convcost.model.axes import reduced_axes
from convcost.model.errors import ConstraintError
from convcost.model.kind import KINDS
from convcost.model.shape import Shape

PAIR = 2
# x times a function of x, by the layers of the function, the last one first.
GATES = {
    ("sigmoid",): "silu",
    ("hard_sigmoid",): "hard_swish",
    ("relu6",): "hard_swish",
    ("tanh", "softplus"): "mish",
    ("erf",): "gelu",
    ("tanh", "add"): "gelu",  # tanh of x + 0.044715·x³
}
SUMS = ("sum", "mean")
MAX_GATE = 2  # functions in a gate
MAX_POLYNOMIAL_DEPTH = 6  # layers of a polynomial


class _Rewriter:
    """The layers by index, with the fusions so far, and the readers of each layer."""

    def __init__(self, layer_graph: LayerGraph) -> None:
        self.inputs = layer_graph.inputs
        self.layers = list(layer_graph.layers)
        self.readers = Counter(source for layer in self.layers for source in read_by(layer))
        self.readers.update(layer_graph.outputs)
        self.aliases: dict[int, int] = {}  # layers that are removed, and the values to read instead

    def shape(self, source: int) -> Shape:
        return self.layers[source].output if source >= 0 else self.inputs[-1 - source][1]

    def producer(self, source: int, *kinds: str) -> GraphLayer | None:
        """The layer that computes a tensor, if it has one of these kinds and a single reader."""
        if source < 0 or self.readers[source] != 1:
            return None
        layer = self.layers[source]
        return layer if function_or_kind(layer) in kinds else None

    def skip(self, source: int, *kinds: str) -> int:
        """The tensor before the layers of these kinds that end with `source`, as long as each has a
        single reader."""
        while layer := self.producer(source, *kinds):
            source = layer.inputs[0]
        return source

    def replace(
        self,
        index: int,
        kind: str,
        inputs: Sequence[int],
        options: dict[str, Any],
        output: Shape | None = None,
    ) -> bool:
        """Replaces a layer by one with the same output shape, or with another `output` of as many
        elements if only a reshape reads it. Returns whether that is possible."""
        old, kind_class = self.layers[index], KINDS.get(kind)
        assert kind_class is not None
        layer = kind_class(**options)
        try:
            x = layer.select_inputs(tuple(self.shape(source) for source in inputs))
            output = output or old.output
            if layer.output(x) != output:
                return False
            macs, buffers = layer.macs(x).value, layer.buffers(x).value
        except ConstraintError:
            return False
        # Add first, so that an input of both layers always has a reader.
        self.readers.update(inputs)
        for source in old.inputs:
            self._release(source)
        path = (*old.path[:-1], kind) if old.path[-1:] == (old.kind,) else old.path
        self.layers[index] = old._replace(
            path=path, kind=kind, inputs=tuple(inputs), options=stated_options(kind_class, options),
            output=output, params=0, buffers=buffers, macs=macs, follows=(), rest=None,
        )  # fmt: skip
        return True

    def _release(self, source: int) -> None:
        """Removes one reader of a layer. A layer without readers is removed, and releases its own
        inputs."""
        waiting = [source]
        while waiting:
            index = waiting.pop()
            self.readers[index] -= 1
            if index >= 0 and not self.readers[index]:
                waiting += read_by(self.layers[index])


Rule: TypeAlias = Callable[[_Rewriter, int, GraphLayer], bool]


def fuse_patterns(
    layer_graph: LayerGraph, rules: Mapping[str, Sequence[Rule]] | None = None
) -> LayerGraph:
    """The layers with one layer in place of each pattern; `rules` are RULES by default."""
    rules = RULES if rules is None else rules
    graph = _Rewriter(layer_graph)
    unread = {index for index in range(len(graph.layers)) if not graph.readers[index]}
    changed = False
    for index, _ in enumerate(layer_graph.layers):
        for rule in rules.get(function_or_kind(graph.layers[index]), ()):
            if rule(graph, index, graph.layers[index]):
                changed = True
                break
    if not changed:
        return layer_graph
    unused = {index for index in range(len(graph.layers)) if not graph.readers[index]} - unread
    rewritten = layer_graph._replace(layers=tuple(graph.layers))
    before = {
        index: graph.layers[index].inputs[0] for index in unused if graph.layers[index].inputs
    }
    return without_layers(rewritten, unused | graph.aliases.keys(), before | graph.aliases)


def function_or_kind(layer: GraphLayer) -> str:
    """The function of an `elementwise` layer, or the kind of any other layer."""
    return str(dict(layer.options)["function"]) if layer.kind == "elementwise" else layer.kind


def _square(graph: _Rewriter, source: int) -> int | None:
    """x of x², if nothing else reads the square."""
    layer = graph.producer(source, "square")
    return layer.inputs[0] if layer is not None else None


def _orders(layer: GraphLayer) -> tuple[tuple[int, ...], ...]:
    """The two inputs of a join in both orders; empty for another number of inputs."""
    return (layer.inputs, layer.inputs[::-1]) if len(layer.inputs) == PAIR else ()


# Gates


def _fuse_gate(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """x times a gate of the same x."""
    for x, gate in _orders(layer):
        kind = GATES.get(_functions(graph, gate, x))
        if kind is not None:
            return graph.replace(index, kind, [x], {})
    return False


def _functions(graph: _Rewriter, source: int, x: int) -> tuple[str, ...]:
    """The functions of x that give a tensor, the last one first; a polynomial of x counts as its
    last function. Empty if the tensor is something else, or has another reader."""
    functions: tuple[str, ...] = ()
    while source != x and len(functions) < MAX_GATE and source >= 0 and graph.readers[source] == 1:
        layer = graph.layers[source]
        functions = (*functions, function_or_kind(layer))
        if len(layer.inputs) > 1 and _is_polynomial(graph, source, x):
            return functions
        source = layer.inputs[0] if len(layer.inputs) == 1 else x - 1
    return functions if source == x else ()


def _is_polynomial(graph: _Rewriter, source: int, x: int, depth: int = 0) -> bool:
    """Whether a tensor is computed from x by sums, products and powers."""
    layer = graph.layers[source] if source >= 0 and depth < MAX_POLYNOMIAL_DEPTH else None
    if source == x or layer is None:
        return source == x
    powers = function_or_kind(layer) in ("add", "multiply", "square", "power")
    return powers and all(_is_polynomial(graph, source, x, depth + 1) for source in layer.inputs)


def _fuse_log_sigmoid(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """The logarithm of a sigmoid."""
    sigmoid = graph.producer(layer.inputs[0], "sigmoid")
    return sigmoid is not None and graph.replace(index, "log_sigmoid", sigmoid.inputs, {})


def _fuse_glu(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """The first half of the channels times the sigmoid of the second half: GLU."""
    for half_source, gate in _orders(layer):
        first, sigmoid = graph.producer(half_source, "slice"), graph.producer(gate, "sigmoid")
        second = graph.producer(sigmoid.inputs[0], "slice") if sigmoid is not None else None
        if first is None or second is None or first.inputs != second.inputs:
            continue
        half = layer.output.channels
        channels = graph.shape(first.inputs[0]).channels
        ranges = [dict(part.options) for part in (first, second)]
        if channels == 2 * half and ranges == [{"length": half}, {"length": half, "start": half}]:
            return graph.replace(index, "glu", first.inputs, {})
    return False


# Norms


def _ratios_to_roots(graph: _Rewriter, layer: GraphLayer) -> list[tuple[int, int]]:
    """(x, y) of x/√y and x·(1/√y); y may have a lower bound."""
    ratios = []
    for x, other in _orders(layer)[: 1 if layer.kind == "divide" else 2]:
        if layer.kind == "multiply":
            inverse = graph.producer(other, "rsqrt", "reciprocal")
            root = inverse
            if inverse is not None and function_or_kind(inverse) == "reciprocal":
                root = graph.producer(inverse.inputs[0], "sqrt")
        else:
            root = graph.producer(graph.skip(other, "clip"), "sqrt")
        if root is not None:
            ratios.append((x, root.inputs[0]))
    return ratios


def _fuse_norm(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """x over the root of the mean or sum of its squares, perhaps after its mean is subtracted."""
    for x, squares in _ratios_to_roots(graph, layer):
        total = graph.producer(graph.skip(squares, "clip"), "sum", "mean", GLOBAL["mean"])
        squared = _square(graph, total.inputs[0]) if total is not None else None
        if total is None or squared is None:
            continue
        axes = _reduced_axes(total)
        if total.kind == "sum":
            return squared == x and axes == "channels" and graph.replace(index, "l2_norm", [x], {})
        centre = _input_minus_mean(graph, squared, axes)
        if squared != x and (centre is None or _input_minus_mean(graph, x, axes) != centre):
            continue
        plain: dict[str, Any] = {"scale": False, "shift": False}
        if axes in ("channels", "all"):
            kind, start = ("rms_norm", x) if centre is None else ("layer_norm", centre)
            return graph.replace(index, kind, [start], {**plain, "over": axes})
        if axes == "size" and centre is not None:
            return graph.replace(index, "instance_norm", [centre], plain)
    return False


def _reduced_axes(layer: GraphLayer) -> Any:
    """The axes of a reduction or of a global pool."""
    whole = layer.kind in GLOBAL.values() or layer.option("over") == 1 == len(layer.output.size)
    return "size" if whole else layer.option("over")


def _input_minus_mean(graph: _Rewriter, source: int, over: Any) -> int | None:
    """x of x − mean(x) over the same axes."""
    layer = graph.layers[source] if source >= 0 else None
    if layer is None or layer.kind != "subtract":
        return None
    x, other = layer.inputs
    mean = graph.layers[other] if other >= 0 else None
    same = mean is not None and mean.kind in ("mean", GLOBAL["mean"]) and mean.inputs == (x,)
    return x if same and mean is not None and _reduced_axes(mean) == over else None


def _fuse_frozen_batch_norm(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """x·s + (b − m·s) with s = w/√v: a batch norm, if w, v, b and m are buffers."""
    for scaled, shift in _orders(layer):
        product, less = graph.producer(scaled, "multiply"), graph.producer(shift, "subtract")
        scaled_mean = graph.producer(less.inputs[1], "multiply") if less is not None else None
        if product is None or less is None or scaled_mean is None:
            continue
        for (x, factor), (mean, same) in itertools.product(_orders(product), _orders(scaled_mean)):
            if factor != same or factor < 0 or graph.readers[factor] != PAIR:
                continue
            if function_or_kind(graph.layers[factor]) not in ("multiply", "divide"):
                continue
            stored = (*graph.layers[factor].inputs, less.inputs[0], mean)
            tables = [graph.producer(source, "learned") for source in stored]
            if {table and table.buffers for table in tables} == {layer.output.channels}:
                return graph.replace(index, "batch_norm", [x], {"buffer": True})
    return False


def _fuse_softmax(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """exp(x) over its sum; x may have its maximum subtracted."""
    top, total = layer.inputs[0], graph.producer(layer.inputs[-1], "sum")
    if total is None or total.inputs != (top,) or function_or_kind(graph.layers[top]) != "exp":
        return False
    (x,) = graph.layers[top].inputs
    if (less := graph.producer(x, "subtract")) is not None:
        before, other = less.inputs
        largest = graph.layers[other] if other >= 0 else less
        same = largest.kind in ("max", GLOBAL["max"]) and largest.inputs == (before,)
        x = before if same else x
    return graph.replace(index, "softmax", [x], {})


def _fuse_dropped_axes(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """A reduction that keeps its axes, and a reshape without them: a reduction that drops them."""
    (source,) = layer.inputs
    reduction = graph.producer(source, "mean", "max", "min", "sum")
    if reduction is None:
        return False
    kind_class, options = KINDS[reduction.kind], dict(reduction.options) | {"keep": False}
    if kind_class(**options).output(graph.shape(reduction.inputs[0])) != layer.output:
        return False
    spec_options = stated_options(kind_class, options)
    graph.layers[source] = reduction._replace(options=spec_options, output=layer.output)
    graph.aliases[index] = source
    return True


def _fuse_local_response_norm(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """x over a power of the mean of squares of neighbouring channels, where a pool runs over the
    channels as an axis of the size."""
    if len(layer.inputs) != PAIR:
        return False
    x, under = layer.inputs
    power = graph.producer(graph.skip(under, "reshape"), "power")
    pool = graph.producer(graph.skip(power.inputs[0], "reshape"), "avg_pool") if power else None
    if pool is None:
        return False
    options = dict(pool.options)
    kernel = options.get("kernel")
    neighbours, *others = kernel if isinstance(kernel, tuple) else (kernel,)
    if set(others) - {1} or options.get("stride") != 1 or type(neighbours) is not int:
        return False
    padded = graph.skip(pool.inputs[0], "reshape")
    border = graph.producer(padded, "pad", "custom")
    if border is None or (border.kind == "custom" and dict(border.options)["what"] != "pad"):
        return False
    if _square(graph, graph.skip(border.inputs[0], "reshape")) != x:
        return False
    return graph.replace(index, "local_response_norm", [x], {"neighbours": neighbours})


def _fuse_roll(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """A concat of x[k:] and x[:k] along a spatial axis becomes a roll. A roll of a roll is one."""
    axis = dict(layer.options).get("along")
    if len(layer.inputs) != PAIR or axis is None:
        return False
    tail, head = (graph.producer(source, "slice") for source in layer.inputs)
    if tail is None or head is None or tail.inputs != head.inputs:
        return False
    (x,), places = head.inputs, dict(head.options)["length"]
    rest = graph.shape(x).size[axis - 1] - places
    if dict(head.options) != {"length": places, "along": axis}:
        return False
    if dict(tail.options) != {"length": rest, "along": axis, "start": places}:
        return False
    if x >= 0 and graph.layers[x].kind == "roll" and graph.readers[x] == PAIR:
        (x,) = graph.layers[x].inputs
    return graph.replace(index, "roll", [x], {"places": -places if places <= rest else rest})


# Attention


def _fuse_attention(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """softmax(q·kᵀ)·v becomes one attention, if nothing else reads the two products."""
    if layer.options or len(layer.inputs) != PAIR:
        return False
    soft = graph.producer(graph.skip(layer.inputs[0], "dropout"), "softmax")
    scores = graph.skip(soft.inputs[0], "dropout", "clip") if soft is not None else -1
    product = graph.producer(scores, "matmul")
    if product is None:
        return False
    query, key = product.inputs
    if dict(product.options).get("transpose"):
        return graph.replace(index, "attention", [query, key, layer.inputs[1]], {})
    turned, before = _with_exchanged_axes(graph, key, index), graph.layers[key]
    if turned is None:
        return False
    done = graph.replace(index, "attention", [query, turned, layer.inputs[1]], {})
    if not done:
        graph.layers[key] = before
    return done


def _with_exchanged_axes(graph: _Rewriter, source: int, index: int) -> int | None:
    """A tensor with the channels and the last axis of the size exchanged: the input of the reshape,
    another reshape of that input, or this reshape with the exchanged shape if nothing else reads
    it; otherwise None."""
    layer = graph.layers[source] if source >= 0 else None
    if layer is None or layer.kind != "reshape" or not layer.output.size:
        return None
    *outer, last = layer.output.size
    exchanged = Shape(last, (*outer, layer.output.channels))
    (before,) = layer.inputs
    if graph.shape(before) == exchanged:
        return before
    for other in range(index):
        other_layer = graph.layers[other]
        if (
            other_layer.kind == "reshape"
            and other_layer.inputs == layer.inputs
            and other_layer.output == exchanged
        ):
            return other
    if graph.readers[source] != 1:
        return None
    size = len(outer) + 1
    rest = {0: size, size: 0}.get(layer.rest, layer.rest) if layer.rest is not None else None
    graph.layers[source] = layer._replace(
        options=(("shape", exchanged),), output=exchanged, rest=rest, follows=()
    )
    return source


def _fuse_heads(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """Attention whose channels are split into heads and merged again becomes one layer with the
    number of heads. Keys and values may have fewer heads than queries."""
    attention = graph.producer(layer.inputs[0], "attention")
    if attention is None or attention.options:
        return False
    reshapes = [graph.layers[source] if source >= 0 else layer for source in attention.inputs]
    if any(reshape.kind != "reshape" or len(reshape.output.size) != PAIR for reshape in reshapes):
        return False
    counts = [reshape.output.size[0] for reshape in reshapes]
    heads, rows = attention.output.size
    merged = Shape(heads * attention.output.channels, (rows,))
    if counts[1] != counts[2] or heads % counts[1] or layer.output.channels != merged.channels:
        return False
    flats = []
    for source, reshape in zip(attention.inputs, reshapes, strict=True):
        number, steps = reshape.output.size
        flat = Shape(number * reshape.output.channels, (steps,))
        if graph.shape(reshape.inputs[0]) == flat:
            flats.append(reshape.inputs[0])
        elif (
            graph.shape(reshape.inputs[0]).channels == flat.channels and graph.readers[source] == 1
        ):
            # The rows are several axes, such as those of a map: the reshape only merges these.
            flats.append(source)
            rest = reshape.rest and min(reshape.rest, 1)
            graph.layers[source] = reshape._replace(
                options=(("shape", flat),), output=flat, rest=rest, follows=()
            )
    options = {"heads": heads} if heads > 1 else {}
    at = index if layer.output == merged else layer.inputs[0]
    if len(flats) == len(reshapes) and graph.replace(at, "attention", flats, options, merged):
        return True
    for source, reshape in zip(attention.inputs, reshapes, strict=True):
        graph.layers[source] = reshape
    return False


# Contractions


def _fuse_contraction(graph: _Rewriter, index: int, layer: GraphLayer) -> bool:
    """A product and a sum over its output: an einsum, which costs one multiply-add for each
    product. Correlation, involution and attention by hand are of this form. The product may be a
    `scale`, whose factors then become a layer of their own."""
    (source,) = layer.inputs
    product = graph.producer(source, "multiply", "scale")
    if product is None:
        return False
    inputs, shapes = product.inputs, [graph.shape(source) for source in product.inputs]
    learned = product
    if product.kind == "scale":
        shared = product.shares is not None or any(n.shares == source for n in graph.layers)
        if shared or product.option("shift") or not product.option("factor"):
            return False
        factors = _factors(product)
        inputs, shapes = (*inputs, source), [product.output, factors]
        options = (("shape", factors),)
        learned = product._replace(kind="learned", options=options, output=factors)
    if not _sums(layer.option("over"), product.output, shapes):
        return False
    graph.layers[source] = learned
    done = graph.replace(index, "contract", inputs, dict(layer.options))
    graph.layers[index] = graph.layers[index]._replace(path=layer.path)
    return done


def _factors(scale: GraphLayer) -> Shape:
    """The shape of the factors of a scale; axes of size 1 broadcast."""
    if scale.option("over") == "all":
        return scale.output
    channels = 1 if scale.option("shared") else scale.output.channels
    return Shape(channels, (1,) * len(scale.output.size))


def _sums(over: Any, product: Shape, shapes: list[Shape]) -> bool:
    """Whether at least two branches have the full extent of an axis that is summed. If a branch has
    extent 1 there, like a channel gate, the product only scales the other branch."""
    if over in ("channels", "all") and product.channels > 1:
        return [shape.channels for shape in shapes].count(product.channels) > 1
    rank = len(product.size)
    # A branch with fewer axes has the innermost ones.
    sizes = [(1,) * (rank - len(shape.size)) + shape.size for shape in shapes]
    return any(
        [size[axis - 1] for size in sizes].count(product.size[axis - 1]) > 1
        for axis in reduced_axes(over, product.size, "sum")
        if product.size[axis - 1] > 1
    )


# A contraction is found after all learned factors became options of other layers.
CONTRACTIONS: dict[str, tuple[Rule, ...]] = dict.fromkeys(SUMS, (_fuse_contraction,))
RULES: dict[str, tuple[Rule, ...]] = {
    "multiply": (_fuse_gate, _fuse_glu, _fuse_norm),
    "divide": (_fuse_softmax, _fuse_norm, _fuse_local_response_norm),
    "log": (_fuse_log_sigmoid,),
    "add": (_fuse_frozen_batch_norm,),
    "matmul": (_fuse_attention,),
    "reshape": (_fuse_heads, _fuse_dropped_axes),
    "concat": (_fuse_roll,),
}
