"""Any product of tensors that letters describe."""

from itertools import product as pairs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, problems

from convcost.conventions import find_convention


def einsum(equation, channels, size, branches="{a: [], b: []}"):
    text = f"input: {{channels: {channels}, size: {list(size)}}}\n"
    return text + f'layers: [{{einsum: {branches}, equation: "{equation}"}}]'


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4))
def test_every_combination_of_the_letters_is_one_multiply_add(c, h, w):
    extents = {"c": c, "h": h, "w": w}
    macs = sum(1 for _ in pairs(*(range(n) for n in extents.values())))
    layer = cost(einsum("chw,chw->wc", c, (h, w))).layers[0]
    assert (layer.output, layer.macs) == ((w, (c,)), macs)


def test_a_matrix_product_is_that_of_matmul():
    size = (12, 197)
    letters = cost(einsum("chq,chk->khq", 64, size)).layers[0]
    text = f"input: {{channels: 64, size: {list(size)}}}\n"
    matmul = cost(f"{text}layers: [{{matmul: [input, input], transpose: true}}]").layers[0]
    assert (letters.output, letters.macs) == (matmul.output, matmul.macs)


def test_three_factors_are_two_products():
    layer = cost(einsum("cn,cn,cn->c", 3, (5,), "{a: [], b: [], d: []}")).layers[0]
    assert layer.macs == 2 * 3 * 5


def test_an_output_without_letters_is_one_number():
    assert cost(einsum("cn,cn->", 3, (5,))).layers[0].output == (1, ())


TERMS = "einsum needs two branches or more, and a term for each"
LETTERS = "a term has a letter twice, or the output has a letter that no branch has"


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("cn,cm", "einsum cannot read `cn,cm`"),
        ("c1,cn->c", "einsum cannot read `c1,cn->c`"),
        ("cn,cm->cx", f"einsum cannot compute `cn,cm->cx`: {LETTERS}"),
        ("cc,cn->c", f"einsum cannot compute `cc,cn->c`: {LETTERS}"),
        ("cn,nc->c", "einsum has 5 and 3 elements for `n`"),
        ("cn,cnm->c", "einsum has `cnm` for 5×3, which has 2 axes"),
        ("cn->c", f"{TERMS}; it has 2 branches and 1 term in `cn->c`"),
    ],
)
def test_an_equation_that_does_not_fit_is_refused(equation, message):
    assert [problem.message for problem in problems(einsum(equation, 3, (5,)))] == [message]


@pytest.mark.parametrize(
    "layer",
    ["{contract: [input, input], over: 1}", '{einsum: [input, input], equation: "cn,cn->c"}'],
)
def test_operations_of_a_contraction_are_two_for_each_multiply_add(layer):
    costs = cost(f"input: {{channels: 3, size: [5]}}\nlayers: [{layer}]")
    assert find_convention("flops").numbers(costs).total == 2 * 3 * 5
    assert find_convention("fvcore").numbers(costs).layers == (None,)
