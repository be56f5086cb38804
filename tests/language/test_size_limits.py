"""Specs that would grow without end are refused before they do."""

import re

import pytest
from bounded import BoundedReader
from spec_texts import EIGHT
from support import cost, messages, problems

from convcost.language import network_builder, patterns, variants
from convcost.language import problems as found_problems

TOO_MANY = "CC110 the network has more than 250,000 layers"


@pytest.fixture(scope="module")
def bounded():
    """Gives the messages of a text; fails if reading it takes too much work."""
    reader = BoundedReader()
    yield reader
    reader.close()


def doubled(first, line, levels, key="x-b"):
    """Anchors that each hold the one before them twice; the last is `*last`."""
    lines = [f"x-a: &a {first}"]
    before = "a"
    for level in range(levels):
        name = "last" if level == levels - 1 else f"b{level}"
        lines.append(f"{key}{level}: &{name} {line.format(before=f'*{before}')}")
        before = name
    return "\n".join(lines) + "\n"


def calls(first, line, levels):
    """Blocks that each call the one before them twice; the last is `last`."""
    lines = ["blocks:", f"  b: {first}"]
    before = "b"
    for level in range(levels):
        name = "last" if level == levels - 1 else f"b{level}"
        lines.append(f"  {name}: {line.format(before=before)}")
        before = name
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        pytest.param("{relu: , repeat: 1000000000}", "2:1", id="a billion copies"),
        pytest.param("{relu: , repeat: 500 * 1000}", "2:1", id="copies by an expression"),
        pytest.param(
            "{sequence: [{sequence: [{relu: , repeat: 1000}], repeat: 1000}], repeat: 1000}",
            "2:1",
            id="copies of copies of copies",
        ),
        pytest.param(
            "{sequence: [{sequence: [{relu: , repeat: 99*in_width}], repeat: 99*in_width}], "
            "repeat: 99*in_width}",
            "2:1",
            id="copies of copies by expressions",
        ),
        pytest.param(
            "{sequence: [{sequence: [], repeat: 200000}], repeat: 200000}",
            "2:1",
            id="copies of copies of nothing",
        ),
    ],
)
def test_too_many_copies_are_refused_before_they_are_made(bounded, layer, place):
    assert bounded(f"{EIGHT}layers: [{layer}]") == [f"{place} {TOO_MANY}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            doubled("{sequence: [relu]}", "{{sequence: [{before}, {before}]}}", 40),
            "43:1",
            id="aliases of sequences",
        ),
        pytest.param(
            doubled(
                "{concat: {p: [relu], q: []}}", "{{concat: {{p: [{before}], q: [{before}]}}}}", 40
            ),
            "43:1",
            id="aliases of branches",
        ),
        pytest.param(
            doubled("{sequence: []}", "{{sequence: [{before}, {before}]}}", 40),
            "43:1",
            id="aliases of empty sequences",
        ),
        pytest.param(
            doubled(
                "{sequence: [], when: in_channels > 0}",
                "{{sequence: [{before}, {before}], when: in_channels > 0}}",
                40,
            ),
            "43:1",
            id="aliases that hang on a condition",
        ),
    ],
)
def test_aliases_that_double_a_list_are_refused_unexpanded(bounded, text, place):
    assert bounded(f"{text}{EIGHT}layers: [*last]") == [f"{place} {TOO_MANY}"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(doubled("[relu]", "[{before}, {before}]", 60), id="of lists"),
        pytest.param(doubled("{k: 1}", "{{l: {before}, r: {before}}}", 60), id="of mappings"),
        pytest.param(doubled("{k: 1}", "{{<<: [{before}, {before}]}}", 60), id="of merges"),
    ],
)
def test_aliases_that_double_cost_nothing_if_no_layer_uses_them(bounded, text):
    assert bounded(f"{text}{EIGHT}layers: [relu]") == []


def test_aliases_that_double_are_a_list_as_an_option(bounded):
    text = doubled("[1, 1]", "[{before}, {before}]", 60)
    assert bounded(f"{text}{EIGHT}layers: [{{conv: *last, kernel: 1}}]") == [
        "61:8 CC104 `filters` of conv must be a whole number of at least 1, not a list"
    ]


