"""The examples of docs/plugins.md work as a plug-in folder."""

import json
import re

import pytest
from support import ROOT, run, write_plugin_examples

from convcost.conventions import CHANGES
from convcost.model.kind import Kind

pytestmark = pytest.mark.slow

SPEC = "name: a|b\ninput: {channels: 4, size: 8}\nlayers: [{maxout: 2}]\n"


@pytest.fixture
def folder(tmp_path):
    write_plugin_examples(tmp_path)
    return str(tmp_path)


def test_the_page_has_one_file_for_each_sort_of_plug_in(tmp_path):
    write_plugin_examples(tmp_path)
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.py")}
    assert files == {
        "layers/maxout.py", "render/asciidoc.py", "conventions/ours.py", "cli/depth.py",
    }  # fmt: skip


def first_words_of(heading):
    """The names in the first column of the table with a heading, in order."""
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    table = page.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [word for row in table for word in re.findall(r"`(\w+)[^`]*`", row.split("|")[1])]


def test_the_page_lists_each_trait_that_a_kind_can_set():
    found_by_convcost = {"name", "principal", "options", "learns", "is_free"}
    structure = {"examples", "required_one_of", "role", "takes_several"}
    of_joins = {"data_inputs", "branch_names", "copied_branch"}
    traits = set(Kind.__annotations__) - found_by_convcost - structure - of_joins
    assert set(first_words_of("trait")) == traits


def test_the_page_lists_each_method_that_a_kind_can_define():
    methods = {name for name in vars(Kind) if not name.startswith("_")} - set(Kind.__annotations__)
    of_bases = {"select_inputs", "product", "copies", "option_values", "with_options"}
    assert set(first_words_of("method")) == methods - of_bases


def test_the_kind_of_the_page_counts_its_bias(folder):
    spec = SPEC.replace("maxout: 2", "maxout: 2, bias: true")
    done = run("analyze", "-", "--format", "csv", text=spec, CONVCOST_PLUGINS=folder)
    row = done.stdout.decode().splitlines()[1].split(",")
    assert row[3:6] == ["8x8x4", str(2 * 4 * 4 + 2 * 4), str(2 * 4 * 4 * 8 * 8)]


def test_the_format_of_the_page_escapes_the_separator_of_cells(folder):
    done = run("analyze", "-", "--format", "asciidoc", text=SPEC, CONVCOST_PLUGINS=folder)
    lines = done.stdout.decode().splitlines()
    assert lines[:4] == [
        ".a{vbar}b",
        "[frame=all]",
        "|===",
        "|layer|kind|output|params|macs|share of params|share of macs",
    ]
    assert "|maxout_1|maxout|8×8×4|32|2,048|100.0 %|100.0 %" in lines


def test_the_option_of_the_format_is_in_the_help_and_is_checked(folder):
    shown = run("analyze", "--help", CONVCOST_PLUGINS=folder).stdout.decode()
    assert "--asciidoc-frame FRAME" in shown
    words = ("analyze", "-", "--format", "asciidoc", "--asciidoc-frame")
    done = run(*words, "ends", text=SPEC, CONVCOST_PLUGINS=folder)
    assert b"[frame=ends]" in done.stdout
    done = run(*words, "round", text=SPEC, CONVCOST_PLUGINS=folder)
    expected = "error: --asciidoc-frame must be all, ends, none or sides, not `round`\n"
    assert (done.returncode, done.stderr.decode()) == (2, expected)


@pytest.mark.parametrize(("limit", "code"), [("142", 0), ("141", 1)])
def test_the_command_of_the_page_prints_the_number_of_layers(folder, limit, code):
    done = run("depth", "googlenet", "--at-most", limit, CONVCOST_PLUGINS=folder)
    assert (done.returncode, done.stdout) == (code, b"142\n")


def test_the_command_of_the_page_reports_an_unknown_spec(folder):
    done = run("depth", "nope", CONVCOST_PLUGINS=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(b"error: ")


def test_the_convention_of_the_page_counts(folder):
    spec = "name: n\ninput: {channels: 4, size: 8}\nlayers: [{conv: 2, kernel: 1}, relu, silu]\n"
    done = run("analyze", "-", "--count", "ours", text=spec, CONVCOST_PLUGINS=folder)
    assert done.stderr == b""
    total = done.stdout.decode().split("total")[1].split("\n")[0].split()
    assert total[2] == str(2 * 2 * 4 * 8 * 8 + 2 * 8 * 8)[:1] + "," + "152"
    listed = run("conventions", "ours", CONVCOST_PLUGINS=folder).stdout.decode()
    assert "2·macs + b·Y" in listed
    assert "fault: forgets the biases" in listed


def test_the_variants_and_the_quantity_of_the_page_count(folder):
    spec = "name: n\ninput: {channels: 4, size: 8}\nlayers: [%s]\n"

    def totals(layer):
        names = "ours,ours:folded,ours:training"
        text = spec % layer
        done = run(
            "analyze", "-", "--count", names, "--format", "json", text=text, CONVCOST_PLUGINS=folder
        )
        assert done.stderr == b""
        return [count["total"] for count in json.loads(done.stdout)["networks"][0]["counts"]]

    norm = 2 * 4 * 8 * 8
    assert totals("batch_norm") == [norm, 0, 3 * norm]
    macs, heads = 8 * (2 * 8 * 8 * 4), 2  # of each of 8 sequences
    attention = 2 * macs + heads * 4 * 8 * 8
    found = totals("{attention: [input, input, input], heads: 2}")
    assert found == [attention, attention, 3 * attention]


def test_the_page_lists_what_a_variant_can_change():
    page = (ROOT / "docs" / "plugins.md").read_text("utf-8")
    table = page.split("| change of a variant | meaning |\n|---|---|\n")[1].split("\n\n")[0]
    listed = [
        name for row in table.splitlines() for name in re.findall("`(.+?)`", row.split("|")[1])
    ]
    assert sorted(listed) == sorted(CHANGES)
