"""`convcost reduce --write` and `--undo`: specs rewritten with 1x1 reductions, or without."""

import json

import pytest
from support import SPECS, answer, cost, loaded, run, shipped, totals

from convcost.model.costs import costs
from convcost.model.graph_edit import apply_edit
from convcost.reports.reduce.reductions import find_reductions

pytestmark = pytest.mark.slow

# Writing: the file gives the network that the report promises

WRITABLE = (
    "googlenet", "resnet50", "resnet152", "vgg16", "inception_3a", "cs231n", "resnet18", "nin",
    "inception_v3", "densenet121", "squeezenet1_1", "unet", "c3d", "se_resnet50",
    "reduce_3x3", "reduce_4x4", "reduce_5x5", "bottleneck_256", "fully_convolutional", "alexnet",
)  # fmt: skip


@pytest.mark.parametrize("name", WRITABLE)
def test_a_written_spec_has_the_reported_costs_and_undone_the_old_ones(name, tmp_path):
    reduced, back = tmp_path / "reduced.yaml", tmp_path / "back.yaml"
    report = answer("reduce", name, "--channels", "1/4", "--write", str(reduced))["written"]
    found = {of.network.name: of for of in loaded(reduced)}
    for network in report["networks"]:
        assert totals(found[network["name"]]) == network["totals"]
    answer("reduce", str(reduced), "--undo", "--no-projections", "--write", str(back))
    before = [totals(of) for of in loaded(name)]
    assert [totals(of) for of in loaded(back)] == before


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "resnet18", "inception_v3", "c3d"])
def test_written_bottlenecks_are_found_and_undone(name, tmp_path):
    reduced, back = tmp_path / "reduced.yaml", tmp_path / "back.yaml"
    report = answer("reduce", name, "--channels", "1/4", "--expand", "--write", str(reduced))[
        "written"
    ]
    assert [totals(of) for of in loaded(reduced)] == [n["totals"] for n in report["networks"]]
    undone = answer("reduce", str(reduced), "--undo", "--no-projections", "--write", str(back))
    forms = {item["form"] for network in undone["networks"] for item in network["undone"]}
    assert forms == {"bottleneck"}
    before = [totals(of) for of in loaded(name)]
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


def test_comments_order_and_style_stay(tmp_path):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    old.write_text(COMMENTED, "utf-8")
    answer("reduce", str(old), "--channels", "8", "--write", str(new))
    assert new.read_text("utf-8") == COMMENTED.replace(
        "  - conv: 32         # in lines",
        "  - {conv: 8, kernel: 1, name: conv_1_reduce}\n  - conv: 32         # in lines",
    ).replace("    padding: 1\n", "    padding: 1\n    name: conv_1\n").replace(
        "[{conv: 16, kernel: 3}",
        "[{conv: 8, kernel: 1, name: conv_1_reduce}, {conv: 16, kernel: 3, name: conv_1}",
    )


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
                {conv: 4, kernel: 1, name: reduce}]   # named
x-note: kept
"""


def test_removed_layers_lose_only_the_comments_on_their_lines(tmp_path):
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
    answer("reduce", str(old), "--undo", "--write", str(new))
    assert (
        new.read_text("utf-8")
        == """\
input: {channels: 64, size: 16}
layers:
  # and then
  - {conv: 32, kernel: 3}
  - concat:
      a: [{conv: 8, kernel: 3}]
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
def test_the_naive_network_is_found(name, document, settings, weights, channels):
    before = shipped(name, document, **settings)
    found = find_reductions(before.network)
    naive = costs(apply_edit(before.network, found.change()))
    assert (naive.totals.weights, naive.network.output.channels) == (weights, channels)
    assert found.left == ()


def test_resnet_50_is_sixteen_bottlenecks():
    before = shipped("resnet50")
    found = find_reductions(before.network)
    assert [item.form for item in found.reductions] == ["bottleneck"] * 16
    naive = costs(apply_edit(before.network, found.change()))
    by_path = {layer.path: layer for layer in naive.layers}
    assert by_path["conv3_x/bottleneck_2/main/conv_bn_2/conv_1"].weights == 512 * 3 * 3 * 512


