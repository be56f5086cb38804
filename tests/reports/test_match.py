"""`convcost match`: the readings of a printed figure."""

import json
from fractions import Fraction

import pytest
from support import run, shipped

from convcost.commands import match as match_command


def match_json(*arguments: str, text: str | None = None) -> dict:
    done = run("match", *arguments, "--format", "json", text=text)
    assert done.stderr == b""
    tree = json.loads(done.stdout)
    assert done.returncode == (0 if tree["found"] else 1)
    return tree


def readings(*arguments: str, text: str | None = None) -> list[tuple]:
    return [
        (reading["names"][0], reading["settings"], reading["exact"], reading["how"])
        for reading in match_json(*arguments, text=text)["readings"]
    ]


def test_the_simplest_reading_is_first():
    assert readings("vgg16", "15.5G")[0] == ("macs", "", 15_470_264_320, "rounded")
    assert readings("vgg16", "15.3G") == [("macs:convolutions", "", 15_346_630_656, "rounded")]
    assert readings("vgg16", "30.9G")[0] == ("2 × macs", "", 2 * 15_470_264_320, "rounded")


CONV = "input: {channels: 3, size: 32}\nlayers: [{conv: 64, kernel: 3, padding: 1}]\n"
BIASED = CONV.replace("}]", ", bias: true}]")


@pytest.mark.parametrize(
    "words",
    ["1.77 MFLOPs", "1.77MFLOPs", "1.77M FLOPs", "1.77 mflops", "1.77 MMac", "1.77M Mult-Adds"],
)
def test_the_word_of_a_unit_does_not_say_which_operations_are_counted(words):
    found = match_json("-", *words.split(), text=CONV)
    assert found == match_json("-", "macs", "1.77M", text=CONV)
    first = found["readings"][0]
    assert (first["names"][0], first["exact"]) == ("macs", 64 * 3 * 3 * 3 * 32 * 32)


def test_a_printed_line_of_a_tool_is_a_call():
    found = match_json("-", "1.728", "K", "Params", "1.769472", "MMACs", text=CONV)
    assert found["figures"] == ["1.728K", "1.769472M"]
    assert {reading["measure"] for reading in found["readings"]} == {"params", "macs"}


def test_a_figure_that_is_given_again_is_reported_once():
    found = match_json("-", "params", "1728", "1728", "params", "1728", text=CONV)
    assert found["figures"] == ["params 1728", "1728"]
    assert found == match_json("-", "params", "1728", "1728", text=CONV)


def test_figures_with_one_text_and_two_measures_have_readings_of_their_own():
    wide = "input: {channels: 3, size: 1}\nlayers: [{conv: 64, kernel: 3, padding: 1}]\n"
    found = match_json("-", "params", "1728", "macs", "1728", text=wide)
    assert found["figures"] == ["params 1728", "macs 1728"]
    assert {(reading["figure"], reading["measure"]) for reading in found["readings"]} == {
        ("params 1728", "params"), ("macs 1728", "macs"),
    }  # fmt: skip
    missing = match_json("-", "params", "1728", "macs", "1728", text=CONV)
    assert [
        (reading["figure"], reading["measure"], reading["exact"]) for reading in missing["nearest"]
    ] == [
        ("params 1728", "params", 64 * 3 * 3 * 3),
        ("macs 1728", "macs", 64 * 3 * 3 * 3 * 32 * 32),
    ]


PARTLY = CONV.replace("}]\n", "}, {custom: x, params: 0, macs: uncounted, repeat: 2}]\n")


MACS = 64 * 3 * 3 * 3 * 32 * 32


@pytest.mark.parametrize(
    ("figure", "first", "known"),
    [
        ("params 1728", ("params", 64 * 3 * 3 * 3, 0, 0), True),
        ("activations 196608", ("outputs of all layers", 3 * 64 * 32 * 32, 0, 0), False),
        ("1.77M", ("macs", MACS, 2, 0 + 1), True),
        ("3.54 MFLOPs", ("FLOPs", 2 * MACS, 2, 1 + 1), False),
        ("macs 7.08M", ("FLOPs of 2 samples", 4 * MACS, 2, 3 + 1), False),
        ("activations 65536", ("regnet_activations acts", 64 * 32 * 32, 2, 2 + 1), False),
    ],
)
def test_a_reading_without_uncounted_layers_says_so_and_assumes_more(figure, first, known):
    one = match_json("-", *figure.split(), text=PARTLY)["readings"][0]
    assert (one["names"][0], one["exact"], one["uncounted"], one["assumptions"]) == first
    if known:
        whole = match_json("-", *figure.split(), text=CONV)["readings"][0]
        assumed = one["assumptions"] - bool(one["uncounted"])
        assert whole == {**one, "uncounted": 0, "assumptions": assumed}


