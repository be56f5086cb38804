"""`convcost reduce`: where a 1x1 would pay, and specs rewritten with it or without."""

import json
import re
from fractions import Fraction

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from support import answer, cost, run, totals

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import ConstraintError, Source, SpecError
from convcost.model.graph_edit import apply_edit
from convcost.reports.reduce.candidates import BreakEven, Width, find_candidates
from convcost.reports.reduce.insertion import Insertions
from convcost.reports.reduce.reductions import find_reductions
from convcost.reports.reduce.rewrite import Rewrite, rewrite_text
from convcost.reports.reduce.savings import find_savings

ONE = """
input: {{channels: {c}, size: 12}}
layers: [{{conv: {f}, kernel: {k}, padding: {p}}}]
"""


# Where it pays


@given(
    channels=st.integers(2, 300),
    filters=st.integers(1, 300),
    kernel=st.integers(2, 7),
    expand=st.booleans(),
)
def test_a_1x1_saves_exactly_up_to_the_break_even(channels, filters, kernel, expand):
    spec = ONE.format(c=channels, f=filters, k=kernel, p=kernel // 2)
    (candidate,), _ = find_candidates(cost(spec).network)
    even = candidate.break_even(macs=False, expand=expand)
    naive = filters * kernel * kernel * channels

    def weights(r):
        if expand:
            return r * channels + r * kernel * kernel * r + filters * r
        return r * channels + filters * kernel * kernel * r

    for r in {1, even.most, even.most + 1, channels}:
        if r > 0:
            assert candidate.reduced_costs(r, expand=expand)[0].value == weights(r)
            assert (weights(r) < naive) == (r <= even.most)


@given(channels=st.integers(2, 10**6), filters=st.integers(1, 10**6), window=st.integers(2, 10**4))
def test_the_break_even_is_the_formula_of_the_field(channels, filters, window):
    even = BreakEven(0, channels + window * filters, window * channels * filters)
    exact = Fraction(window * channels * filters, channels + window * filters)
    assert Fraction(even.exact) == exact
    whole, part = divmod(int(exact * 100), 100)
    assert even.text == f"{whole:,}.{part:02d}"


@given(square=st.integers(1, 10**6), linear=st.integers(1, 10**6), naive=st.integers(1, 10**12))
def test_with_an_expansion_the_break_even_is_the_root(square, linear, naive):
    even = BreakEven(square, linear, naive)
    hundredths = int(even.text.replace(",", "").replace(".", ""))
    assert square * hundredths**2 + linear * hundredths * 100 <= naive * 10**4
    above = hundredths + 1
    assert square * above**2 + linear * above * 100 > naive * 10**4


def test_inception_3a_has_the_costs_that_its_authors_chose():
    """The 5x5 to 16 and the 3x3 to 96: 157,184 weights in all."""
    found = answer("reduce", "inception_3a#naive", "3x3/conv_1=96", "5x5/conv_1=16")["networks"][0]
    by_path = {saving["path"]: saving for saving in found["convolutions"]}
    three, five = by_path["3x3/conv_1"]["reduced"][0], by_path["5x5/conv_1"]["reduced"][0]
    assert three["weights"] == 96 * 192 + 128 * 3 * 3 * 96
    assert five["weights"] == 16 * 192 + 32 * 5 * 5 * 16
    assert three["work"] == "96 × 1 × 1 × 192 + 128 × 3 × 3 × 96"
    assert 64 * 192 + three["weights"] + five["weights"] == 157184
    assert by_path["3x3/conv_1"]["break_even_weights"]["exact"] == str(
        Fraction(9 * 192 * 128, 192 + 9 * 128)
    )


def test_savings_are_sorted_by_saved_macs():
    found = answer("reduce", "googlenet")["networks"][0]["convolutions"]
    savings = [max(form["saved_macs"] for form in saving["reduced"]) for saving in found]
    assert savings == sorted(savings, reverse=True)


@pytest.mark.parametrize("sort", ["saved_params", "-saved_params", "-saved_macs", "path", "-path"])
def test_layers_are_sorted_by_their_best_1x1_or_by_path(sort):
    arguments = ("reduce", "googlenet", "--sort", sort)
    found = answer(*arguments)["networks"][0]["convolutions"]
    key = sort.removeprefix("-")
    keys = [
        entry["path"] if key == "path" else max(form[key] for form in entry["reduced"])
        for entry in found
    ]
    assert keys == sorted(keys, reverse=(key == sort) != (key == "path"))
    rows = run(*arguments, "--format", "csv").stdout.decode().splitlines()[1:]
    assert list(dict.fromkeys(row.split(",")[1] for row in rows)) == [
        entry["path"] for entry in found
    ]


def test_top_counts_layers_each_with_all_widths_of_its_1x1():
    text = run("reduce", "vgg16", "--top", "2").stdout.decode()
    assert [line.split()[0] for line in text.splitlines()[3:9]] == [
        *["conv1/conv_2/conv_1"] * 3, *["conv2/conv_2/conv_1"] * 3,
    ]  # fmt: skip
    assert "\n\n11 more layers; 4 of them have the same saved macs as the last layer\n" in text


def test_a_stride_moves_the_break_even_of_macs_but_not_of_weights():
    found = cost("input: {channels: 96, size: 56}\nlayers: [{conv: 192, kernel: 2, stride: 2}]")
    (candidate,), _ = find_candidates(found.network)
    weights = candidate.break_even(macs=False, expand=False)
    macs = candidate.break_even(macs=True, expand=False)
    assert Fraction(weights.exact) == Fraction(4 * 96 * 192, 96 + 4 * 192)
    # The 1x1 works at 56 × 56 positions, the window at 28 × 28.
    assert Fraction(macs.exact) == Fraction(4 * 96 * 192, 4 * 96 + 4 * 192)


@pytest.mark.parametrize("expand", [False, True])
def test_params_after_a_1x1_include_the_biases_of_all_layers(expand):
    text = "input: {channels: 64, size: 8}\nlayers: [{conv: 32, kernel: 3, bias: true}]\n"
    arguments = ("--channels", "8", *["--expand"] * expand, "--format", "json")
    ran = run("reduce", "-", *arguments, text=text)
    ((found,),) = (network["convolutions"] for network in json.loads(ran.stdout)["networks"])
    (reduced,) = found["reduced"]
    weights = 64 * 8 + (8 * 9 * 8 + 8 * 32 if expand else 8 * 9 * 32)
    biases = 8 + (8 + 32 if expand else 32)
    assert (reduced["weights"], reduced["params"]) == (weights, weights + biases)
    assert reduced["saved_params"] == found["params"] - weights - biases
    assert found["params"] == 64 * 9 * 32 + 32


@pytest.mark.parametrize("batch", ["1", "8"])
def test_savings_count_the_macs_of_the_batch(batch):
    found = answer("reduce", "inception_3a#naive", "5x5", "--channels", "16", "--batch", batch)
    (saving,) = found["networks"][0]["convolutions"]
    assert saving["macs"] == 32 * 25 * 192 * 28 * 28 * int(batch)
    assert saving["reduced"][0]["macs"] == (16 * 192 + 32 * 25 * 16) * 28 * 28 * int(batch)


@pytest.mark.parametrize(
    ("text", "of", "expression"),
    [("64", 64, "64"), ("1/4", 48, "in_channels // 4"), ("3/4", 144, "3 * in_channels // 4")],
)
def test_a_width_is_a_count_or_a_part(text, of, expression):
    part, _, whole = text.partition("/")
    width = Width(int(part), int(whole or 0))
    assert (width.width_for(192), width.expression) == (of, expression)


# Bad requests

LISTED = "`convcost analyze vgg16` lists the layers"
NO_WIDTH = "error: a width must be a number or a fraction of the channels, like 64 or 1/4, not"
NOTHING = "a 1x1 cannot reduce it"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["vgg16", "conv1/conv_2/relu_1"],
            f"error: `conv1/conv_2/relu_1` has no convolution larger than 1x1: {NOTHING}",
        ),
        (["googlenet", "conv2/reduce"], f"error: `conv2/reduce` is a 1x1: {NOTHING}"),
        (["resnext50_32x4d", "conv2_x/bottleneck_1/main/conv_bn_2/conv_1"], None),
        (
            ["mobilenet_v1", "conv2/depthwise_1"],
            f"error: `conv2/depthwise_1` is a depthwise convolution: {NOTHING}",
        ),
        (["vgg16", "fc6"], f"error: `fc6` has no convolution larger than 1x1: {NOTHING}"),
        (["vgg16", "conv9"], "error: there is no layer `conv9` in `vgg16`; did you mean `conv5`?"),
        (["vgg16", "aux"], f"error: there is no layer `aux` in `vgg16`; {LISTED}"),
        (
            ["inception_3a#naive", "3x3/conv_1=193"],
            "error: a 1x1 cannot reduce `3x3/conv_1` to 193 channels: its input has 192",
        ),
        (
            ["inception_3a#naive", "3x3/conv_1", "--channels", "64,200"],
            "error: a 1x1 cannot reduce `3x3/conv_1` to 200 channels: its input has 192",
        ),
        (["vgg16", "--channels", "0"], f"{NO_WIDTH} `0`"),
        (["vgg16", "--channels", "5/4"], f"{NO_WIDTH} `5/4`"),
        (["vgg16", "--channels", "1/4,,2"], f"{NO_WIDTH} ``"),
        (
            ["vgg16", "--undo", "--channels", "8"],
            "error: --undo cannot be combined with --channels",
        ),
        (["vgg16", "--undo", "--expand"], "error: --undo cannot be combined with --expand"),
        (["vgg16", "--undo", "--sort", "path"], "error: --undo cannot be combined with --sort"),
        (
            ["vgg16", "--sort", "macs"],
            "error: cannot sort by `macs`; known here: `saved_macs`, `saved_params`, `path`",
        ),
        (
            ["vgg16", "--undo", "--write", "x.yaml"],
            "error: there is no 1x1 reduction in `vgg16` to undo",
        ),
        (
            ["vgg16", "--write", "x.yaml"],
            "error: --write needs one number of channels; add for example --channels 1/4",
        ),
        (
            ["mobilenet_v1", "--channels", "1/4", "--write", "x.yaml"],
            "error: there is nothing to reduce in `mobilenet_v1`",
        ),
    ],
)
def test_a_bad_request_is_refused(arguments, message, tmp_path):
    ran = run("reduce", *arguments, cwd=tmp_path)
    assert ran.returncode == 2
    if message is not None:
        assert ran.stderr.decode().splitlines()[0] == message
    assert list(tmp_path.iterdir()) == []


