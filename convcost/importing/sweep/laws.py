"""Of each kind, how what differs between sizes is told: by an expression over what comes in, or by
another tensor."""

from collections.abc import Callable
from fractions import Fraction
from math import floor, prod
from typing import Any, TypeAlias

from convcost.importing.drawing import Drawn
from convcost.importing.sweep.at_sizes import AtSizes
from convcost.importing.sweep.numbers import Numbers, gives, worked_out
from convcost.importing.sweep.same import pads
from convcost.shapes import Shape
from convcost.spec.scope import AXES

Law: TypeAlias = Callable[[AtSizes], Drawn | None]

FINEST = 17  # a factor is a small fraction, if it is one at all


def still(at: AtSizes) -> Drawn | None:
    """What has the same options at all sizes, or none that can be told: no window is as wide as a
    size says, but for a pool of all."""
    return at.own if at.alike else None


def _range(at: AtSizes) -> Drawn | None:
    """Options that are whole numbers; everything else must be the same."""
    follows = dict(at.own.follows)
    known = at.known
    for name in {name for layer in at.layers for name, _ in layer.options}:
        values = at.values(name)
        whole = all(type(value) is int for value in values)
        told = follows.get(name)
        if isinstance(told, str) and whole:
            if gives(told, values, known):
                continue
            del follows[name]
        if all(value == values[0] for value in values):
            continue
        text = worked_out(values, known, _axis(at)) if whole else None
        if text is None:
            return None
        follows[name] = text
    return at.own._replace(follows=tuple(follows.items()))


def _axis(at: AtSizes) -> str:
    """The name of the axis that a layer is about, if its options say one."""
    along = dict(at.own.options).get("along")
    if not isinstance(along, int):
        return ""
    return _named(len(at.shapes(at.own.inputs[0])[0].size) + 1 - along)


def _pad(at: AtSizes) -> Drawn | None:
    """Other borders at another size are those of `same`, or come to the size of another tensor."""
    mine = at.own
    known = mine.options and all(at.number in pads(drawing) for drawing in at.drawings)
    if known or at.alike:
        return mine
    like = _like(at)
    if like is None:
        return None
    return mine._replace(kind="pad_like", options=(), inputs=(mine.inputs[0], like))


def _reshape(at: AtSizes) -> Drawn | None:
    """One entry that differs is the rest; several are told by what comes in."""
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
    texts = _entries(shapes, at.known)
    if texts is not None:
        return mine._replace(rest=None, follows=(("shape", texts),))
    like = _like(at)
    if like is None or prod(shapes[0].size) == 1:
        return None
    inputs = (mine.inputs[0], like)
    return mine._replace(kind="reshape_like", options=(), inputs=inputs, rest=None, follows=())


def _custom(at: AtSizes) -> Drawn | None:
    """Its shape told by what comes in, it is stated for any size."""
    if at.alike:
        return at.own
    follows: dict[str, Any] = {}
    shapes = at.values("output")
    if len(set(shapes)) > 1:
        texts = None if None in shapes else _entries(shapes, at.known)
        if texts is None:
            return None
        follows["output"] = texts
    macs = at.values("macs")
    if len(set(macs)) > 1:
        whole = all(type(n) is int for n in macs)
        text = worked_out(macs, at.known) if whole else None
        if text is None:
            return None
        follows["macs"] = text
    told = ("input", "macs", "output")
    bare = [[pair for pair in layer.options if pair[0] not in told] for layer in at.layers]
    if any(one != bare[0] for one in bare):
        return None
    options = tuple(pair for pair in at.own.options if pair[0] != "input")
    return at.own._replace(options=options, follows=tuple(follows.items()))


def _entries(
    shapes: tuple[Shape, ...] | list[Shape], known: dict[str, Numbers]
) -> tuple[str, ...] | None:
    """An expression for every entry that differs, empty for the others."""
    axes = len(shapes[0].size)
    if any(len(shape.size) != axes for shape in shapes):
        return None
    places = ("in_channels", *(_named(n) for n in range(axes, 0, -1)))
    entries = zip(*((shape.channels, *shape.size) for shape in shapes), strict=True)
    texts = [
        "" if len(set(values)) == 1 else worked_out(values, known, place)
        for values, place in zip(entries, places, strict=True)
    ]
    return None if None in texts else tuple(text for text in texts if text is not None)


def _named(back: int) -> str:
    """What an axis of the size is called in expressions, the innermost being 1."""
    return next((name for name, n in AXES.items() if n == back), "")


def _resize(at: AtSizes) -> Drawn | None:
    """To the size of another tensor, or by the factor that gives all sizes."""
    mine = at.own
    if at.alike and not mine.sized:
        return mine
    if len(set(at.values("mode"))) > 1:
        return None
    kept = tuple((name, value) for name, value in mine.options if name == "mode")
    like = _like(at)
    if like is not None:
        inputs = (mine.inputs[0], like)
        return mine._replace(kind="upsample_like", options=kept, inputs=inputs)
    if at.alike:
        return mine
    scale = _factor(at)
    return None if scale is None else mine._replace(options=(("scale", scale), *kept))


def _factor(at: AtSizes) -> Any:
    """The simplest factor that gives all sizes, of every axis the same."""
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
    """Another tensor that has the size of what a layer gives, in all drawings."""
    sizes = [layer.output.size for layer in at.layers]
    return next(
        (n for n in _candidates(at) if [shape.size for shape in at.shapes(n)] == sizes), None
    )


def _candidates(at: AtSizes) -> list[int]:
    """What a layer may take its size from: what it comes from itself, the nearest first, what it is
    joined with, the inputs, all before it."""
    number = at.number
    layers = at.drawings[0].layers
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
    inputs = [-1 - n for n in range(len(at.drawings[0].inputs))]
    return [*own, *joined, *inputs, *range(number - 1, -1, -1)]


def _pool(at: AtSizes) -> Drawn | None:
    """A window as large as what comes in is the whole, whatever its size; of what is no square,
    a square as large as one of its sides."""
    mine = at.own
    if at.alike:
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


def _linear(at: AtSizes) -> Drawn | None:
    """`inputs` binds it to what comes in: where that is alike at all sizes, nothing is bound."""
    mine = at.own
    shapes = at.shapes(mine.inputs[0])
    bare = [tuple(pair for pair in layer.options if pair[0] != "inputs") for layer in at.layers]
    if any(one != bare[0] for one in bare) or len({shape.channels for shape in shapes}) > 1:
        return None
    free = dict(mine.options).get("each_position", False) or len(set(shapes)) == 1
    return mine._replace(options=bare[0]) if free and not at.alike else mine


LAWS: dict[str, Law] = {
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
