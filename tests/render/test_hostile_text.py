"""What a spec holds is text, whoever wrote it: in every format of every command it stays text.

The cells that were meant come from a format dropped in, which writes them as JSON; parsers that
know nothing of convcost must find the same in what the formats write.
"""

import csv
import html.parser
import io
import json
import os
import re
import subprocess
import unicodedata
from itertools import takewhile
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt
from support import commands_that_read_specs, run
from tools import needs_latex, needs_pdftotext

from convcost.model.errors import ASCII, printable
from convcost.render import FORMATS

CELLS = """
import json
from convcost.render import format
from convcost.model.errors import ASCII, printable
from convcost.reports.table import cell_text


@format("cells", "what is meant", ".cells")
def render(report, style):
    for table in report.tables():
        yield json.dumps({
            "title": printable(table.heading),
            "heads": [printable(column.title) for column in table.columns],
            "rows": [[cell_text(cell) for cell in row] for row in table.rows],
            "total": [cell_text(cell) for cell in table.total],
            "notes": [printable(note) for note in table.notes],
        }) + "\\n"
"""
EVIL = [
    "=cmd()", "+1", "@x", "-2+3", "[/red]", "[a](http://evil.example)", "*b*", "a|b", "`c`",
    "a\\|b", "<script>alert(1)</script>", "\\input{/etc/passwd}", "%0A::error", "$x$", "#1", "~^",
    "&amp;", 'q"q', "'s'", "]]>", "[", "*", "\x1b[31mred", "\x1b]52;c;aGk=\x07", "\x9b2J",
    "\u202eevil", "zero\u200bwidth", "line\nbreak", "tab\tbreak", "cr\rlf", "_x_", "1. x", "- x",
    "--", "''", "``", "\\", "||", "a\\", '"', "é ß ł ŋ ế → 中 ² α Ω", "<!--", "]: x", "~~x~~",
    "www.evil.example", "me@evil.example", "GH-1", ":smile:", "![i](x)", "<http://evil.example>",
    "\\\\", "^^M", "\\end{tabular}", "  two before", "a\u2028b", "\ue000",
    "a5c3785", "owner@A5C3785ED8", "x_deadbeef12-0123456#1",
    '!1 a!!2 &1 &&2 ~bug ~"a b" %1 %v1.2 $1 $$2 $3$ GL-1 [issue:1] *iteration:1 ~~%~!@&1',
    "group/project> project> {+a+} [-b-] [+c+] {-d-}", "0123456789abcdef" * 4,
    "hangul\u3164filler", "selected\ufe0f",
    "::error::said", "  ::error::said", "##[group]x", "###[x]", "##vso[task.complete]x", "##x[y]",
    "z" * 40 + " ::error::said " * 9, "x" * 40 + "/" + "y" * 40, "n" * 10_000,
]  # fmt: skip
NAMES = [text for text in EVIL if "/" not in text]
COMMANDS = {
    "analyze": ("analyze", "{}#first"),
    "analyze with its work": ("analyze", "{}#first", "--work", "macs"),
    "compare": ("compare", "{}", "--layers"),
    "explain": ("explain", "{}#first", "=cmd()"),
    "verify": ("verify", "{}#first"),
    "reduce": ("reduce", "{}#first"),
    "undo": ("reduce", "{folder}/short.yaml", "--undo"),
    "check": ("check", "{}#first", "--max-params", "1G", "--report-passed"),
    "kinds": ("kinds",),
    "memory": ("memory", "{}#first", "--training", "adam"),
    "match": ("match", "{}#first", "1", "MFLOPs"),
    "formula": ("formula", "{}#first", "--vary", "size"),
    "search": ("search", "{}#first", "--vary", "size=8,16"),
}
REPORTS = commands_that_read_specs("--format")
COMMANDS |= {name: (name, "{}#first") for name in REPORTS if name not in COMMANDS}
OVER = ("check", "{folder}/over.yaml", "--max-params", "1")
STATEMENT = " ".join(text[:200] for text in EVIL)  # each finding repeats it
BUDGET = """\
budget:
  layers: [{match: "*", params: {warn: 1}, macs: {grow: 1%%}}]
  message: %s
"""
TABLES = [name for name, form in FORMATS.items() if not form.needs]
RESULTS = [name for name, form in FORMATS.items() if form.needs == "findings"]
CHARTS = [name for name, form in FORMATS.items() if form.needs == "charts"]
WRITTEN = [(command, form) for command in COMMANDS for form in TABLES]
WRITTEN += [("analyze", form) for form in CHARTS]
WRITTEN += [(command, form) for command in ("check", "over") for form in RESULTS]
COMMONMARK = MarkdownIt("commonmark").enable("table").enable("strikethrough")


