"""`convcost reduce`: where a 1x1 would pay, and specs rewritten with it or without."""

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convcost.costs import MEASURES, costs
from convcost.errors import Source
from convcost.questions.reduce.break_even import BreakEven
from convcost.questions.reduce.find import survey, undoing
from convcost.questions.reduce.narrow import Width, break_even, candidates, form
from convcost.rewire import rewired
from convcost.spec.load import load
from tests.support import SPECS, cost, run, shipped

ONE = """
input: {{channels: {c}, size: 12}}
layers: [{{conv: {f}, kernel: {k}, padding: {p}}}]
"""


def loaded(path: Path):
    """The costs of all networks of a file."""
    return [costs(network) for network in load(Source(path.name, path.read_text("utf-8")))]


def totals(of) -> dict[str, int]:
    return {measure: getattr(of.totals, measure) for measure in MEASURES}


def answer(*arguments: str) -> dict:
    ran = run("reduce", *arguments, "--format", "json")
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


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
    found = answer("inception_3a#naive", "3x3/conv_1=96", "5x5/conv_1=16")["networks"][0]
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
    found = answer("googlenet")["networks"][0]["convolutions"]
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
    found = answer("inception_3a#naive", "5x5", "--channels", "16", "--batch", batch)
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


# Writing: what is promised is what the file comes to

WRITABLE = (
    "googlenet", "resnet50", "resnet152", "vgg16", "inception_3a", "cs231n", "resnet18", "nin",
    "inception_v3", "densenet121", "squeezenet1_1", "unet", "c3d", "convnext_tiny", "se_resnet50",
    "reduce_3x3", "reduce_4x4", "reduce_5x5", "bottleneck_256", "fully_convolutional", "alexnet",
)  # fmt: skip


@pytest.mark.parametrize("name", WRITABLE)
def test_a_written_spec_comes_to_what_was_promised_and_undone_to_what_was(name, tmp_path):
    reduced, back = tmp_path / "reduced.yaml", tmp_path / "back.yaml"
    said = answer(name, "--channels", "1/4", "--write", str(reduced))["written"]["networks"]
    found = {of.network.name: of for of in loaded(reduced)}
    for network in said:
        assert totals(found[network["name"]]) == network["totals"]
    answer(str(reduced), "--undo", "--no-projections", "--write", str(back))
    before = [totals(of) for of in loaded(SPECS / f"{name}.yaml")]
    assert [totals(of) for of in loaded(back)] == before


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "resnet18", "inception_v3", "c3d"])
def test_bottlenecks_that_were_written_are_found_and_undone(name, tmp_path):
    reduced, back = tmp_path / "reduced.yaml", tmp_path / "back.yaml"
    said = answer(name, "--channels", "1/4", "--expand", "--write", str(reduced))["written"]
    assert [totals(of) for of in loaded(reduced)] == [n["totals"] for n in said["networks"]]
    undone = answer(str(reduced), "--undo", "--no-projections", "--write", str(back))
    forms = {item["form"] for network in undone["networks"] for item in network["undone"]}
    assert forms == {"bottleneck"}
    before = [totals(of) for of in loaded(SPECS / f"{name}.yaml")]
    assert [totals(of) for of in loaded(back)] == before


def test_inception_3a_is_reduced_and_undone_by_the_two_numbers_of_its_paper(tmp_path):
    reduced, back = tmp_path / "reduced.yaml", tmp_path / "back.yaml"
    run("reduce", "inception_3a#naive", "3x3=96", "5x5=16", "--write", str(reduced))
    run("reduce", str(reduced), "--undo", "--write", str(back))
    (small,), (large,) = loaded(reduced), loaded(back)
    assert small.totals.weights == 157184
    assert large.totals.weights == 387072
    assert small.network.name == "naive reduced"
    assert large.network.name == "naive naive"


