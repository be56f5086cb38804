"""Published figures compared with exact counts: which agree, which are off, and by how much."""

import csv
import io
import json
import re

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from support import SPECS, cost, run

from convcost.commands import verify as verify_command
from convcost.model.errors import ConstraintError, Span
from convcost.model.figures import parse_figure
from convcost.model.measures import CONVENTION
from convcost.model.network import Published
from convcost.reports.verify import PublishedNetwork, verify
from convcost.reports.verify.figure_check import ExactCounts, PublishedEntry
from convcost.reports.verify.reading import Declared, read_figure

HEAD = """\
name: net
input: {channels: 3, size: 8}
vars: {n: 4, more: false}
layers:
  - {sequence: [{conv: n, kernel: 3, padding: 1, bias: true}, relu], name: stem}
  - {conv: 10, kernel: 1, name: head}
  - {conv: 5, kernel: 1, name: extra, when: more}
published:
"""
STEM, HEAD_WEIGHTS = 4 * 3 * 3 * 3, 10 * 4
FOUND = "source: a table"

# text, measure, exact weights, exact biases, what is declared: verdict, how
FIGURES = [
    ("157184", "weights", 157_184, 9, {}, "exact", ""),
    ("157_184", "macs", 157_184, 0, {}, "exact", ""),
    ("157,183", "macs", 157_184, 0, {}, "off", ""),
    ("157000", "macs", 157_184, 0, {}, "off", ""),
    ("157K", "macs", 157_000, 0, {}, "exact", ""),
    ("157K", "macs", 157_184, 0, {}, "agrees", "rounded"),
    ("158K", "macs", 157_500, 0, {}, "agrees", "rounded"),
    ("156K", "macs", 156_500, 0, {}, "agrees", "rounded"),
    ("157K", "macs", 157_500, 0, {}, "off", ""),
    ("157K", "macs", 157_500, 0, {"truncated": True}, "agrees", "cut"),
    ("157K", "macs", 157_999, 0, {"truncated": True}, "agrees", "cut"),
    ("157K", "macs", 157_000, 0, {"truncated": True}, "exact", ""),
    ("158K", "macs", 157_999, 0, {"truncated": True}, "off", ""),
    ("157K", "macs", 156_499, 0, {}, "off", ""),
    ("157Ki", "macs", 157 * 1024, 0, {}, "exact", ""),
    ("157Ki", "macs", 157 * 1024, 0, {"binary": True}, "exact", ""),
    ("157Ki", "macs", 157_184, 0, {}, "off", ""),
    ("159K", "weights", 163_200, 0, {}, "off", ""),
    ("159K", "weights", 163_200, 0, {"binary": True}, "agrees", "rounded, K = 1024"),
    ("163K", "weights", 163_200, 0, {"binary": True}, "off", ""),
    ("159K", "macs", 163_328, 0, {"binary": True}, "off", ""),
    ("159K", "macs", 163_328, 0, {"binary": True, "truncated": True}, "agrees", "cut, K = 1024"),
    ("112K", "macs", 114_688, 0, {"binary": True}, "agrees", "equal, K = 1024"),
    ("1.5M", "macs", 3 * 2**19, 0, {"binary": True}, "agrees", "equal, K = 1024"),
    ("1.54M", "macs", 1_614_807, 0, {"binary": True}, "agrees", "rounded, K = 1024"),
    ("1.50M", "macs", 1_504_999, 0, {}, "agrees", "rounded"),
    ("1.50M", "macs", 1_510_000, 0, {}, "off", ""),
    ("4e9", "macs", 4_499_999_999, 0, {}, "agrees", "rounded"),
    ("4e9", "macs", 5_000_000_000, 0, {}, "off", ""),
    ("4e9", "macs", 4 * 2**30, 0, {"binary": True}, "agrees", "rounded"),
    ("4e9", "macs", 5 * 2**30, 0, {"binary": True}, "off", ""),
    ("0.5", "macs", 0, 0, {}, "off", ""),
    ("0", "macs", 0, 0, {}, "exact", ""),
    ("0", "macs", 1, 0, {}, "off", ""),
    ("100", "params", 100, 7, {"biases": True}, "off", ""),
    ("107", "params", 100, 7, {"biases": True}, "exact", ""),
    ("100", "params", 100, 7, {}, "agrees", "equal, without biases"),
    ("1.0K", "params", 1_049, 200, {}, "agrees", "rounded, without biases"),
    ("1.0K", "params", 1_090, 900, {"truncated": True}, "agrees", "cut, without biases"),
    ("107", "weights", 100, 7, {}, "off", ""),
    ("107", "weights", 100, 7, {"biases": True}, "agrees", "equal, with biases"),
    ("100", "macs", 107, 7, {"biases": True}, "off", ""),
]