@pytest.mark.parametrize("form", ["table", "plain", "markdown", "csv", "html", "latex"])
def test_each_format_marks_a_row_with_a_part_of_the_macs(form):
    printed = run("match", "-", "1.77M", "--format", form, text=PARTLY).stdout.decode()
    (row,) = [line for line in printed.splitlines() if "calflops" in line]
    assert "macs; also calflops MACs, connections and" in row
    assert "more; all without 2 uncounted layers" in row


def test_a_count_with_all_layers_and_one_without_some_are_two_readings():
    """Both the params and the known macs are 64 times 27."""
    text = PARTLY.replace("size: 32", "size: 1")
    found = match_json("-", "1728", text=text)["readings"]
    assert [(entry["measure"], entry["uncounted"]) for entry in found[:2]] == [
        ("params", 0),
        ("macs", 2),
    ]


@pytest.mark.parametrize("figure", ["5 GFLOPs", "0 MACs"])
def test_the_nearest_count_says_that_it_leaves_layers_out(figure):
    (nearest,) = match_json("-", figure, text=PARTLY)["nearest"]
    assert nearest["uncounted"] == 2
    note = run("match", "-", figure, text=PARTLY).stdout.decode().splitlines()[4]
    assert " without 2 uncounted layers, " in note


def test_figures_that_no_settings_give_together_are_not_said_to_have_no_reading():
    found = match_json("-", "params", "1728", "macs", "5G", text=CONV)
    assert (found["found"], found["readings"], found["matched_separately"]) == (False, [], ["1728"])
    lines = (
        run("match", "-", "params", "1728", "macs", "5G", text=CONV).stdout.decode().splitlines()
    )
    apart = "no settings fit all figures; 1728 alone has a reading"
    assert [line for line in lines if "nearest" in line] == [
        f"{apart}; nearest: params, 1,728 (0.00 %)",
        "no reading found for 5G; nearest: FLOPs of 256 samples, 905,969,664 (-81.88 %)",
    ]
    assert match_json("-", "params", "1729", text=CONV)["matched_separately"] == []


@pytest.mark.parametrize(
    "layer", ["relu", "{custom: x, params: 0, macs: 0}", "{custom: x, params: 0, macs: uncounted}"]
)
def test_no_macs_are_a_count_too(layer):
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{layer}]\n"
    assert readings("-", "macs", "0", text=text)[0] == ("macs", "", 0, "equal")
    assert match_json("-", "macs", "5G", text=text)["nearest"][0]["measure"] in ("macs", "flops")


def test_figures_of_the_paper_and_of_the_implementation_have_readings():
    assert readings("resnet50", "3.8G")[0] == ("macs", "paper=true", 3_857_973_248, "cut")
    assert readings("resnet50", "4.09G")[0] == ("macs", "", 4_089_184_256, "rounded")
    assert ("fvcore flops", "", 4_111_512_576, "rounded") in readings("resnet50", "4.11G")
    assert ("thop MACs", "", 4_133_742_592, "rounded") in readings("resnet50", "4.13G")
    once = ("ptflops_pytorch:once MACs", "", 4_121_925_096, "rounded")
    assert once in readings("resnet50", "4.12G")


def test_given_settings_hold_in_every_reading():
    narrow = ("mobilenet_v1", "--set", "width=0.5", "--size", "160")
    exact = shipped("mobilenet_v1", size=(160, 160), width=Fraction(1, 2)).totals.macs
    first, *others = readings(*narrow, str(exact))
    assert first == ("macs", "", exact, "equal")
    assert not [other for other in others if "width" in other[1] or "size" in other[1]]
    assert match_json(*narrow, "77M")["settings"] == "width=0.5 size=160"
    deep = (str(varied(1, "deep")), "params")
    assert readings("-", "--set", "deep=true", *deep, text=VARIED)[0][1] == ""
    assert [entry[1] for entry in readings("-", "--set", "deep=false", *deep, text=VARIED)] == [
        "wide=true"
    ]