def test_the_window_gets_the_stride_of_the_1x1(tmp_path):
    """Both placements of ResNet's stride come to the same naive network."""
    found = []
    for paper in ("false", "true"):
        path = tmp_path / f"{paper}.yaml"
        answer("reduce", "resnet50", "--set", f"paper={paper}", "--undo", "--write", str(path))
        found.append(totals(loaded(path)[0]))
    assert found[0] == found[1]


def test_layers_that_are_not_a_reduction_stay():
    """Projections of shortcuts, widenings, 1x1 that two layers take, and grouped windows."""
    for name in ("mobilenet_v2", "vgg16", "xception", "efficientnet_b0"):
        assert find_reductions(shipped(name).network).reductions == ()
    found = find_reductions(shipped("resnext50_32x4d").network)
    assert found.reductions == ()
    assert {reason for _, reason in found.left} == {
        "has groups, or a convolution with groups uses its output"
    }


def test_a_1x1_that_shares_its_line_with_other_layers_is_counted_but_not_written():
    text = """
    input: {channels: 64, size: 16}
    blocks:
      point: {options: {f: }, layers: [{conv: f, kernel: 1}]}
      pair: {layers: [{point: 8}, {conv: 64, kernel: 3, when: in_width > 12}, {max_pool: 3}]}
    layers: [{pair: , repeat: 2}]
    """
    found = find_reductions(cost(text).network)
    assert [reduction.removed[0].path for reduction in found.reductions] == ["pair_1/point_1"]
    ran = run("reduce", "-", "--undo", "--write", "-", text=text)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(
        "error: cannot write the spec: the new text would not have the costs of"
    )


def test_ordinal_names_still_name_the_same_layer(tmp_path):
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
    answer("reduce", str(old), "--undo", "--write", str(new))
    assert new.read_text("utf-8").splitlines()[2:] == [
        "  - {conv: 16, kernel: 3, padding: 1, name: conv_2}",
        "  - {conv: 16, kernel: 3, padding: 1, name: conv_3}",
        "  - {add: [conv_2, conv_3]}",
    ]


@pytest.mark.parametrize(
    ("before", "conv", "last"),
    [
        ("{conv: 8, kernel: 1, repeat: 2, name: r}", "conv_1", "conv_2"),
        ("{conv: 8, kernel: 1, repeat: 3}", "conv_4", "conv_5"),
        ("{conv: 8, kernel: 1, repeat: 0}", "conv_1", "conv_2"),
        ("{conv: 8, kernel: 1, when: false}", "conv_2", "conv_3"),
    ],
)
def test_copies_before_a_layer_leave_its_path_as_it_is(tmp_path, before, conv, last):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    head = f"input: {{channels: 8, size: 8}}\nlayers:\n  - {before}\n"
    old.write_text(f"{head}  - {{conv: 8, kernel: 3}}\n  - {{conv: 4, kernel: 1}}\n", "utf-8")
    answer("reduce", str(old), "--channels", "2", "--write", str(new))
    assert new.read_text("utf-8") == (
        f"{head}"
        f"  - {{conv: 2, kernel: 1, name: {conv}_reduce}}\n"
        f"  - {{conv: 8, kernel: 3, name: {conv}}}\n"
        f"  - {{conv: 4, kernel: 1, name: {last}}}\n"
    )
    paths = [[layer.path for layer in cost(one.read_text("utf-8")).layers] for one in (old, new)]
    assert paths[1] == [*paths[0][:-2], f"{conv}_reduce", *paths[0][-2:]]


def test_a_change_that_would_rename_copies_is_refused(tmp_path):
    """The 3x3 is conv_1, the copies are conv_2 and conv_3."""
    path = tmp_path / "net.yaml"
    layers = "  - {conv: 8, kernel: 3}\n  - {conv: 4, kernel: 1, repeat: 2}\n"
    path.write_text(f"input: {{channels: 8, size: 8}}\nlayers:\n{layers}", "utf-8")
    ran = run("reduce", str(path), "--channels", "2", "--write", "-")
    assert (ran.returncode, ran.stderr.decode()) == (
        2,
        (
            "error: cannot write the spec: the change would rename the copies at line 4\n"
            "help: give this layer a `name`\n"
        ),
    )


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_lines_keep_their_endings(tmp_path, ending):
    old, new = tmp_path / "net.yaml", tmp_path / "new.yaml"
    text = "input: {channels: 8, size: 9}\nlayers:\n  - conv: 4\n    kernel: 3\n"
    old.write_bytes(text.replace("\n", ending).encode())
    answer("reduce", str(old), "--channels", "2", "--write", str(new))
    added = "layers:\n  - {conv: 2, kernel: 1, name: conv_1_reduce}\n"
    text = text.replace("layers:\n", added) + "    name: conv_1\n"
    assert new.read_bytes() == text.replace("\n", ending).encode()