def document(name: str, kernel: int, longest: int = 10_000) -> str:
    """A network of layers with every name, and of figures with every source and note."""
    source = " ".join(text[:longest] for text in EVIL)
    lines = [f"name: {json.dumps(name)}", f"source: {json.dumps(source)}"]
    lines += ["input: {channels: 8, size: 8}", "layers:"]
    for text in (name[:longest] for name in NAMES):
        # Each after a 1x1, so that there is a reduction to undo.
        block = f"{{conv: 8, kernel: {kernel}, padding: {kernel // 2}, note: {json.dumps(text)}}}"
        lines.append(
            f"  - {{sequence: [{{conv: 2, kernel: 1}}, {block}], name: {json.dumps(text)}}}"
        )
    lines.append("published:")
    for text in (text[:longest] for text in EVIL):
        lines.append(f"  - {{params: 7, source: {json.dumps(text)}, note: {json.dumps(text)}}}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Command to format to what it wrote, each command run once."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "render").mkdir()
    (folder / "render" / "cells.py").write_text(CELLS, "utf-8")
    spec = folder / "spec.yaml"
    second = " ".join(EVIL)
    both = f"{document('first', 3)}---\n{document(second, 5)}"
    spec.write_text(both, "utf-8")
    (folder / "short.yaml").write_text(document("first", 3, 200), "utf-8")
    over = document(STATEMENT, 3) + BUDGET % json.dumps(STATEMENT)
    (folder / "over.yaml").write_text(over, "utf-8")
    found: dict[str, dict[str, str]] = {}
    for name, command in (*COMMANDS.items(), ("over", OVER)):
        found[name] = {}
        forms = {"over": ["csv", "tsv", *RESULTS], "check": ["cells", *TABLES, *RESULTS]}
        forms["analyze"] = ["cells", *TABLES, *CHARTS]
        outputs = {form: folder / f"{form}.out" for form in forms.get(name, ["cells", *TABLES])}
        done = run(
            *(part.format(spec, folder=folder) for part in command),
            *(part for form, file in outputs.items() for part in ("--output", f"{form}:{file}")),
            CONVCOST_PLUGINS=str(folder),
        )
        assert done.returncode == (name in ("verify", "over")), (
            f"`{name}` needs other arguments, or exits with another code: add a call of it to "
            f"COMMANDS in tests/render/test_hostile_text.py\n{done.stderr.decode()}"
        )
        for form, file in outputs.items():
            found[name][form] = file.read_bytes().decode("utf-8")
    return found


# A file in `github` is commands, see below.
LOGGED = [(command, form) for command, form in WRITTEN if form != "github"]


@pytest.mark.parametrize(("command", "form"), LOGGED)
def test_no_line_is_a_command_for_a_runner_that_logs_it(written, command, form):
    assert_no_commands(written[command][form])


@pytest.mark.parametrize("width", [20, 33, 47, 80])
def test_no_line_of_a_narrow_table_is_a_command(width, tmp_path):
    (tmp_path / "net.yaml").write_text(document("::error::said", 3, 200), "utf-8")
    for command in ("analyze", "explain", "verify", "reduce"):
        layer = ["::error::said"] * (command == "explain")
        shape = ("--format", "table", "--width", str(width), "--color", "always")
        done = run(command, "net.yaml", *layer, *shape, cwd=tmp_path)
        text = re.sub(r"\x1b\[[\d;]*m", "", done.stdout.decode())
        assert "said" in text
        assert_no_commands(text)


def test_json_reads_the_same_names(written):
    (network,) = json.loads(written["analyze"]["json"])["networks"]
    paths = {layer["path"] for layer in network["layers"]}
    assert paths == {f"{name}/conv_{number}" for name in NAMES for number in (1, 2)}


def test_json_has_no_half_of_a_surrogate_pair(tmp_path):
    """Other programs refuse one: https://www.rfc-editor.org/rfc/rfc8259#section-8.2"""
    name = os.fsdecode(b"\xf0\x9f\x98\x80\\\xff.yaml")
    (tmp_path / name).write_text(
        "name: net\ninput: {channels: 1, size: 2}\nlayers: [relu]\n", "utf-8"
    )
    done = run("analyze", name, "--format", "json", cwd=tmp_path)
    (network,) = json.loads(done.stdout)["networks"]
    assert network["file"] == r"😀\\udcff.yaml"