def test_a_figure_of_params_may_count_only_what_is_trained():
    layers = "[{conv: 16, kernel: 3, frozen: true}, {conv: 5, kernel: 1}]"
    spec = f"input: {{channels: 3, size: 8}}\nlayers: {layers}"
    assert ("trainable params", "", 5 * 16, "equal") in readings("-", "80", "params", text=spec)


def test_a_figure_of_params_may_count_the_heads_of_training():
    first = readings("googlenet", "13.4M", "params")[0]
    assert first == ("params", "aux=true", 13_378_280, "rounded")


def test_params_may_be_without_norms():
    spec = """
        name: one
        input: {channels: 3, size: 8}
        layers: [{conv: 16, kernel: 3}, batch_norm]
        """
    weights = 16 * 3 * 3 * 3
    for figure, name in [
        (weights + 32, "params"),
        (weights, "params, without norms"),
        (weights + 32 + 32, "params and buffers"),
    ]:
        found = match_json("-", str(figure), "params", text=spec)["readings"]
        assert name in [name for entry in found for name in entry["names"]]


VARIED = """\
input: {channels: 3, size: 8}
vars: {deep: false, wide: false, n: 1}
layers:
  - {conv: 8, kernel: 1}
  - {conv: 8, kernel: 1, when: deep}
  - {conv: 8, kernel: 1, when: wide}
  - {conv: n, kernel: 1}
published:
  - {params: 1, source: x, off: true, set: {deep: true, n: 5}}
  - {params: 1, source: x, off: true, set: {n: 7}, size: 16}
"""


def varied(n, *more):
    """The weights of the layers."""
    return sum((3 * 8, *(8 * 8 for _ in more), 8 * n))


def test_settings_with_the_same_count_are_readings_of_their_own():
    found = readings("-", str(varied(1, "deep")), "params", text=VARIED)
    assert [entry[1] for entry in found] == ["deep=true", "wide=true"]


def test_the_settings_of_a_published_figure_hold_together_or_not_at_all():
    deep = str(varied(5, "deep"))
    assert [reading[1] for reading in readings("-", deep, "params", text=VARIED)] == [
        "deep=true n=5"
    ]
    found = readings("-", "--set", "deep=true", deep, "params", text=VARIED)
    assert [entry[1] for entry in found] == ["n=5"]
    for figure in (varied(5), varied(5, "deep")):
        assert readings("-", "--set", "deep=false", str(figure), "params", text=VARIED) == []
    seven = str(varied(7))
    assert [reading[1] for reading in readings("-", seven, "params", text=VARIED)] == [
        "n=7 size=16x16"
    ]
    for size, settings in (("16", ["n=7"]), ("16x16", ["n=7"]), ("8", [])):
        found = readings("-", "--size", size, seven, "params", text=VARIED)
        assert [entry[1] for entry in found] == settings


def test_a_given_size_holds_under_other_settings():
    macs = varied(1, "deep") * 5 * 7
    found = readings("-", "--size", "5x7", str(macs), "macs", text=VARIED)
    assert ("macs", "deep=true", macs, "equal") in found


def test_a_figure_is_not_read_as_a_batch_under_other_settings():
    figure = str(64 * varied(1, "deep") * 8 * 8)
    found = match_json("-", figure, "macs", text=VARIED)
    assert found["readings"] == []
    found = match_json("-", str(varied(1, "deep") + 1), "params", text=VARIED)
    assert [(reading["exact"], reading["settings"]) for reading in found["nearest"]] == [
        (varied(1), "")
    ]


def test_a_reading_has_the_simplest_name_and_no_variant_that_changes_nothing():
    macs = varied(1) * 8 * 8
    first = match_json("-", str(macs), "macs", text=VARIED)["readings"][0]
    assert first["names"][0] == "macs"
    assert not [name for name in first["names"] if ":" in name]
    (near,) = match_json("-", str(macs + 1), "macs", text=VARIED)["nearest"]
    assert near["names"] == ["macs"]


def test_each_assumption_of_a_reading_is_counted():
    text = f"{CONV[:-2]}, batch_norm, {{max_pool: 2}}]\n"
    macs = 64 * 3 * 9 * 32 * 32
    scan = macs + 2 * 64 * 32 * 32 + 64 * 16 * 16
    for figure, name, assumptions in (
        (macs, "macs", 0),
        (2 * macs, "2 × macs", 1),
        (scan, "torch_scan MACs", 2),
        (2 * scan, "2 × torch_scan MACs", 4),
    ):
        found = match_json("-", str(figure), "macs", text=text)["readings"]
        assert (name, assumptions) in [(entry["names"][0], entry["assumptions"]) for entry in found]


