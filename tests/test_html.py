"""The web page: what it says is what the report says, and nothing a spec says is more than text."""

import re
from html.parser import HTMLParser
from itertools import zip_longest
from math import prod
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import SPECS, cost, run, shipped

from convcost.costs import costs
from convcost.errors import Source
from convcost.questions.analyze import Analysis
from convcost.questions.analyze_page import FULL, figures
from convcost.questions.columns import View
from convcost.questions.compare import Comparison
from convcost.questions.kinds import Kinds
from convcost.render.html import render
from convcost.report import Column, Share, Size, Style, Table, printable, shown
from convcost.rounding import shown_in
from convcost.spec.load import load

VOID = {"meta", "link", "br", "wbr", "col", "img"}
DRAWN = {
    *("svg", "g", "rect", "path", "line", "text", "tspan", "title", "desc", "circle", "polyline"),
    *("polygon", "defs", "marker", "clippath", "use", "lineargradient", "stop", "pattern"),
}
WRITTEN = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav"),
    *("article", "section", "h1", "h2", "h3", "p", "ol", "li", "a", "dl", "div", "dt", "dd"),
    *("small", "b", "i", "span", "data", "wbr", "figure", "figcaption", "details", "summary"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
}


class Read(NamedTuple):
    """A table of a page: its caption, heads, rows and foot, as text."""

    caption: str
    heads: list[str]
    rows: list[list[str]]
    foot: list[str]


class Reader(HTMLParser):
    """Reads a page back, and refuses tags that are not closed in their order."""

    def __init__(self, page: str):
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.texts: dict[str, list[str]] = {}
        self.tables: list[Read] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self.open.append(tag)
        self.texts.setdefault(tag, []).append("")
        if tag == "table":
            self.tables.append(Read("", [], [], []))
        if tag == "tr" and "tbody" in self.open and self.open.count("table") == 1:
            self.tables[-1].rows.append([])

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        if tag == "caption":
            self.tables[-1] = self.tables[-1]._replace(caption=self.texts["caption"][-1])
        if tag in ("th", "td"):
            self._row().append(self.texts[tag][-1])

    def _row(self) -> list[str]:
        table = self.tables[-1]
        if "thead" in self.open:
            return table.heads
        return table.foot if "tfoot" in self.open else table.rows[-1]

    def handle_data(self, data):
        for tag in {*self.open}:
            self.texts[tag][-1] += data


def html(report, **style) -> str:
    return "".join(render(report, Style(**style)))


def read(report, **style) -> Reader:
    return Reader(html(report, **style))


def networks(name: str):
    text = (SPECS / f"{name}.yaml").read_text("utf-8")
    return tuple(costs(network) for network in load(Source(f"{name}.yaml", text)))


def cells(table: Table) -> list[list[str]]:
    return [[shown(cell) for cell in row] for row in table.rows]


def whole(page: Reader, title: str) -> list[list[str]]:
    """The rows of a table, over all stages that it is cut into; the last is that of its sums."""
    return [
        row
        for table in page.tables
        if table.caption == title or table.caption.startswith(f"{title}: ")
        for row in table.rows
    ]


def same(found: list[list[str]], wanted: list[list[str]]) -> None:
    """Row by row, so that the first that is not the same is shown."""
    for row, expected in zip_longest(found, wanted):
        assert row == expected


FIVE = """
name: five
input: {channels: 3, size: 32}
layers:
  - {conv: 8, kernel: 3, padding: 1}
  - relu
  - {sequence: [{conv: 16, kernel: 3, bias: true}, relu], name: deep}
  - flatten
"""


# What the page says is what the report says


@pytest.mark.parametrize("name", ["googlenet", "resnet152", "c3d", "mobilenet_v2", "unet"])
def test_the_layers_of_a_page_are_all_rows_of_the_report_with_its_total(name):
    network = shipped(name)
    (table,) = Analysis((network,), View(columns=FULL)).tables()
    rows = [*cells(table), [shown(cell) for cell in table.total]]
    same(whole(read(Analysis((network,))), "Layers"), rows)


def test_a_page_has_the_rows_and_columns_that_were_asked_for():
    asked = View(columns=("layer", "weights", "macs_work"), sort="macs", top=3)
    report = Analysis((shipped("googlenet"),), asked)
    (table,) = report.tables()
    page = read(report)
    same(whole(page, "Layers"), cells(table))
    assert "139 more rows, counted in the total" in page.texts["p"]


@pytest.mark.parametrize("name", ["inception_3a", "bottleneck_256", "cs231n"])
def test_the_tables_of_a_comparison_are_those_of_its_report(name):
    report = Comparison(networks(name), layers=True, bars=False)
    totals, *changes = report.tables()
    page = read(report)
    same(whole(page, "Totals"), cells(totals))
    titles = {table.caption: table for table in page.tables}
    for table in changes:
        same(titles[table.title].rows if table.rows else [], cells(table))