# text, exact, whether it is noted as off; the verdict as it is shown, the difference, expected
VERDICTS = [
    ("158048", 157_184, True, "off by +864 (+0.55 %), as noted", 864, True),
    ("158048", 157_184, False, "off by +864 (+0.55 %)", 864, False),
    ("1000", 1_000_000, False, "off by -999,000 (-99.90 %)", -999_000, False),
    ("999999", 1_000_000, False, "off by -1 (-0.0001 %)", -1, False),
    ("5", 0, False, "off by +5", 5, False),
    ("2.5", 4, False, "off by -1.5 (-37.50 %)", "-3/2", False),
    ("1234567.25", 4, False, "off by +1,234,563.25 (+30864081.25 %)", "4938253/4", False),
    ("157184", 157_184, False, "exact", 0, True),
    ("157184", 157_184, True, "exact, though noted as off", 0, False),
    ("157K", 157_184, False, "agrees if rounded", -184, True),
    ("157K", 157_184, True, "agrees if rounded", -184, True),
]

# the entry of a layer with 163,200 weights, 640 biases and 652,800 macs; what its verdict says
HINTS = [
    ("weights: 159K", "off by -4,200 (-2.57 %); agrees if K = 1024: add `k: 1024`"),
    ("weights: 160K", ("off by -3,200 (-1.96 %); agrees if K = 1024 and biases are counted: "
     "add `k: 1024` and `biases: true`")),
    ("weights: 163K", "agrees if rounded"),
    ("weights: 164K", "off by +800 (+0.49 %); agrees if biases are counted: add `biases: true`"),
    ("weights: 165K", "off by +1,800 (+1.10 %)"),
    ("weights: 159K, k: 1024", "agrees if rounded, with K = 1024"),
    ("weights: 160K, k: 1024, biases: true", "agrees with K = 1024, with biases"),
    ("weights: 163K, k: 1024", "off by +3,712 (+2.27 %); agrees if K = 1000: write `k: 1000`"),
    ("weights: 162K, truncated: true", "off by -1,200 (-0.74 %)"),
    ("params: 163K", ("off by -840 (-0.51 %); agrees if biases are not counted: "
     "add `biases: false`, or if truncated: add `truncated: true`")),
    ("params: 163K, biases: 640", ("off by -840 (-0.51 %); agrees if truncated: "
     "add `truncated: params`")),
    ("params: 163K, biases: false", "agrees if rounded, without biases"),
    ("params: 163K, truncated: true", "agrees if truncated"),
    ("params: 164K, truncated: true",
     "off by +160 (+0.10 %); agrees if rounded: write `truncated: false`"),
    ("params: 163840, biases: false",
     "off by +640 (+0.39 %); agrees if biases are counted: write `biases: true`"),
    ("params: 164K, weights: 159K",
     "off by -4,200 (-2.57 %); agrees if K = 1024: add `k: {weights: 1024}`"),
    ("channels: 640, weights: 159K",
     "off by -4,200 (-2.57 %); agrees if K = 1024: add `k: 1024`"),
    ("macs: 652K, weights: 163K, truncated: weights",
     "off by -800 (-0.12 %); agrees if truncated: write `truncated: true`"),
    ("macs: 652K, weights: 163K, channels: 640",
     "off by -800 (-0.12 %); agrees if truncated: add `truncated: macs`"),
    ("macs: 1.31M", "off by +657,200 (+100.67 %); twice the macs, so FLOPs"),
    ("macs: 1305600", "off by +652,800 (+100.00 %); twice the macs, so FLOPs"),
    ("macs: 1306K", "off by +653,200 (+100.06 %); twice the macs, so FLOPs"),
    ("macs: 1313000", "off by +660,200 (+101.13 %); about twice the macs, so FLOPs"),
    ("macs: 1320000", "off by +667,200 (+102.21 %)"),
    ("weights: 326400", "off by +163,200 (+100.00 %)"),
]  # fmt: skip