def assert_no_commands(text: str) -> None:
    """GitHub skips spaces before `::`; it and Azure Pipelines find `##name[` anywhere in a line."""
    for line in text.splitlines():
        assert not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)


def meant(written, command):
    return [json.loads(line) for line in written[command]["cells"].splitlines()]


@pytest.mark.slow
@pytest.mark.parametrize(("command", "form"), WRITTEN)
def test_no_control_or_invisible_character_is_written(written, command, form):
    kept = "\n\t" if form == "tsv" else "\n"
    letters = set(written[command][form])
    assert letters
    hidden = {c for c in letters if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")}
    assert hidden <= set(kept)


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
# A check, figures and points have rows of their own for programs, see below.
@pytest.mark.parametrize("command", sorted({*COMMANDS} - {"check", "search", "verify"}))
def test_csv_reads_the_same_rows_and_no_cell_is_a_formula(written, command, form, sign):
    tables = meant(written, command)
    rows = list(csv.reader(io.StringIO(written[command][form], newline=""), delimiter=sign))
    heads = [row for row in rows if row[:1] == ["network"]]
    body = [row for row in rows if row and row[:1] != ["network"]]
    assert 1 <= len(heads) <= len(tables)
    assert len(body) == sum(len(table["rows"]) for table in tables)
    for row, cells in zip(body, (row for table in tables for row in table["rows"]), strict=True):
        assert len(row) - len(cells) in (0, 1)  # the name of the network, if it is not a column
        for got, cell in zip(row[-len(cells) :], cells, strict=True):
            if re.fullmatch(r"-?\d+(\.\d+)?", got):
                continue
            assert not got.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
            if not re.fullmatch(r"[\d,.× %-]*", cell):
                assert got.removeprefix("'") == cell.removeprefix("'").replace("×", "x") or (
                    got.removeprefix("'") == cell
                )


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
def test_csv_of_a_check_reads_the_same_texts_and_no_cell_is_a_formula(written, form, sign):
    rows = list(csv.reader(io.StringIO(written["over"][form], newline=""), delimiter=sign))
    head = rows[0]
    for row in rows[1:]:
        for cell in row:
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    reported = [dict(zip(head, row, strict=True)) for row in rows[1:]]
    paths = {finding["path"] for finding in reported if finding["code"] == "CC204"}
    assert {path.removeprefix("'") for path in paths} == {
        name.removeprefix("'") for name in named("")
    }
    printed = {finding["message"] for finding in reported if finding["code"] == "CC204"}
    assert printed == {"'" + printable(STATEMENT)}


@pytest.mark.parametrize(("form", "sign"), [("csv", ","), ("tsv", "\t")])
def test_csv_of_figures_has_all_sources_and_notes_and_no_cell_is_a_formula(written, form, sign):
    text = written["verify"][form]
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=sign))
    for row in rows:
        for cell in row.values():
            assert not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    for key in ("source", "note"):
        assert [row[key].removeprefix("'") for row in rows] == [
            printable(text).removeprefix("'") for text in EVIL
        ]


def inline(token) -> str:
    """The text of a piece of Markdown, and that nothing is in it but text, code and bold."""
    known = {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    assert {child.type for child in token.children} <= known
    return "".join(child.content for child in token.children).replace("\xa0", " ")


CODE = re.compile(r"(?<![^\s(])`([^`|<>&\\]+)`(?=[\s.,;)]|: |$)")


# A check has Markdown of its own, a comment: see test_comment.py.
@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "check"])
def test_markdown_reads_the_same_cells_and_no_markup(written, command):
    tokens = COMMONMARK.parse(written[command]["markdown"])
    known = {
        "paragraph", "table", "thead", "tbody", "tr", "th", "td", "bullet_list", "list_item",
    }  # fmt: skip
    assert {re.sub("_(open|close)$", "", t.type) for t in tokens} <= known | {"inline"}
    tables = meant(written, command)
    expected = []
    for table in tables:
        expected += [table["title"], *table["heads"]]
        expected += [cell for row in table["rows"] for cell in row]
        # In a note, what is in backticks is code.
        expected += [*table["total"], *(CODE.sub(r"\1", note) for note in table["notes"])]
    found = [inline(token) for token in tokens if token.type == "inline"]
    assert found == [text.rstrip() for text in expected]


