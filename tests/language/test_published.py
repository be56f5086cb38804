"""The section `published`."""

import pytest
from spec_texts import EIGHT
from support import cost, messages, problems


def test_published_figures_keep_their_digits_and_their_conditions():
    text = """
        input: {channels: 8, size: 8}
        vars: {classes: 10}
        layers: [{conv: 4, kernel: 1, name: c}]
        published:
          - {params: 6998552, source: counted}
          - {layer: c, params: 159K, macs: 1.28M, channels: 4, source: Table 1, note: K is 1024}
          - {params: 4e9, source: s, set: {classes: 100}, size: [9, 9], off: true}
        """
    whole, layer, other = cost(text).network.published
    assert [(name, figure.text) for name, figure in whole.figures] == [("params", "6998552")]
    assert [(name, figure.text) for name, figure in layer.figures] == [
        ("params", "159K"), ("macs", "1.28M"), ("channels", "4")
    ]  # fmt: skip
    assert [figure.value(1024) for _, figure in layer.figures] == [
        (159 * 1024, 1), (128 * 1024**2, 100), (4, 1)
    ]  # fmt: skip
    assert (whole.layer, layer.layer, layer.note) == ("", "c", "K is 1024")
    assert (other.settings, other.size, other.off) == ((("classes", 100),), (9, 9), ("params",))


def test_a_published_figure_declares_k_truncation_and_biases_for_all_or_for_some_measures():
    text = """
        input: {channels: 8, size: 8}
        layers: [{conv: 4, kernel: 1}]
        published:
          - {params: 1K, macs: 2K, source: s}
          - {params: 1K, macs: 2K, k: 1024, truncated: true, biases: false, source: s}
          - {params: 1K, macs: 2K, k: 1000, truncated: false, biases: true, source: s}
          - {params: 1K, macs: 2K, k: {macs: 1024, params: 1000}, truncated: macs, source: s}
          - {weights: 1K, biases: 0, truncated: [biases, weights], source: s}
        """
    found = [(e.binary, e.truncated, e.biases) for e in cost(text).network.published]
    both = ("params", "macs")
    assert found == [
        ((), (), None),
        (both, both, False),
        ((), (), True),
        (("macs",), ("macs",), None),
        ((), ("biases", "weights"), None),
    ]


def test_the_layer_of_a_published_figure_is_checked_with_the_settings_of_the_figure():
    text = EIGHT + (
        "vars: {aux: true}\n"
        "layers: [relu, {conv: 4, kernel: 1, name: b, when: aux}]\n"
        "published: [{layer: b, weights: 32, source: s}, {macs: 0, set: {aux: false}, source: s}]"
    )
    assert messages(text) == []
    assert messages(text, aux=False) == []
    assert messages(text.replace("layer: b", "layer: c")) == ["4:21 CC108 there is no layer `c`"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("{layer: d, params: 3, source: s}", "3:21 CC108 there is no layer `d`",
            id="an unknown layer"),
        pytest.param("{params: 3x, source: s}", "3:22 CC112 params: there is no unit `x`",
            id="a unit"),
        pytest.param("{params: 3m, source: s}", "3:22 CC112 params: there is no unit `m`",
            id="a unit in lower case"),
        pytest.param("{params: _-5, source: s}", "3:22 CC112 params: `_-5` is not a number",
            id="a sign after a separator"),
        pytest.param("{params: -5, source: s}", "3:22 CC112 params: `-5` is below 0",
            id="a figure below 0"),
        pytest.param("{macs: -1.5M, source: s}", "3:20 CC112 macs: `-1.5M` is below 0",
            id="a fraction below 0"),
        pytest.param("{params: many, source: s}", "3:22 CC112 params: `many` is not a number",
            id="a word"),
        pytest.param("{params: 3}", "3:13 CC103 a published figure needs `source`",
            id="no source"),
        pytest.param("{source: s}", "3:13 CC112 a published figure needs a measure",
            id="no figure"),
        pytest.param("3", "3:13 CC112 a published figure must be a mapping", id="a number alone"),
        pytest.param("{params: [3], source: s}", "3:22 CC112 params must be a number",
            id="a list"),
        pytest.param("{macs: 3, source: s, count: [thop]}",
            "3:41 CC112 count must be the name of a convention", id="a list of conventions"),
        pytest.param("{flash: 3, source: s, dtype: [int8]}", "3:42 CC112 dtype must be a dtype",
            id="a list of dtypes"),
        pytest.param("{params: 3, source: s, set: {x: 3}}", "3:42 CC113 there is no variable `x`",
            id="an unknown variable"),
        pytest.param("{params: 3, source: s, size: 0}",
            "3:42 CC104 size must be a whole number of at least 1, not 0", id="a size of 0"),
        pytest.param("{params: 3, k: 1023, source: s}",
            "3:28 CC112 `k` must be 1000 or 1024", id="another K"),
        pytest.param("{params: 3, k: [1024], source: s}",
            "3:28 CC112 `k` must be 1000 or 1024", id="a list of K"),
        pytest.param("{params: 3, k: {macs: 1024}, source: s}",
            "3:28 CC112 `k` must be 1000 or 1024", id="K of a figure that is not there"),
        pytest.param("{params: 3, truncated: macs, source: s}",
            "3:36 CC112 `truncated` must be true, or a list of: params",
            id="truncation of a figure that is not there"),
        pytest.param("{params: 3, biases: no, source: s}",
            "3:33 CC112 biases: `no` is not a number", id="biases in words"),
        pytest.param("{biases: false, source: s}",
            "3:13 CC112 a published figure needs a measure", id="a declaration alone"),
        pytest.param("{params: 3, source: s, nots: x}",
            "3:36 CC101 a published figure has no key `nots`", id="an unknown key"),
    ],
)  # fmt: skip
def test_a_published_figure_is_checked(entry, expected):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, name: c}}]\npublished: [{entry}]"
    assert messages(text) == [expected]


def test_flops_are_of_the_convention_flops_and_count_names_another():
    text = EIGHT + (
        "layers: [relu]\n"
        "published: [{flops: 38.61M, source: a}, {macs: 1M, params: 5, count: fvcore, source: b}]"
    )
    entries = cost(text).network.published
    assert [entry.convention(measure) for entry in entries for measure, _ in entry.figures] == [
        "flops", "", "fvcore",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{macs: 1, count: thopp, source: s}", "CC112 count: there is no convention `thopp`"),
        (
            "{params: 1, count: thop, source: s}",
            "CC112 `count` has no effect without a figure that a convention counts",
        ),
    ],
)
def test_a_wrong_convention_of_a_figure_is_refused(entry, expected):
    (message,) = messages(f"{EIGHT}layers: [relu]\npublished: [{entry}]")
    assert expected in message


def test_of_several_layers_with_a_name_the_first_is_suggested():
    text = """
        input: {channels: 8, size: 8}
        layers:
          - {sequence: [{conv: 4, kernel: 1}], name: stem}
          - {sequence: [{conv: 4, kernel: 1}], name: body}
          - {sequence: [{conv: 4, kernel: 1}], name: head}
        published: [{layer: conv_1, params: 3, source: s}]
        budget: {layers: [{match: conv_1, params: 3}]}
        """
    assert [problem.help for problem in problems(text)] == ["did you mean `stem/conv_1`?"] * 2
