"""Markdown, CSV and TSV as people paste them, and options that belong to one format."""

import csv
import io
import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import run

from convcost.model.errors import printable
from convcost.render import FORMATS, Style
from convcost.reports.report import Report
from convcost.reports.table import Column, Rounded, Share, Size, Table

# In a note, what is in backticks is code.
CODE = re.compile(r"(?<![^\s(])`([^`|<>&\\\s](?:[^`|<>&\\]*[^`|<>&\\\s])?)`(?=[\s.,;)]|: |$)")
GFM = MarkdownIt("commonmark").enable("table").enable("strikethrough")


class SmallReport(Report):
    """A report of one table."""

    name = "one"
    table: Table

    def tables(self):
        yield self.table

    def tree(self):
        return {}


def report_of(*rows, columns=(), total=(), title="title", notes=()) -> SmallReport:
    columns = columns or tuple(Column(f"k{n}", f"h{n}", "left") for n in range(len(rows[0])))
    return SmallReport(Table("name", title, columns, tuple(rows), total, notes))


def written(form: str, report, style: Style = Style()) -> str:  # noqa: B008
    return "".join(FORMATS.get(form).write(report, style))


def cells(text: str) -> list[str]:
    tokens = [token for token in GFM.parse(text) if token.type == "inline"]
    assert {c.type for t in tokens for c in t.children} <= {
        "text", "text_special", "code_inline", "strong_open", "strong_close",
    }  # fmt: skip
    return ["".join(c.content for c in t.children).replace("\xa0", " ") for t in tokens]


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_text_is_read_back_from_markdown_as_shown(cell, note):
    text = written("markdown", report_of((cell, "x"), title=cell + "t", notes=(note + "n",)))
    shown = [printable(cell + "t").rstrip(), "h0", "h1", printable(cell).rstrip(), "x"]
    assert [found.rstrip() for found in cells(text)[:-1]] == shown
    assert cells(text)[-1] == CODE.sub(r"\1", printable(note + "n"))


@example("@#1")  # two signs side by side that GitHub links
@given(st.text(alphabet="|`*_[]()<>&#@:!~\\-+=1. aw/$", max_size=20))
def test_special_characters_of_markdown_are_read_back_unchanged(cell):
    text = written("markdown", report_of((cell + "x", "y"), notes=(cell + "n",), title=cell + "t"))
    title, first, note = (printable(cell + end) for end in "txn")
    assert cells(text) == [title, "h0", "h1", first, "y", CODE.sub(r"\1", note)]


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("fvcore: `FlopCountAnalysis`: a flop", "fvcore: `FlopCountAnalysis`: a flop"),
        ("53 convolutions have no bias; `bias: true` adds 9", None),
        ("(`a_b`), `@team`, `*c*`.", None),
        ("`a``b`", "&#96;a&#96;&#96;b&#96;"),
        ("`a`@b", "&#96;a&#96;`@`b"),
        ("`a|b` and `<b>`", "&#96;a&#124;b&#96; and &#96;&#60;b`>`&#96;"),
        ("1` is open", "1&#96; is open"),
    ],
)
def test_what_a_note_has_in_backticks_is_code_in_markdown(note, expected):
    text = written("markdown", report_of(("a", "b"), notes=(note,)))
    assert text.splitlines()[-1] == f"- {expected or note}"


