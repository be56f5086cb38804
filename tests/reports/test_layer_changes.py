"""The layers of two networks, paired: a block that is inserted, deleted or renamed is just that."""

import sys
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, run, shipped

from convcost.model.costs import LayerCost
from convcost.reports import sequence_alignment
from convcost.reports.layer_changes import LayerChange, pair_layers
from convcost.reports.sequence_alignment import align

HEAD = """\
input: {channels: 8, size: 9}
blocks:
  plain: {options: {k: 1}, layers: [{conv: 8, kernel: k, padding: k//2}, relu]}
  residual:
    options: {t: 2}
    layers:
      - {plain: , name: squeeze}
      - add: {main: [{plain: {k: 3}}, {conv: t*8, kernel: 1}, {conv: 8, kernel: 1}], skip: []}
  stage: {options: {n: 2}, layers: [{residual: , repeat: n}, batch_norm]}
layers:
"""
BLOCKS = (
    "plain: ", "plain: {k: 3}", "residual: ", "residual: {t: 3}", "stage: ", "stage: {n: 3}",
    "conv: 8, kernel: 1", "conv: 8, kernel: 5, padding: 2", "relu: ", "batch_norm: ",
)  # fmt: skip
NAMES = "abcdefghij"

Blocks = list[tuple[str, str]]  # each with its name, or none


@lru_cache(64)
def layers(*blocks: tuple[str, str]) -> tuple[LayerCost, ...]:
    lines = (f"  - {{{block}{f', name: {name}' * bool(name)}}}\n" for block, name in blocks)
    return cost(HEAD + "".join(lines)).layers


def by_state(before: Blocks, after: Blocks) -> dict[str, list[LayerChange]]:
    states: dict[str, list[LayerChange]] = {}
    for change in pair_layers(layers(*before), layers(*after)):
        states.setdefault(change.state, []).append(change)
    return states


@st.composite
def networks(draw, *, named: bool | None = None) -> Blocks:
    """A few blocks in any order, so that many are equal. All have names, or none has."""
    few = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3))
    blocks = draw(st.lists(st.sampled_from(few), min_size=1, max_size=len(NAMES)))
    with_names = draw(st.booleans()) if named is None else named
    return [(block, name * with_names) for block, name in zip(blocks, NAMES, strict=False)]


@given(networks(), st.sampled_from(BLOCKS), st.data())
def test_only_an_inserted_block_is_added_and_only_a_deleted_block_is_removed(network, block, data):
    at = data.draw(st.integers(0, len(network)))
    new = (block, "z" * bool(network[0][1]))
    longer = [*network[:at], new, *network[at:]]
    there, back = by_state(network, longer), by_state(longer, network)
    assert there.keys() <= {"added", "unchanged"}
    assert back.keys() <= {"removed", "unchanged"}
    for found in (
        [change.after for change in there["added"]],
        [change.before for change in back["removed"]],
    ):
        assert [layer.counts for layer in found] == [layer.counts for layer in layers(new)]
        # An equal block in front of a block without a name has the number of that block.
        (group,) = {layer.path.split("/")[0] for layer in found}
        assert group == "z" or not new[1]


@given(networks(named=True), st.data())
def test_only_the_layers_of_a_renamed_block_are_renamed(network, data):
    at = data.draw(st.integers(0, len(network) - 1))
    block, name = network[at]
    found = by_state(network, [*network[:at], (block, "z"), *network[at + 1 :]])
    assert found.keys() <= {"renamed", "unchanged"}
    paths = [layer.path for layer in layers((block, name))]
    assert [change.before.path for change in found["renamed"]] == paths
    assert [change.after.path for change in found["renamed"]] == [
        "z" + path.removeprefix(name) for path in paths
    ]


@given(networks(), st.sampled_from(BLOCKS), st.data())
def test_a_block_that_replaces_another_is_the_only_change(network, block, data):
    at = data.draw(st.integers(0, len(network) - 1))
    after = [*network[:at], (block, network[at][1]), *network[at + 1 :]]
    unchanged = by_state(network, after).get("unchanged", [])
    assert len(unchanged) >= len(layers(*network)) - len(layers(network[at]))


@given(networks(), networks())
def test_each_layer_is_in_one_change_and_the_order_is_that_of_the_second_network(one, other):
    before, after = layers(*one), layers(*other)
    found = pair_layers(before, after)
    assert tuple(change.after for change in found if change.after) == after
    olds = [change.before for change in found if change.before]
    assert sorted(olds, key=lambda layer: layer.step) == list(before)


