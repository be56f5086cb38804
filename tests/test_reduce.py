"""`convcost reduce`: where a 1x1 would pay, and specs rewritten with it or without."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import answer, cost, run, totals

from convcost.costs import costs
from convcost.errors import Source
from convcost.questions.reduce.break_even import BreakEven
from convcost.questions.reduce.narrow import Width, break_even, candidates, form
from convcost.spec.load import load

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
def test_up_to_the_break_even_a_1x1_saves_and_beyond_it_never(channels, filters, kernel, expand):
    spec = ONE.format(c=channels, f=filters, k=kernel, p=kernel // 2)
    (candidate,), _ = candidates(cost(spec))
    even = break_even(candidate, macs=False, expand=expand)
    naive = filters * kernel * kernel * channels

    def weights(r):
        if expand:
            return r * channels + r * kernel * kernel * r + filters * r
        return r * channels + filters * kernel * kernel * r

    for r in {1, even.most, even.most + 1, channels}:
        if r > 0:
            assert form(candidate, r, expand=expand).weights.value == weights(r)
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


def test_inception_3a_is_offered_what_its_authors_chose():
    """The 5x5 to 16 and the 3x3 to 96: 157,184 weights in all."""
    found = answer("reduce", "inception_3a#naive", "3x3/conv_1=96", "5x5/conv_1=16")["networks"][0]
    by_path = {offer["path"]: offer for offer in found["convolutions"]}
    three, five = by_path["3x3/conv_1"]["reduced"][0], by_path["5x5/conv_1"]["reduced"][0]
    assert three["weights"] == 96 * 192 + 128 * 3 * 3 * 96
    assert five["weights"] == 16 * 192 + 32 * 5 * 5 * 16
    assert three["work"] == "96 × 1 × 1 × 192 + 128 × 3 × 3 × 96"
    assert 64 * 192 + three["weights"] + five["weights"] == 157184
    assert by_path["3x3/conv_1"]["break_even_weights"]["exact"] == str(
        Fraction(9 * 192 * 128, 192 + 9 * 128)
    )


def test_offers_stand_in_the_order_of_what_they_save():
    found = answer("reduce", "googlenet")["networks"][0]["convolutions"]
    savings = [max(form["saved_macs"] for form in offer["reduced"]) for offer in found]
    assert savings == sorted(savings, reverse=True)


def test_a_stride_moves_the_break_even_of_macs_but_not_of_weights():
    found = cost("input: {channels: 96, size: 56}\nlayers: [{conv: 192, kernel: 2, stride: 2}]")
    (candidate,), _ = candidates(found)
    weights = break_even(candidate, macs=False, expand=False)
    macs = break_even(candidate, macs=True, expand=False)
    assert Fraction(weights.exact) == Fraction(4 * 96 * 192, 96 + 4 * 192)
    # The 1x1 works at 56 × 56 positions, the window at 28 × 28.
    assert Fraction(macs.exact) == Fraction(4 * 96 * 192, 4 * 96 + 4 * 192)


@pytest.mark.parametrize("batch", ["1", "8"])
def test_offers_count_the_macs_of_the_batch(batch):
    found = answer("reduce", "inception_3a#naive", "5x5", "--channels", "16", "--batch", batch)
    (offer,) = found["networks"][0]["convolutions"]
    assert offer["macs"] == 32 * 25 * 192 * 28 * 28 * int(batch)
    assert offer["reduced"][0]["macs"] == (16 * 192 + 32 * 25 * 16) * 28 * 28 * int(batch)


@pytest.mark.parametrize(
    ("text", "of", "expression"),
    [("64", 64, "64"), ("1/4", 48, "in_channels // 4"), ("3/4", 144, "3 * in_channels // 4")],
)
def test_a_width_is_a_count_or_a_part(text, of, expression):
    part, _, whole = text.partition("/")
    width = Width(int(part), int(whole or 0))
    assert (width.of(192), width.text) == (of, expression)


# Bad requests

NO_WIDTH = "error: a width is a count of channels or a part of them, like 64 or 1/4, not"
NOTHING = "there is nothing for a 1x1 to reduce"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["vgg16", "conv1/conv_2/relu_1"],
            "error: `conv1/conv_2/relu_1` is a relu, not a convolution",
        ),
        (["googlenet", "conv2/reduce"], f"error: `conv2/reduce` is a 1x1: {NOTHING}"),
        (["resnext50", "conv2_x/bottleneck_1/main/conv_bn_2/conv_1"], None),
        (
            ["mobilenet_v1", "conv2/depthwise_1"],
            f"error: `conv2/depthwise_1` is a depthwise: {NOTHING}",
        ),
        (["vgg16", "fc6"], "error: there is no convolution larger than 1x1 in `fc6`"),
        (["vgg16", "conv9"], "error: there is no layer `conv9` in VGG-16; did you mean `conv5`?"),
        (
            ["inception_3a#naive", "3x3/conv_1=193"],
            "error: a 1x1 cannot reduce `3x3/conv_1` to 193 channels: 192 come in",
        ),
        (
            ["inception_3a#naive", "3x3/conv_1", "--channels", "64,200"],
            "error: a 1x1 cannot reduce `3x3/conv_1` to 200 channels: 192 come in",
        ),
        (["vgg16", "--channels", "0"], f"{NO_WIDTH} `0`"),
        (["vgg16", "--channels", "5/4"], f"{NO_WIDTH} `5/4`"),
        (["vgg16", "--channels", "1/4,,2"], f"{NO_WIDTH} ``"),
        (
            ["vgg16", "--undo", "--channels", "8"],
            "error: --undo takes no channels: what the 1x1 leaves is what it finds",
        ),
        (["vgg16", "--undo", "--expand"], "error: --undo does not go with --expand"),
        (
            ["vgg16", "--undo", "--write", "x.yaml"],
            "error: there is no 1x1 reduction in `vgg16` to undo",
        ),
        (
            ["vgg16", "--write", "x.yaml"],
            "error: --write takes one width: choose it, like --channels 1/4",
        ),
        (
            ["mobilenet_v1", "--channels", "1/4", "--write", "x.yaml"],
            "error: there is nothing to reduce in `mobilenet_v1`",
        ),
    ],
)
def test_bad_requests_are_refused_in_plain_words(arguments, message, tmp_path):
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
    ("layers", "message"),
    [
        (
            "[{conv: 8, kernel: 3, repeat: 2}]",
            "cannot be written: a 1x1 cannot stand before a layer with `repeat`, line 2",
        ),
        (
            "[{relu: , name: a}, {conv: 8, kernel: 3, from: a}]",
            "cannot be written: a 1x1 cannot stand before a layer with `from`, line 2",
        ),
        (
            "[{conv: 2*in_channels, kernel: 3}]",
            "cannot be written: `2*in_channels` of line 2 leans on what comes in",
        ),
    ],
)
def test_what_cannot_be_written_is_said(layers, message, tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(f"input: {{channels: 8, size: 9}}\nlayers: {layers}\n", "utf-8")
    ran = run("reduce", str(path), "--channels", "2", "--write", str(tmp_path / "new.yaml"))
    assert ran.returncode == 2
    assert ran.stderr.decode().splitlines()[0] == f"error: {message}"
    assert [file.name for file in tmp_path.iterdir()] == ["net.yaml"]


# A law: whatever is written comes to what was counted, or is refused


@given(
    widths=st.lists(st.integers(2, 40), min_size=1, max_size=4),
    kernels=st.lists(st.sampled_from([1, 2, 3, 5]), min_size=4, max_size=4),
    block=st.booleans(),
    flow=st.booleans(),
    part=st.sampled_from(["1/2", "1/4", "3"]),
)
def test_rewiring_and_writing_agree(widths, kernels, block, flow, part):
    from convcost.errors import UsageError
    from convcost.questions.reduce.insert import plan
    from convcost.questions.reduce.insert_text import reduce_edit
    from convcost.questions.reduce.offers import offers
    from convcost.questions.reduce.write import Planned, written
    from convcost.spec.entry import Settings

    layers = [
        f"{{conv: {width}, kernel: {kernel}, padding: {kernel // 2}}}"
        for width, kernel in zip(widths, kernels, strict=False)
    ]
    listed = f" [{', '.join(layers)}]" if flow else "".join(f"\n      - {one}" for one in layers)
    body = "[{body: }, relu, {body: }]" if block else "[{sequence: [relu]}]"
    text = (
        "input: {channels: 16, size: 16}\n"
        f"blocks:\n  body:\n    layers:{listed}\n"
        f"layers: {body if block else listed}\n"
    )
    number, _, whole = part.partition("/")
    source = Source("net.yaml", text)
    (network,) = load(source)
    found = offers(costs(network), (), (Width(int(number), int(whole or 0)),), expand=False)
    try:
        made = plan(found, named=False)
    except UsageError:
        return
    assume(made.insertions)
    edit = reduce_edit(network, made.insertions, expand=False)
    planned = Planned(network, made.change, edit, "new")
    new = written(source, None, Settings(), [planned])
    (after,) = load(Source("net.yaml", new.text))
    assert totals(costs(after)) == totals(costs(planned.promised))
