"""For each kind, how the spec states an option that depends on the size: as an expression over the
input shape, or by the size of another tensor."""

from collections.abc import Callable
from fractions import Fraction
from math import floor, prod
from typing import Any, TypeAlias

from convcost.importing.generalize.at_sizes import AtSizes
from convcost.importing.generalize.fit import Numbers, evaluates_to, fit_expression
from convcost.importing.generalize.fold_padding import foldable_paddings
from convcost.importing.ir.layer_graph import GraphLayer
from convcost.language.scope import AXES
from convcost.model.shape import Shape

SizeRule: TypeAlias = Callable[[AtSizes], GraphLayer | None]

FINEST = 17  # the largest denominator of a factor


def unchanged(at: AtSizes) -> GraphLayer | None:
    """The layer, or None if its options differ between sizes. A window that grows with the size
    cannot be expressed, except a pool over the whole input."""
    return at.own if at.same_options else None


def _range(at: AtSizes) -> GraphLayer | None:
    """A slice whose bounds are integers. All other options must be the same at all sizes."""
    follows = dict(at.own.follows)
    known = at.input_extents
    for name in {name for layer in at.layers for name, _ in layer.options}:
        values = at.values(name)
        whole = all(type(value) is int for value in values)
        expression = follows.get(name)
        if isinstance(expression, str) and whole:
            if evaluates_to(expression, values, known):
                continue
            del follows[name]
        if all(value == values[0] for value in values):
            continue
        text = fit_expression(values, known, _axis(at)) if whole else None
        if text is None:
            return None
        follows[name] = text
    return at.own._replace(follows=tuple(follows.items()))


def _axis(at: AtSizes) -> str:
    """The name of the axis that a layer works along, if it has one."""
    along = dict(at.own.options).get("along")
    if not isinstance(along, int):
        return ""
    return _named(len(at.shapes(at.own.inputs[0])[0].size) + 1 - along)


def _pad(at: AtSizes) -> GraphLayer | None:
    """Borders that depend on the size: those of `same`, or the size of another tensor."""
    mine = at.own
    known = mine.options and all(at.number in foldable_paddings(graph) for graph in at.graphs)
    if known or at.same_options:
        return mine
    like = _like(at)
    if like is None:
        return None
    return mine._replace(kind="pad_like", options=(), inputs=(mine.inputs[0], like))


def _reshape(at: AtSizes) -> GraphLayer | None:
    """A single entry that differs is the rest of the elements; several entries become expressions
    over the input shape."""
    mine = at.own
    shapes = [dict(layer.options)["shape"] for layer in at.layers]
    if len({len(shape.size) for shape in shapes}) > 1:
        return None
    entries = list(zip(*((shape.channels, *shape.size) for shape in shapes), strict=True))
    differing = [n for n, values in enumerate(entries) if len(set(values)) > 1]
    if set(differing) <= {mine.rest}:
        return mine
    if len(differing) == 1:
        return mine._replace(rest=differing[0])
    texts = _entries(shapes, at.input_extents)
    if texts is not None:
        return mine._replace(rest=None, follows=(("shape", texts),))
    like = _like(at)
    if like is None or prod(shapes[0].size) == 1:
        return None
    inputs = (mine.inputs[0], like)
    return mine._replace(kind="reshape_like", options=(), inputs=inputs, rest=None, follows=())


def _custom(at: AtSizes) -> GraphLayer | None:
    """A `custom` layer whose shape is an expression over the input shape, so that it is valid at
    any size."""
    if at.same_options:
        return at.own
    follows: dict[str, Any] = {}
    shapes = at.values("output")
    if len(set(shapes)) > 1:
        texts = None if None in shapes else _entries(shapes, at.input_extents)
        if texts is None:
            return None
        follows["output"] = texts
    macs = at.values("macs")
    if len(set(macs)) > 1:
        whole = all(type(n) is int for n in macs)
        text = fit_expression(macs, at.input_extents) if whole else None
        if text is None:
            return None
        follows["macs"] = text
    shape = ("input", "macs", "output")
    bare = [[pair for pair in layer.options if pair[0] not in shape] for layer in at.layers]
    if any(one != bare[0] for one in bare):
        return None
    options = tuple(pair for pair in at.own.options if pair[0] != "input")
    return at.own._replace(options=options, follows=tuple(follows.items()))