def test_the_new_spec_can_be_piped_to_compare():
    spec = run("reduce", "inception_3a#reduced", "--undo", "--write", "-")
    assert spec.returncode == 0
    assert b"name: reduced naive" in spec.stdout
    compared = run("compare", "-", "inception_3a#reduced", "--format", "json", text=spec.stdout)
    networks = json.loads(compared.stdout)["networks"]
    assert [network["totals"]["weights"] for network in networks] == [387072, 157184]


def test_a_picked_document_is_written_alone(tmp_path):
    new = tmp_path / "new.yaml"
    answer("reduce", "cs231n#reduced", "--undo", "--write", str(new))
    text = new.read_text("utf-8")
    assert text.startswith("name: reduced naive\n")
    assert "---" not in text
    answer("reduce", "cs231n", "--undo", "--write", str(new))
    assert [of.totals.weights for of in loaded(new)] == [1089536, 1089536]


# Texts that are hard to change

HARD = [
    (
        "published figures are kept as a section that is not read",
        ["--channels", "1/4"],
        """\
x-pub: &pub tutorials
input: {channels: 64, size: 16}
published: [{params: 18432, source: *pub}]
budget: {params: {max: 7M}}
layers:
  - {conv: 32, kernel: 3}
""",
        """\
x-pub: &pub tutorials
input: {channels: 64, size: 16}
x-published: [{params: 18432, source: *pub}]
budget: {params: {max: 7M}}
layers:
  - {conv: in_channels // 4, kernel: 1, name: conv_1_reduce}
  - {conv: 32, kernel: 3, name: conv_1}
""",
    ),
    (
        "an apostrophe is no quote",
        ["--undo"],
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 8, kernel: 1, note: don't}  # it's important
  - {conv: 32, kernel: 3}
""",
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 32, kernel: 3}
""",
    ),
    (
        "a plain text runs over lines",
        ["--undo"],
        """\
input: {channels: 64, size: 16}
layers:
  - conv: 8
    kernel: 1
    note: a
       b
       c
  - {conv: 32, kernel: 3}
""",
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 32, kernel: 3}
""",
    ),
    (
        "a budget of layers is kept as a section that is not read",
        ["--channels", "1/4"],
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 16, kernel: 3}
  - {conv: 48, kernel: 3}
budget: {layers: [{match: "*_[2]", params: {max: 7K}}]}
""",
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: in_channels // 4, kernel: 1, name: conv_1_reduce}
  - {conv: 16, kernel: 3, name: conv_1}
  - {conv: in_channels // 4, kernel: 1, name: conv_2_reduce}
  - {conv: 48, kernel: 3, name: conv_2}
x-budget: {layers: [{match: "*_[2]", params: {max: 7K}}]}
""",
    ),
    (
        "a pinned name pushes the next one",
        ["--undo"],
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 8, kernel: 1}
  - {conv: 16, kernel: 3, padding: 1}
  - conv: 16
    kernel: 3  # the last
    padding: 1
  - {concat: [conv_2, conv_2]}
""",
        """\
input: {channels: 64, size: 16}
layers:
  - {conv: 16, kernel: 3, padding: 1, name: conv_2}
  - conv: 16
    kernel: 3  # the last
    padding: 1
    name: conv_3
  - {concat: [conv_2, conv_2]}
""",
    ),
    (
        "JSON becomes YAML where it changes",
        ["--channels", "1/4"],
        '{"input": {"channels": 64, "size": 16}, "layers": [{"conv": 8, "kernel": 3}]}',
        """{"input": {"channels": 64, "size": 16}, "layers": [{conv: in_channels // 4, \
kernel: 1, name: conv_1_reduce}, {"conv": 8, "kernel": 3, name: conv_1}]}""",
    ),
    (
        "an anchor that no alias uses is replaced with its value",
        ["--channels", "1/4", "--expand"],
        """\
name: &n Net
input: {channels: 64, size: 16}
layers:
  - conv: &w 32
    kernel: 3
""",
        """\
name: Net reduced
input: {channels: 64, size: 16}
layers:
  - {conv: in_channels // 4, kernel: 1, name: conv_1_reduce}
  - conv: in_channels
    kernel: 3
    name: conv_1
  - {conv: 32, kernel: 1, name: conv_1_expand}
""",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "before", "after"), [case[1:] for case in HARD], ids=[case[0] for case in HARD]
)
def test_a_text_that_is_hard_to_edit(arguments, before, after):
    ran = run("reduce", "-", *arguments, "--write", "-", text=before)
    assert ran.stderr.decode() == ""
    assert ran.stdout.decode() == after