def verified(text: str, *arguments: str):
    """The exit code, and the report as a tree."""
    done = run("verify", "-", "--format", "json", *arguments, text=text)
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(
    ("text", "measure", "weights", "biases", "declared", "verdict", "how"), FIGURES
)
def test_a_figure_is_read_only_as_it_is_declared(
    text, measure, weights, biases, declared, verdict, how
):
    counted = {"weights": weights, "params": weights + biases, "macs": weights}
    reading = read_figure(parse_figure(text), measure, counted, Declared(**declared))
    assert (reading.verdict, reading.how) == (verdict, how)


@pytest.mark.parametrize(("text", "value", "off", "shown", "difference", "expected"), VERDICTS)
def test_a_verdict_has_the_difference_and_whether_it_was_noted(
    text, value, off, shown, difference, expected
):
    spec = "input: {channels: 1, size: 1}\nlayers: [{custom: c, params: 0, macs: %d}]"
    costs = cost(spec % value)
    entry = Published(
        "", (("macs", parse_figure(text)),), "here", Span(1, 1, 1, 1), off=("macs",) if off else ()
    )
    counts = ExactCounts(costs, [""]).counts_of_layer("")
    report = verify((PublishedNetwork("net", "net.yaml", "", (PublishedEntry(entry, counts),)),))
    (table,) = report.tables()
    assert table.rows == (("macs", text, value, shown, "[1]"),)
    assert table.notes[0] == "[1] here"
    (record,) = report.tree()["figures"]
    assert (record.difference, record.expected) == (difference, expected)
    assert report.confirmed == expected


@pytest.mark.parametrize(("entry", "verdict"), HINTS)
def test_a_figure_that_is_off_says_which_declaration_would_make_it_agree(entry, verdict):
    spec = (
        "input: {channels: 255, size: 2}\nlayers: [{conv: 640, kernel: 1, bias: true}]\n"
        f"published: [{{{entry}, source: s}}]"
    )
    done = run("verify", "-", "--format", "csv", text=spec)
    verdicts = [row["verdict"] for row in csv.DictReader(io.StringIO(done.stdout.decode()))]
    assert verdict in verdicts
    assert done.returncode == any(text.startswith("off") for text in verdicts)


@pytest.mark.parametrize(
    ("entry", "verdict"), [hint for hint in HINTS if "agrees if" in hint[1][4:]]
)
def test_with_the_declaration_of_the_hint_the_figure_agrees_and_no_other_changes(entry, verdict):
    keys = [key.split(": ", 1) for key in re.findall("`(.*?)`", verdict.partition(", or if")[0])]
    old = yaml.safe_load(f"{{{entry}}}")
    new = old | {key: yaml.safe_load(value) for key, value in keys}
    (_, before), (_, after) = (
        verified(
            "input: {channels: 255, size: 2}\nlayers: [{conv: 640, kernel: 1, bias: true}]\n"
            f"published: [{json.dumps({**entry, 'source': 's'})}]"
        )
        for entry in (old, new)
    )
    for one, other in zip(before["figures"], after["figures"], strict=True):
        named = one["hint"] == verdict.partition("; ")[2]
        assert other["verdict"] == ("agrees" if named else one["verdict"]) or (
            named and other["verdict"] == "exact"
        )


