"""Of each kind, how what differs between two sizes is told: by an expression over what comes in,
or by another tensor."""

from collections.abc import Callable
from fractions import Fraction
from math import floor, prod
from typing import Any, TypeAlias

from convcost.importing.drawing import Drawn
from convcost.importing.sweep.both import Both
from convcost.importing.sweep.numbers import Pair, gives, worked_out
from convcost.importing.sweep.same import pads
from convcost.shapes import Shape
from convcost.spec.scope import AXES

Law: TypeAlias = Callable[[Both], Drawn | None]

FINEST = 17  # a factor is a small fraction, if it is one at all


def numbers(both: Both) -> Drawn | None:
    """Options that are whole numbers; everything else must be the same."""
    mine, theirs = (dict(layer.options) for layer in both.layers)
    follows = dict(both.layers[0].follows)
    known = both.known
    for name in mine.keys() | theirs.keys():
        values = both.values(name)
        told = follows.get(name)
        if isinstance(told, str) and all(type(value) is int for value in values):
            if gives(told, values, known):
                continue
            del follows[name]
        if values[0] == values[1]:
            continue
        if not all(type(value) is int for value in values):
            return None
        text = worked_out(values, known, _axis(both))
        if text is None:
            return None
        follows[name] = text
    return both.layers[0]._replace(follows=tuple(follows.items()))


def _axis(both: Both) -> str:
    """The name of the axis that a layer is about, if its options say one."""
    layer = both.layers[0]
    along = dict(layer.options).get("along")
    if not isinstance(along, int):
        return ""
    return _named(len(both.shapes(layer.inputs[0])[0].size) + 1 - along)


def _pad(both: Both) -> Drawn | None:
    """Other borders at another size are those of `same`, or nothing that can be told."""
    mine, theirs = both.layers
    known = all(both.number in pads(drawing) for drawing in both.drawings)
    return mine if known or mine.options == theirs.options else None


def _reshape(both: Both) -> Drawn | None:
    """One entry that differs is the rest; several are told by what comes in."""
    mine, theirs = both.layers
    shape, other = dict(mine.options)["shape"], dict(theirs.options)["shape"]
    entries, others = (shape.channels, *shape.size), (other.channels, *other.size)
    if len(entries) != len(others):
        return None
    differing = [n for n, pair in enumerate(zip(entries, others, strict=True)) if len({*pair}) > 1]
    if set(differing) <= {mine.rest}:
        return mine
    if len(differing) == 1:
        return mine._replace(rest=differing[0])
    texts = _entries(shape, other, both.known)
    if texts is not None:
        return mine._replace(rest=None, follows=(("shape", texts),))
    like = _like(both)
    if like is None or prod(shape.size) == 1:
        return None
    inputs = (mine.inputs[0], like)
    return mine._replace(kind="reshape_like", options=(), inputs=inputs, rest=None, follows=())


def _custom(both: Both) -> Drawn | None:
    """Its shape told by what comes in, it is stated for any size."""
    mine, theirs = (dict(layer.options) for layer in both.layers)
    if mine == theirs:
        return both.layers[0]
    follows: dict[str, Any] = {}
    shapes = mine.pop("output", None), theirs.pop("output", None)
    if shapes[0] != shapes[1]:
        texts = None if None in shapes else _entries(shapes[0], shapes[1], both.known)
        if texts is None:
            return None
        follows["output"] = texts
    macs = mine.get("macs"), theirs.get("macs")
    if macs[0] != macs[1]:
        text = worked_out(macs, both.known) if all(type(n) is int for n in macs) else None  # type: ignore[arg-type]
        if text is None:
            return None
        follows["macs"] = text
    bound = {"input", "macs"}
    if any(mine.get(name) != theirs.get(name) for name in mine.keys() - bound):
        return None
    options = tuple((n, value) for n, value in both.layers[0].options if n != "input")
    return both.layers[0]._replace(options=options, follows=tuple(follows.items()))