def test_a_picked_document_is_written_alone_even_after_directives(tmp_path):
    text = (
        "name: A\ninput: {channels: 64, size: 16}\nlayers: [{conv: 32, kernel: 3}]\n...\n"
        "%YAML 1.2\n---  # the second\n"
        "name: B\ninput: {channels: 64, size: 16}\nlayers: [{conv: 32, kernel: 3}]\n"
    )
    path = tmp_path / "net.yaml"
    path.write_text(text, "utf-8")
    first, second = (
        run("reduce", f"{path}#{name}", "--channels", "4", "--write", "-").stdout.decode()
        for name in "AB"
    )
    assert first.splitlines()[0] == "name: A reduced"
    assert first.splitlines()[-1].startswith("layers: ")
    assert second.splitlines()[:2] == ["# the second", "name: B reduced"]


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "[{conv: &k 8, kernel: 1}, {conv: 8, kernel: *k}]",
            "the new text would not be a valid spec: the alias `*k` has no anchor before it",
        ),
        (
            "[{conv: 8, kernel: 1}, {conv: &a 32, kernel: 3}, {conv: &a 8, kernel: 1}]",
            "PyYAML found duplicate anchor",
        ),
        (
            "[{conv: 8, kernel: 1, stride: 2}, {conv: 32, kernel: 3, padding: 1, stride: [1, 2]}]",
            "the new text would not have the costs of",
        ),
    ],
)
def test_a_network_whose_spec_cannot_be_edited_is_refused(layers, message):
    text = f"input: {{channels: 64, size: 16}}\nlayers: {layers}\n"
    ran = run("reduce", "-", "--undo", "--write", "-", text=text)
    assert ran.returncode == 2
    assert ran.stdout == b""
    assert ran.stderr.decode().startswith(f"error: cannot write the spec: {message}")


def test_a_name_is_not_written_after_an_alias():
    text = """\
input: {channels: 64, size: 16}
x-size: &size 3
layers:
  - conv: 32
    kernel: *size
"""
    ran = run("reduce", "-", "--channels", "8", "--write", "-", text=text)
    assert ran.stderr.decode() == (
        "error: cannot write the spec: the value at line 4 ends in an alias\n"
        "help: write the value out\n"
    )


