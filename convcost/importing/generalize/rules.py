"""For each kind, how the spec states an option that depends on the size: as an expression over the
input shape, or by the size of another tensor. A rule returns the layer with that, or None if it
finds no way."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from math import floor, prod
from typing import Any, TypeAlias

from convcost.importing.generalize.at_sizes import LayerAtSizes
from convcost.importing.generalize.fit import evaluates_to, fit_expression
from convcost.importing.generalize.fold_padding import foldable_paddings
from convcost.importing.ir.layer_graph import GraphLayer
from convcost.language.scope import AXES
from convcost.model.shape import Shape

SizeRule: TypeAlias = Callable[[LayerAtSizes], GraphLayer | None]
Expressions: TypeAlias = str | tuple[str, ...]  # for a number, or for the entries of a shape

MAX_DENOMINATOR = 17  # of a factor


def same_at_all_sizes(at: LayerAtSizes) -> GraphLayer | None:
    """The layer if its options are the same at all sizes. A window that grows with the size cannot
    be expressed, except a pool over the whole input."""
    return at.first if at.same_options else None


def _range(at: LayerAtSizes) -> GraphLayer | None:
    """A slice whose bounds are integers. All other options must be the same at all sizes."""
    names = {name for layer in at.layers for name, _ in layer.options}
    return _with_expressions(at, dict.fromkeys(names, _axis(at)))


def _custom(at: LayerAtSizes) -> GraphLayer | None:
    """A `custom` layer whose shape is an expression over the input shape, so that it is valid at
    any size."""
    if at.same_options:
        return at.first
    names = {name for layer in at.layers for name, _ in layer.options} - {"input"}
    fixed = names - {"output", "macs"}
    if any(len(set(at.values(name))) > 1 for name in fixed):
        return None
    options = tuple(pair for pair in at.first.options if pair[0] != "input")
    general_layer = _with_expressions(at, dict.fromkeys(sorted(names - fixed, reverse=True), ""))
    return general_layer and general_layer._replace(options=options)


def _reshape(at: LayerAtSizes) -> GraphLayer | None:
    """A single entry that differs is the rest of the elements; several entries become expressions
    over the input shape."""
    layer = at.first
    shapes = at.values("shape")
    entries = _entries(shapes)
    if entries is None:
        return None
    differing = [n for n, values in enumerate(entries) if len(set(values)) > 1]
    if set(differing) <= {layer.rest}:
        return layer
    if len(differing) == 1:
        return layer._replace(rest=differing[0])
    general_layer = _with_expressions(at, {"shape": ""})
    if general_layer is not None:
        return general_layer._replace(rest=None)
    like = None if prod(shapes[0].size) == 1 else _like(at, "reshape_like")
    return like and like._replace(rest=None, follows=())


def _pad(at: LayerAtSizes) -> GraphLayer | None:
    """Borders that depend on the size: those of `same`, or the size of another tensor."""
    layer = at.first
    is_same = layer.options and all(at.number in foldable_paddings(graph) for graph in at.graphs)
    return layer if is_same or at.same_options else _like(at, "pad_like")


def _resize(at: LayerAtSizes) -> GraphLayer | None:
    """Resizes to the size of another tensor, or by a factor that gives the right size at all
    sizes."""
    layer = at.first
    if at.same_options and not layer.computes_size:
        return layer
    if len(set(at.values("mode"))) > 1:
        return None
    mode = tuple(pair for pair in layer.options if pair[0] == "mode")
    like = _like(at, "upsample_like")
    if like is not None:
        return like._replace(options=mode)
    if at.same_options:
        return layer
    scale = _factor(at)
    return None if scale is None else layer._replace(options=(("scale", scale), *mode))


def _pool(at: LayerAtSizes) -> GraphLayer | None:
    """A pool whose window has the extent of the input is a pool over the whole input at any size.
    For an input that is not square, a square window with the extent of one side also counts."""
    layer = at.first
    if at.same_options:
        return layer
    for shape, pool in zip(at.shapes(layer.inputs[0]), at.layers, strict=True):
        kernel = pool.option("kernel")
        extents = kernel if isinstance(kernel, tuple) else (kernel,)
        if not set(extents) <= set(shape.size) or set(pool.output.size) != {1}:
            return None
    return layer._replace(kind=f"global_{layer.kind}", options=())


def _linear(at: LayerAtSizes) -> GraphLayer | None:
    """The option `inputs` of a linear layer states the shape of its input. It is left out where the
    layer accepts other shapes, or where the shape is the same at all sizes."""
    layer = at.first
    shapes = at.shapes(layer.inputs[0])
    bare = [tuple(pair for pair in layer.options if pair[0] != "inputs") for layer in at.layers]
    if any(options != bare[0] for options in bare) or len({shape.channels for shape in shapes}) > 1:
        return None
    free = dict(layer.options).get("each_position", False) or len(set(shapes)) == 1
    return layer._replace(options=bare[0]) if free and not at.same_options else layer


RULES: dict[str, SizeRule] = {
    "slice": _range,
    "roll": _range,
    "pad": _pad,
    "crop": _pad,
    "reshape": _reshape,
    "custom": _custom,
    "constant": lambda at: _with_expressions(at, {"shape": ""}),
    "upsample": _resize,
    "avg_pool": _pool,
    "max_pool": _pool,
    "linear": _linear,
}


# Expressions over the input shape


def _with_expressions(at: LayerAtSizes, extent_by_option: dict[str, str]) -> GraphLayer | None:
    """The layer with an expression for each of these options that differs between sizes; None if
    there is no such expression. The value of an option is the name of the extent that its
    expression uses if it can, such as `in_width`; empty if any extent fits."""
    follows: dict[str, Expressions] = dict(at.first.follows)
    for name, extent in extent_by_option.items():
        expressions = _expressions(at, at.values(name), follows.pop(name, None), extent)
        if expressions is None:
            return None
        if expressions:
            follows[name] = expressions
    return at.first._replace(follows=tuple(follows.items()))


def _expressions(
    at: LayerAtSizes, values: tuple[Any, ...], previous: Expressions | None, extent: str
) -> Expressions | None:
    """The expressions for a number or shape at all sizes; "" if it is the same at all sizes, and
    None if there are none. A `previous` expression stays if it is right."""
    is_number = all(type(value) is int for value in values)
    if isinstance(previous, str) and is_number and evaluates_to(previous, values, at.input_extents):
        return previous
    if all(value == values[0] for value in values):
        return ""
    if is_number:
        return fit_expression(values, at.input_extents, extent)
    entries = _entries(values) if all(isinstance(value, Shape) for value in values) else None
    if entries is None:
        return None
    extents = ("in_channels", *(_axis_name(n) for n in range(len(entries) - 1, 0, -1)))
    texts = [
        "" if len(set(numbers)) == 1 else fit_expression(numbers, at.input_extents, extent)
        for numbers, extent in zip(entries, extents, strict=True)
    ]
    return None if None in texts else tuple(text or "" for text in texts)


def _entries(shapes: Sequence[Shape]) -> list[tuple[int, ...]] | None:
    """The numbers of each entry of a shape, at all sizes; None if the numbers of axes differ."""
    if len({len(shape.size) for shape in shapes}) > 1:
        return None
    return list(zip(*((shape.channels, *shape.size) for shape in shapes), strict=True))


def _axis(at: LayerAtSizes) -> str:
    """The name of the axis that a layer works along, if it has one."""
    along = dict(at.first.options).get("along")
    if not isinstance(along, int):
        return ""
    return _axis_name(len(at.shapes(at.first.inputs[0])[0].size) + 1 - along)


def _axis_name(back: int) -> str:
    """The name of an axis of the size in expressions; 1 is the innermost axis."""
    return next((name for name, n in AXES.items() if n == back), "")


# The size of another tensor


def _factor(at: LayerAtSizes) -> Any:
    """The simplest factor that gives the right output size at all sizes, the same for each axis."""
    pairs = [
        (n, o)
        for shape, layer in zip(at.shapes(at.first.inputs[0]), at.layers, strict=True)
        for n, o in zip(shape.size, layer.output.size, strict=True)
    ]
    n, o = pairs[0]
    for finest in range(1, MAX_DENOMINATOR):
        factor = Fraction(o, n).limit_denominator(finest)
        if all(floor(n * factor) == o for n, o in pairs):
            return int(factor) if factor.denominator == 1 else factor
    return None


def _like(at: LayerAtSizes, kind: str) -> GraphLayer | None:
    """The layer as a kind that takes its size from a tensor with that size in all graphs."""
    sizes = [layer.output.size for layer in at.layers]
    for tensors in (_sources_before(at), _tensors_before(at)):
        for tensor in tensors:
            if [shape.size for shape in at.shapes(tensor)] == sizes:
                inputs = (at.first.inputs[0], tensor)
                return at.first._replace(kind=kind, options=(), inputs=inputs)
    return None


def _sources_before(at: LayerAtSizes) -> list[int]:
    """The tensors that a layer depends on by its first input: those that several layers read, the
    nearest first, as they are outputs of modules, not tensors inside one. Then the others, the
    earliest first, so that all modules of a stage name the same tensor."""
    layers = at.graphs[0].layers
    readers = Counter(source for layer in layers for source in layer.inputs)
    outputs, inner, source = list[int](), list[int](), at.number
    while source >= 0 and layers[source].inputs:
        source = layers[source].inputs[0]
        (inner if source >= 0 and readers[source] == 1 else outputs).append(source)
    return [*outputs, *reversed(inner)]


def _tensors_before(at: LayerAtSizes) -> Iterator[int]:
    """The other tensors whose size a layer may have: those that it is joined with, the inputs, and
    all tensors before it."""
    for layer in at.graphs[0].layers[at.number + 1 :]:
        if at.number in layer.inputs:
            yield from (source for source in layer.inputs if source < at.number)
    yield from (-1 - n for n in range(len(at.graphs[0].inputs)))
    yield from range(at.number - 1, -1, -1)