MIXED = """input: {{channels: {channels}, size: {size}}}
blocks: {{ir: {{options: {{c: , t: 2}}, layers: [{{conv: t*in_channels, kernel: 1}}, {{conv: c, kernel: 1}}]}}}}
layers:
{layers}"""  # noqa: E501  a spec
IR = "  - {ir: 8}\n"


def labels(before: str, after: str) -> list[tuple[str, str]]:
    """The state and label of each layer that is not unchanged."""
    found = pair_layers(cost(before).layers, cost(after).layers)
    return [(change.state, change.label) for change in found if change.state != "unchanged"]


def mixed(layers: str, *, channels: int = 8, size: int = 8) -> str:
    return MIXED.format(layers=layers, channels=channels, size=size)


def test_an_inserted_block_is_added_also_at_another_input_size():
    wide = "  - {ir: 8, t: 3}\n"
    found = labels(mixed(2 * IR), mixed(IR + wide + IR, size=6))
    assert found == [
        ("changed", "ir_1/conv_1"),
        ("changed", "ir_1/conv_2"),
        ("added", "ir_2/conv_1"),
        ("added", "ir_2/conv_2"),
        ("changed", "ir_2/conv_1 → ir_3/conv_1"),
        ("changed", "ir_2/conv_2 → ir_3/conv_2"),
    ]


def test_a_layer_after_an_inserted_layer_is_compared_with_itself():
    stem, last = "  - {conv: 8, kernel: 1}\n", "  - {conv: 16, kernel: 3}\n"
    inserted = "  - {conv: 12, kernel: 1}\n"
    assert labels(mixed(stem + last), mixed(stem + inserted + last)) == [
        ("added", "conv_2"),
        ("changed", "conv_2 → conv_3"),
    ]
    assert labels(mixed(IR + last), mixed(IR + "  - {ir: 12}\n" + last)) == [
        ("added", "ir_2/conv_1"),
        ("added", "ir_2/conv_2"),
        ("changed", "conv_1"),
    ]


def test_a_layer_that_was_renamed_and_grew_is_reported_as_one_change():
    before, after = (f"  - {{conv: {n}, name: {name}, kernel: 3}}\n  - relu\n"
                     for n, name in ((8, "stem"), (9, "trunk")))  # fmt: skip
    assert labels(mixed(before), mixed(after)) == [
        ("changed", "stem → trunk"),
        ("changed", "relu_1"),
    ]


CUSTOM = "custom: x, params: 0"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("relu: ", "sigmoid: "),
        ("reshape: {channels: 8, size: [9, 9]}", "reshape: {channels: 9, size: [8, 9]}"),
        (f"{CUSTOM}, macs: 0", f"{CUSTOM}, macs: uncounted"),
        ("conv: 8, kernel: 1", "conv: 8, kernel: 1, frozen: true"),
        ("conv: 8, kernel: 1", "conv: 8, kernel: 1, buffer: true"),
    ],
)
def test_a_layer_of_another_kind_or_output_is_changed_with_the_same_costs(before, after):
    states = by_state([(before, "a")], [(after, "a")])
    assert list(states) == ["changed"]


def test_layers_in_another_order_are_unchanged_and_those_in_a_new_block_are_renamed():
    a, b = "a: [{conv: 8, kernel: 1}]", "b: [{conv: 4, kernel: 1}]"
    one, other = (
        mixed(f"  - concat: {{{first}, {second}}}\n") for first, second in ((a, b), (b, a))
    )
    assert labels(one, other) == []
    convs = "{conv: 8, kernel: 1}, {conv: 16, kernel: 1}"
    flat, nested = mixed(f"  [{convs}]\n"), mixed(f"  - {{sequence: [{convs}], name: stem}}\n")
    assert labels(flat, nested) == [
        ("renamed", "conv_1 → stem/conv_1"),
        ("renamed", "conv_2 → stem/conv_2"),
    ]


CONV, LINEAR = "conv: 8, kernel: 1", "linear: 8, each_position: true"
FREE = ("relu: ", "batch_norm: ", "max_pool: 1")


@st.composite
def of_kind(draw, costly: str, names: str) -> Blocks:
    """Blocks of one kind with macs among others without, under these names."""
    blocks = draw(st.lists(st.sampled_from((costly, *FREE)), max_size=len(names) - 1))
    return list(zip((costly, *blocks), names, strict=False))