NOT_A_COUNT = "`input` of the network: channels must be a whole number of at least 1, not a mapping"


@pytest.mark.parametrize("levels", [1, 60])
def test_aliases_that_double_are_a_mapping_as_an_input(bounded, levels):
    text = doubled("{channels: 1}", "{{channels: {before}, size: {before}}}", levels)
    column = len(f"x-b{levels - 1}: ") + 1
    assert bounded(f"{text}input: *last\nlayers: [relu]") == [
        f"{levels + 1}:{column} CC104 {NOT_A_COUNT}"
    ]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        pytest.param(
            calls("{layers: [relu]}", "{{layers: [{before}, {before}]}}", 40),
            "last",
            id="of a layer",
        ),
        pytest.param(
            calls("{layers: []}", "{{layers: [{before}, {before}]}}", 40), "last", id="of nothing"
        ),
        pytest.param(
            calls(
                "{options: {n: }, layers: [{relu: , repeat: n}]}",
                "{{options: {{n: }}, layers: [{{{before}: n}}, {{{before}: n}}]}}",
                40,
            ),
            "{last: 1}",
            id="of a layer repeated once",
        ),
    ],
)
def test_blocks_that_double_are_refused_before_they_are_expanded(bounded, text, call):
    assert bounded(f"{EIGHT}{text}layers: [{call}]") == [f"44:1 {TOO_MANY}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("layers: " + "[" * 100_000, "2:72", id="brackets"),
        pytest.param("layers: " + "[" * 100_000 + "]" * 100_000, "2:72", id="brackets with an end"),
        pytest.param("layers: " + "{a: " * 100_000, "2:261", id="braces"),
        pytest.param("layers:\n" + "- " * 100_000, "3:127", id="dashes"),
    ],
)
def test_deep_nesting_is_refused_where_it_becomes_too_deep(bounded, text, place):
    assert bounded(EIGHT + text) == [f"{place} CC004 more than 64 levels of nesting"]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param("{conv: 9**9**9, kernel: 1}",
            "2:17 CC106 9 ** 387420489 is too large", id="a power of powers"),
        pytest.param("{conv: " + "1" * 100_000 + ", kernel: 1}",
            f"2:17 CC106 `{'1' * 40}…` is out of range", id="a number of 100,000 digits"),
        pytest.param("{conv: " + "1+" * 50_000 + "1, kernel: 1}",
            "2:17 CC105 an expression has at most 400 characters, not 100001", id="an endless sum"),
        pytest.param("{upsample: 2, repeat: 100}",
            "2:11 CC305 an output of 1125899906842624×1125899906842624×8 is too large",
            id="a size that doubles"),
        pytest.param("{conv: 8, kernel: 2, repeat: 200000}",
            "2:11 CC301 kernel 2 is larger than the input 1", id="copies that no longer fit"),
    ],
)  # fmt: skip
def test_a_number_that_is_too_large_is_refused(bounded, layer, message):
    assert bounded(f"{EIGHT}layers: [{layer}]") == [message]


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param("{max_pool: 1, stride: 1000000000}", id="a stride"),
        pytest.param("{transposed_conv: 1, kernel: 1000000000, stride: 2}", id="a kernel"),
        pytest.param("{transposed_conv: 1, kernel: 1, stride: 1000000000}", id="a spread"),
        pytest.param("{transposed_conv: 1, kernel: 4096, stride: 4096}", id="a square"),
        pytest.param("{upsample: 1000000000}", id="a scale"),
        pytest.param("{adaptive_avg_pool: 999999999}", id="a size"),
    ],
)
def test_a_large_number_costs_no_more_work_than_a_small_one(bounded, layer):
    assert bounded(f"input: {{channels: 1, size: [1000]}}\nlayers: [{layer}]") == []


def chain(length, last):
    """Blocks that each call the next; the last has this layer."""
    lines = [f"  b{i}: {{layers: [b{i + 1}]}}" for i in range(length)]
    return "\n".join(["blocks:", *lines, f"  b{length}: {{layers: [{last}]}}"]) + "\n"


@pytest.mark.parametrize(
    "last",
    [pytest.param("relu", id="that ends"), pytest.param("b0", id="that closes to a circle")],
)
def test_a_chain_of_100_blocks_is_too_deep(bounded, last):
    assert bounded(f"{EIGHT}{chain(100, last)}layers: [b0]") == [
        "67:3 CC004 blocks call each other more than 64 deep"
    ]