MENTION = re.compile(
    r"@\w|#\d|://|www\.|G[HL]-\d|:[\w+-]+:|\b[0-9a-fA-F]{7,64}\b"
    r"|[!&$]\d|[~%][\w\"]|\[\w+:|\*iteration:|[\[{][-+]|[\w.-]>"
)


@pytest.mark.parametrize("command", COMMANDS)
def test_markdown_leaves_github_and_gitlab_nothing_to_link(written, command):
    """What they look through once Markdown is rendered: all text that is not code."""
    for token in COMMONMARK.parse(written[command]["markdown"]):
        plain = [c.content if c.type != "code_inline" else "\0" for c in token.children or ()]
        assert not MENTION.search("".join(plain))


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        if self.tags[-1:] != ["script"]:
            self.text.append(data)


@pytest.mark.skipif("html" not in FORMATS.names(), reason="there is no format html")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_page_has_no_tag_and_no_address_of_a_spec(written, command):
    page = written[command]["html"]
    reader = Reader()
    reader.feed(page)
    assert "<script>alert" not in page
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    addresses = [value for name, value in reader.attributes if name in ("href", "src", "action")]
    assert not [value for value in addresses if value and "evil" in value]


@pytest.mark.parametrize(
    ("form", "first", "second"),
    [
        ("csv", "net,'-1+cmd,conv,", "net,GH-1 :x: *b* ->,conv,"),
        ("tsv", "net\t'-1+cmd\tconv\t", "net\tGH-1 :x: *b* ->\tconv\t"),
        (
            "markdown",
            "| &#8722;1+cmd | conv | 8&#215;8&#215;3 |",
            "| GH&#8722;1 :&#215;: &#183;b&#183; &#8594; | conv |",
        ),
        (
            "mermaid",
            '["#8722;1+cmd<br/>conv 1#215;1<br/>8#215;8#215;3<br/>',
            '["GH#8722;1 #58;#215;#58; #183;b#183; #8594;<br/>conv 1#215;1<br/>',
        ),
    ],
)
@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_words_for_an_output_without_unicode_are_neither_markup_nor_a_formula(
    form, first, second, encoding
):
    spec = """\
name: net
input: {channels: 3, size: 8}
layers:
  - {conv: 3, kernel: 1, name: "−1+cmd"}
  - {conv: 3, kernel: 1, name: "GH−1 :×: ·b· →"}
"""
    ran = run("analyze", "-", "--format", form, text=spec, PYTHONIOENCODING=encoding)
    shown = ran.stdout.decode("ascii")
    assert first in shown
    assert second in shown


def test_no_word_for_an_output_without_unicode_begins_a_formula():
    names = [f"{chr(sign)}1" for sign in ASCII]
    layers = [{"conv": 3, "kernel": 1, "name": name} for name in names]
    text = json.dumps({"input": {"channels": 3, "size": 8}, "layers": layers})
    ran = run("analyze", "-", "--format", "csv", text=text, PYTHONIOENCODING="ascii")
    read = [row["path"] for row in csv.DictReader(io.StringIO(ran.stdout.decode("ascii")))]
    assert len(read) == len(names)
    assert [path for path in read if path.startswith(("=", "+", "-", "@"))] == []


PATHS = re.compile(r"params of `(.*)` \d+ over the warning limit 1 ", re.DOTALL)


def layers(texts) -> set[str]:
    """The layers that texts of findings speak of."""
    return {match[1] for text in texts if (match := PATHS.search(text))}


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """What a runner of GitHub finds in a log: it takes `::` at the start of a line for a command,
    and `##[` anywhere in what is none."""
    found = []
    for line in text.splitlines():
        if line.lstrip().startswith("::"):
            level, reported, data = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()
            pairs = dict(pair.split("=") for pair in reported.split(","))
            found.append((level, pairs, data.replace("%0A", "\n").replace("%25", "%")))
        else:
            assert "##[" not in line
    return found


def named(before: str = "`") -> set[str]:
    """The layers with parameters of `over.yaml`, as names are shown after a text."""
    cells = (printable(f"{before}{name}").removeprefix(before) for name in NAMES)
    return {f"{cell}/conv_{number}" for cell in cells for number in (1, 2)}


READERS = {
    "concise": lambda text: [line for line in text.splitlines() if "warning[CC204]" in line],
    "gitlab": lambda text: [issue["description"] for issue in json.loads(text)],
    "junit": lambda text: [out.text for out in ET.fromstring(text).iter("system-out")],
    "sarif": lambda text: [
        re.sub(r"\\([\[\]])|([{}])\2", r"\1\2", result["message"]["text"])
        for result in json.loads(text)["runs"][0]["results"]
    ],
}


