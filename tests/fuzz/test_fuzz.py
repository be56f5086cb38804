"""A part of the fuzzer in every run: the same cases each time. `python -m fuzz` runs more."""

import pytest

from convcost.model.kind import KINDS
from fuzz import formulas
from fuzz.runner import one

SEED = 2026


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize(("family", "cases"), [("counted", 300), ("damaged", 300), ("models", 80)])
def test_no_case_breaks_a_promise(family, cases, part, tmp_path):
    for number in range(part * cases, (part + 1) * cases):
        verdict = one(family, SEED, number, tmp_path)
        assert not verdict.broken, f"case {number} of {family}, seed {SEED}"


def test_the_generator_has_every_kind():
    groups, missing = {"sequence", "side"}, {"deformable_conv"}
    assert {*formulas.KINDS, *formulas.JOINS} | groups | missing == set(KINDS.names())