COUNTS, PLACES = st.integers(1, 10**12), st.integers(1, 13)


def rounded(count: int, places: int) -> str:
    """A count as it is printed, with its last digit at 10^places."""
    return f"{(count + 10**places // 2) // 10**places}e{places}"


@given(COUNTS, PLACES)
def test_a_figure_that_rounds_the_exact_count_agrees(count, places):
    reading = read_figure(parse_figure(rounded(count, places)), "macs", {"macs": count}, Declared())
    assert reading.verdict in ("exact", "agrees")


@given(COUNTS, PLACES, st.sampled_from([1, -1]), st.integers(1, 100))
def test_any_other_integer_with_the_same_digits_is_off_and_agrees_if_declared_at_most(
    count, places, sign, by
):
    assume(2 * (count % 10**places) != 10**places)  # half up and half to even differ
    digits = int(rounded(count, places).partition("e")[0]) + sign * by
    assume(digits >= 0)  # no figure is below 0
    figure, counts = parse_figure(f"{digits}e{places}"), {"macs": count}
    assert read_figure(figure, "macs", counts, Declared()).verdict == "off"
    cut = digits == count // 10**places
    declared = read_figure(figure, "macs", counts, Declared(truncated=True))
    assert declared.verdict == ("agrees" if cut else "off")


@given(COUNTS, st.sampled_from("kKMGT"), st.integers(0, 4), st.booleans(), st.booleans())
def test_exactly_one_figure_agrees_for_each_rounding_and_unit(
    count, suffix, places, binary, truncated
):
    unit = (1024 if binary else 1000) ** ("KMGT".index(suffix.upper()) + 1)
    first = count * 10**places // unit
    assume(2 * (count * 10**places % unit) != unit)
    texts = [
        f"{digits // 10**places}.{digits % 10**places:0{places}d}".rstrip(".") if places else digits
        for digits in range(max(first - 3, 0), first + 4)
    ]
    verdicts = [
        read_figure(
            parse_figure(f"{text}{suffix}"), "macs", {"macs": count}, Declared(binary, truncated)
        ).verdict
        for text in texts
    ]
    assert len([verdict for verdict in verdicts if verdict != "off"]) == 1


def test_rows_show_their_settings_and_size():
    entries = [
        f"  - {{layer: head, macs: 640, size: 4, {FOUND}}}",
        f"  - {{layer: head, macs: 480, size: [3, 4], set: {{more: true}}, {FOUND}}}",
        f"  - {{layer: extra, channels: 5, set: {{more: true}}, {FOUND}}}",
        f"  - {{macs: {(2 * STEM + 2 * HEAD_WEIGHTS) * 64}, set: {{n: 8}}, {FOUND}}}",
    ]
    done = run("verify", "-", text=HEAD + "\n".join(entries))
    assert done.stdout.decode().splitlines()[:7] == [
        "net",
        "",
        "layer, settings          measure   published   exact  verdict  source",
        "head size=4              macs            640     640  exact    [1]",
        "head more=true size=3x4  macs            480     480  exact    [1]",
        "extra more=true          channels          5       5  exact    [1]",
        "n=8                      macs          18944  18,944  exact    [1]",
    ]
    _, report = verified(HEAD + "\n".join(entries))
    assert [(figure["set"], figure["size"]) for figure in report["figures"]] == [
        ({}, [4, 4]), ({"more": True}, [3, 4]), ({"more": True}, None), ({"n": 8}, None)
    ]  # fmt: skip