def test_comments_order_and_all_else_stay_as_they_were(tmp_path):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    old.write_text(COMMENTED, "utf-8")
    answer(str(old), "--channels", "8", "--write", str(new))
    assert new.read_text("utf-8") == COMMENTED.replace(
        "  - conv: 32         # in lines",
        "  - {conv: 8, kernel: 1, name: reduce}\n  - conv: 32         # in lines",
    ).replace("[{conv: 16, kernel", "[{conv: 8, kernel: 1, name: reduce_2}, {conv: 16, kernel")


COMMENTED = """\
# A net of mine.
input: {channels: 64, size: 16}   # RGB it is not

layers:
  # the body
  - conv: 32         # in lines
    kernel: 3        # three
    padding: 1
  - relu             # after it
  - sequence:  [{conv: 16, kernel: 3},   # in brackets
                {conv: 4, kernel: 1, name: reduce}]   # the name is taken
x-note: kept
"""


def test_comments_of_what_goes_stay(tmp_path):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    old.write_text(
        """\
input: {channels: 64, size: 16}
layers:
  - conv: 8       # few
    kernel: 1     # a 1x1
  - relu          # between
  # and then
  - {conv: 32, kernel: 3}
  - concat:
      a: [{conv: 4, kernel: 1},   # narrow
          relu, {conv: 8, kernel: 3}]
      b: [{conv: 8, kernel: 3}]
""",
        "utf-8",
    )
    answer(str(old), "--undo", "--write", str(new))
    assert (
        new.read_text("utf-8")
        == """\
input: {channels: 64, size: 16}
layers:
  # few
  # a 1x1
  # between
  # and then
  - {conv: 32, kernel: 3}
  - concat:
      a: [ # narrow
                {conv: 8, kernel: 3}]
      b: [{conv: 8, kernel: 3}]
"""
    )


# Undoing


@pytest.mark.parametrize(
    ("name", "document", "settings", "weights", "channels"),
    [
        (
            "inception_3a", "reduced", {"pool": True},
            64 * 192 + 128 * 3 * 3 * 192 + 32 * 5 * 5 * 192, 64 + 128 + 32 + 192,
        ),
        ("inception_3a", "reduced", {}, 387072, 64 + 128 + 32),
        ("cs231n", "reduced", {}, 128 * 256 + 192 * 9 * 256 + 96 * 25 * 256, 672),
        ("reduce_3x3", "reduced", {}, 256 * 3 * 3 * 256, 256),
        ("reduce_4x4", "reduced", {}, 256 * 4 * 4 * 256, 256),
        ("reduce_5x5", "reduced", {}, 5 * 5 * 512 * 64, 64),
    ],
)  # fmt: skip
def test_the_naive_network_is_found_by_itself(name, document, settings, weights, channels):
    before = shipped(name, document, **settings)
    found = survey(before.network)
    naive = costs(rewired(before.network, undoing(before.network, found.found)))
    assert (naive.totals.weights, naive.network.output.channels) == (weights, channels)
    assert found.left == ()


def test_resnet_50_is_sixteen_bottlenecks():
    before = shipped("resnet50")
    found = survey(before.network)
    assert [item.form for item in found.found] == ["bottleneck"] * 16
    naive = costs(rewired(before.network, undoing(before.network, found.found)))
    by_path = {layer.path: layer for layer in naive.layers}
    assert by_path["conv3_x/bottleneck_2/main/conv_bn_2/conv_1"].weights == 512 * 3 * 3 * 512


def test_a_stride_of_the_1x1_goes_to_the_window(tmp_path):
    """Both placements of ResNet's stride come to the same naive network."""
    found = []
    for paper in ("false", "true"):
        path = tmp_path / f"{paper}.yaml"
        answer("resnet50", "--set", f"paper={paper}", "--undo", "--write", str(path))
        found.append(totals(loaded(path)[0]))
    assert found[0] == found[1]


