"""A report with macs says what they are: a number without its convention cannot be compared."""

import pytest
from support import commands_that_read_specs, run

from convcost.model.measures import CONVENTION

REPORTS = [
    "analyze reduce_3x3#naive",
    "analyze reduce_3x3#naive --depth 0",
    "analyze mobilenet_v1 --set width=0.5,1",
    "compare reduce_3x3",
    "compare reduce_3x3 --layers",
    "explain vgg11 conv1",
    "verify vgg16",
    "reduce reduce_3x3#naive",
    "reduce reduce_3x3#naive --channels 1/4 --write new.yaml",
    "reduce googlenet --undo",
    "check reduce_3x3 --max-macs 1G",
    "memory reduce_3x3#naive --training adam",
    "memory reduce_3x3#naive --device h100",
    "formula mobilenet_v1 --vary width",
    "search mobilenet_v1 --vary width=0.5,1",
    "specs",
]
NAMES_ITS_CONVENTIONS = {"match"}  # in each row


@pytest.mark.parametrize("command", commands_that_read_specs())
def test_each_command_that_reads_a_spec_is_tested(command):
    assert command in {line.split()[0] for line in REPORTS} | NAMES_ITS_CONVENTIONS


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_with_macs_says_once_what_they_are(report, tmp_path):
    ran = run(*report.split(), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    printed = ran.stdout.decode().splitlines()
    assert any("macs" in line for line in printed)
    assert printed.count(CONVENTION) == 1


UNKNOWN = """\
name: Net
input: {channels: 3, size: 8}
vars: {w: 4}
layers: [{conv: w, kernel: 3}, {custom: magic, params: 0, macs: uncounted}, flatten, {linear: 2}]
published: [{macs: 4176, source: a paper}]
"""


@pytest.mark.parametrize(
    "report",
    [
        "analyze net.yaml",
        "analyze net.yaml --set w=1,2",
        "compare net.yaml net.yaml",
        "explain net.yaml",
        "verify net.yaml",
        "check net.yaml --max-params 10k",
        "memory net.yaml --training adam",
        "memory net.yaml --device h100",
        "formula net.yaml",
        "formula net.yaml custom_1",
        "search net.yaml --vary w=1,2",
        "match net.yaml macs 4176",
    ],
)
def test_a_report_with_macs_names_the_layers_whose_macs_are_not_known(report, tmp_path):
    (tmp_path / "net.yaml").write_text(UNKNOWN)
    ran = run(*report.split(), cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr.decode()
    note = "uncounted: the macs of 1 layer of Net are unknown and not in the total: custom_1"
    printed = [line.removeprefix("net.yaml: ") for line in ran.stdout.decode().splitlines()]
    assert printed.count(note) == 1


@pytest.mark.parametrize("macs", [0, 7, "uncounted"])
@pytest.mark.parametrize(
    "report",
    [
        "analyze net.yaml",
        "analyze net.yaml --set w=1,2",
        "compare net.yaml net.yaml",
        "explain net.yaml",
        "verify net.yaml",
        "memory net.yaml --training adam",
        "formula net.yaml",
        "search net.yaml --vary w=1,2",
    ],
)
def test_a_report_says_once_that_the_author_stated_counts(report, macs, tmp_path):
    spec = UNKNOWN.replace("uncounted", str(macs)).replace("paper}", "paper, off: true}")
    (tmp_path / "net.yaml").write_text(spec)
    ran = run(*report.split(), cwd=tmp_path)
    note = "stated: the author of the spec gave these counts; convcost did not compute them"
    assert ran.stdout.decode().splitlines().count(note) == (0 if macs == "uncounted" else 1)


def test_a_formula_of_a_layer_says_nothing_of_other_layers(tmp_path):
    for macs in ("uncounted", "7"):
        (tmp_path / "net.yaml").write_text(UNKNOWN.replace("uncounted", macs))
        printed = run("formula", "net.yaml", "conv_1", cwd=tmp_path).stdout.decode()
        assert "uncounted" not in printed
        assert "stated" not in printed
