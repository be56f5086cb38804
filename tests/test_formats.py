"""Markdown, CSV and TSV as people paste them, and options that belong to one format."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import run

from convcost.report import FORMATS, Column, Rounded, Share, Size, Style, Table, printable

GFM = MarkdownIt("commonmark").enable("table").enable("strikethrough")


class One:
    """A report of one table."""

    def __init__(self, *rows, columns=(), total=(), title="title", notes=()):
        columns = columns or tuple(Column(f"k{n}", f"h{n}", "left") for n in range(len(rows[0])))
        self.table = Table("name", title, columns, tuple(rows), total, notes)

    def tables(self):
        yield self.table

    def tree(self):
        return {}


def written(form: str, report, style: Style = Style()) -> str:  # noqa: B008
    return "".join(FORMATS.get(form).render(report, style))


def cells(text: str) -> list[str]:
    tokens = [token for token in GFM.parse(text) if token.type == "inline"]
    assert {c.type for t in tokens for c in t.children} <= {
        "text", "text_special", "code_inline", "strong_open", "strong_close",
    }  # fmt: skip
    return ["".join(c.content for c in t.children).replace("\xa0", " ") for t in tokens]


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_read_back_from_markdown_as_it_was_shown(cell, note):
    text = written("markdown", One((cell, "x"), title=cell + "t", notes=(note + "n",)))
    shown = [printable(cell + "t").rstrip(), "h0", "h1", printable(cell).rstrip(), "x"]
    assert cells(text)[:-1] == shown
    assert cells(text)[-1] == printable(note + "n")


@given(st.text(alphabet="|`*_[]()<>&#@:!~\\-+=1. aw/$", max_size=20))
def test_signs_of_markdown_are_read_back_as_they_were_shown(cell):
    text = written("markdown", One((cell + "x", "y"), notes=(cell + "n",), title=cell + "t"))
    assert cells(text) == [f"{cell}t", "h0", "h1", f"{cell}x", "y", f"{cell}n"]


def test_markdown_of_a_network_reads_well_as_it_is():
    text = run("analyze", "bottleneck_256#reduced", "--format", "markdown").stdout.decode()
    lines = text.splitlines()
    assert lines[2:4] == [
        "| layer | kind | output | params | macs | share of macs |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    assert lines[4] == "| reduce | conv | 56×56×64 | 16,384 | 51,380,224 | 23.5 % |"
    assert "| **total** |  |  | **" in text


def test_markdown_shows_a_row_below_another_as_indented():
    text = run("compare", "inception_3a", "--format", "markdown").stdout.decode()
    assert "| &nbsp;&nbsp;ratio |  | 2.46 times less |" in text


def test_what_github_links_is_code_and_what_it_does_not_is_plain():
    row = ("@a #1 x://y www.z GH-1 :b:", "arXiv:1409.4842 conv_1 a-b")
    text = written("markdown", One(row)).splitlines()[-1]
    assert text == "| `@`a `#`1 x`://`y www`.`z GH`-`1 `:`b: | arXiv:1409.4842 conv_1 a-b |"


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
def test_a_formula_is_quoted_a_number_never_and_nothing_with_csv_raw(form, sign):
    evil = ("=cmd()", "+1", "-1", "@x", "\t=1", "  =1", "＝1")
    report = One((*evil, -1, Rounded(-1, 0, -1234), Share(1, 3), Size((3, 4)), None))
    (head, row) = csv.reader(io.StringIO(written(form, report), newline=""), delimiter=sign)
    assert head == ["network", *(f"k{n}" for n in range(12))]
    quoted = ["'=cmd()", "'+1", "'-1", "'@x", "\\x09=1", "'  =1", "'＝1"]
    assert row == ["name", *quoted, "-1", "-1234", "33.3333", "3x4", ""]
    raw = written(form, report, Style(bare=True))
    (_, row) = csv.reader(io.StringIO(raw, newline=""), delimiter=sign)
    assert row[1:8] == ["=cmd()", "+1", "-1", "@x", "\\x09=1", "  =1", "＝1"]


@given(st.lists(st.text(max_size=10), min_size=3, max_size=3))
def test_any_text_is_read_back_from_csv_and_tsv_as_it_was_shown(texts):
    for form, sign in (("csv", ","), ("tsv", "\t")):
        text = written(form, One(tuple(texts), ("a", "b", "c")), Style(bare=True))
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
        assert rows[1:] == [["name", *map(printable, texts)], ["name", "a", "b", "c"]]
        assert text.count("\n") == 3


@pytest.mark.parametrize("units", ["k", "auto"])
@pytest.mark.parametrize("form", ["csv", "tsv", "json"])
@pytest.mark.parametrize("command", [("analyze", "vgg16"), ("compare", "inception_3a")])
def test_programs_get_exact_counts_under_their_own_names_whatever_the_unit(command, form, units):
    plain = run(*command, "--format", form)
    assert run(*command, "--format", form, "--units", units).stdout == plain.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--caption", "x", "--format", "json"], "--caption is for latex, none is written"),
        (["--label", "x"], "--label is for latex, none is written"),
        (["--longtable", "-o", "x.md"], "--longtable is for latex, none is written"),
        (["--siunitx", "-o", "x.csv"], "--siunitx is for latex, none is written"),
        (["--csv-raw", "-o", "x.tex"], "--csv-raw is for csv and tsv, neither is written"),
        (
            ["--label", "a}b", "--format", "latex"],
            "--label is made of letters, digits and : . - + / _, not `a}b`",
        ),
    ],
)
def test_an_option_of_a_format_that_is_not_written_is_refused(options, said, tmp_path):
    done = run("analyze", "vgg16", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {said}\n"
    assert list(tmp_path.iterdir()) == []


def test_an_option_of_one_format_of_several_is_used(tmp_path):
    outputs = ("-o", "x.tex", "-o", "x.json", "-o", "x.tsv")
    done = run("analyze", "vgg16", "--caption", "Cost", "--csv-raw", *outputs, cwd=tmp_path)
    assert done.returncode == 0
    assert r"\caption{Cost}" in (tmp_path / "x.tex").read_text()
    assert json.loads((tmp_path / "x.json").read_text())["schema"] == "convcost.analyze/1"


def test_a_format_says_itself_which_options_it_uses():
    used = {name: form.uses for name, form in FORMATS.items() if form.uses}
    assert set(Style._fields) >= {field for fields in used.values() for field in fields}
    assert used["latex"] == ("caption", "label", "long", "siunitx")