def test_what_is_no_reduction_is_left_alone():
    """Projections of shortcuts, widenings, 1x1 that two layers take, and grouped windows."""
    for name in ("mobilenet_v2", "vgg16", "xception", "efficientnet_b0"):
        assert survey(shipped(name).network).found == ()
    found = survey(shipped("resnext50").network)
    assert found.found == ()
    assert {reason for _, reason in found.left} == {"has groups, or feeds a convolution that has"}


def test_what_shares_its_line_with_other_layers_is_left_and_said():
    text = """
    input: {channels: 64, size: 16}
    blocks:
      point: {options: {f: }, layers: [{conv: f, kernel: 1}]}
      pair: {layers: [{point: 8}, {conv: 64, kernel: 3, when: in_width > 12}, {max_pool: 3}]}
    layers: [{pair: , repeat: 2}]
    """
    found = survey(cost(text).network)
    assert found.found == ()
    assert found.left == (
        ("pair_1/point_1/conv_1", "shares its line of the spec with layers that are no reduction"),
    )


def test_a_name_that_was_taken_goes_on_to_the_next_layer(tmp_path):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    old.write_text(
        "input: {channels: 8, size: 9}\n"
        "layers:\n"
        "  - {conv: 64, kernel: 1, name: wide}\n"
        "  - {max_pool: 3}\n"
        "  - {conv: 4, kernel: 1, from: wide}\n"
        "  - {conv: 16, kernel: 3}\n",
        "utf-8",
    )
    answer(str(old), "--undo", "--write", str(new))
    assert new.read_text("utf-8").splitlines()[-1] == "  - {conv: 16, kernel: 3, from: wide}"
    assert loaded(new)[0].totals.weights == 64 * 8 + 16 * 9 * 64


def test_names_by_ordinal_still_mean_the_same_layer(tmp_path):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    old.write_text(
        "input: {channels: 64, size: 9}\n"
        "layers:\n"
        "  - {conv: 8, kernel: 1}\n"
        "  - {conv: 16, kernel: 3, padding: 1}\n"
        "  - {conv: 16, kernel: 3, padding: 1}\n"
        "  - {add: [conv_2, conv_3]}\n",
        "utf-8",
    )
    answer(str(old), "--undo", "--write", str(new))
    assert new.read_text("utf-8").splitlines()[2:] == [
        "  - {conv: 16, kernel: 3, padding: 1, name: conv_2}",
        "  - {conv: 16, kernel: 3, padding: 1, name: conv_3}",
        "  - {add: [conv_2, conv_3]}",
    ]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_keep_their_endings(tmp_path, ending):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    text = "input: {channels: 8, size: 9}\nlayers:\n  - conv: 4\n    kernel: 3\n"
    old.write_bytes(text.replace("\n", ending).encode())
    answer(str(old), "--channels", "2", "--write", str(new))
    added = "layers:\n  - {conv: 2, kernel: 1, name: reduce}\n"
    assert new.read_bytes() == text.replace("layers:\n", added).replace("\n", ending).encode()


def test_the_new_spec_can_go_down_a_pipe():
    spec = run("reduce", "inception_3a#reduced", "--undo", "--write", "-")
    assert spec.returncode == 0
    assert b"name: reduced naive" in spec.stdout
    compared = run("compare", "-", "inception_3a#reduced", "--format", "json", text=spec.stdout)
    networks = json.loads(compared.stdout)["networks"]
    assert [network["totals"]["weights"] for network in networks] == [387072, 157184]


def test_one_document_of_several_is_written_alone(tmp_path):
    new = tmp_path / "new.yaml"
    answer("cs231n#reduced", "--undo", "--write", str(new))
    text = new.read_text("utf-8")
    assert text.startswith("name: reduced naive\n")
    assert "---" not in text
    answer("cs231n", "--undo", "--write", str(new))
    assert [of.totals.weights for of in loaded(new)] == [1089536, 1089536]


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