def test_a_chain_of_50_blocks_is_not_too_deep(bounded):
    assert bounded(f"{EIGHT}{chain(50, 'relu')}layers: [b0]") == []


def nines(first, line):
    """Anchors nested 9 deep, each of which holds the one before it nine times."""
    lines = [f"x-0: &n0 {first}"]
    for level in range(1, 10):
        before = ", ".join([f"*n{level - 1}"] * 9)
        lines.append(f"x-{level}: &n{level} {line.format(before=before)}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        pytest.param(nines("{sequence: [relu]}", "{{sequence: [{before}]}}"), "[*n9]",
            id="as layers of sequences"),
        pytest.param(nines("{side: [relu]}", "{{side: [{before}]}}"), "[*n9]",
            id="as layers of sides"),
        pytest.param(nines("{sequence: [relu]}", "{{sequence: [{before}]}}"),
            "[{concat: {a: [*n9], b: [*n9]}}]", id="in branches"),
    ],
)  # fmt: skip
def test_lists_of_aliases_nested_9_deep_are_refused(bounded, text, layers):
    assert bounded(f"{text}{EIGHT}layers: {layers}") == [f"12:1 {TOO_MANY}"]


def test_merges_that_copy_more_than_100_000_entries_are_refused(bounded):
    base = ", ".join(f"k{i}: 1" for i in range(1_000))
    text = f"x-a: &a {{{base}}}\nx-b:\n" + "- {<<: *a}\n" * 101
    assert bounded(text) == ["103:4 CC004 `<<` adds more than 100,000 entries in this file"]


def test_calls_with_more_than_1_000_000_option_values_are_refused(bounded):
    options = ", ".join(f"v{i}: 1" for i in range(1_000))
    text = f"blocks: {{b: {{options: {{{options}}}, layers: []}}}}\n{EIGHT}"
    layers = "layers: [{b: , repeat: 1001}]"
    (message,) = problems(text + layers)
    assert message.code == "CC110"
    assert message.message == "the calls of blocks have more than 1,000,000 option values"


OPTIONS = f"{{{', '.join(f'v{i}: 1' for i in range(10))}}}"
BLOCK = f"blocks: {{b: {{options: {OPTIONS}, layers: [relu]}}}}\n"
TEN_INPUTS = f"[{', '.join(['input'] * 10)}]"


@pytest.mark.parametrize(
    ("anchor", "layer"),
    [
        pytest.param(OPTIONS, "{b: *a}", id="the options of a block"),
        pytest.param(f"[{'1, ' * 10}]", "{b: *a}", id="the values of a block"),
        pytest.param(TEN_INPUTS, "{concat: *a}", id="the names of a join"),
        pytest.param(TEN_INPUTS, "{concat: , from: *a}", id="the inputs of a join"),
        pytest.param(OPTIONS.replace(": 1", ": []"), "{concat: *a}", id="the branches of a join"),
        pytest.param(f"[{'relu, ' * 10}]", "{sequence: *a}", id="a list of layers"),
    ],
)  # fmt: skip
def test_the_entries_that_aliases_repeat_have_a_limit(monkeypatch, anchor, layer):
    monkeypatch.setattr(found_problems, "MAX_REPEATED", 50)
    text = f"x-a: &a {anchor}\n{BLOCK}input: {{channels: 1, size: 1}}\n"
    assert messages(f"{text}layers: [{', '.join([layer] * 6)}]") == []
    assert messages(f"{text}layers: [{', '.join([layer] * 7)}]") == [
        "1:1 CC004 aliases repeat more than 50 entries in this document"
    ]


