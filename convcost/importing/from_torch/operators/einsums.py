"""Einstein's sums of two tensors: products of matrices, once their axes are in order."""

from math import prod
from typing import Any, NamedTuple

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import flowing, weights
from convcost.importing.from_torch.operators.products import multiplied
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import unknown
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.linear import connected
from convcost.importing.value import Value, permuted, reshaped

PAIR = 2


class _Letters(NamedTuple):
    """Axes by their letters: of both and the result, of each alone, and summed over."""

    both: str
    first: str
    second: str
    summed: str


@operator("aten.einsum")
def einsum(call: Call) -> Any:
    equation = call.given["equation"].replace(" ", "")
    taken, _, out = equation.partition("->")
    terms, given = taken.split(","), call.given["tensors"]
    plain = "." not in equation and all(len(set(term)) == len(term) for term in terms)
    if plain and len(terms) == 1 and sorted(terms[0]) == sorted(out):
        return permuted(flowing(call.easel, given[0]), [terms[0].index(one) for one in out])
    letters = _letters(terms, out) if plain and len(terms) == PAIR else None
    return unknown(call) if letters is None else _pair(call, letters, terms, out)


def _pair(call: Call, letters: _Letters, terms: list[str], out: str) -> Any:
    (a, b), (x, y) = terms, call.given["tensors"]
    extents = dict(zip(a + b, (*x.dims, *y.dims), strict=True))
    if _weights(y) and not letters.both and letters.summed:
        return _connected(call, letters, extents, (x, y), (a, out))
    if _weights(x) and not letters.both and letters.summed:
        swapped = letters._replace(first=letters.second, second=letters.first)
        return _connected(call, swapped, extents, (y, x), (b, out))
    flows = [flowing(call.easel, one) for one in (x, y)]
    if not letters.summed:
        return _outer(call, flows, terms, out)
    return _product(call, letters, extents, flows, (a, b, out))


def _letters(terms: list[str], out: str) -> _Letters | None:
    a, b = terms
    both = "".join(one for one in a if one in b and one in out)
    first = "".join(one for one in a if one not in b)
    second = "".join(one for one in b if one not in a)
    summed = "".join(one for one in a if one in b and one not in out)
    return _Letters(both, first, second, summed) if set(first + second) <= set(out) else None


def _weights(x: Any) -> bool:
    return isinstance(x, Held) and x.leaf is not None and x.leaf.learned


def _connected(
    call: Call, letters: _Letters, extents: dict[str, int], pair: tuple[Any, Held],
    names: tuple[str, str],
) -> Value:  # fmt: skip
    x, weight = flowing(call.easel, pair[0]), pair[1]
    own, out = names
    rows = [extents[one] for one in letters.first]
    ready = permuted(x, [own.index(one) for one in letters.first + letters.summed])
    flat = reshaped(ready, (*rows, prod(extents[one] for one in letters.summed)))
    features = [extents[one] for one in letters.second]
    y = connected(
        call.easel, flat, call.path, features=prod(features), tensors=weights(weight), bias=False
    )
    return _ordered(reshaped(y, (*rows, *features)), letters.first + letters.second, out)


def _product(
    call: Call, letters: _Letters, extents: dict[str, int], pair: list[Value],
    names: tuple[str, str, str],
) -> Any:  # fmt: skip
    a, b, out = names

    def size(of: str) -> list[int]:
        return [extents[one] for one in of]

    x = permuted(pair[0], [a.index(one) for one in letters.both + letters.first + letters.summed])
    y = permuted(pair[1], [b.index(one) for one in letters.both + letters.summed + letters.second])
    rows, inner, columns = (
        prod(size(of)) for of in (letters.first, letters.summed, letters.second)
    )
    x = reshaped(x, (*size(letters.both), rows, inner))
    y = reshaped(y, (*size(letters.both), inner, columns))
    z = multiplied(call, x, y)
    apart = reshaped(z, (*size(letters.both), *size(letters.first), *size(letters.second)))
    return _ordered(apart, letters.both + letters.first + letters.second, out)


def _outer(call: Call, pair: list[Value], terms: list[str], out: str) -> Value:
    """Nothing is summed: each takes the axes it has not as 1, and they are multiplied."""
    ready = []
    for x, own in zip(pair, terms, strict=True):
        kept = [one for one in out if one in own]
        turned = permuted(x, [own.index(one) for one in kept])
        extents = dict(zip(kept, turned.dims, strict=True))
        ready.append(reshaped(turned, [extents.get(one, 1) for one in out]))
    return elementwise(call.easel, "multiply", ready, call.path)


def _ordered(x: Value, have: str, want: str) -> Value:
    return permuted(x, [have.index(one) for one in want])