def test_weights_may_be_without_norms():
    layers = "[{conv: 16, kernel: 3, bias: true}, batch_norm]"
    text = f"input: {{channels: 3, size: 8}}\nlayers: {layers}"
    first = match_json("-", str(16 * 3 * 9), "params", text=text)["readings"][0]
    assert (first["names"], first["settings"]) == (["weights, without biases and norms"], "")
    assert first["assumptions"] == 2


def test_a_figure_may_be_of_the_network_as_it_is_deployed():
    text = f"{CONV[:-2]}, batch_norm, {{conv: 10, kernel: 1, bias: true}}]\n"
    folded = (64 * 3 * 9 + 64) + (10 * 64 + 10)
    first, *_ = readings("-", str(folded), "params", text=text)
    assert first == ("params", "deployed", folded, "equal")
    both = readings("repvgg_a0", "params", "8.31M", "macs", "1361451008")
    assert both == [
        ("macs", "deployed", 1_361_451_008, "equal"),
        ("params", "deployed", 8_309_384, "rounded"),
    ]


def test_a_deployed_network_repeats_no_reading_of_the_trained_one():
    # The macs of convolutions do not change if norms are folded.
    assert [reading[:2] for reading in readings("resnet50", "4089184256")] == [("macs", "")]


def test_a_norm_that_nothing_can_include_is_not_folded():
    spec = "input: {channels: 3, size: 8}\nlayers: [batch_norm, {conv: 16, kernel: 3}]"
    figure = str(16 * 3 * 3 * 3 + 3)
    assert not [reading for reading in readings("-", figure, "params", text=spec) if reading[1]]


def test_a_figure_may_be_of_another_input_size_or_of_a_batch():
    text = BIASED.replace("size: 32", "size: 33")
    exact = 64 * 3 * 9 * 256 * 256
    assert readings("-", "macs", str(exact), text=text) == [
        ("macs", "size=256x256", exact, "equal")
    ]
    of_8 = readings("-", "15.05M", text=text)
    assert ("macs of 8 samples", "", 8 * 64 * 3 * 9 * 33 * 33, "rounded") in of_8


def test_k_may_be_1024():
    found = match_json("googlenet", "6834.5K", "params")["readings"]
    assert (found[0]["exact"], found[0]["kilo"]) == (6_998_552, 1024)


def test_the_readings_of_several_figures_have_the_same_settings():
    tree = match_json("googlenet", "params", "13.4M", "macs", "1.6G")
    assert {reading["settings"] for reading in tree["readings"]} == {"aux=true"}
    assert {reading["figure"] for reading in tree["readings"]} == {"13.4M", "1.6G"}


def test_conventions_that_give_the_same_count_are_one_reading():
    (first, *_) = match_json("-", str(2 * MACS), text=BIASED)["readings"]
    assert first["names"][0] == "2 × macs"
    assert "torch FLOPs" in first["names"]
    assert first["how"] == "equal"


def test_settings_that_do_not_change_the_count_are_not_a_separate_reading():
    text = CONV.replace("layers", "vars: {on: true}\nlayers").replace(
        "}]", "}, {relu: , when: on}]"
    )
    assert [reading[1] for reading in readings("-", str(64 * 3 * 9), text=text)] == [""]


@pytest.mark.parametrize("figure", ["1.77 MMACs", "1.77M macs", "1.77 M", "macs 1.77M"])
def test_a_figure_in_quotes_is_the_same_as_its_words(figure):
    quoted, words = (
        run("match", "-", figure, text=CONV),
        run("match", "-", *figure.split(), text=CONV),
    )
    assert quoted.returncode == 0
    assert quoted.stdout == words.stdout


def test_a_figure_without_a_reading_has_the_nearest_count_and_exit_code_1():
    done = run("match", "-", "1.85M", "macs", text=CONV)
    assert done.returncode == 1
    assert b"no reading found for 1.85M; nearest: macs, 1,769,472 (-4.35 %)" in done.stdout


@pytest.mark.parametrize(
    ("figure", "change"),
    [("4423679999", "+0.00000002 %"), ("4423680001", "-0.00000002 %")],
)
def test_a_distance_of_any_size_is_visible(figure, change):
    done = run("match", "-", "macs", figure, text=CONV.replace("size: 32", "size: 1600"))
    exact = 64 * 3 * 9 * 1600 * 1600
    nearest = f"no reading found for {figure}; nearest: macs, {exact:,} ({change})\n"
    assert done.stdout.decode().endswith(nearest)