def test_no_two_rows_are_equal():
    entries = [
        f"  - {{weights: 148, {FOUND}}}",
        f"  - {{weights: 148, set: {{n: 4}}, {FOUND}}}",
        f"  - {{weights: 148, set: {{more: false}}, {FOUND}}}",
        "  - {weights: 148, source: another}",
    ]
    code, report = verified(HEAD + "\n".join(entries))
    assert (code, report["summary"]["checked"]) == (0, 2)
    for width in (40, 60, 80, 120):
        done = run("verify", "-", "--format", "table", "--width", str(width),
                   text=HEAD + "\n".join(entries))  # fmt: skip
        rows = [line for line in done.stdout.decode().splitlines() if "148" in line]
        assert len(rows) == len(set(rows)) == 2


def test_a_layer_a_group_and_the_whole_network_are_summed_by_path():
    costs = cost(HEAD.replace("published:\n", ""))
    assert ExactCounts(costs, ["stem/conv_1"]).counts_of_layer("stem/conv_1")["params"] == STEM + 4
    assert ExactCounts(costs, ["stem"]).counts_of_layer("stem")["params"] == STEM + 4
    assert ExactCounts(costs, ["stem"]).counts_of_layer("stem")["channels"] == 4
    assert ExactCounts(costs, ["head"]).counts_of_layer("head") == {
        "weights": HEAD_WEIGHTS, "biases": 0, "params": HEAD_WEIGHTS,
        "trainable": HEAD_WEIGHTS, "buffers": 0, "macs": HEAD_WEIGHTS * 64,
        "activations": 640, "active": HEAD_WEIGHTS, "channels": 10,
    }  # fmt: skip
    assert ExactCounts(costs, [""]).counts_of_layer("")["weights"] == STEM + HEAD_WEIGHTS
    assert ExactCounts(costs, [""]).counts_of_layer("")["channels"] == 10
    with pytest.raises(ConstraintError, match="there is no layer `ste`"):
        ExactCounts(costs, ["ste"]).counts_of_layer("ste")


def test_the_channels_of_a_network_are_those_of_its_output():
    aside = "  - {side: [{conv: 3, kernel: 1}], name: aux}\n"
    costs = cost(HEAD.replace("published:\n", aside))
    assert ExactCounts(costs, [""]).counts_of_layer("")["channels"] == 10


def test_each_entry_is_checked_under_its_own_settings_and_size():
    entries = [
        f"  - {{weights: {STEM + HEAD_WEIGHTS}, {FOUND}}}",
        f"  - {{weights: {2 * (STEM + HEAD_WEIGHTS)}, set: {{n: 8}}, {FOUND}}}",
        f"  - {{layer: head, macs: {HEAD_WEIGHTS * 12}, size: [3, 4], {FOUND}}}",
        f"  - {{layer: head, macs: {2 * HEAD_WEIGHTS * 4}, set: {{n: 8}}, size: 2, {FOUND}}}",
        f"  - {{layer: extra, channels: 5, set: {{more: true}}, {FOUND}}}",
    ]
    code, report = verified(HEAD + "\n".join(entries))
    assert code == 0
    assert [figure["verdict"] for figure in report["figures"]] == ["exact"] * 5


def test_a_setting_is_not_left_out_because_it_is_the_default_of_other_settings():
    # With w = 3, v is 3 unless it is set.
    text = f"""\
name: net
input: {{channels: 1, size: 4}}
vars: {{w: 1, v: w}}
layers: [{{conv: w, kernel: 1}}, {{conv: v, kernel: 3}}]
published:
  - {{params: {3 * 1 + 1 * 9 * 3}, set: {{w: 3, v: 1}}, source: a}}
  - {{params: {3 * 1 + 3 * 9 * 3}, set: {{w: 3}}, source: b}}
  - {{params: {3 * 1 + 3 * 9 * 3}, set: {{w: 3, v: 3}}, source: c}}
  - {{params: {1 * 1 + 1 * 9 * 1}, set: {{v: 1, w: 1}}, size: 4, source: d}}
"""
    done = run("verify", "-", "--format", "json", text=text)
    figures = json.loads(done.stdout)["figures"]
    assert [(figure["source"], figure["set"], figure["size"]) for figure in figures] == [
        ("a", {"w": 3, "v": 1}, None), ("b", {"w": 3}, None), ("c", {"w": 3}, None), ("d", {}, None)
    ]  # fmt: skip
    assert done.returncode == 0
    sweep = run("analyze", "-", "--set", "w=1,3", "--set", "v=1,3", "--format", "json", text=text)
    points = json.loads(sweep.stdout)["networks"]
    assert [[figure["source"] for figure in point["published"]] for point in points] == [
        ["d"], [], ["a"], ["b", "c"]
    ]  # fmt: skip