def test_a_spec_is_never_overwritten(tmp_path):
    path = tmp_path / "net.yaml"
    text = "input: {channels: 8, size: 9}\nlayers: [{conv: 4, kernel: 3}]\n"
    path.write_text(text, "utf-8")
    ran = run("reduce", str(path), "--channels", "2", "--write", str(path))
    assert ran.stderr.decode() == f"error: --write would overwrite the spec `{path}`\n"
    assert path.read_text("utf-8") == text


@pytest.mark.parametrize(
    "layers",
    [
        "[{conv: 8, kernel: 3, repeat: 2}]",
        "[{conv: 2*in_channels, kernel: 3}]",
    ],
)
def test_a_spec_that_cannot_be_written_is_refused(layers, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(f"input: {{channels: 8, size: 9}}\nlayers: {layers}\n", "utf-8")
    ran = run("reduce", str(path), "--channels", "2", "--write", str(tmp_path / "new.yaml"))
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        "error: cannot write the spec: the new text would not have the costs of net reduced\n"
        "help: a layer has `repeat` or `from`, or an option depends on the input channels\n"
    )
    assert [file.name for file in tmp_path.iterdir()] == ["net.yaml"]


# What is written gives what was promised, on generated specs

KINDS = st.one_of(
    st.builds("{{conv: {}, kernel: 3, padding: 1}}".format, st.integers(2, 40)),
    st.builds("{{conv: {}, kernel: 1}}".format, st.integers(2, 40)),
    st.builds("{{conv: {}, kernel: 5, padding: 2, bias: true}}".format, st.integers(2, 40)),
    st.builds(
        "conv: {}\n{{indent}}kernel: 3\n{{indent}}stride: 2\n{{indent}}padding: 1".format,
        st.integers(2, 40),
    ),
    st.sampled_from(["relu", "batch_norm", "{max_pool: 2, stride: 2}", "{body: }"]),
)
REDUCTIONS = st.sampled_from(
    [
        ["{conv: 4, kernel: 1}", "relu", "{conv: 30, kernel: 3, padding: 1}"],
        [
            "{conv: 4, kernel: 1, bias: true}",
            "{conv: 4, kernel: 3}",
            "relu",
            "{conv: 30, kernel: 1}",
        ],
        ["{conv: 3, kernel: 1, stride: 2}", "batch_norm", "{conv: 20, kernel: 3, padding: 1}"],
    ]
)


