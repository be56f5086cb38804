"""`convcost check --format markdown`: a comment on a change, as whoever reviews it reads it.

It is parsed back by a parser that knows nothing of convcost, with HTML let through as GitHub does.
"""

import json
import re
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import ROOT, cost, run

from convcost import __version__
from convcost.comments import Block, Comment
from convcost.errors import Place
from convcost.network import Budget, Limit
from convcost.questions.check.evaluate import Held, findings
from convcost.questions.check.measures import Measured, measured
from convcost.questions.check.report import Check
from convcost.report import FORMATS, Column, Style, Table, printable
from convcost.units import CONVENTION

HTML = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
HERE = Place(7, 1, 7, 2)
LEAST = 1_000
NET = """\
name: {name}
input: {{channels: 3, size: 8}}
layers:
  - {{conv: {filters}, kernel: 3, name: stem}}
  - {{conv: 8, kernel: 1, name: {middle}}}
  - relu
  - {{conv: 5, kernel: 1, name: head}}
"""
STEM, BODY, HEAD = 8 * 3 * 3 * 3, 8 * 8, 5 * 8
ALL = STEM + BODY + HEAD


class Shown(NamedTuple):
    """What is shown under one title: rows of cells, or lines; whether one has to open it first."""

    title: str
    folded: bool
    head: list[str]
    rows: list[list[str]]


class Read(NamedTuple):
    """A comment as it is read. `told_missing` is the sum of all `… 12 more rows`."""

    marker: str
    verdict: str
    blocks: list[Shown]
    told_missing: int

    def block(self, title: str) -> Shown:
        (found,) = [block for block in self.blocks if block.title == title]
        return found


def text_of(token) -> str:
    known = {"text", "text_special", "code_inline", "strong_open", "strong_close"}
    assert {child.type for child in token.children} <= known
    return "".join(child.content for child in token.children).replace("\xa0", " ")


def read(text: str) -> Read:
    """Every block; fails where a detail is not closed, is in another, or anything else is HTML."""
    reader = Reader()
    for token in HTML.parse(text):
        getattr(reader, token.type, reader.other)(token)
    assert not reader.folded
    return Read(reader.marker, reader.verdict, reader.blocks, reader.missing)


class Reader:
    """What is known after so many tokens; a method for each kind that says something."""

    def __init__(self):
        self.marker = self.verdict = self.title = ""
        self.blocks: list[Shown] = []
        self.missing, self.folded, self.row = 0, False, None

    def html_block(self, token):
        html = token.content.strip()
        if html.startswith("<!--"):
            assert (self.marker, self.verdict, self.blocks) == ("", "", [])
            self.marker = html
        elif html == "</details>":
            assert self.folded
            self.title, self.folded = "", False
        else:
            assert not self.folded
            opened = re.fullmatch(r"<details>\n<summary>([^<>]*)</summary>", html)
            self.title, self.folded = opened[1], True

    def table_open(self, token):
        self.blocks.append(Shown(self.title, self.folded, [], []))

    bullet_list_open = table_open

    def tr_open(self, token):
        self.row = []

    list_item_open = tr_open

    def tr_close(self, token):
        shown = self.blocks[-1]
        if shown.head:
            shown.rows.append(self.row)
        else:
            shown.head.extend(self.row)
        self.row = None

    def list_item_close(self, token):
        self.blocks[-1].rows.append(self.row)
        self.row = None

    def inline(self, token):
        line = text_of(token)
        if self.row is not None:
            self.row.append(line)
        elif more := re.match(r"… ([\d,]+) more row", line):
            self.missing += int(more[1].replace(",", ""))
        elif self.marker and not self.verdict:
            self.verdict = line
        else:
            self.title = line

    def other(self, token):
        assert token.type not in ("code_block", "fence", "blockquote_open", "heading_open", "hr")


def net(filters: int = 8, middle: str = "body", name: str = "net") -> str:
    return NET.format(filters=filters, middle=json.dumps(middle), name=json.dumps(name))