def test_json_has_exactly_the_documented_shape():
    code, report = verified(HEAD + "  - {layer: head, weights: 41, source: s, note: n}")
    assert re.fullmatch(r"\d+\.\d+\.\d+", report.pop("version"))
    assert code == 1
    assert report == {
        "schema": "convcost.verify/1",
        "figures": [
            {
                "network": "net", "file": "<stdin>", "layer": "head", "measure": "weights",
                "published": "41", "exact": 40, "verdict": "off", "how": "", "difference": 1,
                "source": "s", "note": "n", "expected": False, "set": {}, "size": None,
                "hint": "",
            }
        ],
        "summary": {
            "checked": 1, "exact": 0, "agree": 0, "off_as_noted": 0, "off": 1,
            "exact_though_noted": 0,
        },
    }  # fmt: skip
    assert list(report["figures"][0])[:4] == ["network", "file", "layer", "measure"]


def test_csv_has_one_row_for_each_figure():
    done = run("verify", "inception_3a", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert [row["network"] for row in rows] == ["naive"] * 3 + ["reduced"] * 4
    assert rows[3]["exact"] == "157184"


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        ("{weights: 148, source: s}", 0),
        ("{weights: 149, source: s, off: true}", 0),
        ("{weights: 149, source: s}", 1),
        ("{weights: 148, source: s, off: true}", 1),
        ("{layer: extra, weights: 1, source: s}", 2),
        ("{layer: extra, weights: 1, set: {more: false}, size: 4, source: s}", 2),
        ("{layer: gone, weights: 1, set: {more: true}, source: s}", 2),
        ("{weights: 1, size: [1, 2, 3], source: s}", 2),
    ],
)
def test_the_exit_code_is_0_if_all_is_expected_1_if_not_and_2_on_an_error(entry, code):
    done = run("verify", "-", text=f"{HEAD}  - {entry}\n")
    assert done.returncode == code, done.stderr.decode()
    assert (done.stdout == b"") == (code == 2)


def test_a_figure_of_a_layer_that_its_settings_leave_out_is_an_error_at_its_line():
    done = run(
        "verify", "-", text=HEAD + "  - {layer: gone, macs: 1, set: {more: true}, source: s}"
    )
    assert done.returncode == 2
    message = done.stderr.decode()
    assert "error[CC108]: there is no layer `gone`" in message
    assert "<stdin>:9:13" in message


def test_a_budget_need_not_match_a_layer_under_the_settings_of_a_figure():
    spec = """
    vars: {more: true}
    input: {channels: 3, size: 4}
    layers: [{conv: 5, kernel: 1}, {conv: 5, kernel: 1, when: more, name: extra}]
    budget: {layers: [{match: extra, params: {max: 1K}}]}
    published: [{weights: 15, set: {more: false}, source: s}]
    """
    done = run("verify", "-", text=spec)
    assert done.returncode == 0, done.stderr.decode()
    assert b"1 exact, 0 agree, 0 off as noted, 0 off" in done.stdout