def test_a_report_that_has_only_tables_is_a_page_of_them():
    report = Kinds()
    page = read(report)
    for table in report.tables():
        same(whole(page, table.title), cells(table))
        assert {printable(note) for note in table.notes} <= set(page.texts["p"])
    assert page.texts["p"][0] == "convcost kinds"


def test_a_comparison_shows_the_figures_of_whole_networks():
    page = read(Comparison((shipped("vgg16"), shipped("googlenet"))))
    rows = whole(page, "Published figures")
    assert [row[:4] for row in rows if row[0] == "GoogLeNet"] == [
        ["GoogLeNet", "params", "6998552", "6,998,552"],
        ["GoogLeNet", "macs", "1582671872", "1,582,671,872"],
    ]
    assert "GoogLeNet: 24 of single layers are left out here" in page.texts["p"]


class Dropped(NamedTuple):
    """What a plug-in may hand over: tables and a tree."""

    table: Table

    def tables(self):
        yield self.table

    def tree(self):
        return {}


def test_the_sums_of_the_stages_come_to_the_total():
    page = Analysis((shipped("resnet50"),)).page()
    for section in page.chapters[0].sections:
        for part in section.parts:
            if section.title in ("Layers", "The work"):
                table = part.table
                at = [column.key for column in table.columns].index("macs")
                folded = sum(stage.sums[at] for stage in part.stages if stage.sums)
                rows = (
                    row
                    for stage in part.stages
                    if not stage.sums
                    for row in table.rows[stage.start : stage.stop]
                )
                assert folded + sum(row[at] for row in rows) == table.total[at]
                assert [stage.start for stage in part.stages[1:]] == [
                    stage.stop for stage in part.stages[:-1]
                ]


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3", "convnext_tiny"])
def test_every_product_that_is_shown_comes_to_the_count_beside_it(name):
    for _, params, weighed, macs, multiplied in whole(read(Analysis((shipped(name),))), "The work"):
        for count, work in ((params, weighed), (macs, multiplied)):
            if work:
                terms = [prod(map(int, term.split(" × "))) for term in work.split(" + ")]
                assert f"{sum(terms):,}" == count


def test_the_facts_stand_in_full():
    page = read(Analysis((shipped("googlenet"),)))
    assert dict(zip(page.texts["dt"], page.texts["dd"], strict=True)) == {
        "params": "6,998,5526,990,272 weights, 8,280 biases",
        "macs": "1,582,671,872",
        "activations": "9,912,264",
        "layers": "142",
        "input": "224×224×3",
        "output": "1000",
        "batch": "1",
    }
    assert page.texts["p"][3].startswith("macs: one multiply and one add count as 1")


def test_published_figures_are_held_against_one_sample_whatever_the_batch():
    network = shipped("googlenet").network
    rows, notes = figures(costs(network, 4))
    assert [row.record.verdict for row in rows] == [
        row.record.verdict for row in figures(costs(network))[0]
    ]
    assert notes[0] == "held against 1 sample"


def test_a_figure_of_a_layer_that_is_not_there_is_said_to_be_left_out():
    text = FIVE + "published:\n  - {layer: conv_1, params: 216, source: a}\n"
    network = cost(text)
    entry = network.network.published[0]._replace(layer="nowhere")
    without = network._replace(network=network.network._replace(published=(entry,)))
    assert figures(without) == ([], ("not held: there is no layer `nowhere`",))


def test_several_networks_are_chapters_behind_a_table_of_contents():
    report = Analysis((shipped("vgg16"), shipped("resnet18"), cost(FIVE), shipped("audio_m5")))
    page = read(report)
    assert page.texts["h1"] == ["VGG-16, ResNet-18, five and 1 more"]
    assert page.texts["li"] == page.texts["h2"] == ["VGG-16", "ResNet-18", "five", "M5"]
    assert [a["href"] for tag, a in page.tags if tag == "a"] == ["#c1", "#c2", "#c3", "#c4"]


def test_a_unit_that_is_asked_for_keeps_the_exact_count_at_hand():
    page = read(shown_in(Analysis((shipped("googlenet"),)), (("", "M"),), 2))
    row = next(row for row in whole(page, "Layers") if row[0] == "inception_3a/1x1/conv_1")
    assert row[3:5] == ["0.01", "9.63"]
    titles = {a["title"] for tag, a in page.tags if tag == "data"}
    assert {"12,352", "9,633,792", "128,049,152", "1,582,671,872"} <= titles
    assert page.texts["dd"][1] == "1,582,671,872"


# The page as a document