def test_markdown_of_a_network_is_readable_as_source():
    text = run("analyze", "bottleneck_256#reduced", "--format", "markdown").stdout.decode()
    lines = text.splitlines()
    assert lines[2:4] == [
        "| layer | kind | output | params | macs | share of params | share of macs |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    assert lines[4] == "| reduce | conv | 56×56×64 | 16,384 | 51,380,224 | 23.5 % | 23.5 % |"
    assert "| **total** |  |  | **" in text


def test_markdown_of_a_comparison_is_readable_as_source():
    text = run("compare", "inception_3a", "--format", "markdown").stdout.decode()
    assert text.splitlines()[:6] == [
        "**reduced has 2.46× fewer params and 2.46× fewer macs than naive**",
        "",
        "| network | input | params | params ratio | macs | macs ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        "| naive | 28×28×192 | 387,072 | baseline | 303,464,448 | baseline |",
        "| reduced | 28×28×192 | 157,184 | 2.46× fewer | 123,232,256 | 2.46× fewer |",
    ]


def test_what_github_links_is_code_and_what_it_does_not_is_plain():
    row = ("@a #1 x://y www.z GH-1 :b:", "arXiv:1409.4842 conv_1 a-b")
    text = written("markdown", report_of(row)).splitlines()[-1]
    assert text == "| `@`a `#`1 x`://`y www`.`z GH`-`1 `:`b: | arXiv:1409.4842 conv_1 a-b |"


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
def test_a_formula_is_quoted_a_number_never_and_nothing_with_csv_raw(form, sign):
    evil = ("=cmd()", "+1", "-1", "@x", "\t=1", "  =1", "＝1")
    report = report_of((*evil, -1, Rounded(-1, 0, -1234), Share(1, 3), Size((3, 4)), None))
    (head, row) = csv.reader(io.StringIO(written(form, report), newline=""), delimiter=sign)
    assert head == ["network", *(f"k{n}" for n in range(12))]
    quoted = ["'=cmd()", "'+1", "'-1", "'@x", "\\x09=1", "'  =1", "'＝1"]
    assert row == ["name", *quoted, "-1", "-1234", "33.3333", "3x4", ""]
    raw = written(form, report, Style(options={"csv_raw": True}))
    (_, row) = csv.reader(io.StringIO(raw, newline=""), delimiter=sign)
    assert row[1:8] == ["=cmd()", "+1", "-1", "@x", "\\x09=1", "  =1", "＝1"]


@given(st.lists(st.text(max_size=10), min_size=3, max_size=3))
def test_any_text_is_read_back_from_csv_and_tsv_as_shown(texts):
    for form, sign in (("csv", ","), ("tsv", "\t")):
        text = written(
            form, report_of(tuple(texts), ("a", "b", "c")), Style(options={"csv_raw": True})
        )
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
        assert rows[1:] == [["name", *map(printable, texts)], ["name", "a", "b", "c"]]
        assert text.count("\n") == 3


@pytest.mark.parametrize("units", ["k", "auto"])
@pytest.mark.parametrize("form", ["csv", "tsv", "json"])
@pytest.mark.parametrize("command", [("analyze", "vgg16"), ("compare", "inception_3a")])
def test_programs_get_exact_counts_with_every_unit(command, form, units):
    plain = run(*command, "--format", form)
    assert run(*command, "--format", form, "--units", units).stdout == plain.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--caption", "x", "--format", "json"],
            "--caption works only with format latex; add `--format latex`",
        ),
        (["--label", "x"], "--label works only with format latex; add `--format latex`"),
        (
            ["--longtable", "-o", "x.md"],
            "--longtable works only with format latex; add `--format latex`",
        ),
        (
            ["--siunitx", "-o", "x.csv"],
            "--siunitx works only with format latex; add `--format latex`",
        ),
        (
            ["--csv-raw", "-o", "x.tex"],
            "--csv-raw works only with format csv or tsv; add `--format csv`",
        ),
        (
            ["--label", "a}b", "--format", "latex"],
            "--label must be made of letters, digits and : . - + / _, not `a}b`",
        ),
    ],
)
def test_an_option_of_a_format_that_is_not_written_is_refused(options, message, tmp_path):
    done = run("analyze", "vgg16", *options, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {message}\n"
    assert list(tmp_path.iterdir()) == []


def test_an_option_of_one_format_of_several_is_used(tmp_path):
    outputs = ("-o", "x.tex", "-o", "x.json", "-o", "x.tsv")
    done = run("analyze", "vgg16", "--caption", "Cost", "--csv-raw", *outputs, cwd=tmp_path)
    assert done.returncode == 0
    assert r"\caption{Cost}" in (tmp_path / "x.tex").read_text()
    assert json.loads((tmp_path / "x.json").read_text())["schema"] == "convcost.analyze/1"


def test_a_format_declares_its_options_in_its_own_file():
    options = {name: [option.flag for option in form.options] for name, form in FORMATS.items()}
    known = {
        "csv": ["--csv-raw"],
        "tsv": ["--csv-raw"],
        "latex": ["--caption", "--label", "--longtable", "--siunitx"],
        "markdown": ["--max-bytes", "--comment-key"],
    }
    assert known.items() <= options.items()  # a new format needs no edit here


CHECK_ONLY = ["concise", "github", "gitlab", "junit", "sarif"]


@pytest.mark.parametrize(
    ("command", "counts", "charts", "findings"),
    [
        ("analyze", True, True, False),
        ("compare", True, True, False),
        ("reduce", True, False, False),
        ("check", False, False, True),
        ("explain", True, False, False),
        ("kinds", False, False, False),
        ("verify", False, False, False),
    ],
)
def test_help_lists_only_supported_options(command, counts, charts, findings):
    text = " ".join(run(command, "--help").stdout.decode().split())
    assert ("--units" in text) is ("--digits" in text) is counts
    assert ("--plot" in text) is charts
    listed = text.partition("--format FORMAT ")[2].partition(";")[0].split(", ")
    assert {name in listed for name in CHECK_ONLY} == {findings}
    assert {"csv", "html", "json", "latex", "markdown", "plain", "table", "tsv"} <= set(listed)
    assert "latex: Caption of the table" in text