def test_the_settings_of_figures_read_values_up_to_a_limit(monkeypatch):
    figures = ", ".join(f"{{params: 0, set: {{v: {n}}}, source: s}}" for n in range(2, 12))
    text = f"""
    vars: {{v: 1}}
    input: {{channels: 3, size: 4}}
    layers: [relu]
    published: [{figures}]
    """
    values = 2 + 3 + 2  # the variables, the input and the layers, with their mappings and lists
    monkeypatch.setattr("convcost.commands.verify.MAX_VALUES", 10 * values)
    assert run("verify", "-", text=text).returncode == 0
    monkeypatch.setattr("convcost.commands.verify.MAX_VALUES", 10 * values - 1)
    done = run("verify", "-", text=text)
    assert done.returncode == 2
    assert "error[CC110]: the published figures need more than 69 values in all" in (
        done.stderr.decode()
    )


def test_all_missing_specs_are_reported():
    done = run("verify", "vgg16", "googlnet", "no.yaml")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"did you mean `googlenet`?" in done.stderr
    assert b"there is no file `no.yaml`" in done.stderr


def test_the_published_sum_for_the_reduced_inception_3a_is_off_by_864():
    text = run("verify", "inception_3a#reduced").stdout.decode()
    (row,) = [line for line in text.splitlines() if "158048" in line]
    assert re.match(r"\s+weights +158048 +157,184 +off by \+864 \(\+0\.55 %\), as noted  ", row)
    summary = "4 figures checked: 1 exact, 2 agree, 1 off as noted, 0 off"
    assert text.endswith(f"\n{summary}\n{CONVENTION}\n")


@pytest.mark.slow
def test_settings_of_figures_that_need_too_many_layers_are_refused(monkeypatch):
    monkeypatch.setattr(verify_command, "MAX_LAYERS", 3)
    head = "input: {channels: 1, size: 1}\nvars: {w: 1}\nlayers: [relu, relu]\npublished:\n"
    text = head + "".join(f"  - {{params: 0, set: {{w: {n}}}, source: x}}\n" for n in (1, 2))
    done = run("verify", "-", text=text)
    assert done.returncode == 2
    message = "the published figures need more than 3 layers in all"
    assert f"error[CC110]: {message}\n" in done.stderr.decode()


def test_every_shipped_spec_verifies():
    specs = sorted(path.stem for path in SPECS.glob("*.yaml"))
    done = run("verify", *specs, "--format", "json")
    assert done.returncode == 0, done.stdout.decode()
    report = json.loads(done.stdout)
    summary = report["summary"]
    assert summary["checked"] == len(report["figures"]) > 150
    assert summary["off"] == summary["exact_though_noted"] == 0
    named = ("exact", "agree", "off_as_noted")
    assert sum(summary[name] for name in named) == summary["checked"]


CONV = """\
name: one convolution
input: {channels: 1, size: 128}
layers: [{conv: 128, kernel: 3, bias: true, name: c}, {custom: x, params: 0, macs: 0}]
published: [{%s, source: a table}]
"""
OUTPUTS = 128 * 126 * 126


@pytest.mark.parametrize(
    ("figures", "measure", "exact", "verdict"),
    [
        ("flops: 38.61M", "flops", 2 * 9 * OUTPUTS + OUTPUTS, "agrees"),
        ("flops: 36.58M, count: torch, layer: c", "flops (torch)", 2 * 9 * OUTPUTS, "agrees"),
        ("macs: 20321280, count: ptflops_aten, layer: c", "macs (ptflops_aten)",
            (9 + 1) * OUTPUTS, "exact"),
        ("activations: 2.03M, count: timm_activations, layer: c",
            "activations (timm_activations)", OUTPUTS, "agrees"),
        ("macs: 18289152", "macs", 9 * OUTPUTS, "exact"),
    ],
)  # fmt: skip
def test_a_figure_can_be_by_a_convention(figures, measure, exact, verdict):
    done = run("verify", "-", "--format", "json", text=CONV % figures)
    (record,) = json.loads(done.stdout)["figures"]
    assert (record["measure"], record["exact"], record["verdict"]) == (measure, exact, verdict)


