"""Attention of several heads: where channels were only dealt out to heads, it says how many."""

from typing import NamedTuple

from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.parts.joins import product
from convcost.importing.value import Value, made, permuted, reshaped

MOVES = 2  # apart, and heads to the front


class Heads(NamedTuple):
    """[1, n, h·d] that [.., h, n, d] was made of."""

    flat: Value
    heads: int


def attended(easel: Easel, query: Value, key: Value, value: Value, path: Path) -> Value:
    """Attention of [.., n, d] to [.., m, d] and [.., m, e]: [.., n, e]."""
    sides = [dealt(side) for side in (query, key, value)]
    known = [side for side in sides if side is not None]
    if (
        len(known) < len(sides)
        or known[1].heads != known[2].heads
        or known[0].heads % known[1].heads
    ):
        return product(easel, "attention", [query, key, value], path)
    heads = known[0].heads
    sources = [easel.demand(side.flat, -1, path) for side in known]
    index = easel.emit("attention", path, sources, {"heads": heads})
    rows, depth = query.dims[-2], value.dims[-1]
    seen = made(index, easel.shape(index), 3, 2)
    apart = permuted(reshaped(seen, (1, rows, heads, depth)), (0, 2, 1, 3))
    return reshaped(apart, (*query.dims[:-1], depth))


def dealt(x: Value) -> Heads | None:
    """What [.., h, n, d] was before its channels were dealt out to heads, if it was that."""
    if x.begun is None or len(x.moves) != MOVES or not x.moves[1].by:
        return None
    apart, order = x.moves[0].to, x.moves[1].by
    long = [axis for axis, extent in enumerate(apart) if extent != 1]
    moved = [long.index(axis) for axis in order if apart[axis] != 1]
    if moved != [1, 0, 2] or tuple(x.dims[-3:]) != tuple(apart[long[n]] for n in moved):
        return None
    n, heads, depth = (apart[axis] for axis in long)
    flat = tuple(extent for extent in x.begun.dims if extent != 1)
    if flat == (n, heads * depth) and x.begun.batch is not None:
        return Heads(x.begun, heads)
    return Heads(reshaped(x.begun, (1, n, heads * depth)), heads)
