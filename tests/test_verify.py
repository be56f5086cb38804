"""Figures that others printed, held against the exact ones: what agrees, what is off, and how."""

import csv
import io
import json
import re

import pytest
from support import SPECS, cost, run

from convcost.errors import Refusal
from convcost.network import Published
from convcost.questions.judge import Held, exact, read
from convcost.questions.verify import Printed, verify
from convcost.units import figure

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

# text, measure, exact weights, exact biases, verdict, how
FIGURES = [
    ("157184", "weights", 157_184, 9, "exact", ""),
    ("157_184", "macs", 157_184, 0, "exact", ""),
    ("157,183", "macs", 157_184, 0, "off", ""),
    ("157000", "macs", 157_184, 0, "off", ""),
    ("157K", "macs", 157_000, 0, "exact", ""),
    ("157K", "macs", 157_184, 0, "agrees", "rounded"),
    ("158K", "macs", 157_500, 0, "agrees", "rounded"),
    ("156K", "macs", 156_500, 0, "agrees", "rounded"),
    ("157K", "macs", 157_500, 0, "agrees", "cut"),
    ("157K", "macs", 157_999, 0, "agrees", "cut"),
    ("157K", "macs", 156_499, 0, "off", ""),
    ("157Ki", "macs", 157 * 1024, 0, "exact", ""),
    ("157Ki", "macs", 157_184, 0, "off", ""),
    ("159K", "macs", 163_328, 0, "agrees", "cut, K = 1024"),
    ("112K", "macs", 114_688, 0, "agrees", "equal, K = 1024"),
    ("1.5M", "macs", 3 * 2**19, 0, "agrees", "cut"),
    ("1.54M", "macs", 1_614_807, 0, "agrees", "rounded, K = 1024"),
    ("1.50M", "macs", 1_504_999, 0, "agrees", "rounded"),
    ("1.50M", "macs", 1_510_000, 0, "off", ""),
    ("4e9", "macs", 4_499_999_999, 0, "agrees", "rounded"),
    ("4e9", "macs", 5_000_000_000, 0, "off", ""),
    ("4e9", "macs", 4 * 2**30 + 10**9, 0, "off", ""),
    ("0.5", "macs", 0, 0, "off", ""),
    ("0", "macs", 0, 0, "exact", ""),
    ("0", "macs", 1, 0, "off", ""),
    ("-1", "macs", 0, 0, "off", ""),
    ("100", "params", 100, 7, "agrees", "equal, without biases"),
    ("1.0K", "params", 1_049, 200, "agrees", "rounded, without biases"),
    ("1.0K", "params", 1_090, 900, "agrees", "cut, without biases"),
    ("107", "weights", 100, 7, "agrees", "equal, with biases"),
    ("100", "macs", 107, 7, "off", ""),
]

# text, exact, whether it is marked off; the verdict as it is shown, the difference, expected
VERDICTS = [
    ("158048", 157_184, True, "off by +864 (+0.55 %), as noted", 864, True),
    ("158048", 157_184, False, "off by +864 (+0.55 %)", 864, False),
    ("1000", 1_000_000, False, "off by -999,000 (-99.90 %)", -999_000, False),
    ("5", 0, False, "off by +5", 5, False),
    ("2.5", 4, False, "off by -3/2 (-37.50 %)", "-3/2", False),
    ("157184", 157_184, False, "exact", 0, True),
    ("157184", 157_184, True, "exact, though marked off", 0, False),
    ("157K", 157_184, False, "agrees: rounded", -184, True),
    ("157K", 157_184, True, "agrees: rounded, though marked off", -184, True),
    ("112K", 114_688, False, "agrees: equal, K = 1024", 0, True),
]


def verified(text: str, *arguments: str):
    """The exit code, and the report as a tree."""
    done = run("verify", "-", "--format", "json", *arguments, text=text)
    assert done.stderr == b""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize(("text", "measure", "weights", "biases", "verdict", "how"), FIGURES)
def test_a_figure_agrees_if_the_exact_value_rounds_or_is_cut_to_its_digits(
    text, measure, weights, biases, verdict, how
):
    counted = {"weights": weights, "params": weights + biases, "macs": weights}
    reading = read(figure(text), measure, counted)
    assert (reading.verdict, reading.how) == (verdict, how)


