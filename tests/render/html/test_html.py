"""The web page: what it says is what the report says, and nothing a spec says is more than text."""

import re
from html.parser import HTMLParser
from itertools import zip_longest
from math import prod
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, loaded, run, shipped

import convcost
from convcost.model.costs import costs
from convcost.model.errors import printable
from convcost.model.measures import CONVENTION
from convcost.render import Style
from convcost.render.html import render
from convcost.render.html.tables import table_html
from convcost.reports.analyze import Analysis
from convcost.reports.analyze.columns import AnalysisView
from convcost.reports.analyze.page import FULL_COLUMNS
from convcost.reports.compare import Comparison
from convcost.reports.kinds import Kinds
from convcost.reports.report import Report
from convcost.reports.table import Column, Share, Size, Table, cell_text
from convcost.reports.totals import TotalsView
from convcost.reports.verify.figure_check import current_figures

VOID = {"meta", "link", "br", "wbr", "col", "img", "input"}
DRAWN = {
    *("svg", "g", "rect", "path", "line", "text", "tspan", "title", "desc", "circle", "polyline"),
    *("polygon", "defs", "marker", "clippath", "use", "lineargradient", "stop", "pattern"),
}
WRITTEN = {
    *("html", "head", "meta", "title", "link", "style", "body", "header", "main", "footer", "nav"),
    *("article", "section", "h1", "h2", "h3", "p", "ol", "li", "a", "dl", "div", "dt", "dd"),
    *("small", "b", "i", "span", "data", "wbr", "figure", "figcaption", "details", "summary"),
    *("table", "caption", "colgroup", "col", "thead", "tbody", "tfoot", "tr", "th", "td"),
    *("label", "input"),
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
    return tuple(loaded(name))


def cells(table: Table) -> list[list[str]]:
    return [[cell_text(cell) for cell in row] for row in table.rows]


def whole(page: Reader, title: str) -> list[list[str]]:
    """The rows of the tables with this title."""
    return [row for table in page.tables if table.caption == title for row in table.rows]


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
    (table,) = Analysis((network,), AnalysisView(columns=FULL_COLUMNS)).tables()
    page = read(Analysis((network,)))
    same(whole(page, "Layers"), cells(table))
    layers = next(read for read in page.tables if read.caption == "Layers")
    assert layers.foot == [cell_text(cell) for cell in table.total]


def test_a_long_table_is_closed_below_the_sums_of_its_blocks():
    page = read(Analysis((shipped("googlenet"),)))
    sums = next(table for table in page.tables if table.caption == "Layers by block")
    assert [row[0] for row in sums.rows][:4] == [
        "conv1", "max_pool_1", "local_response_norm_1", "conv2",
    ]  # fmt: skip
    assert page.texts["summary"] == ["All 142 rows", "All 58 rows"]


def test_a_page_has_the_rows_and_columns_of_the_options():
    asked = AnalysisView(columns=("layer", "weights", "macs_work"), sort="macs", top=3)
    report = Analysis((shipped("googlenet"),), asked)
    (table,) = report.tables()
    page = read(report)
    same(whole(page, "Layers"), cells(table))
    assert "139 more rows, counted in the total" in page.texts["p"]


@pytest.mark.parametrize("name", ["inception_3a", "bottleneck_256", "cs231n"])
def test_the_tables_of_a_comparison_are_those_of_its_report(name):
    report = Comparison(networks(name), view=TotalsView(transpose=True), layers=True)
    totals, *changes = report.tables()
    page = read(report)
    same(whole(page, "Totals"), cells(totals))
    titles = {table.caption: table for table in page.tables}
    for table in changes:
        same(titles[table.title].rows if table.rows else [], cells(table))


def test_the_page_of_a_comparison_has_a_row_for_each_network():
    page = read(Comparison((shipped("vgg16"), shipped("googlenet"), shipped("resnet50"))))
    totals, parts = (
        table for table in page.tables if table.caption in ("Totals", "Parts and changes")
    )
    assert totals.heads == [
        "network", "input", "params", "params ratio", "macs", "macs ratio", "activations",
        "activations ratio", "output", "layers",
    ]  # fmt: skip
    assert parts.heads == [
        "network", "weights", "biases", "trainable", "buffers", "active", "params change",
        "macs change", "activations change",
    ]  # fmt: skip
    for table in (totals, parts):
        assert [row[0] for row in table.rows] == ["VGG-16", "GoogLeNet", "ResNet-50"]
    assert totals.rows[1][2:4] == ["6,998,552", "19.77× fewer"]


def test_the_sum_of_activations_of_blocks_is_named():
    """A block has a sum beside the single output of each other row."""
    note = "activations of a block: the sum over all of its layers, not only its output"
    assert note in read(Analysis((shipped("googlenet"),))).texts["p"]
    assert note not in read(Analysis((shipped("nin", "cifar10"),))).texts["p"]
    shown = AnalysisView(columns=("layer", "activations"), depth=1)
    (table,) = Analysis((shipped("googlenet"),), shown).tables()
    assert note in table.notes
    (table,) = Analysis((shipped("googlenet"),), shown._replace(depth=None)).tables()
    assert note not in table.notes


def test_the_page_of_a_check_begins_with_the_verdict():
    report = convcost.check("vgg16", max_params=1)
    page = read(report)
    (table, _) = report.tables()
    assert page.texts["h1"] == ["Over budget"]
    assert page.texts["h2"] == [table.title]
    assert page.texts["p"][1] == report.summary.text


def test_numbers_are_on_the_right_with_their_heads_and_texts_on_the_left():
    columns = [Column("n", "n"), Column("long", "long", folds=True), Column("t", "t", "left")]
    text = "".join(table_html(Table("t", "t", tuple(columns), ((1, 2, "a"),))))
    assert re.findall("<t[hd].*?</t[hd]>", text) == [
        '<th scope="col">n</th>', '<th scope="col">long</th>', '<th scope="col" class="l">t</th>',
        '<th scope="row" class="r">1</th>', "<td>2</td>", '<td class="l">a</td>',
    ]  # fmt: skip


def test_a_report_that_has_only_tables_is_a_page_of_them():
    report = Kinds()
    page = read(report)
    for table in report.tables():
        same(whole(page, table.title), cells(table))
        assert {printable(note) for note in table.notes} <= set(page.texts["p"])
    assert page.texts["p"][0] == "convcost kinds"


def test_a_comparison_has_the_notes_of_its_report():
    report = Comparison(networks("inception_3a"))
    page = read(report)
    assert set(next(report.tables()).notes) <= set(page.texts["p"])


class Dropped(Report):
    """What a plug-in may hand over: tables and a tree."""

    name = "dropped"
    table: Table

    def tables(self):
        yield self.table

    def tree(self):
        return {}


def test_the_sums_of_the_blocks_add_up_to_the_total():
    page = Analysis((shipped("resnet50"),)).page()
    parts = {section.title: section.parts for section in page.chapters[0].sections}
    for title in ("Layers", "Products"):
        (part,) = parts[title]
        macs = [column.key for column in part.table.columns].index("macs")
        for table in part:
            assert sum(row[macs] for row in table.rows) == table.total[macs]
        assert len(part.sums.rows) < len(part.table.rows)


@pytest.mark.parametrize("name", ["googlenet", "mobilenet_v3_large", "convnext_tiny"])
def test_every_printed_product_equals_its_count(name):
    for _, params, weighed, macs, multiplied in whole(read(Analysis((shipped(name),))), "Products"):
        for count, work in ((params, weighed), (macs, multiplied)):
            if work:
                terms = [prod(map(int, term.split(" × "))) for term in work.split(" + ")]
                assert f"{sum(terms):,}" == count


def test_the_facts_are_exact():
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
    assert page.texts["p"][3:5] == [
        "with classes 1000, aux false, reduce true",
        CONVENTION,
    ]


def test_published_figures_are_checked_for_one_sample_whatever_the_batch():
    network = shipped("googlenet").network
    rows, _, notes = current_figures(costs(network, 4))
    assert [row.verdict for row in rows] == [
        row.verdict for row in current_figures(costs(network))[0]
    ]
    assert notes[0] == "figures are checked for 1 sample"


def test_a_figure_of_a_missing_layer_is_named_in_a_note():
    text = FIVE + "published:\n  - {layer: conv_1, params: 216, source: a}\n"
    network = cost(text)
    entry = network.network.published[0]._replace(layer="nowhere")
    without = network._replace(network=network.network._replace(published=(entry,)))
    assert current_figures(without).table_notes == ("not checked: there is no layer `nowhere`",)


def test_several_networks_are_chapters_after_a_table_of_contents():
    report = Analysis((shipped("vgg16"), shipped("resnet18"), cost(FIVE), shipped("audio_m5")))
    page = read(report)
    assert page.texts["h1"] == ["VGG-16, ResNet-18, five and 1 more"]
    assert page.texts["li"] == page.texts["h2"] == ["VGG-16", "ResNet-18", "five", "M5"]
    assert [a["href"] for tag, a in page.tags if tag == "a"] == ["#c1", "#c2", "#c3", "#c4"]


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


def test_the_policy_is_before_everything_it_applies_to():
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
def test_text_is_complete_and_never_markup(word, other):
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
    assert all(re.fullmatch(r"--p:[0-9.]+%", style) for style in styles)


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


def test_where_the_output_has_no_unicode_the_page_is_ascii():
    page = html(Analysis((cost(HOSTILE),)), ascii=True)
    assert page.isascii()
    assert "32×32×8" in Reader(page).texts["td"]
    assert Reader(page).tables[1].rows == read(Analysis((cost(HOSTILE),))).tables[1].rows


# As a user has it


def test_the_suffix_asks_for_a_page_and_it_is_written_whole(tmp_path):
    file = tmp_path / "net.html"
    done = run("analyze", "googlenet", "-o", str(file))
    assert done.returncode == 0, done.stderr
    assert file.read_text("utf-8") == html(Analysis((shipped("googlenet"),)).for_readers()).replace(
        "googlenet.yaml", "googlenet"
    )
    assert file.read_text("utf-8").endswith("</html>\n")