REPORTS = {
    "analysis": lambda: Analysis((shipped("googlenet"), cost(FIVE))),
    "comparison": lambda: Comparison(networks("inception_3a"), layers=True),
    "kinds": Kinds,
}


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_a_page_has_no_script_and_fetches_nothing(make):
    page = html(make())
    read = Reader(page)
    assert {tag for tag, _ in read.tags} <= WRITTEN | DRAWN
    for _, attributes in read.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href", "action", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:image/gif"))
    assert "url(http" not in page
    assert "@import" not in page


def test_the_policy_stands_before_anything_that_it_is_to_hold():
    page = html(Analysis((cost(FIVE),)))
    policy = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    assert policy[1] == (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    assert page.index("<title>") > policy.end()
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_ids_are_counted_unique_and_all_that_is_referred_to_is_there(make):
    tags = read(make()).tags
    ids = [a["id"] for _, a in tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in tags:
        for name in ("aria-labelledby", "href"):
            value = attributes.get(name, "")
            if value and not value.startswith("data:"):
                assert set(value.removeprefix("#").split()) <= set(ids)


@pytest.mark.parametrize("make", REPORTS.values(), ids=REPORTS)
def test_every_table_has_a_caption_and_heads_with_a_scope(make):
    page = read(make())
    assert page.tables
    for table in page.tables:
        assert table.caption
        assert len(table.heads) == len(table.rows[0]) if table.rows else True
    assert all("scope" in a for tag, a in page.tags if tag == "th")


# Hostile text


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_text_becomes_markup_and_none_is_lost(word, other):
    column = (Column("a", word or "x", "left", folds=True), Column("b", other, "left"))
    total = ("total", Share(1, 2))
    rows = ((word, other), (other, Size((3, 4))), (None, 5))
    report = Dropped(Table(word, other, column, rows, total, (word,)))
    page = read(report)
    assert {tag for tag, _ in page.tags} <= WRITTEN
    (table,) = page.tables
    assert table.caption == printable(other)
    assert table.rows == [
        [printable(word), printable(other)],
        [printable(other), "3×4"],
        ["", "5"],
    ]
    assert table.foot == ["total", "50.0 %"]
    assert page.texts["h1"] == [printable(other)]
    styles = {a["style"] for _, a in page.tags if "style" in a}
    assert all(re.fullmatch(r"--p:[0-9.]+%|--w:[0-9]+ch", style) for style in styles)


HOSTILE = r"""
name: "</title><script>document.title='owned'</script><img src=http://127.0.0.1/x.png>"
source: "\" onmouseover=\"alert(1) 'q' & <b>bold</b> \u202eevil\u202c \e]52;c;aGk=\a"
input: {channels: 3, size: 32}
layers:
  - {conv: 8, kernel: 3, padding: 1, name: "<td><table><script>alert(1)<script>"}
  - name: "averyveryverylongnamewithoutanyspaceorslashwhichcannotbebrokenunlessanywhereisallowed"
    sequence:
      - {conv: 8, kernel: 3, padding: 1, name: "שלום  and a name that goes on and on and on and on"}
      - relu
  - {conv: 8, kernel: 3, padding: 1, name: "--p:100%;background:url(x)"}
published:
  - {params: 1M, source: "<svg onload=alert(1)>", note: "</table><iframe srcdoc='<p>'>"}
"""


def test_a_hostile_spec_stays_text():
    page = read(Analysis((cost(HOSTILE), cost(HOSTILE.replace('name: "</title>', 'name: "b')))))
    assert {tag for tag, _ in page.tags} <= WRITTEN | DRAWN
    assert page.texts["h2"][0].startswith("</title><script>document.title='owned'</script>")
    assert (
        "\" onmouseover=\"alert(1) 'q' & <b>bold</b> \\u202eevil\\u202c \\x1b]52;c;aGk=\\x07"
        in page.texts["p"]
    )
    for _, attributes in page.tags:
        for name in ("style", "class", "id", "href"):
            assert "url" not in attributes.get(name, "")


def test_where_the_output_speaks_no_unicode_the_page_says_it_in_ascii():
    page = html(Analysis((cost(HOSTILE),)), ascii=True)
    assert page.isascii()
    assert "32×32×8" in Reader(page).texts["td"]
    assert Reader(page).tables[1].rows == read(Analysis((cost(HOSTILE),))).tables[1].rows


# As a user has it


def test_the_suffix_asks_for_a_page_and_it_is_written_whole(tmp_path):
    file = tmp_path / "net.html"
    done = run("analyze", "googlenet", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_text("utf-8") == html(Analysis((shipped("googlenet"),))).replace(
        "googlenet.yaml", "googlenet"
    )
    assert file.read_text("utf-8").endswith("</html>\n")