@pytest.mark.parametrize(("text", "value", "off", "shown", "difference", "expected"), VERDICTS)
def test_a_verdict_says_by_how_much_and_whether_that_was_known(
    text, value, off, shown, difference, expected
):
    spec = "input: {channels: 1, size: 1}\nlayers: [{custom: c, params: 0, macs: %d}]"
    costs = cost(spec % value)
    entry = Published("", (("macs", figure(text)),), "here", None, off=("macs",) if off else ())
    report = verify((Printed("net", "net.yaml", "", (Held(entry, costs),)),))
    (table,) = report.tables()
    ((_, _, published, found, verdict, source, _),) = table.rows
    assert (published, found, verdict, source) == (text, value, shown, "here")
    (record,) = report.tree()["figures"]
    assert (record.difference, record.expected) == (difference, expected)
    assert report.confirmed == expected


def test_a_layer_a_group_and_the_whole_network_are_summed_by_path():
    costs = cost(HEAD.replace("published:\n", ""))
    assert exact(costs, "stem/conv_1")["params"] == STEM + 4
    assert exact(costs, "stem")["params"] == STEM + 4
    assert exact(costs, "stem")["channels"] == 4
    assert exact(costs, "head") == {
        "weights": HEAD_WEIGHTS, "biases": 0, "params": HEAD_WEIGHTS, "buffers": 0,
        "macs": HEAD_WEIGHTS * 64, "activations": 640, "channels": 10,
    }  # fmt: skip
    assert exact(costs, "")["weights"] == STEM + HEAD_WEIGHTS
    assert exact(costs, "")["channels"] == 10
    with pytest.raises(Refusal, match="there is no layer `ste`"):
        exact(costs, "ste")


def test_the_channels_of_a_whole_network_are_those_that_it_hands_on():
    aside = "  - {side: [{conv: 3, kernel: 1}], name: aux}\n"
    costs = cost(HEAD.replace("published:\n", aside))
    assert exact(costs, "")["channels"] == 10


def test_each_entry_is_held_under_its_own_settings_and_size():
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


def test_json_has_exactly_the_promised_shape():
    code, report = verified(HEAD + "  - {layer: head, weights: 41, source: s, note: n}")
    assert re.fullmatch(r"\d+\.\d+\.\d+", report.pop("version"))
    assert code == 1
    assert report == {
        "schema": "convcost.verify/1",
        "figures": [
            {
                "network": "net", "file": "<stdin>", "layer": "head", "measure": "weights",
                "published": "41", "exact": 40, "verdict": "off", "how": "", "difference": 1,
                "source": "s", "note": "n", "expected": False,
            }
        ],
        "summary": {
            "checked": 1, "exact": 0, "agree": 0, "off_as_noted": 0, "off": 1,
            "exact_though_noted": 0,
        },
    }  # fmt: skip
    assert list(report["figures"][0])[:4] == ["network", "file", "layer", "measure"]


def test_csv_has_one_row_a_figure():
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
def test_the_exit_code_is_0_if_all_is_as_expected_1_if_not_2_if_it_cannot_be_told(entry, code):
    done = run("verify", "-", text=f"{HEAD}  - {entry}\n")
    assert done.returncode == code, done.stderr.decode()
    assert (done.stdout == b"") == (code == 2)


def test_a_layer_that_the_settings_of_its_entry_leave_out_is_shown_in_its_line():
    done = run(
        "verify", "-", text=HEAD + "  - {layer: gone, macs: 1, set: {more: true}, source: s}"
    )
    assert done.returncode == 2
    said = done.stderr.decode()
    assert "error[CC108]: there is no layer `gone`" in said
    assert "<stdin>:9:13" in said


def test_a_spec_that_is_not_there_is_said_with_every_other():
    done = run("verify", "vgg16", "googlnet", "no.yaml")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"did you mean `googlenet`?" in done.stderr
    assert b"there is no file `no.yaml`" in done.stderr


def test_the_sum_printed_for_the_reduced_inception_3a_is_off_by_864():
    text = run("verify", "inception_3a#reduced").stdout.decode()
    (row,) = [line for line in text.splitlines() if "158048" in line]
    assert re.match(r"\s+weights +158048 +157,184 +off by \+864 \(\+0\.55 %\), as noted  ", row)
    assert text.endswith("\n4 figures checked: 1 exact, 2 agree, 1 off as noted, 0 off\n")


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
