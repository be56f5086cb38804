"""A part of the fuzzer in every run: the same cases each time. `python -m fuzz` runs more."""

import json
from collections import defaultdict
from functools import cache

import pytest

from convcost.model.kind import KINDS
from fuzz import formulas, laws
from fuzz.recount import word_of
from fuzz.runner import make, one

SEED = 2026
PARTS = 4
CASES = {"counted": 1200, "damaged": 600, "models": 320, "imported": 120}


def replay(family, number):
    """The command that runs a case again, and writes its smallest form to fuzz-failures/."""
    of_models = family in ("models", "imported")
    numbers = "--specs 0 --models 2" if of_models else "--specs 2 --models 0"
    return f"PYTHONPATH=tests python -m fuzz --seed {SEED} {numbers} --first {number}"


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("family", CASES)
def test_no_case_breaks_a_promise(family, part, tmp_path):
    cases = CASES[family] // PARTS
    for number in range(part * cases, (part + 1) * cases):
        verdict = one(family, SEED, number, tmp_path)
        assert not verdict.broken, (
            f"{verdict.broken}\nto find the smallest case: {replay(family, number)}"
        )


def test_a_layer_without_known_macs_has_no_known_limit_on_a_device(tmp_path):
    layers = [{"custom": "a thing", "params": 150, "macs": "uncounted"}, {"conv": 8, "kernel": 1}]
    spec = {"name": "net", "input": {"channels": 3, "size": [8, 8]}, "layers": layers}
    layers_counted = laws.counted(spec)
    laws.figures_agree(layers_counted, json.dumps(spec))
    laws.a_device_bounds_each_layer(spec, json.dumps(spec), layers_counted, tmp_path)


def layers_in(tree):
    """The items of all lists of a spec, at any depth."""
    for item in tree.values() if isinstance(tree, dict) else tree:
        if isinstance(tree, list) and isinstance(item, str | dict):
            yield item
        if isinstance(item, dict | list):
            yield from layers_in(item)


@cache
def generated():
    """The kinds of the layers of a run, each with the options that are written."""
    found = defaultdict(set)
    for number in range(CASES["counted"]):
        for layer in layers_in(make("counted", SEED, number)[0]):
            word = word_of(layer)
            given = {} if isinstance(layer, str) else {k: v for k, v in layer.items() if k != word}
            value = None if isinstance(layer, str) else layer[word]
            found[word] |= {*given, *(value if isinstance(value, dict) else ())}
            if value is not None and word in KINDS.names():
                found[word].add(KINDS[word].principal)
    return found


@pytest.mark.parametrize("kind", KINDS.names())
def test_the_generator_writes_a_kind_with_each_of_its_options(kind):
    grouping = kind in ("sequence", "side")
    assert grouping or kind in {**formulas.KINDS, **formulas.JOINS}, (
        f"add the formulas of `{kind}` to tests/fuzz/formulas.py, written from its definition"
    )
    assert kind in generated(), f"make `{kind}` in tests/fuzz/grammar.py"
    missing = set(KINDS[kind].options) - generated()[kind]
    assert not missing, f"give `{kind}` these options in tests/fuzz/grammar.py, too: {missing}"