def written_list(layers: list[str], indent: str, *, flow: bool, number: int) -> str:
    """A list of layers in brackets or in lines, each line with a comment of its own."""
    if flow and not any("\n" in layer for layer in layers):
        return f" [{', '.join(layers)}]  # list {number}\n"
    lines = [layer.replace("{indent}", f"{indent}  ") for layer in layers]
    firsts = [line.split("\n", 1) for line in lines]
    return "\n" + "".join(
        f"{indent}- {first}  # layer {number}.{k}\n" + "".join(f"{more}\n" for more in rest)
        for k, (first, *rest) in enumerate(firsts)
    )


@st.composite
def specs(draw) -> str:
    """A network with a block that it may call, in every style of lists."""
    groups = st.lists(st.one_of(KINDS.map(lambda layer: [layer]), REDUCTIONS), max_size=3)
    layers = [layer for group in draw(groups) for layer in group]
    body = [layer for group in draw(groups) for layer in group if layer != "{body: }"]
    layers, body = layers or ["{body: }"], body or ["relu"]
    return (
        "# before\ninput: {channels: 16, size: 32}\nblocks:\n  body:\n    layers:"
        + written_list(body, "      ", flow=draw(st.booleans()), number=1)
        + "layers:"
        + written_list(layers, "  ", flow=draw(st.booleans()), number=2)
        + "# after\n"
    )