def test_a_figure_of_a_network_that_its_convention_does_not_count_is_an_error():
    done = run("verify", "-", text=CONV % "macs: 1M, count: thop")
    assert done.returncode == 2
    assert b"thop does not count the custom `custom_1`" in done.stderr


UNCOUNTED = """\
name: half known
input: {channels: 3, size: 8}
layers: [{conv: 4, kernel: 3, name: c}, {custom: magic, params: 5, macs: uncounted}]
published: [{%s, source: a table}]
"""
KNOWN_MACS = 4 * 3 * 3 * 3 * 6 * 6


@pytest.mark.parametrize("figure", [KNOWN_MACS, KNOWN_MACS - 1, KNOWN_MACS + 1])
def test_a_figure_of_macs_that_are_known_in_part_is_an_error(figure):
    done = run("verify", "-", text=UNCOUNTED % f"macs: {figure}")
    assert done.returncode == 2
    assert b"the macs of the custom `custom_1` are uncounted" in done.stderr
    done = run("analyze", "-", "--format", "html", text=UNCOUNTED % f"macs: {figure}")
    assert b"not checked: the macs of the custom `custom_1` are uncounted" in done.stdout


@pytest.mark.parametrize("figures", [f"macs: {KNOWN_MACS}, layer: c", f"params: {4 * 27 + 5}"])
def test_a_figure_without_uncounted_macs_is_checked(figures):
    done = run("verify", "-", text=UNCOUNTED % figures)
    assert done.returncode == 0
    assert b"1 figure checked: 1 exact" in done.stdout


@pytest.mark.parametrize(
    ("figures", "has_note"),
    [("macs: 1", True), ("params: 1", False), ("macs: 1, count: thop", False)],
)
def test_a_note_says_what_macs_are_if_a_figure_counts_them(figures, has_note):
    text = f"{HEAD}  - {{{figures}, source: s}}\n"
    assert (CONVENTION in run("verify", "-", text=text).stdout.decode()) == has_note


def test_a_note_says_what_the_convention_of_a_figure_counts():
    done = run("verify", "-", text=CONV % "macs: 20321280, count: ptflops_aten, layer: c")
    assert done.stdout.decode().splitlines()[-1] == (
        'ptflops_aten MACs: `get_model_complexity_info` with `backend="aten"`: multiply-adds of '
        "convolutions and matrix products, and their biases"
    )


def test_a_network_without_figures_is_named_and_has_no_empty_table(tmp_path):
    net = "name: {}\ninput: {{channels: 3, size: 8}}\nlayers: [relu]\n{}"
    for name, published in [("one", ""), ("two", "published: [{params: 0, source: x}]\n")]:
        (tmp_path / f"{name}.yaml").write_text(net.format(name, published), "utf-8")
    done = run("verify", "one.yaml", cwd=tmp_path)
    example = "`published: [{macs: 4.1G, params: 25.6M, source: a paper}]`"
    assert (done.returncode, done.stdout.decode()) == (
        0,
        f"No published figures\n\nnetwork\none\n\nto add some, write {example}\n",
    )
    both = run("verify", "one.yaml", "two.yaml", cwd=tmp_path).stdout.decode()
    assert both.startswith("two\n\nmeasure ")
    assert both.endswith(
        "\n1 figure checked: 1 exact, 0 agree, 0 off as noted, 0 off\nno published figures: one\n"
    )


def test_the_first_networks_without_figures_are_named_and_the_others_counted():
    one = "input: {channels: 1, size: 8}\nlayers: [relu]\n"
    figure = "published: [{params: 0, source: a paper}]\n"
    text = "---\n".join(f"name: n{n}\n{figure * (n == 0)}{one}" for n in range(11))
    shown = ", ".join(f"n{n}" for n in range(1, 9))
    assert (
        f"\nno published figures: {shown} and 2 more\n"
        in run("verify", "-", text=text).stdout.decode()
    )