@pytest.mark.parametrize(
    ("layers", "left"),
    [
        # A head that only training has takes the 1x1 too.
        ("[{conv: 8, kernel: 1}, {side: [sigmoid]}, {conv: 32, kernel: 3}]", []),
        # softmax mixes channels: it cannot go with the 1x1 as a norm does.
        ("[{conv: 8, kernel: 1}, softmax, {conv: 32, kernel: 3}]", []),
        (
            "[{conv: 8, kernel: 1, stride: 2}, {conv: 32, kernel: 5}]",
            [
                (
                    "conv_1",
                    "has a stride that would change the output size of the larger convolution",
                )
            ],
        ),
    ],
)
def test_a_1x1_that_does_more_than_reduce_is_not_undone(layers, left):
    found = find_reductions(cost(f"input: {{channels: 64, size: 16}}\nlayers: {layers}\n").network)
    assert found.reductions == ()
    assert list(found.left) == left


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense", "--undo"], "error: there is no layer `nonsense` in `-`; known here: "),
        (["b", "--undo"], "error: there is no 1x1 reduction in `b` to undo"),
        (["--no-projections"], "error: --projections works only with --undo; add --undo"),
        (
            ["a=4", "--write", "x.yaml", "-o", "csv:x.yaml"],
            "error: two outputs write to `x.yaml`; give each its own file",
        ),
    ],
)
def test_bad_requests_of_one_spec_are_refused(arguments, message, tmp_path):
    text = """\
input: {channels: 64, size: 16}
vars: {aux: false}
layers:
  - {conv: 16, kernel: 3, name: a}
  - {conv: 8, kernel: 1, name: squeeze}
  - {concat: [a, squeeze], when: aux}
  - {conv: 16, kernel: 3, name: b, padding: 1}
"""
    ran = run("reduce", "-", *arguments, text=text, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_layer_can_have_an_equals_sign_in_its_name():
    text = "input: {channels: 64, size: 9}\nlayers:\n"
    text += "  - {conv: 64, kernel: 3, name: a}\n  - {conv: 64, kernel: 3, name: a=8}\n"
    ran = run("reduce", "-", "a=8", "a=8=4", "--format", "json", text=text)
    (offer,) = json.loads(ran.stdout)["networks"][0]["convolutions"]
    assert offer["path"] == "a=8"
    assert [form["channels"] for form in offer["reduced"]] == [4]


def test_a_shipped_spec_is_never_overwritten(tmp_path):
    ran = run("reduce", "vgg16", "--channels", "1/4", "--write", str(SPECS / "vgg.yaml"))
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith("error: --write would overwrite the spec")


def test_a_convolution_whose_output_is_not_used_gets_no_second_1x1(tmp_path):
    text = """\
input: {channels: 64, size: 16}
layers:
  - {conv: 32, kernel: 3}
  - {sequence: [], from: input}
"""
    ran = run("reduce", "-", "--channels", "1/4", "--expand", "--write", "-", text=text)
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        "error: there is nothing to reduce in `-`\n"
        "help: conv_1 gets no 1x1: it is on the same line of the spec as layers that a 1x1 would "
        "change too\n"
    )


HEAD = "input: {channels: 64, size: 16}\nvars: {deep: true}\n"


@pytest.mark.parametrize(
    ("layers", "forms", "reasons"),
    [
        ("{conv: 8, kernel: 1}, {conv: 8, kernel: 3}, {conv: 32, kernel: 1}", ["bottleneck"], []),
        ("{conv: 8, kernel: 1}, {conv: 8, kernel: 3}, {conv: 8, kernel: 1}", ["reduction"], []),
        ("{conv: 8, kernel: 1}, {conv: 8, kernel: 3}, {conv: 4, kernel: 1}", ["reduction"], []),
        (
            "{conv: 8, kernel: 1}, {conv: 8, kernel: 3}, {conv: 32, kernel: 1, groups: 8}",
            ["reduction"],
            [],
        ),
        ("{conv: 64, kernel: 1}, {conv: 8, kernel: 3}", [], []),
        ("{conv: 65, kernel: 1}, {conv: 8, kernel: 3}", [], []),
        ("{conv: 63, kernel: 1}, {conv: 8, kernel: 3}", ["reduction"], []),
    ],
)
def test_a_1x1_reduces_the_channels_and_a_second_one_restores_them(layers, forms, reasons):
    ran = run("reduce", "-", "--undo", "--format", "json", text=f"{HEAD}layers: [{layers}]\n")
    (network,) = json.loads(ran.stdout)["networks"]
    assert [undone["form"] for undone in network["undone"]] == forms
    assert list(network["left"].values()) == reasons


def reduced(text, *arguments):
    ran = run("reduce", "-", *arguments, "--write", "-", text=text)
    return ran.stdout.decode() if ran.returncode == 0 else ran.stderr.decode()


@pytest.mark.parametrize(
    ("section", "kept"),
    [
        ("budget: {params: {max: 1M}}", True),
        ("budget: {layers: [{match: '*', params: {max: 1M}}]}", False),
        ("budget: {groups: [{match: '*', params: {max: 1M}}]}", False),
        ("dtype: int8", True),
        ("dtype: {all: int8, layers: [{match: a, all: int4}]}", False),
        ("published: [{params: 1, off: true, source: x}]", False),
    ],
)
def test_sections_about_single_layers_or_the_old_costs_are_renamed_with_an_x(section, kept):
    layers = "layers: [{conv: 32, kernel: 3, name: a}]\n"
    written = reduced(f"{HEAD}{section}\n{layers}", "--channels", "8")
    assert f"\n{section if kept else f'x-{section}'}\n" in written
    assert "{conv: 8, kernel: 1, name: a_reduce}" in written