def check_written(text: str, before, plan, removed_comments: frozenset[str] = frozenset()) -> None:
    """The text is refused in plain words, or gives the expected network and has all comments but
    those on the lines of removed layers."""
    source = Source("net.yaml", text)
    expected = costs(apply_edit(before.network, plan.change()))
    try:
        new = rewrite_text(source, None, Settings(), [Rewrite(0, before, expected, plan.edit)])
    except ConstraintError:
        return
    (after,) = load(Source("net.yaml", new))
    steps = expected.network.steps
    assert [step.inputs for step in after.steps] == [step.inputs for step in steps]
    assert totals(costs(after)) == totals(expected)
    comments, left = re.findall(r"#.*", text), re.findall(r"#.*", new)
    assert set(comments) - set(left) <= removed_comments
    assert sorted(left) == [comment for comment in sorted(comments) if comment in left]


def network_of(text: str):
    try:
        (network,) = load(Source("net.yaml", text))
    except SpecError:
        reject()
    return network


@pytest.mark.slow
@given(specs(), st.sampled_from(["1/2", "1/4", "3/4", "3"]), st.booleans())
def test_a_spec_with_inserted_1x1_gives_the_network_that_was_counted(text, part, expand):
    before = costs(network_of(text))
    found = find_savings(before, (), (Width.parse(part),), expand=expand)
    insertions = Insertions(found, named=False)
    if insertions.chosen:
        check_written(text, before, insertions)


@given(specs())
def test_a_spec_without_its_1x1_gives_the_network_that_was_counted(text):
    network = network_of(text)
    found = find_reductions(network)
    places = [item.span for reduction in found.reductions for item in reduction.removed]
    lines = text.splitlines()
    comments = frozenset("#" + line.split("#")[1] for line in lines if "# layer" in line)
    if places:
        check_written(text, costs(network), found, comments)


def test_undo_names_layers_whose_macs_are_not_counted():
    text = """\
name: net
input: {channels: 64, size: 8}
layers:
  - {conv: 16, kernel: 1}
  - {conv: 64, kernel: 3, padding: 1}
  - {custom: magic, params: 0, macs: uncounted}
"""
    printed = run("reduce", "-", "--undo", text=text).stdout.decode().splitlines()
    assert printed[-2:] == [
        "uncounted: the macs of 1 layer of net are unknown and not in the total: custom_1",
        "uncounted: the macs of 1 layer of net naive are unknown and not in the total: custom_1",
    ]