def test_a_row_that_aliases_repeat_counts_as_entries(monkeypatch):
    monkeypatch.setattr(found_problems, "MAX_REPEATED", 50)
    text = "x-a: &a [1, 2, 3, 4, 5]\ninput: {channels: 5, size: 1}\n"

    def conv(rows):
        connections = ", ".join(["*a"] * rows)
        return f"layers: [{{conv: {rows}, kernel: 1, connections: [{connections}]}}]"

    assert messages(text + conv(1 + 50 // 5)) == []
    assert messages(text + conv(2 + 50 // 5)) == [
        "1:1 CC004 aliases repeat more than 50 entries in this document"
    ]


@pytest.mark.parametrize(
    ("anchor", "section"),
    [
        pytest.param("[{params: 0, source: x}]", "variants: {NAME: {published: *a}}",
            id="figures of variants"),
        pytest.param("{params: {max: 1}, macs: {max: 1}}", "variants: {NAME: {budget: *a}}",
            id="budgets of variants"),
        pytest.param("{v: 2, w: 2}", "published: [{params: 0, source: NAME, set: *a}]",
            id="settings of figures"),
    ],
)  # fmt: skip
def test_the_entries_that_aliases_repeat_with_figures_have_a_limit(monkeypatch, anchor, section):
    monkeypatch.setattr(found_problems, "MAX_REPEATED", 16)
    start, entry, end = re.fullmatch(r"(.*: [{[])(.*NAME.*)([}\]])", section).groups()
    text = f"x-a: &a {anchor}\nvars: {{v: 1, w: 1}}\n{EIGHT}layers: [relu]\n{start}"
    few, many = (", ".join(entry.replace("NAME", f"n{i}") for i in range(n)) for n in (3, 12))
    assert messages(f"{text}{few}{end}") == []
    assert messages(f"{text}{many}{end}") == [
        "1:1 CC004 aliases repeat more than 16 entries in this document"
    ]


def test_long_expressions_count_as_more_values_of_each_variant(monkeypatch):
    monkeypatch.setattr(variants, "MAX_VALUES", 100)

    def found(expression):
        sections = f"vars: {{v: 1, w: {expression}}}\nvariants: {{a: {{}}, b: {{}}}}"
        return messages(f"{sections}\n{EIGHT}layers: [relu]")

    assert found("v+v") == []
    assert found("v" + "+v" * 190) == [
        "2:11 CC110 the variants of a document have more than 100 values in total"
    ]


def test_the_inputs_of_all_layers_have_a_limit(monkeypatch):
    monkeypatch.setattr(network_builder, "MAX_FURTHER_INPUTS", 5 * 8)
    block = f"blocks: {{b: {{layers: [{{concat: {TEN_INPUTS}}}, {{conv: 8, kernel: 1}}]}}}}"
    assert messages(f"{block}\n{EIGHT}layers: [{{b: , repeat: 5}}]") == []
    assert messages(f"{block}\n{EIGHT}layers: [{{b: , repeat: 6}}]") == [
        "3:1 CC110 the layers have more than 40 inputs after their second"
    ]


def test_the_inputs_of_block_calls_have_the_same_limit(monkeypatch):
    monkeypatch.setattr(network_builder, "MAX_FURTHER_INPUTS", 5 * 8)
    names = [f"i{i}" for i in range(10)]
    layers = f"layers: [{{relu: , from: i0, name: o}}], outputs: [{', '.join(['o'] * 10)}]"
    block = f"blocks: {{b: {{inputs: [{', '.join(names)}], {layers}}}}}"
    assert messages(f"{block}\n{EIGHT}layers: [{{b: , from: {TEN_INPUTS}, repeat: 5}}]") == []
    assert messages(f"{block}\n{EIGHT}layers: [{{b: , from: {TEN_INPUTS}, repeat: 6}}]") == [
        "3:1 CC110 the layers have more than 40 inputs after their second"
    ]


@pytest.mark.parametrize("key", ["when: false", "when: in_width > 8", "repeat: 0"])
def test_the_layers_that_are_left_out_have_a_limit(monkeypatch, key):
    monkeypatch.setattr(network_builder, "MAX_LEFT_OUT", 5)
    text = f"blocks: {{b: {{layers: [relu, {{relu: , {key}}}]}}}}\n{EIGHT}"
    assert messages(f"{text}layers: [{{b: , repeat: 5}}]") == []
    assert messages(f"{text}layers: [{{b: , repeat: 6}}]") == [
        "3:1 CC110 `when` and `repeat: 0` leave out more than 5 layers"
    ]


@pytest.mark.parametrize(
    ("option", "layers"),
    [
        pytest.param("v: in_width", "relu", id="of a default"),
        pytest.param("v: 1", "{conv: in_width, kernel: 1}", id="of an option"),
        pytest.param("v: 1", "{relu: , when: in_width > 0}", id="of a condition"),
        pytest.param("v: [1, in_width]", "relu", id="in a list"),
    ],
)
def test_the_characters_of_expressions_have_a_limit(monkeypatch, option, layers):
    monkeypatch.setattr(network_builder, "MAX_EVALUATED", 5 * len("in_width > 0"))

    def problems(copies, change):
        block = f"blocks: {{b: {{options: {{{option}}}, layers: [{layers}, {change}]}}}}"
        return messages(f"{block}\n{EIGHT}layers: [{{b: , repeat: {copies}}}]")

    assert problems(4, "{pad: 1}") == []
    what = "the expressions of the layers have more than 60 characters"
    assert problems(9, "{pad: 1}") == [
        f"3:1 CC110 {what}, counted for each time that their values change"
    ]
    assert problems(1_000, "relu") == []


def test_an_expression_is_evaluated_again_if_a_name_has_another_value():
    block = "blocks: {b: {options: {n: , m: 1}, layers: [{conv: n + m, kernel: 1}]}}\n"
    calls = "{b: 2}, {b: 2}, {b: 3}, {b: [3, 2]}, {b: 2}"
    layers = cost(f"{block}{EIGHT}layers: [{calls}]").layers
    assert [layer.output.channels for layer in layers] == [2 + 1, 2 + 1, 3 + 1, 3 + 2, 2 + 1]


def test_true_is_another_value_than_1():
    block = "blocks: {b: {options: {n: }, layers: [{relu: , when: n == 1}]}}\n"
    layers = cost(f"{block}{EIGHT}layers: [{{b: 1}}, {{b: true}}, {{b: 1}}, {{b: false}}]").layers
    assert [layer.path for layer in layers] == ["b_1/relu_1", "b_3/relu_1"]


def test_a_size_is_only_needed_where_an_expression_reads_it():
    layer = "{linear: in_width if wide else 5, each_position: wide}"
    block = f"blocks: {{b: {{options: {{wide: }}, layers: [{layer}]}}}}"
    text = f"{block}\n{EIGHT}layers: [{{b: true}}, global_avg_pool, flatten, {{b: false}}]"
    assert [layer.output.channels for layer in cost(text).layers] == [8, 8, 8, 5]


def test_a_block_can_use_variables_that_its_options_do_not_replace():
    names = ", ".join(f"v{i}: {i}" for i in range(1_000))
    block = "blocks: {b: {options: {v1: 7}, layers: [{conv: v1 + v2, kernel: 1}]}}"
    text = f"vars: {{{names}}}\n{block}\n"
    (layer,) = cost(f"{text}{EIGHT}layers: [b]").layers
    assert layer.output.channels == 7 + 2


def test_a_problem_of_a_block_is_reported_once():
    text = f"blocks: {{b: {{layers: [{{relu: , from: c}}]}}}}\n{EIGHT}layers: [b, b, b]"
    assert messages(text) == ["1:38 CC108 there is no layer `c` before this one"]


@pytest.mark.parametrize(
    ("section", "rule", "subject", "others"),
    [
        ("budget", "params: {max: 1}", "patterns of the budget", []),
        ("dtype", "all: int8", "patterns of the section `dtype`", ["input"]),
    ],
)
def test_comparisons_count_by_the_characters_of_the_pattern_and_the_path(
    monkeypatch, section, rule, subject, others
):
    paths = ["n" * 2_000, "n" * 1_000, *others]
    layers = ", ".join(f"{{relu: , name: {path}}}" for path in paths[:2])

    def problems(length):
        pattern = f"n*{'?' * (length - 2)}"
        rules = f"{section}: {{layers: [{{match: '{pattern}', {rule}}}]}}"
        return messages(f"{EIGHT}layers: [{layers}]\n{rules}")

    most = len(paths) + 400 * sum(map(len, paths)) // 1_000
    monkeypatch.setattr(patterns, "MAX_COMPARISONS", most)
    assert problems(400) == []
    (message,) = problems(401)
    compared = f"{most:,} comparisons with the {len(paths)} paths of this network"
    assert f"the {subject} need more than {compared}" in message