def test_a_1x1_that_costs_more_is_inserted_on_request_only():
    text = f"{HEAD}layers: [{{conv: 1, kernel: 3, name: a}}]\n"
    assert 64 * 32 + 32 * 9 > 64 * 9
    assert reduced(text, "--channels", "32") == (
        "error: there is nothing to reduce in `-`\n"
        "help: a gets no 1x1: it would cost more after a 1x1\n"
    )
    assert "{conv: 32, kernel: 1, name: a_reduce}" in reduced(text, "a=32")


def test_a_1x1_has_the_condition_of_its_convolution():
    conv = "{conv: 32, kernel: 3, when: deep, name: a}"
    written = reduced(f"{HEAD}layers: [{conv}, relu]\n", "--channels", "8")
    assert f"{{conv: 8, kernel: 1, when: (deep), name: a_reduce}}, {conv}" in written


INPUTS = """\
name: net
input: {channels: 64, size: 16}
blocks:
  mix:
    inputs: [a, b]
    options: {n: 64}
    layers:
      - {conv: n, kernel: 3, padding: 1, from: a, name: c}
      - relu
      - {conv: n, kernel: 3, padding: 1, from: b, name: d}
      - {conv: n, kernel: 3, padding: 1, name: e}
      - {add: [c, e], name: s}
    outputs: [s, d]
layers:
  - {conv: 64, kernel: 3, padding: 1, name: x}
  - {conv: 64, kernel: 1, name: y}
  - {conv: 64, kernel: 3, padding: 1, from: x, name: z}
  - {mix: , from: [z, y], name: m, repeat: 2}
"""


def test_a_1x1_before_a_layer_with_from_gets_this_from():
    assert (
        reduced(INPUTS, "m_1/c", "m_1/d", "z", "--channels", "16")
        == """\
name: net reduced
input: {channels: 64, size: 16}
blocks:
  mix:
    inputs: [a, b]
    options: {n: 64}
    layers:
      - {conv: 16, kernel: 1, name: c_reduce, from: a}
      - {conv: n, kernel: 3, padding: 1, from: c_reduce, name: c}
      - relu
      - {conv: 16, kernel: 1, name: d_reduce, from: b}
      - {conv: n, kernel: 3, padding: 1, from: d_reduce, name: d}
      - {conv: n, kernel: 3, padding: 1, name: e}
      - {add: [c, e], name: s}
    outputs: [s, d]
layers:
  - {conv: 64, kernel: 3, padding: 1, name: x}
  - {conv: 64, kernel: 1, name: y}
  - {conv: 16, kernel: 1, name: z_reduce, from: x}
  - {conv: 64, kernel: 3, padding: 1, from: z_reduce, name: z}
  - {mix: , from: [z, y], name: m, repeat: 2}
"""
    )


def test_a_1x1_with_from_is_undone(tmp_path):
    path = tmp_path / "reduced.yaml"
    path.write_text(reduced(INPUTS, "--channels", "1/4"))
    undone = run("reduce", str(path), "--undo", "--write", "-").stdout.decode()
    assert undone == INPUTS.replace("name: net", "name: net naive")


def test_a_layer_after_removed_ones_uses_their_source():
    text = (
        f"{HEAD}layers: [{{relu: , name: a}}, relu, {{conv: 4, kernel: 1, from: a, name: r}}, "
        "{batch_norm: , name: n}, {conv: 8, kernel: 3, name: c}, {conv: 8, kernel: 1}]\n"
    )
    undone = run("reduce", "-", "--undo", "--write", "-", text=text).stdout.decode()
    assert undone.splitlines()[-1] == (
        "layers: [{relu: , name: a}, relu, {conv: 8, kernel: 3, name: c, from: a}, "
        "{conv: 8, kernel: 1}]"
    )