@given(of_kind(CONV, "abcdefg"), of_kind(LINEAR, "tuvwxyz"))
def test_layers_without_macs_alone_are_not_evidence_of_a_rename(one, other):
    """Two unrelated networks have relus, norms and pools of one shape, and nothing in common."""
    assert by_state(one, other).keys() == {"added", "removed"}


@pytest.mark.parametrize("kind", ["of_a_plug_in", "", "\ud800", "::error::"])
def test_a_kind_that_is_not_here_is_paired_by_its_costs(kind):
    """A baseline can have layers of a plug-in that is not installed now, under any name."""
    before, after = ([layer._replace(kind=kind) for layer in layers((CONV, name))] for name in "ab")
    assert [change.state for change in pair_layers(before, after)] == ["renamed"]


def test_a_layer_without_cost_is_renamed_with_its_neighbour():
    one, other = (
        mixed(f"  - {{sequence: [{{conv: 8, kernel: 1}}, batch_norm, relu], name: {name}}}\n")
        for name in ("stem", "trunk")
    )
    assert labels(one, other) == [
        ("renamed", f"stem/{layer} → trunk/{layer}")
        for layer in ("conv_1", "batch_norm_1", "relu_1")
    ]


@pytest.mark.parametrize("names", [("vgg16", "resnet50"), ("vgg16", "googlenet")])
def test_two_unrelated_networks_have_no_renamed_layer(names):
    found = pair_layers(*(shipped(name).layers for name in names))
    assert {change.state for change in found} <= {"removed", "added", "changed"}


# The alignment of sequences


def longest(old: list[int], new: list[int]) -> int:
    """The length of a longest common subsequence, by the textbook."""
    row = [0] * (len(old) + 1)
    for item in new:
        last = row
        row = [0]
        for i, other in enumerate(old):
            row.append(last[i] + 1 if item == other else max(row[i], last[i + 1]))
    return row[-1]


ITEMS = st.lists(st.integers(0, 3), max_size=30)


@given(ITEMS, ITEMS, st.integers(1, 8))
def test_an_alignment_is_a_longest_common_subsequence(old, new, block):
    with patch.object(sequence_alignment, "BLOCK", block):
        pairs = align(old, new, lambda _i, _j: 0)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    assert all(old[i] == new[j] for i, j in pairs)
    assert len(pairs) == longest(old, new)


@given(ITEMS, ITEMS)
def test_long_sequences_are_aligned_in_parts(old, new):
    with patch.object(sequence_alignment, "MAX_ITEMS", 4):
        pairs = align(old, new, lambda _i, _j: 0)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(pairs))
    assert all(old[i] == new[j] for i, j in pairs)


# Work, counted in lines of Python


def lines_of(*arguments: str, cwd: Path) -> int:
    count = 0

    def trace(_frame: object, event: str, _argument: object):
        nonlocal count
        count += event == "line"
        return trace

    outer = sys.gettrace()
    sys.settrace(trace)
    try:
        ran = run(*arguments, cwd=cwd)
    finally:
        sys.settrace(outer)
    assert ran.returncode in (0, 1), ran.stderr.decode()
    return count


@pytest.mark.slow
@pytest.mark.parametrize("change", ["one is inserted", "all are others", "all are wider"])
def test_pairing_1_000_layers_takes_at_most_2_7_times_the_work_of_analyze(change, tmp_path):
    random, n = Random(0), 1_000
    kinds = ["{conv: 8, kernel: 1}", "{conv: 8, kernel: 3, padding: 1}", "relu", "batch_norm"]
    before = random.choices(kinds, k=n)
    after = {
        "one is inserted": [*before[:700], kinds[1], *before[700:]],
        "all are others": random.choices(kinds, k=n),
        "all are wider": [layer.replace("conv: 8", "conv: 9") for layer in before],
    }[change]
    for name, network in (("before", before), ("after", after)):
        text = "".join(f"  - {layer}\n" for layer in network)
        (tmp_path / f"{name}.yaml").write_text(f"input: {{channels: 8, size: 8}}\nlayers:\n{text}")
    for command in ("compare vgg16 vgg16 --layers", "check vgg16 --base vgg16 --max-growth 1%"):
        assert run(*command.split()).returncode == 0  # imports what the commands need
    analyze = lines_of("analyze", "after.yaml", cwd=tmp_path)
    compare = lines_of("compare", "before.yaml", "after.yaml", "--layers", cwd=tmp_path)
    check = lines_of("check", "after.yaml", "--base=before.yaml", "--max-growth=1%", cwd=tmp_path)
    assert compare <= 2.7 * analyze
    assert check <= 2.7 * analyze
