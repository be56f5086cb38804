"""Einsum: a matrix product, once axes are in order."""

from string import ascii_letters

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.operators.products import LINEAR
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.parts.joins import elementwise, product
from convcost.importing.parts.linear import connected
from convcost.importing.parts.reductions import reduced
from convcost.importing.parts.tensors import met
from convcost.importing.value import Value, permuted, reshaped


class _Term:
    """A tensor and a letter for each of its axes."""

    def __init__(self, value: Value, letters: str) -> None:
        self.value = value
        self.letters = letters

    def extent(self, letter: str) -> int:
        return self.value.dims[self.letters.index(letter)]

    def arranged(self, *groups: str) -> Value:
        """Its axes in the order of the groups, each of them one axis; an empty one is of 1."""
        order = [self.letters.index(letter) for letter in "".join(groups)]
        turned = permuted(self.value, order)
        return reshaped(turned, [self._extent(group) for group in groups])

    def _extent(self, group: str) -> int:
        total = 1
        for letter in group:
            total *= self.extent(letter)
        return total


@operator("Einsum")
def einsum(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    ranks = []
    for at in range(len(node.inputs)):
        constant = sheet.constant(node, at)
        ranks.append(len(sheet.value(node, at).dims if constant is None else constant.dims))
    letters, out = _parsed(node.attributes["equation"], ranks)
    if any(len(set(term)) != len(term) for term in letters):
        return uncounted(sheet, node)  # it takes a diagonal
    if len(ranks) == 2:  # noqa: PLR2004
        found = _linear(sheet, node, letters, out) or _scaled(sheet, node, letters, out)
        if found is not None:
            return _sampled(sheet, node, found, letters, out)
    terms = [_Term(sheet.value(node, at), one) for at, one in enumerate(letters)]
    while len(terms) > 1:
        rest = "".join(term.letters for term in terms[2:]) + out
        terms[:2] = [_multiplied(sheet, node, terms[0], terms[1], rest)]
    return _sampled(sheet, node, _ended(sheet, node, terms[0], out), letters, out)


def _sampled(sheet: Sheet, node: Node, y: Value, letters: list[str], out: str) -> Value:
    """The result with its samples along the axis that they came in by."""
    for at, term in enumerate(letters):
        batch = sheet.value(node, at).batch if sheet.flows(node, at) else None
        if batch is not None:
            kept = term[batch] in out and y.dims[out.index(term[batch])] == 1
            return y._replace(batch=out.index(term[batch])) if kept else y
    return y


def _parsed(equation: str, ranks: list[int]) -> tuple[list[str], str]:
    """Letters of every input and of the output."""
    left, arrow, out = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise Refusal("CC404", f"its equation `{equation}` is not of {len(ranks)} inputs")
    full, wide = [], ""
    # For the axes that an ellipsis stands for.
    unused = "".join(one for one in ascii_letters if one not in equation)
    for term, rank in zip(terms, ranks, strict=True):
        if "..." in term:
            spare = unused[: rank - len(term) + 3]
            wide = max(wide, spare, key=len)
            term = term.replace("...", spare[::-1])  # noqa: PLW2901
        if len(term) != rank:
            raise Refusal("CC404", f"its equation `{equation}` has {term} for {rank} axes")
        full.append(term)
    if not arrow:
        every = "".join(full)
        out = wide[::-1] + "".join(
            sorted(one for one in set(every) - set(wide) if every.count(one) == 1)
        )
    return full, out.replace("...", wide[::-1])


def _linear(sheet: Sheet, node: Node, letters: list[str], out: str) -> Value | None:
    """A tensor times weights that it shares no axis with but those that are summed over."""
    for at in (1, 0):
        weights = sheet.constant(node, at)
        if weights is None or not weights.learned:
            continue
        own, other = letters[at], letters[1 - at]
        summed = "".join(one for one in own if one in other and one not in out)
        new = "".join(one for one in own if one not in other)
        if not summed or set(own) != set(summed + new) or not set(new) <= set(out):
            return None
        x = _Term(sheet.value(node, 1 - at), other)
        kept = "".join(one for one in other if one not in summed)
        if not set(kept) <= set(out):
            return None
        features = 1
        for one in new:
            features *= weights.dims[own.index(one)]
        y = connected(
            sheet.easel,
            x.arranged(*kept, summed),
            sheet.path(node),
            features=features,
            tensors=sheet.tensors(node, at, kinds=LINEAR),
            bias=False,
        )
        dims = [*(x.extent(one) for one in kept), *(weights.dims[own.index(one)] for one in new)]
        return _ended(sheet, node, _Term(reshaped(y, dims), kept + new), out)
    return None


def _scaled(sheet: Sheet, node: Node, letters: list[str], out: str) -> Value | None:
    """A tensor times weights along axes of it, none of which is summed over."""
    for at in (1, 0):
        weights, own, other = sheet.constant(node, at), letters[at], letters[1 - at]
        if weights is None or not (weights.learned and weights.real) or sheet.drawn(weights):
            continue
        if set(out) != set(other) or [one for one in other if one in own] != list(own):
            continue
        x = _Term(sheet.value(node, 1 - at), other)
        dims = tuple(weights.dims[own.index(one)] if one in own else 1 for one in other)
        key = sheet.again(next(iter(sheet.tensors(node, at))))
        y = met(sheet.easel, "multiply", x.value, key, dims, sheet.path(node))
        return _ended(sheet, node, _Term(y, other), out)
    return None


def _multiplied(sheet: Sheet, node: Node, a: _Term, b: _Term, rest: str) -> _Term:
    """Two tensors into one: axes of both that stay are matrices of their own."""
    a, b = _without(sheet, node, a, b.letters + rest), _without(sheet, node, b, a.letters + rest)
    batch = "".join(one for one in a.letters if one in b.letters and one in rest)
    summed = "".join(one for one in a.letters if one in b.letters and one not in rest)
    if not summed:
        return _spread(sheet, node, a, b)
    rows = "".join(one for one in a.letters if one not in b.letters)
    columns = "".join(one for one in b.letters if one not in a.letters)
    x, y = a.arranged(*batch, rows, summed), b.arranged(*batch, summed, columns)
    made = product(sheet.easel, "matmul", [x, y], sheet.path(node))
    dims = [*(max(a.extent(one), b.extent(one)) for one in batch), *map(a.extent, rows)]
    return _Term(reshaped(made, [*dims, *map(b.extent, columns)]), batch + rows + columns)


def _spread(sheet: Sheet, node: Node, a: _Term, b: _Term) -> _Term:
    """Two tensors that nothing is summed of: each element times each, for free."""
    letters = a.letters + "".join(one for one in b.letters if one not in a.letters)
    sides = [x.arranged(*(one if one in x.letters else "" for one in letters)) for x in (a, b)]
    return _Term(elementwise(sheet.easel, "multiply", sides, sheet.path(node)), letters)


def _without(sheet: Sheet, node: Node, term: _Term, needed: str) -> _Term:
    """Axes that nothing else has are summed first."""
    alone = [at for at, one in enumerate(term.letters) if one not in needed]
    if not alone:
        return term
    value = reduced(sheet.easel, "sum", term.value, alone, False, sheet.path(node))
    return _Term(value, "".join(one for one in term.letters if one in needed))


def _ended(sheet: Sheet, node: Node, term: _Term, out: str) -> Value:
    term = _without(sheet, node, term, out)
    return permuted(term.value, [term.letters.index(one) for one in out])