def _entries(one: Shape, other: Shape, known: dict[str, Pair]) -> tuple[str, ...] | None:
    """An expression for every entry that differs, empty for the others."""
    if len(one.size) != len(other.size):
        return None
    places = ("in_channels", *(_named(n) for n in range(len(one.size), 0, -1)))
    pairs = zip((one.channels, *one.size), (other.channels, *other.size), places, strict=True)
    texts = ["" if a == b else worked_out((a, b), known, place) for a, b, place in pairs]
    return None if None in texts else tuple(text for text in texts if text is not None)


def _named(back: int) -> str:
    """What an axis of the size is called in expressions, the innermost being 1."""
    return next((name for name, n in AXES.items() if n == back), "")


def _resize(both: Both) -> Drawn | None:
    """To the size of another tensor, or by the factor that gives both sizes."""
    mine, theirs = both.layers
    same = mine.options == theirs.options
    if same and not mine.sized:
        return mine
    options = dict(mine.options)
    if options.get("mode") != dict(theirs.options).get("mode"):
        return None
    kept = tuple((name, value) for name, value in mine.options if name == "mode")
    like = _like(both)
    if like is not None:
        inputs = (mine.inputs[0], like)
        return mine._replace(kind="upsample_like", options=kept, inputs=inputs)
    if same:
        return mine
    scale = _factor(both)
    return None if scale is None else mine._replace(options=(("scale", scale), *kept))


def _factor(both: Both) -> Any:
    """The simplest factor that gives both sizes, of every axis the same."""
    pairs = [
        (n, o)
        for shape, layer in zip(both.shapes(both.layers[0].inputs[0]), both.layers, strict=True)
        for n, o in zip(shape.size, layer.output.size, strict=True)
    ]
    n, o = pairs[0]
    for finest in range(1, FINEST):
        factor = Fraction(o, n).limit_denominator(finest)
        if all(floor(n * factor) == o for n, o in pairs):
            return int(factor) if factor.denominator == 1 else factor
    return None


def _like(both: Both) -> int | None:
    """Another tensor that has the size of what a layer gives, in both drawings."""
    sizes = [layer.output.size for layer in both.layers]
    return next(
        (n for n in _candidates(both) if [shape.size for shape in both.shapes(n)] == sizes), None
    )


def _candidates(both: Both) -> list[int]:
    """What a layer may take its size from: what it comes from itself, the nearest first, what it is
    joined with, the inputs, all before it."""
    number = both.number
    layers = both.drawings[0].layers
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
    inputs = [-1 - n for n in range(len(both.drawings[0].inputs))]
    return [*own, *joined, *inputs, *range(number - 1, -1, -1)]


def _pool(both: Both) -> Drawn | None:
    """A window as large as all that comes in is the whole, whatever its size."""
    mine, theirs = both.layers
    if mine.options == theirs.options:
        return mine
    shapes = both.shapes(mine.inputs[0])
    if any(
        shape.size != _spread(dict(layer.options).get("kernel"), len(shape.size))
        or set(layer.output.size) != {1}
        for shape, layer in zip(shapes, both.layers, strict=True)
    ):
        return None
    return mine._replace(kind=f"global_{mine.kind}", options=())


def _spread(kernel: Any, axes: int) -> tuple[int, ...]:
    return kernel if isinstance(kernel, tuple) else (kernel,) * axes


def _linear(both: Both) -> Drawn | None:
    """`inputs` binds it to what comes in: where that is alike at both sizes, nothing is bound."""
    mine, theirs = both.layers
    shapes = both.shapes(mine.inputs[0])
    bare = [tuple(pair for pair in layer.options if pair[0] != "inputs") for layer in both.layers]
    if bare[0] != bare[1] or shapes[0].channels != shapes[1].channels:
        return None
    each = dict(mine.options).get("each_position", False)
    free = each or shapes[0] == shapes[1]
    return mine._replace(options=bare[0]) if free and mine.options != theirs.options else mine


LAWS: dict[str, Law] = {
    "pad": _pad,
    "reshape": _reshape,
    "custom": _custom,
    "upsample": _resize,
    "avg_pool": _pool,
    "max_pool": _pool,
    "linear": _linear,
}