@pytest.mark.parametrize("form", READERS)
def test_results_of_a_check_read_the_same_names_of_layers(written, form):
    assert layers(READERS[form](written["over"][form])) == named()


def test_github_reads_annotations_with_the_same_names_and_no_other_command(written):
    reported = commands(written["over"]["github"])
    levels = [level for level, _, _ in reported]
    assert levels == sorted(levels, key=["error", "warning", "notice"].index)
    assert {key for _, pairs, _ in reported for key in pairs} == {"title", "file", "line", "col"}
    found = {
        match[1]
        for _, _, data in reported
        if (match := re.search(r": params of `(.*)` over the warning limit\n", data))
    }
    assert found == named()


def texts_in(tree) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    items = [*tree, *tree.values()] if isinstance(tree, dict) else tree
    return [text for item in items for text in texts_in(item)] if isinstance(items, list) else []


@pytest.mark.parametrize("form", [*TABLES, *RESULTS])
def test_a_statement_and_the_name_of_a_file_are_text_in_each_format(form, tmp_path):
    name = "%0A::error::x \x1b[31m \u202e ##[group]y"
    file = tmp_path / f"net{name}.yaml"
    layers = f"[{{custom: x, params: 2, macs: uncounted, name: {json.dumps(name)}}}]"
    file.write_text(f"input: {{channels: 1, size: 1}}\nlayers: {layers}\n", "utf-8")
    check = ("check", file.name, "--max-params", "1", "--max-macs", "1", "--format", form)
    done = run(*check, cwd=tmp_path)
    assert done.returncode == 1, done.stderr.decode()
    text = done.stdout.decode()
    read = texts_in(json.loads(text)) if form in ("sarif", "gitlab") else [text]
    if form == "github":
        read = [part for _, pairs, data in commands(text) for part in (*pairs.values(), data)]
        assert any(f"total: {printable(name)}" in part for part in read)
    else:
        assert_no_commands(text)
    for part in read:
        assert not {c for c in part if c not in "\n\t" and not c.isprintable()}


LONG = 1_000
TEX = r"""\documentclass{article}
\usepackage[T1]{fontenc}\usepackage{lmodern}\usepackage[margin=1.5cm,paperwidth=21cm,paperheight=500cm]{geometry}
\usepackage{%s}
\begin{document}
%s\end{document}
"""
READ = {
    "’": "'", "‘": "'", "−": "-", "ˆ": "^", "˜": "~", "ˋ": "`", "‐": "-", "`": "`",
    "“": '"', "”": '"',
}  # fmt: skip


def squeezed(text: str) -> str:
    """Without what a page does to text: spaces, joined letters, turned quotes."""
    text = unicodedata.normalize("NFKC", "".join(READ.get(c, c) for c in text))
    return re.sub(r"[\s,]", "", text)


@pytest.mark.slow
@needs_latex
@needs_pdftotext
@pytest.mark.parametrize("command", COMMANDS)
def test_latex_compiles_and_reads_the_same_ascii_cells(written, command, tmp_path):
    source = written[command]["latex"]
    packages = ",".join(re.findall(r"^% \\usepackage\{(.*)\}$", source, re.MULTILINE))
    (tmp_path / "main.tex").write_text(TEX % (packages, source), "utf-8")
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "main.tex"],
        cwd=tmp_path, capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    log = (tmp_path / "main.log").read_text("latin-1")
    assert done.returncode == 0, re.findall(r"^! .*", log, re.MULTILINE)
    assert "Missing character" not in log
    assert not re.search(r"\(/etc|etc/passwd", log)
    tables = meant(written, command)
    ends = sum(1 + len(table["rows"]) + bool(table["total"]) for table in tables)
    assert len(re.findall(r"\\\\$", source, re.MULTILINE)) == ends
    subprocess.run(["pdftotext", "-raw", "main.pdf"], cwd=tmp_path, check=True)
    read = squeezed((tmp_path / "main.txt").read_text("utf-8"))
    cells = (cell for table in tables for row in (table["heads"], *table["rows"]) for cell in row)
    # What follows a cell of 10 kB stands below the page.
    for cell in takewhile(lambda cell: len(cell) < LONG, cells):
        if cell.isascii():
            assert squeezed(cell) in read