def test_the_distance_of_a_count_from_0_is_a_count():
    text = "name: n\ninput: {channels: 1, size: [10]}\nlayers: [{conv: 5, kernel: 1}]"
    (near,) = match_json("-", "0", "macs", text=text)["nearest"]
    assert (near["exact"], near["how"]) == (5 * 10, "+50")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("resnet50", "4.1Q"),
            "there is no unit `Q`; known here: `k`, `K`, `M`, `G`, `B`",
        ),
        (("resnet50", "macz", "4.1G"), "`macz` is not a number; did you mean `macs`?"),
        (("resnet50", "--", "params", "-5G"), "`-5G` is below 0"),
        (("resnet50", "GFLOPs"), "`GFLOPs` is not a number; did you mean `macs`?"),
        (("resnet50", "4.1", "XFLOPs"), "`XFLOPs` is not a number; did you mean `flops`?"),
        (("resnet50", "4.1m"), "there is no unit `m`; did you mean `M`?"),
        (("resnet50", "params"), "`params` needs a figure, like 4.1G"),
        (("one_by_one", "1G"), "`one_by_one` has 5 networks; choose one of one_by_one#one_filter"),
    ],
)
def test_a_wrong_call_is_an_error(arguments, message):
    done = run("match", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()


@pytest.mark.parametrize(
    ("limit", "most"), [("MAX_LAYERS", 3 * 20), ("MAX_VALUES", 2 * (4 + 3 + 20 + 20))]
)
def test_variables_that_would_take_too_long_are_listed(monkeypatch, limit, most):
    monkeypatch.setattr(match_command, limit, most)
    names = [f"v{n}" for n in range(20)]
    text = f"""\
input: {{channels: 8, size: 64}}
vars: {{{", ".join(f"{name}: true" for name in names)}}}
layers: [{", ".join(["relu"] * 20)}]
"""
    report = match_json("-", "7", "--size", "8", text=text)
    assert report["untried"] == [f"{name}=false" for name in names[2:]]


def test_settings_that_would_take_too_long_are_listed(monkeypatch):
    monkeypatch.setattr(match_command, "MAX_DIFFERENT", 1500)
    text = """\
input: {channels: 8, size: 64}
layers: [{conv: in_channels + 1, kernel: 3, padding: 1, repeat: 300}]
"""
    weights = sum(9 * n * (n + 1) for n in range(8, 308))
    report = match_json("-", str(weights), text=text)
    sizes = (224, 227, 240, 256, 288, 299, 320, 331, 384, 416, 448, 512, 608, 640)
    assert report["untried"] == [f"size={n}x{n}" for n in sizes]
    note = "not tried, because they would take too long: size=224x224, size=227x227"
    assert note in run("match", "-", str(weights), text=text).stdout.decode()


@pytest.mark.parametrize(
    ("layers", "work"),
    [
        pytest.param("relu, " * 29 + "relu", 30, id="layers"),
        pytest.param(f"{{add: [{', '.join(['input'] * 30)}]}}", 30, id="inputs of a join"),
        pytest.param("conv, batch_norm, " * 8, 2 * 8 + 8, id="layers, and those as deployed"),
    ],
)
def test_each_input_of_a_layer_counts_for_the_limit(monkeypatch, layers, work):
    monkeypatch.setattr(match_command, "MAX_LAYERS", 3 * work)
    layers = layers.replace("conv,", "{conv: 8, kernel: 1},")
    variables = "a: true, b: true, c: true"
    text = f"input: {{channels: 8, size: 64}}\nvars: {{{variables}}}\nlayers: [{layers}]\n"
    report = match_json("-", "7", "--size", "8", text=text)
    assert report["untried"] == ["c=false"]


def test_settings_that_the_spec_refuses_count_for_the_limit(monkeypatch):
    monkeypatch.setattr(match_command, "MAX_LAYERS", 3 * 20)
    text = f"""\
input: {{channels: 8, size: 64}}
vars: {{a: true, b: true, c: true}}
layers: [{"relu, " * 19}{{relu: , when: 1 / (1 if a and b and c else 0) > 0}}]
"""
    report = match_json("-", "7", "--size", "8", text=text)
    assert report["untried"] == ["c=false"]
