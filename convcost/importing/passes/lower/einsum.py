"""Lowers an einsum to matrix products and linear layers, after arranging the axes."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from string import ascii_letters
from typing import NamedTuple

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor, arranged, permuted, reshaped
from convcost.importing.passes.lower.joins import elementwise, product
from convcost.importing.passes.lower.reductions import reduce_axes
from convcost.importing.passes.lower.stored_tensors import join_with_learned
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted


class Operand(NamedTuple):
    """An input of an einsum. If it is learned, `matrix` has the tensors of a linear layer that
    multiplies by it, perhaps with a `bias`, and `factor` is its key as a scale of the channels."""

    dims: tuple[int, ...]
    value: Callable[[], Tensor]
    depends_on_input: bool
    matrix: Callable[[], Mapping[str, int]] | None = None
    factor: Callable[[], str] | None = None
    bias: bool = False


class _Term(NamedTuple):
    """An operand, or the product of some operands, with a letter for each axis."""

    operand: Operand
    letters: str

    def extent(self, letter: str) -> int:
        return self.operand.dims[self.letters.index(letter)]

    def extents(self, letters: str) -> list[int]:
        return [self.extent(letter) for letter in letters]

    def arranged(self, *groups: str) -> Tensor:
        """The tensor with its axes in the order of the groups. Each group becomes one axis."""
        axes = ([self.letters.index(letter) for letter in group] for group in groups)
        return arranged(self.operand.value(), *axes)


def input_operand(x: Tensor) -> Operand:
    return Operand(x.dims, lambda: x, depends_on_input=True)


def _term(value: Tensor, letters: str) -> _Term:
    return _Term(input_operand(value), letters)


def lower_einsum(
    builder: GraphBuilder, equation: str, operands: Sequence[Operand], path: Path
) -> Tensor | None:
    """The result of an equation, multiplied from left to right; None if the equation has a
    diagonal. Raises ConstraintError CC404."""
    names, out = _letters(equation, [len(operand.dims) for operand in operands])
    if any(len(set(term)) != len(term) for term in (*names, out)):
        return None
    terms = [_Term(operand, letters) for operand, letters in zip(operands, names, strict=True)]
    inputs = list(terms)
    while len(terms) > 1:
        rest = "".join(term.letters for term in terms[2:]) + out
        terms[:2] = [_multiply(builder, terms[0], terms[1], rest, path)]
    return _with_batch(_in_order_of(builder, terms[0], out, path), inputs, out)


def _with_batch(y: Tensor, terms: Sequence[_Term], out: str) -> Tensor:
    """The result with the batch axis of its inputs."""
    for operand, letters in terms:
        batch = operand.value().batch if operand.depends_on_input else None
        if batch is not None:
            has_batch = letters[batch] in out and y.dims[out.index(letters[batch])] == 1
            return y._replace(batch=out.index(letters[batch])) if has_batch else y
    return y


def _letters(equation: str, ranks: Sequence[int]) -> tuple[list[str], str]:
    """The letters of every input and of the output."""
    inputs, arrow, out = equation.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if len(terms) != len(ranks):
        raise ConstraintError(
            "CC404",
            f"its equation `{equation}` has {counted(len(terms), 'term')} for "
            f"{counted(len(ranks), 'input')}",
        )
    full, ellipsis = [], ""
    # Letters for the axes of an ellipsis.
    unused = "".join(letter for letter in ascii_letters if letter not in equation)
    for term, rank in zip(terms, ranks, strict=True):
        if "..." in term:
            spare = unused[: rank - len(term) + 3]
            ellipsis = max(ellipsis, spare, key=len)
            term = term.replace("...", spare[::-1])  # noqa: PLW2901
        if len(term) != rank:
            message = f"its equation `{equation}` has {term} for {counted(rank, 'axis')}"
            raise ConstraintError("CC404", message)
        full.append(term)
    if not arrow:
        every = "".join(full)
        out = ellipsis[::-1] + "".join(
            sorted(letter for letter in set(every) - set(ellipsis) if every.count(letter) == 1)
        )
    return full, out.replace("...", ellipsis[::-1])


def _multiply(builder: GraphBuilder, a: _Term, b: _Term, rest: str, path: Path) -> _Term:
    """The product of two tensors; `rest` are the letters needed afterwards."""
    for weights, x in ((b, a), (a, b)):
        term = _linear(builder, x, weights, rest, path) or _scale(builder, x, weights, rest, path)
        if term is not None:
            return term
    return _product(builder, a, b, rest, path)


def _linear(builder: GraphBuilder, x: _Term, weights: _Term, rest: str, path: Path) -> _Term | None:
    """A tensor times weights. They share no axis except those that are summed."""
    if weights.operand.matrix is None:
        return None
    letters, other = weights.letters, x.letters
    over = "".join(letter for letter in letters if letter in other and letter not in rest)
    new = "".join(letter for letter in letters if letter not in other)
    row_letters = "".join(letter for letter in other if letter not in over)
    if not over or set(letters) != set(over + new) or not set(new + row_letters) <= set(rest):
        return None
    features, stored = prod(weights.extents(new)), weights.operand.matrix()
    rows = x.arranged(*row_letters, over)
    bias = weights.operand.bias
    y = lower(builder, "linear", path, rows, features=features, bias=bias, weights=stored)
    return _term(reshaped(y, [*x.extents(row_letters), *weights.extents(new)]), row_letters + new)


def _scale(builder: GraphBuilder, x: _Term, weights: _Term, rest: str, path: Path) -> _Term | None:
    """A tensor times weights along some of its axes, none of which is summed."""
    if weights.operand.factor is None:
        return None
    weight_letters, other = weights.letters, x.letters
    ordered = [letter for letter in other if letter in weight_letters] == list(weight_letters)
    if not ordered or not set(other) <= set(rest):
        return None
    dims = tuple(weights.extent(letter) if letter in weight_letters else 1 for letter in other)
    y = join_with_learned(
        builder, "multiply", x.operand.value(), weights.operand.factor(), dims, path
    )
    return _term(y, other)


def _product(builder: GraphBuilder, a: _Term, b: _Term, rest: str, path: Path) -> _Term:
    """A matrix product. Axes of both tensors that are not summed are the batch of matrices."""
    a, b = (
        _summed_over_unused(builder, a, b.letters + rest, path),
        _summed_over_unused(builder, b, a.letters + rest, path),
    )
    batch = "".join(letter for letter in a.letters if letter in b.letters and letter in rest)
    over = "".join(letter for letter in a.letters if letter in b.letters and letter not in rest)
    if not over:
        return _spread(builder, a, b, path)
    rows = "".join(letter for letter in a.letters if letter not in b.letters)
    columns = "".join(letter for letter in b.letters if letter not in a.letters)
    x, y = a.arranged(*batch, rows, over), b.arranged(*batch, over, columns)
    tensor = product(builder, "matmul", [x, y], path)
    dims = [max(a.extent(letter), b.extent(letter)) for letter in batch]
    full_dims = [*dims, *a.extents(rows), *b.extents(columns)]
    return _term(reshaped(tensor, full_dims), batch + rows + columns)


def _spread(builder: GraphBuilder, a: _Term, b: _Term, path: Path) -> _Term:
    """The outer product of two tensors without a sum, which is free."""
    letters = a.letters + "".join(letter for letter in b.letters if letter not in a.letters)
    sides = [
        x.arranged(*(letter if letter in x.letters else "" for letter in letters)) for x in (a, b)
    ]
    return _term(elementwise(builder, "multiply", sides, path), letters)


def _summed_over_unused(builder: GraphBuilder, term: _Term, needed: str, path: Path) -> _Term:
    """Sums the axes that no other term has."""
    own_axes = [axis for axis, letter in enumerate(term.letters) if letter not in needed]
    if not own_axes:
        return term
    value = reduce_axes(builder, "sum", term.operand.value(), own_axes, False, path)
    return _term(value, "".join(letter for letter in term.letters if letter in needed))


def _in_order_of(builder: GraphBuilder, term: _Term, out: str, path: Path) -> Tensor:
    term = _summed_over_unused(builder, term, out, path)
    return permuted(term.operand.value(), [term.letters.index(letter) for letter in out])