def _entries(
    shapes: tuple[Shape, ...] | list[Shape], known: dict[str, Numbers]
) -> tuple[str, ...] | None:
    """An expression for every entry that differs, "" for the others."""
    axes = len(shapes[0].size)
    if any(len(shape.size) != axes for shape in shapes):
        return None
    places = ("in_channels", *(_named(n) for n in range(axes, 0, -1)))
    entries = zip(*((shape.channels, *shape.size) for shape in shapes), strict=True)
    texts = [
        "" if len(set(values)) == 1 else fit_expression(values, known, place)
        for values, place in zip(entries, places, strict=True)
    ]
    return None if None in texts else tuple(text for text in texts if text is not None)


def _named(back: int) -> str:
    """The name of an axis of the size in expressions; 1 is the innermost axis."""
    return next((name for name, n in AXES.items() if n == back), "")


def _resize(at: AtSizes) -> GraphLayer | None:
    """Resizes to the size of another tensor, or by a factor that gives the right size at all
    sizes."""
    mine = at.own
    if at.same_options and not mine.sized:
        return mine
    if len(set(at.values("mode"))) > 1:
        return None
    kept = tuple((name, value) for name, value in mine.options if name == "mode")
    like = _like(at)
    if like is not None:
        inputs = (mine.inputs[0], like)
        return mine._replace(kind="upsample_like", options=kept, inputs=inputs)
    if at.same_options:
        return mine
    scale = _factor(at)
    return None if scale is None else mine._replace(options=(("scale", scale), *kept))


def _factor(at: AtSizes) -> Any:
    """The simplest factor that gives the right output size at all sizes, the same for each axis."""
    pairs = [
        (n, o)
        for shape, layer in zip(at.shapes(at.own.inputs[0]), at.layers, strict=True)
        for n, o in zip(shape.size, layer.output.size, strict=True)
    ]
    n, o = pairs[0]
    for finest in range(1, FINEST):
        factor = Fraction(o, n).limit_denominator(finest)
        if all(floor(n * factor) == o for n, o in pairs):
            return int(factor) if factor.denominator == 1 else factor
    return None


def _like(at: AtSizes) -> int | None:
    """A tensor that has the output size of a layer in all graphs."""
    sizes = [layer.output.size for layer in at.layers]
    return next(
        (n for n in _candidates(at) if [shape.size for shape in at.shapes(n)] == sizes), None
    )


def _candidates(at: AtSizes) -> list[int]:
    """The tensors whose size a layer may have: its own sources, the nearest first, then tensors
    that it is joined with, the inputs, and all tensors before it."""
    number = at.number
    layers = at.graphs[0].layers
    own = [layers[number].inputs[0]]
    while own[-1] >= 0 and layers[own[-1]].inputs:
        own.append(layers[own[-1]].inputs[0])
    joined = [
        source
        for layer in layers[number + 1 :]
        if number in layer.inputs
        for source in layer.inputs
        if source < number
    ]
    inputs = [-1 - n for n in range(len(at.graphs[0].inputs))]
    return [*own, *joined, *inputs, *range(number - 1, -1, -1)]


def _pool(at: AtSizes) -> GraphLayer | None:
    """A pool whose window has the extent of the input is a pool over the whole input at any size.
    For an input that is not square, a square window with the extent of one side also counts."""
    mine = at.own
    if at.same_options:
        return mine
    if any(
        not set(_spread(dict(layer.options).get("kernel"), len(shape.size))) <= set(shape.size)
        or set(layer.output.size) != {1}
        for shape, layer in zip(at.shapes(mine.inputs[0]), at.layers, strict=True)
    ):
        return None
    return mine._replace(kind=f"global_{mine.kind}", options=())


def _spread(kernel: Any, axes: int) -> tuple[int, ...]:
    return kernel if isinstance(kernel, tuple) else (kernel,) * axes


def _linear(at: AtSizes) -> GraphLayer | None:
    """The option `inputs` of a linear layer states the shape of its input. It is left out where the
    layer accepts other shapes, or where the shape is the same at all sizes."""
    mine = at.own
    shapes = at.shapes(mine.inputs[0])
    bare = [tuple(pair for pair in layer.options if pair[0] != "inputs") for layer in at.layers]
    if any(one != bare[0] for one in bare) or len({shape.channels for shape in shapes}) > 1:
        return None
    free = dict(mine.options).get("each_position", False) or len(set(shapes)) == 1
    return mine._replace(options=bare[0]) if free and not at.same_options else mine


RULES: dict[str, SizeRule] = {
    "slice": _range,
    "roll": _range,
    "pad": _pad,
    "crop": _pad,
    "reshape": _reshape,
    "custom": _custom,
    "upsample": _resize,
    "avg_pool": _pool,
    "max_pool": _pool,
    "linear": _linear,
}