def test_a_layer_with_from_gets_a_1x1_in_all_copies_or_in_none():
    calls = "{mix: 16, from: [x, x], name: m}, {mix: , from: [y, y], name: k}"
    layers = f"[{{conv: 16, kernel: 1, name: x}}, {{conv: 64, kernel: 1, name: y}}, {calls}]"
    text = INPUTS.partition("layers:\n  - {conv: 64, kernel: 3")[0] + f"layers: {layers}\n"
    assert reduced(text, "k/c", "--channels", "32") == (
        "error: cannot write the spec: `c` has `from`, and some of its copies get no 1x1\n"
        "help: give fewer channels, so that each copy gets one\n"
    )
    assert "name: c_reduce, from: a" in reduced(text, "k/c", "--channels", "16")


def test_a_width_above_the_channels_of_a_copy_is_conditional_or_refused():
    block = "blocks: {b: {layers: [{conv: 32, kernel: 3, name: a}]}}\n"
    text = f"{HEAD}{block}layers: [b, b, {{conv: 16, kernel: 1}}, b]\n"
    written = reduced(text, "--channels", "24")
    assert "{conv: 24, kernel: 1, when: in_channels >= 24, name: a_reduce}" in written
    reason = "it is on the same line of the spec as a layer with too few channels"
    assert reduced(text, "--channels", "24", "--expand") == (
        f"error: there is nothing to reduce in `-`\nhelp: b_1/a gets no 1x1: {reason}\n"
    )


def test_json_has_the_costs_with_a_1x1_and_without():
    layers = "{conv: 8, kernel: 1}, {conv: 8, kernel: 3, padding: 1}, {conv: 32, kernel: 1}"
    found = json.loads(
        run("reduce", "-", "--undo", "--format", "json", text=f"{HEAD}layers: [{layers}]\n").stdout
    )
    small, large = 64 * 8 + 8 * 9 * 8 + 8 * 32, 64 * 9 * 32
    assert found["networks"][0]["undone"] == [
        {
            "path": "conv_1",
            "form": "bottleneck",
            "channels": 64,
            "to": 8,
            "windows": ["conv_2"],
            "weights": small,
            "naive_weights": large,
            "macs": small * 16 * 16,
            "naive_macs": large * 16 * 16,
        }
    ]
    (written,) = found["written"]["networks"]
    assert (written["name"], written["from"]) == ("<stdin> naive", "<stdin>")
    assert written["totals"]["params"] == large
    changes = {change["measure"]: change for change in written["changes"]}
    for measure, times in (("params", 1), ("macs", 16 * 16)):
        own = changes[measure]
        assert (own["before"], own["after"]) == (small * times, large * times)
        assert own["difference"] == (large - small) * times


OWN = "conv: 8, kernel: 3, padding: 1, name: a"


@pytest.mark.parametrize(
    ("layers", "path", "reason"),
    [
        (f"{{{OWN}, density: 0.5}}", "a", "is pruned"),
        (f"{{{OWN}, frozen: biases, bias: true}}", "a", "is frozen, so its weights cannot change"),
        (f"{{{OWN}, buffer: true}}", "a", "has buffers as weights, so they cannot change"),
        (f"{{{OWN}, groups: 8}}", "a", "has groups"),
        (f"{{{OWN}, connections: [{', '.join(['[1, 2]'] * 8)}]}}", "a", "has connections"),
        (f"{{{OWN}}}, {{conv: 64, kernel: 1}}, {{conv: 8, kernel: 3, weights: a}}", "a",
         "shares its weights"),
        (f"{{experts: {{gate: [{{conv: 4, kernel: 1}}], each: [{{{OWN}}}]}}, of: 4, take: 1}}",
         "each/a", "is part of an expert"),
        ("{conv: 1, kernel: 1}, {conv: 8, kernel: 3, name: a}", "a", "has one input channel"),
        ("{conv: 8, kernel: 1, name: a}", "a", "is a 1x1"),
    ],
)  # fmt: skip
def test_a_convolution_that_can_get_no_1x1_has_a_reason(layers, path, reason):
    text = f"{HEAD}layers: [{layers}]\n"
    ran = run("reduce", "-", "--format", "json", text=text)
    assert json.loads(ran.stdout)["networks"][0]["left"][path] == reason
    named = run("reduce", "-", path, text=text)
    message = f"error: `{path}` {reason}: a 1x1 cannot reduce it\n"
    assert (named.returncode, named.stderr.decode()) == (2, message)