def network(filters: int = 8, middle: str = "body", name: str = "net") -> Measured:
    return measured(cost(net(filters, middle, name)))


def held(now: Measured, base: Measured | None = None, **limits) -> Held:
    budget = Budget(total=tuple(Limit(m, HERE, **of) for m, of in limits.items()))
    return Held(f"{now.name}.yaml", now, (("net.yaml", budget),), base)


def check(*held: Held, statements: tuple[str, ...] = (), against: str = "git:main") -> Check:
    found = tuple(finding for one in held for finding in findings(one))
    return Check(found, statements, against, held=held)


def written(report, style: Style = Style()) -> str:  # noqa: B008
    return "".join(FORMATS.get("markdown").render(report, style))


def comment(*of: Held, style: Style = Style(), **more) -> Read:  # noqa: B008
    return read(written(check(*of, **more), style))


# What is said, and in which order


def test_the_verdict_is_first_after_a_line_that_is_not_seen():
    lines = written(check(held(network(), network(), params={"max": ALL}))).splitlines()
    assert lines[:3] == [
        "<!-- convcost:check -->",
        "",
        "**Within all budgets: 1 of 1 limit kept; nothing changed.**",
    ]


@pytest.mark.parametrize(
    ("now", "base", "limits", "against", "verdict"),
    [
        (8, 8, {"max": ALL}, "b", "Within all budgets: 1 of 1 limit kept; nothing changed."),
        (8, 8, {"max": ALL - 1}, "b", "Over budget: 1 of 1 limit exceeded; nothing changed."),
        (9, 8, {"max": ALL, "min": 9}, "b", "Over budget: 1 of 2 limits exceeded; 1 of 1 network changed."),  # noqa: E501  a row of the table
        (9, 8, {"max": 1000, "warn": ALL}, "b", "Within all budgets: 1 of 2 limits kept, 1 near; 1 of 1 network changed."),  # noqa: E501  a row of the table
        (8, None, {"max": ALL, "grow": 0}, "b", "Within all budgets: 1 of 2 limits kept, 1 not checked; there is no base to compare with."),  # noqa: E501  a row of the table
        (8, 8, {}, "b", "Within all budgets: there is no limit to keep; nothing changed."),
        (8, None, {"max": ALL}, "", "Within all budgets: 1 of 1 limit kept."),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(now, base, limits, against, verdict):
    was = None if base is None else network(base)
    assert comment(held(network(now), was, params=limits), against=against).verdict == verdict


def test_the_order_is_limits_changes_statements_what_is_folded_and_the_footer():
    told = comment(
        held(network(9), network(8), params={"max": ALL}, macs={"warn": 1}, depth={"max": 3}),
        held(network(name="new"), params={"grow": 0}),
        held(network(name="same"), network(name="same")),
        statements=("what else",),
    )
    assert [(block.title, block.folded, len(block.rows)) for block in told.blocks] == [
        ("Exceeded", False, 1),
        ("Near the limit", False, 1),
        ("Changed networks", False, 1),
        ("Changed layers", False, 2),
        ("Networks without a base", False, 1),
        ("To know", False, 1),
        ("2 unchanged layers", True, 2),
        ("1 unchanged network", True, 1),
        ("1 limit not checked: there is no base", True, 1),
        ("1 limit kept", True, 1),
        ("What is counted", False, 3),
    ]


def test_an_exceeded_limit_has_its_place_all_numbers_in_full_and_its_help():
    budget = Budget(total=(Limit("params", HERE, max=ALL),), message="Ask first.", name="small")
    one = Held("net.yaml", network(9), (("net.yaml", budget),), network(8))
    block = comment(one).block("Exceeded")
    more = 9 * 27 + 8 * 9 + HEAD - ALL
    assert dict(zip(block.head, *block.rows, strict=True)) == {
        "network": "net.yaml",
        "what": "params, max",
        "limit": str(ALL),
        "found": str(ALL + more),
        "over": f"+{more}",
        "base": str(ALL),
        "change": f"+{more} (+10.9 %)",
        "where": "budget small, net.yaml:7",
        "help": "Ask first.",
    }


def test_totals_stand_before_and_after_with_the_change_in_counts_and_percent():
    block = comment(held(network(9), network(8))).block("Changed networks")
    pixels = 6 * 6
    assert block.head == ["network", "macs", "change", "params", "change", "also"]
    assert block.rows == [
        [
            "net.yaml",
            f"{ALL * pixels:,} → {(9 * 27 + 8 * 9 + HEAD) * pixels:,}",
            f"+{(27 + 8) * pixels:,} (+10.9 %)",
            f"{ALL} → {9 * 27 + 8 * 9 + HEAD}",
            f"+{27 + 8} (+10.9 %)",
            "; ".join(
                (
                    f"activations {29 * pixels:,} → {30 * pixels:,} (+{pixels})",
                    f"largest activation {8 * pixels} → {9 * pixels} (+{pixels})",
                )
            ),
        ]
    ]


def test_the_layer_that_changed_most_is_on_top_of_all_networks():
    block = comment(
        held(network(9, name="a"), network(8, name="a")),
        held(network(4, name="b"), network(8, name="b")),
    ).block("Changed layers")
    assert block.head == ["network", "layer", "macs", "change", "params", "change", "also"]
    assert [(row[0], row[1], row[5]) for row in block.rows] == [
        ("b.yaml", "stem", f"-{4 * 27} (-50.0 %)"),
        ("b.yaml", "body", f"-{4 * 8} (-50.0 %)"),
        ("a.yaml", "stem", f"+{27} (+12.5 %)"),
        ("a.yaml", "body", f"+{8} (+12.5 %)"),
    ]
    assert block.rows[0][6] == "output 6×6×8 → 6×6×4"


def test_a_renamed_layer_is_one_that_is_new_and_one_that_is_removed_without_a_percentage():
    told = comment(held(network(middle="trunk"), network(middle="body")))
    block = told.block("Changed layers")
    pixels = 6 * 6
    assert block.head == ["layer", "state", "macs", "change", "params", "change"]
    assert block.rows == [
        ["trunk", "new", f"0 → {BODY * pixels:,}", f"+{BODY * pixels:,}", "0 → 64", "+64"],
        ["body", "removed", f"{BODY * pixels:,} → 0", f"-{BODY * pixels:,}", "64 → 0", "-64"],
    ]
    # The network changed, and its totals did not.
    (totals,) = told.block("Changed networks").rows
    assert totals == ["net.yaml", f"{ALL * pixels:,}", "0", str(ALL), "0"]
    assert told.verdict.endswith("; 1 of 1 network changed.")


def test_another_kind_and_other_inputs_are_changes_too():
    base = measured(cost(net().replace("relu", "sigmoid")))
    told = comment(held(network(), base))
    block = told.block("2 layers changed, with the same macs and params")
    assert (block.folded, block.head) == (True, ["layer", "state"])
    assert block.rows == [["relu_1", "new"], ["sigmoid_1", "removed"]]
    assert "Changed layers" not in [block.title for block in told.blocks]
    named = "{relu: null, name: act}", "{sigmoid: null, name: act}"
    now, was = (measured(cost(net().replace("relu", text))) for text in named)
    (row,) = comment(held(now, was)).block("1 layer changed, with the same macs and params").rows
    assert row == ["act", "kind sigmoid → relu"]
    small = measured(cost(net().replace("size: 8", "size: 7")))
    (row,) = comment(held(small, network())).block("Changed networks").rows
    assert row[5].startswith("input 8×8×3 → 7×7×3; activations ")


def test_where_nothing_changed_only_the_footer_is_open():
    told = comment(held(network(), network(), params={"max": ALL}))
    assert [(block.title, block.folded) for block in told.blocks] == [
        ("1 unchanged network", True),
        ("1 limit kept", True),
        ("What is counted", False),
    ]
    assert [row[0] for row in told.blocks[-1].rows] == [
        "input 8×8×3; 1 sample",
        CONVENTION,
        f"convcost {__version__} against git:main",
    ]


def test_without_a_base_networks_are_folded_and_there_is_no_word_of_changes():
    told = comment(held(network(), params={"max": ALL}), against="")
    assert told.block("1 network").folded
    assert told.blocks[-1].rows[-1] == [f"convcost {__version__}"]
    assert "change" not in written(check(held(network()), against=""))


def signed(text: str) -> int:
    return int(text.partition(" ")[0].replace(",", ""))


@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_back_and_forth_are_negatives(before, after, renamed):
    was, now = network(before), network(after, "trunk" if renamed else "body")
    there, back = (comment(held(*pair)) for pair in ((now, was), (was, now)))
    for title in ("Changed networks", "Changed layers"):
        ways = [[b for b in told.blocks if b.title == title] for told in (there, back)]
        if before == after and not renamed:
            assert ways == [[], []]
            continue
        deltas = []
        for (block,) in ways:
            at = block.head.index("change")
            deltas.append({row[0]: [signed(row[at]), signed(row[at + 2])] for row in block.rows})
        assert deltas[0] == {key: [-n for n in row] for key, row in deltas[1].items()}


@given(st.integers(1, 40), st.integers(1, 40))
def test_layers_stand_by_the_change_in_macs_and_then_in_params(before, after):
    told = comment(held(network(after, "trunk"), network(before)))
    block = told.block("Changed layers")
    at = block.head.index("change")
    changes = [(abs(signed(row[at])), abs(signed(row[at + 2]))) for row in block.rows]
    assert all(upper >= lower for upper, lower in pairwise(changes))


# Kept within bytes


class Told:
    """A report with a comment of tables and lists."""

    def __init__(self, blocks):
        self.blocks = blocks

    def comment(self) -> Comment:
        return Comment("told", "The verdict.", tuple(self.blocks))


class Tables:
    """A report without a comment."""

    def __init__(self, tables):
        self._tables = tables

    def tables(self):
        yield from self._tables


texts = st.text(max_size=40) | st.text("|<>`é中😀-", max_size=60)


@st.composite
def tables(draw, *, notes: bool = True) -> Table:
    width = draw(st.integers(1, 3))
    columns = tuple(Column(f"k{n}", f"h{n}", "left") for n in range(width))
    # A cell of each row is unlike an empty one, which a reader may take for no row.
    row = st.tuples(*[texts.map("x{}".format)] * width)
    return Table(
        "t",
        "",
        columns,
        tuple(draw(st.lists(row, max_size=12))),
        ("total",) * width if notes and draw(st.booleans()) else (),
        tuple(f"n{note}" for note in draw(st.lists(texts, max_size=4))) if notes else (),
    )


lines = st.lists(texts.map("x{}".format), min_size=1, max_size=8).map(tuple)
blocks = st.builds(
    Block,
    st.just(""),
    tables(notes=False) | lines,
    st.integers(0, 5),
    st.booleans(),
    shortens=st.just(False),
)  # fmt: skip
titled = st.lists(blocks, max_size=6).map(
    lambda found: [block._replace(title=f"title {n}") for n, block in enumerate(found)]
)


def rows_of(told: Read) -> list[list[str]]:
    return [row for block in told.blocks for row in block.rows]


@given(titled, st.integers(0, 3_000))
def test_within_any_bytes_rows_are_whole_details_closed_and_what_is_missing_is_told(blocks, most):
    most += 200  # the verdict and a count have room
    report = Told(blocks)
    text = written(report, Style(max_bytes=most))
    assert len(text.encode()) <= most
    whole, told = read(written(report)), read(text)
    assert (told.marker, told.verdict) == ("<!-- convcost:told -->", "The verdict.")
    assert len(rows_of(told)) + told.told_missing == len(rows_of(whole))
    # Of each block the first rows, as they are.
    for block in told.blocks:
        same = whole.block(block.title)
        assert block == same._replace(rows=same.rows[: len(block.rows)])


@given(st.lists(tables(), max_size=4), st.integers(60, 2_000))
def test_tables_of_any_report_are_cut_at_rows_too(found, most):
    text = written(Tables(found), Style(max_bytes=most))
    assert len(text.encode()) <= most
    whole, told = read(written(Tables(found))), read(text)
    totals = sum(row[0] == "total" for row in rows_of(whole))
    kept = sum(row[0] == "total" for row in rows_of(told))
    assert len(rows_of(told)) - kept + told.told_missing == len(rows_of(whole)) - totals


@given(titled, st.lists(tables(), max_size=3))
def test_what_fits_exactly_is_not_cut_and_one_byte_less_is(blocks, found):
    for report in (Told(blocks), Tables(found)):
        whole = written(report)
        size = len(whole.encode())
        assert written(report, Style(max_bytes=size)) == whole
        if size > 400 and "| x" in whole:
            cut = written(report, Style(max_bytes=size - 1))
            assert "more row" in cut.rpartition("…")[2]


def large(rows: int = 200) -> Check:
    """Many networks that changed; of each a limit is exceeded, one near, and one kept."""
    limits = {"params": {"max": 9}, "macs": {"warn": 9}, "depth": {"max": 9}}
    names = [f"network_{n}" for n in range(rows)]
    return check(
        *(held(network(9, name=name), network(8, name=name), **limits) for name in names),
        statements=("what else",),
    )


def test_exceeded_limits_are_kept_longest_and_unchanged_layers_go_first():
    report = large()
    everything = read(written(report))
    counts = {}
    for most in (1_000, 8_000, 30_000, 60_000, 120_000, 10**6):
        told = read(written(report, Style(max_bytes=most)))
        assert told.verdict == everything.verdict
        assert len(rows_of(told)) + told.told_missing == len(rows_of(everything))
        counts[most] = {block.title: len(block.rows) for block in told.blocks}
    assert not {"Near the limit", "Changed networks", "Changed layers"} & set(counts[1_000])
    assert 0 < counts[1_000]["Exceeded"] < counts[8_000]["Exceeded"] < 200
    assert counts[30_000]["Exceeded"] == 200
    assert "400 unchanged layers" not in counts[60_000]
    assert counts[60_000]["What is counted"] == 3  # the footer
    assert counts[10**6] == {block.title: len(block.rows) for block in everything.blocks}


@pytest.mark.parametrize("text", ["a" * 70_000, "中|`" * 20_000, "@#1 " * 9_000, "\x1b" * 9_000])
@pytest.mark.parametrize("most", [LEAST, 4_000, 65_000])
def test_limit_and_found_of_what_is_exceeded_have_room_whatever_a_spec_says(text, most):
    budget = Budget(total=(Limit("params", HERE, max=ALL),), message=text, name=text)
    now, base = network(9, name=text), network(8, name=text)
    one = Held(f"{text}.yaml", now, ((f"{text}.yaml", budget),), base)
    report = check(one, statements=(text,), against=text)
    key = "k" * 64
    for style in (Style(max_bytes=most, comment_key=key), Style(max_bytes=most, ascii=True)):
        output = written(report, style)
        size = len(output.encode("ascii" if style.ascii else "utf-8", "backslashreplace"))
        assert size <= most
        block = read(output).block("Exceeded")
        (row,) = block.rows
        told = dict(zip(block.head, row, strict=True))
        assert (told["limit"], told["found"], told["over"]) == (str(ALL), str(ALL + 35), "+35")
        assert told["help"].endswith("…")


@given(titled, st.integers(0, 3_000))
def test_texts_are_shortened_before_rows_are_left_out(blocks, most):
    """What is cut ends in …, all before that is as it was, and no more rows are missing."""
    style = Style(max_bytes=most + 200)
    short = Told([block._replace(shortens=True) for block in blocks])
    text = written(short, style)
    assert len(text.encode()) <= most + 200
    whole, told = read(written(short)), read(text)
    assert len(rows_of(told)) + told.told_missing == len(rows_of(whole))
    assert told.told_missing <= read(written(Told(blocks), style)).told_missing or len(blocks) > 1
    for block in told.blocks:
        for row, full in zip(block.rows, whole.block(block.title).rows, strict=False):
            for cell, all_ in zip(row, full, strict=True):
                assert cell == all_ or (cell.endswith("…") and all_.startswith(cell[:-1].rstrip()))


def test_numbers_stand_right_and_the_name_of_a_network_is_text():
    limited = held(network(9, name="big"), network(8, name="big"), params={"max": 1, "grow": 0})
    one = limited._replace(spec="models/#1#big.yaml")
    lines = written(check(one)).splitlines()
    at = lines.index("**Exceeded**")
    assert lines[at + 2 : at + 4] == [
        "| network | what | limit | found | over | base | change | where |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    assert lines[at + 4].startswith("| models/`#`1&#35;big.yaml&#35;big | params, max | 1 | ")
    assert lines[at + 5].startswith("| models/`#`1&#35;big.yaml&#35;big | params, growth | +0 | ")


def test_the_footer_tells_which_network_has_which_input():
    small = measured(cost(net(name="small").replace("size: 8", "size: 7")))
    two = [held(network(name=name)) for name in "abcd"]
    told = comment(*two, held(small), against="")
    assert told.blocks[-1].rows[0] == [
        "input 8×8×3 (a.yaml, b.yaml, c.yaml and 1 more); 7×7×3 (small.yaml); 1 sample"
    ]


def test_a_layer_that_is_no_longer_counted_is_said_to_be():
    layer = "{custom: a, params: 0, macs: %s, name: a}"
    text = f"name: net\ninput: {{channels: 3, size: 8}}\nlayers:\n  - {layer}\n"
    now, was = (measured(cost(text % macs)) for macs in ("uncounted", 7))
    (row,) = comment(held(now, was)).block("Changed layers").rows
    assert row[-1] == "macs counted → uncounted"


def test_a_cut_table_says_how_many_rows_are_missing_and_so_does_the_last_line():
    report = Told(
        [
            Block("First", tuple(f"line {n}" for n in range(100)), 0),
            Block("Second", ("x" * 300,), 1, folded=True),
        ]
    )
    text = written(report, Style(max_bytes=300))
    shown = text.count("\n- line")
    assert text.endswith(
        f"- line {shown - 1}\n\n"
        f"… {100 - shown} more rows\n\n"
        "… 1 more row that there was no room for\n"
    )


def test_characters_are_counted_as_bytes_and_as_escapes_where_there_is_no_unicode():
    report = Told([Block("", tuple("中" * 30 for _ in range(40)), 0)])
    utf8 = written(report, Style(max_bytes=1_500))
    assert 1_400 < len(utf8.encode()) <= 1_500
    bare = written(report, Style(max_bytes=1_500, ascii=True))
    assert len(bare.encode("ascii", "backslashreplace")) <= 1_500


# Hostile names

EVIL = [
    "</details>", "<!-- convcost:check -->", "</summary><h1>", "|", "\n\n</details>\n", "`", "**",
    "\\", "<!--", "-->", "@team", "#1", "https://evil.example", "a\rb", "a\u2028b", "\x1b[31m",
    "- x", "… 7 more rows", "|\n|---|", "<details>", "<details open", "&lt;", "![i](x)", "\\|",
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
def test_no_name_closes_a_block_or_forges_the_marker(evil):
    """`/` is no letter of a layer's name."""
    layer = evil.replace("/", "∕")
    base = measured(cost(net(8, layer, evil)))
    now = measured(cost(net(9, layer, evil)))
    limit = Limit("params", HERE, max=1, grow=0)
    budget = Budget((limit,), message=f"{evil}m", name=f"{evil}b")
    one = Held(f"{evil}.yaml", now, ((f"{evil}f", budget),), base)
    text = written(check(one, statements=(f"s{evil}", evil), against=f"git:{evil}"))
    told = read(text)
    assert told.marker == "<!-- convcost:check -->"
    assert told.told_missing == 0
    assert text.count("<!--") == 1
    names = [row[0] for row in told.block("Changed layers").rows]
    assert names == ["stem", printable(layer).rstrip()]
    said = [printable(f"s{evil}").rstrip(), printable(evil).rstrip()]
    assert told.block("To know").rows == [[line] for line in said]
    assert told.blocks[-1].rows[-1] == [f"convcost {__version__} against git:{printable(evil)}"]


# The command line


def spec(folder, filters: int, budget: str = "{params: {max: 1k}}"):
    file = folder / f"net{filters}.yaml"
    file.write_text(net(filters) + f"budget: {budget}\n", "utf-8")
    return str(file)


def test_the_command_writes_the_comment_with_its_key_before_it_fails(tmp_path):
    now, base = spec(tmp_path, 9, "{params: {max: 1}}"), spec(tmp_path, 8)
    out = tmp_path / "comment.md"
    done = run(
        "check", now, "--base", base, "-o", str(out), "--comment-key", "pull-request_1.a",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr.decode()
    told = read(out.read_text("utf-8"))
    assert told.marker == "<!-- convcost:pull-request_1.a -->"
    assert told.verdict == "Over budget: 1 of 1 limit exceeded; 1 of 1 network changed."


@pytest.mark.parametrize("coding", ["utf-8", "ascii"])
def test_the_command_keeps_within_bytes_whatever_the_output_speaks(tmp_path, coding):
    done = run(
        "analyze", "googlenet", "--format", "markdown", "--max-bytes", "2000",
        "--comment-key", "a", PYTHONIOENCODING=coding, PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert 1_000 < len(done.stdout) <= 2_000
    text = done.stdout.decode(coding).replace("...", "…")
    whole = run("analyze", "googlenet", "--format", "markdown").stdout.decode()
    told = read(text)
    assert told.marker == "<!-- convcost:a -->"
    totals = 1
    assert len(rows_of(told)) - totals + told.told_missing == len(rows_of(read(whole))) - totals


def test_reports_without_a_comment_are_as_they_were_and_have_no_marker_unless_asked():
    text = run("analyze", "reduce_5x5", "--format", "markdown").stdout.decode()
    assert text.startswith("**")
    asked = run("analyze", "reduce_5x5", "--format", "markdown", "--comment-key", "k")
    assert asked.stdout.decode() == f"<!-- convcost:k -->\n\n{text}"


KEY = "--comment-key is up to 64 letters, digits and - _ ."


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-bytes", "999"], "--max-bytes is 1,000 or more, not 999"),
        (["--max-bytes", "0"], "--max-bytes is 1,000 or more, not 0"),
        (["--comment-key", "a b"], f"{KEY}, not `a b`"),
        (["--comment-key", "-->"], f"{KEY}, not `-->`"),
        (["--comment-key", "a\n"], f"{KEY}, not `a\\x0a`"),
        (["--comment-key", "é"], f"{KEY}, not `é`"),
        (["--comment-key", "a" * 65], f"{KEY}, not `{'a' * 65}`"),
        (["--max-bytes", "2000", "-o", "x.csv"], "--max-bytes is for markdown, none is written"),
        (["--comment-key", "a", "-o", "x.csv"], "--comment-key is for markdown, none is written"),
    ],
)  # fmt: skip
def test_a_key_or_a_size_that_cannot_be_is_refused(options, message, tmp_path):
    form = [] if "-o" in options else ["--format", "markdown"]
    done = run("analyze", "reduce_5x5", *options, *form, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {message}\n"
    assert not list(tmp_path.iterdir())


def test_the_schema_of_a_check_knows_nothing_of_the_comment():
    schema = (ROOT / "convcost/schemas/check-1.json").read_text("utf-8")
    assert "comment" not in json.loads(schema)["properties"]
