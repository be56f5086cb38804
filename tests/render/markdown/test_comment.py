"""`convcost check --format markdown`: a comment on a change, as whoever reviews it reads it.

It is parsed back by a parser that knows nothing of convcost, with HTML let through as GitHub does.
"""

import html
import json
import re
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from support import ROOT, cost, run

from convcost import __version__
from convcost.model.errors import Span, printable
from convcost.model.measures import CONVENTION
from convcost.model.network import Budget, Limit
from convcost.render import FORMATS, Style
from convcost.render.markdown.markup import block_piece
from convcost.reports.check.evaluate import CheckedNetwork, evaluate
from convcost.reports.check.measures import MeasuredNetwork, measure_network
from convcost.reports.check.report import Check
from convcost.reports.comment_model import Comment, CommentBlock
from convcost.reports.report import Report
from convcost.reports.table import Column, Table

HTML = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
HERE = Span(7, 1, 7, 2)
MIN_BYTES = 1_000
CHANGED = "1 of 1 network changed"
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
    """A comment as it is read. `missing` is the sum of all `… 12 more rows`."""

    marker: str
    verdict: str
    blocks: list[Shown]
    missing: int

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
        self.missing, self.folded = 0, False
        self.row: Any = None

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


def network(filters: int = 8, middle: str = "body", name: str = "net") -> MeasuredNetwork:
    return measure_network(cost(net(filters, middle, name)))


def checked_network(
    now: MeasuredNetwork, base: MeasuredNetwork | None = None, **limits
) -> CheckedNetwork:
    budget = Budget(total=tuple(Limit(m, HERE, **of) for m, of in limits.items()))
    return CheckedNetwork(f"{now.name}.yaml", now, (("net.yaml", budget),), base)


def check(
    *networks: CheckedNetwork, statements: tuple[str, ...] = (), against: str = "git:main"
) -> Check:
    found = tuple(evaluate(networks))
    return Check(found, statements, against, networks=networks)


def written(report, style: Style = Style()) -> str:  # noqa: B008
    return "".join(FORMATS.get("markdown").write(report, style))


def comment(*of: CheckedNetwork, style: Style = Style(), **more) -> Read:  # noqa: B008
    return read(written(check(*of, **more), style))


# The content of a comment, and its order


@pytest.mark.parametrize("sign", "#!&~%@:[$`")
def test_the_time_for_a_run_of_signs_grows_with_its_length(sign):
    block = CommentBlock("notes", (sign * 40_000,), rank=0)
    assert len(block_piece(block).rows[0]) >= 40_000  # took 30 seconds


def test_the_verdict_is_first_after_a_line_that_is_hidden():
    lines = written(check(checked_network(network(), network(), params={"max": ALL}))).splitlines()
    assert lines[:3] == [
        "<!-- convcost:check -->",
        "",
        "**Within all budgets (1 limit checked: 1 within, 0 exceeded); nothing changed.**",
    ]


@pytest.mark.parametrize(
    ("now", "base", "limits", "against", "limited", "changed"),
    [
        (8, 8, {"max": ALL}, "b", "1 limit checked: 1 within, 0 exceeded", "nothing changed"),
        (8, 8, {"max": ALL - 1}, "b", "1 limit checked: 0 within, 1 exceeded", "nothing changed"),
        (9, 8, {"max": ALL, "min": 9}, "b", "2 limits checked: 1 within, 1 exceeded", CHANGED),
        (9, 8, {"max": 1000, "warn": ALL}, "b", "2 limits checked: 1 within, 0 exceeded, 1 near", CHANGED),  # noqa: E501  a row of the table
        (8, None, {"max": ALL, "grow": 0}, "b", "1 limit checked: 1 within, 0 exceeded, 1 not checked", "there is no base to compare with"),  # noqa: E501  a row of the table
        (8, 8, {}, "b", "0 limits checked: 0 within, 0 exceeded", "nothing changed"),
        (8, None, {"max": ALL}, "", "1 limit checked: 1 within, 0 exceeded", ""),
    ],
)  # fmt: skip
def test_the_verdict_is_one_sentence(now, base, limits, against, limited, changed):
    base_network = None if base is None else network(base)
    title = "Over budget" if "1 exceeded" in limited else "Within all budgets"
    if "1 not checked" in limited:
        title = "All checked limits passed; 1 limit was not checked"
    verdict = f"{title} ({limited}){'; ' * bool(changed)}{changed}."
    assert (
        comment(checked_network(network(now), base_network, params=limits), against=against).verdict
        == verdict
    )


def test_the_order_is_limits_changes_statements_what_is_folded_and_the_footer():
    read_back = comment(
        checked_network(
            network(9), network(8), params={"max": ALL}, macs={"warn": 1}, depth={"max": 3}
        ),
        checked_network(network(name="new"), params={"grow": 0}),
        checked_network(network(name="same"), network(name="same")),
        statements=("what else",),
    )
    assert [(block.title, block.folded, len(block.rows)) for block in read_back.blocks] == [
        ("Exceeded", False, 1),
        ("Near the limit", False, 1),
        ("Changed networks", False, 1),
        ("Changed layers", False, 2),
        ("Networks without a base", False, 1),
        ("Notes", False, 1),
        ("2 unchanged layers", True, 2),
        ("1 unchanged network", True, 1),
        ("1 limit not checked", True, 1),
        ("1 limit kept", True, 1),
        ("What is counted", False, 3),
    ]


def test_an_exceeded_limit_has_its_place_all_numbers_in_full_and_its_help():
    budget = Budget(total=(Limit("params", HERE, max=ALL),), message="Ask first.", name="small")
    one = CheckedNetwork("net.yaml", network(9), (("net.yaml", budget),), network(8))
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


def test_totals_are_before_and_after_with_the_change_in_counts_and_percent():
    block = comment(checked_network(network(9), network(8))).block("Changed networks")
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
        checked_network(network(9, name="a"), network(8, name="a")),
        checked_network(network(4, name="b"), network(8, name="b")),
    ).block("Changed layers")
    assert block.head == ["network", "layer", "macs", "change", "params", "change", "also"]
    assert [(row[0], row[1], row[5]) for row in block.rows] == [
        ("b.yaml", "stem", f"-{4 * 27} (-50.0 %)"),
        ("b.yaml", "body", f"-{4 * 8} (-50.0 %)"),
        ("a.yaml", "stem", f"+{27} (+12.5 %)"),
        ("a.yaml", "body", f"+{8} (+12.5 %)"),
    ]
    assert block.rows[0][6] == "output 6×6×8 → 6×6×4"


def test_a_renamed_layer_has_both_names_and_no_change_in_counts():
    read_back = comment(checked_network(network(middle="trunk"), network(middle="body")))
    block = read_back.block("1 layer changed, with the same macs and params")
    assert block.head == ["layer", "state", "macs", "params"]
    assert block.rows == [["body → trunk", "renamed", f"{BODY * 6 * 6:,}", "64"]]
    # The network changed, and its totals did not.
    (totals,) = read_back.block("Changed networks").rows
    assert totals == ["net.yaml", f"{ALL * 6 * 6:,}", str(ALL)]
    assert read_back.verdict.endswith("; 1 of 1 network changed.")


def test_an_inserted_layer_is_new_and_those_behind_it_are_unchanged():
    plain = net().replace(", name: stem", "").replace(", name: head", "")
    plain = plain.replace(', name: "body"', "")
    inserted = plain.replace("  - relu\n", "  - {conv: 8, kernel: 1, bias: true}\n  - relu\n")
    now, base = (measure_network(cost(text)) for text in (inserted, plain))
    read_back = comment(checked_network(now, base))
    block = read_back.block("Changed layers")
    macs, params = BODY * 6 * 6, BODY + 8
    assert block.rows == [
        ["conv_3", "new", f"0 → {macs:,}", f"+{macs:,}", f"0 → {params}", f"+{params}"]
    ]
    layers = [row[0] for row in read_back.block("4 unchanged layers").rows]
    assert layers == ["conv_1", "conv_2", "relu_1", "conv_3 → conv_4"]


def test_another_kind_and_other_inputs_are_changes_too():
    base = measure_network(cost(net().replace("relu", "sigmoid")))
    read_back = comment(checked_network(network(), base))
    block = read_back.block("2 layers changed, with the same macs and params")
    assert (block.folded, block.head) == (True, ["layer", "state", "macs", "params"])
    assert block.rows == [["relu_1", "new", "0", "0"], ["sigmoid_1", "removed", "0", "0"]]
    assert "Changed layers" not in [block.title for block in read_back.blocks]
    named = "{relu: null, name: act}", "{sigmoid: null, name: act}"
    now, base = (measure_network(cost(net().replace("relu", text))) for text in named)
    (row,) = (
        comment(checked_network(now, base))
        .block("1 layer changed, with the same macs and params")
        .rows
    )
    assert row == ["act", "0", "0", "kind sigmoid → relu"]
    small = measure_network(cost(net().replace("size: 8", "size: 7")))
    (row,) = comment(checked_network(small, network())).block("Changed networks").rows
    assert row[-1].startswith("input 8×8×3 → 7×7×3; activations ")


def test_where_nothing_changed_only_the_footer_is_open():
    read_back = comment(checked_network(network(), network(), params={"max": ALL}))
    assert [(block.title, block.folded) for block in read_back.blocks] == [
        ("1 unchanged network", True),
        ("1 limit kept", True),
        ("What is counted", False),
    ]
    assert [row[0] for row in read_back.blocks[-1].rows] == [
        "input 8×8×3; 1 sample",
        CONVENTION,
        f"convcost {__version__}, compared with git:main",
    ]


def test_without_a_base_networks_are_folded_and_changes_are_not_mentioned():
    read_back = comment(checked_network(network(), params={"max": ALL}), against="")
    assert read_back.block("1 network").folded
    assert read_back.blocks[-1].rows[-1] == [f"convcost {__version__}"]
    assert "change" not in written(check(checked_network(network()), against=""))


def signed(text: str) -> int:
    return int(text.partition(" ")[0].replace(",", ""))


@pytest.mark.slow
@given(st.integers(1, 40), st.integers(1, 40), st.booleans())
def test_swapping_the_two_networks_negates_each_change(before, after, renamed):
    base, now = network(before), network(after, "trunk" if renamed else "body")
    forward, backward = (comment(checked_network(*pair)) for pair in ((now, base), (base, now)))
    for title in ("Changed networks", "Changed layers"):
        directions = [
            [block for block in read_back.blocks if block.title == title]
            for read_back in (forward, backward)
        ]
        if before == after:  # at most a name changed, so there is no change in costs to show
            assert all("change" not in block.head for blocks in directions for block in blocks)
            continue
        deltas = []
        for (block,) in directions:
            at = block.head.index("change")
            names = [" → ".join(sorted(row[0].split(" → "))) for row in block.rows]
            changes = [[signed(row[at]), signed(row[at + 2])] for row in block.rows]
            deltas.append(dict(zip(names, changes, strict=True)))
        assert deltas[0] == {key: [-n for n in row] for key, row in deltas[1].items()}


@pytest.mark.slow
@given(st.integers(1, 40), st.integers(1, 40))
def test_layers_are_sorted_by_the_change_in_macs_and_then_in_params(before, after):
    read_back = comment(checked_network(network(after, "trunk"), network(before)))
    blocks = [block for block in read_back.blocks if block.title == "Changed layers"]
    assert len(blocks) == (before != after)
    for block in blocks:
        at = block.head.index("change")
        changes = [(abs(signed(row[at])), abs(signed(row[at + 2]))) for row in block.rows]
        assert all(upper >= lower for upper, lower in pairwise(changes))


# Kept within bytes


class Commented(Report):
    """A report with a comment of tables and lists."""

    blocks: list[CommentBlock]

    def comment(self) -> Comment:
        return Comment("key", "The verdict.", tuple(self.blocks))


class Tables(Report):
    """A report without a comment."""

    all: list[Table]

    def tables(self):
        yield from self.all


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
    CommentBlock,
    st.just(""),
    tables(notes=False) | lines,
    st.integers(0, 5),
    st.booleans(),
    shortens=st.just(False),
)  # fmt: skip
titled = st.lists(blocks, max_size=6).map(
    lambda found: [block._replace(title=f"title {n}") for n, block in enumerate(found)]
)


def rows_of(read_back: Read) -> list[list[str]]:
    return [row for block in read_back.blocks for row in block.rows]


@pytest.mark.slow
@given(titled, st.integers(0, 3_000))
def test_within_any_bytes_rows_are_whole_details_closed_and_what_is_missing_is_counted(
    blocks, most
):
    most += 200  # the verdict and a count have room
    report = Commented(blocks)
    text = written(report, Style(options={"max_bytes": most}))
    assert len(text.encode()) <= most
    whole, read_back = read(written(report)), read(text)
    assert (read_back.marker, read_back.verdict) == ("<!-- convcost:key -->", "The verdict.")
    assert len(rows_of(read_back)) + read_back.missing == len(rows_of(whole))
    # Of each block the first rows, as they are.
    for block in read_back.blocks:
        same = whole.block(block.title)
        assert block == same._replace(rows=same.rows[: len(block.rows)])


@pytest.mark.slow
@given(st.lists(tables(), max_size=4), st.integers(60, 2_000))
def test_tables_of_any_report_are_cut_at_rows_too(found, most):
    text = written(Tables(found), Style(options={"max_bytes": most}))
    assert len(text.encode()) <= most
    whole, read_back = read(written(Tables(found))), read(text)
    totals = sum(row[0] == "total" for row in rows_of(whole))
    kept = sum(row[0] == "total" for row in rows_of(read_back))
    assert len(rows_of(read_back)) - kept + read_back.missing == len(rows_of(whole)) - totals


@pytest.mark.slow
@given(titled, st.lists(tables(), max_size=3))
def test_a_text_of_exactly_the_limit_is_not_truncated_and_a_longer_one_is(blocks, found):
    for report in (Commented(blocks), Tables(found)):
        whole = written(report)
        size = len(whole.encode())
        assert written(report, Style(options={"max_bytes": size})) == whole
        if size > 400 and "| x" in whole:
            cut = written(report, Style(options={"max_bytes": size - 1}))
            assert "more row" in cut


def large(rows: int = 200) -> Check:
    """Many networks that changed; of each a limit is exceeded, one near, and one kept."""
    limits = {"params": {"max": 9}, "macs": {"warn": 9}, "depth": {"max": 9}}
    names = [f"network_{n}" for n in range(rows)]
    return check(
        *(
            checked_network(network(9, name=name), network(8, name=name), **limits)
            for name in names
        ),
        statements=("what else",),
    )


@pytest.mark.slow
def test_unchanged_layers_are_cut_first_and_exceeded_limits_last():
    report = large()
    everything = read(written(report))
    counts = {}
    for most in (1_000, 8_000, 30_000, 60_000, 120_000, 10**6):
        read_back = read(written(report, Style(options={"max_bytes": most})))
        assert read_back.verdict == everything.verdict
        assert len(rows_of(read_back)) + read_back.missing == len(rows_of(everything))
        counts[most] = {block.title: len(block.rows) for block in read_back.blocks}
    assert not {"Near the limit", "Changed networks", "Changed layers"} & set(counts[1_000])
    assert 0 < counts[1_000]["Exceeded"] < counts[8_000]["Exceeded"] < 200
    assert counts[30_000]["Exceeded"] == 200
    assert "400 unchanged layers" not in counts[60_000]
    assert counts[60_000]["What is counted"] == 3  # the footer
    assert counts[10**6] == {block.title: len(block.rows) for block in everything.blocks}


@pytest.mark.slow
@pytest.mark.parametrize("text", ["a" * 70_000, "中|`" * 20_000, "@#1 " * 9_000, "\x1b" * 9_000])
@pytest.mark.parametrize("most", [MIN_BYTES, 4_000, 65_000])
def test_an_exceeded_limit_shows_limit_and_count_for_any_text_of_a_spec(text, most):
    budget = Budget(total=(Limit("params", HERE, max=ALL),), message=text, name=text)
    now, base = network(9, name=text), network(8, name=text)
    one = CheckedNetwork(f"{text}.yaml", now, ((f"{text}.yaml", budget),), base)
    report = check(one, statements=(text,), against=text)
    key = "k" * 64
    for style in (
        Style(options={"max_bytes": most, "comment_key": key}),
        Style(ascii=True, options={"max_bytes": most}),
    ):
        output = written(report, style)
        size = len(output.encode("ascii" if style.ascii else "utf-8", "backslashreplace"))
        assert size <= most
        block = read(output).block("Exceeded")
        (row,) = block.rows
        read_back = dict(zip(block.head, row, strict=True))
        assert (read_back["limit"], read_back["found"], read_back["over"]) == (
            str(ALL),
            str(ALL + 35),
            "+35",
        )
        assert read_back["help"].endswith("…")


@pytest.mark.slow
@given(titled, st.integers(0, 3_000))
def test_texts_are_shortened_before_rows_are_left_out(blocks, most):
    """What is cut ends in …, all before that is as it was, and no more rows are missing."""
    style = Style(options={"max_bytes": most + 200})
    short = Commented([block._replace(shortens=True) for block in blocks])
    text = written(short, style)
    assert len(text.encode()) <= most + 200
    whole, read_back = read(written(short)), read(text)
    assert len(rows_of(read_back)) + read_back.missing == len(rows_of(whole))
    assert read_back.missing <= read(written(Commented(blocks), style)).missing or len(blocks) > 1
    for block in read_back.blocks:
        for row, full in zip(block.rows, whole.block(block.title).rows, strict=False):
            for cell, all_ in zip(row, full, strict=True):
                assert cell == all_ or (cell.endswith("…") and all_.startswith(cell[:-1].rstrip()))


def test_numbers_are_right_aligned_and_the_name_of_a_network_is_text():
    limited = checked_network(
        network(9, name="big"), network(8, name="big"), params={"max": 1, "grow": 0}
    )
    one = limited._replace(spec="models/#1#big.yaml")
    lines = written(check(one)).splitlines()
    at = lines.index("**Exceeded**")
    assert lines[at + 2 : at + 4] == [
        "| network | what | limit | found | over | base | change | where |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    assert lines[at + 4].startswith("| models/`#`1&#35;big.yaml&#35;big | params, max | 1 | ")
    assert lines[at + 5].startswith(
        "| models/`#`1&#35;big.yaml&#35;big | params, growth limit | +0 | "
    )


def test_the_footer_has_each_input_size():
    small = measure_network(cost(net(name="small").replace("size: 8", "size: 7")))
    two = [checked_network(network(name=name)) for name in "ab"]
    read_back = comment(*two, checked_network(small), against="")
    assert read_back.blocks[-1].rows[0] == ["input 8×8×3; 7×7×3; 1 sample"]


def test_a_layer_that_is_no_longer_counted_is_reported():
    layer = "{custom: a, params: 0, macs: %s, name: a}"
    text = f"name: net\ninput: {{channels: 3, size: 8}}\nlayers:\n  - {layer}\n"
    now, base = (measure_network(cost(text % macs)) for macs in ("uncounted", 7))
    (row,) = comment(checked_network(now, base)).block("Changed layers").rows
    assert row[-1] == "macs counted → uncounted"


@pytest.mark.parametrize(
    ("now", "base", "cells"),
    [
        (("uncounted", 4), (0, 8), ["1,536 → 768", "?"]),
        ((0, 4), ("uncounted", 8), ["1,536 → 768", "?"]),
        (("uncounted", 1), (0, 8), ["1,536 → ?", "?"]),
        ((5, 4), (0, 8), ["1,536 → 773", "-763 (-49.7 %)"]),
    ],
)
def test_the_change_of_macs_that_are_known_in_part_is_not_known(now, base, cells):
    text = (
        "name: net\ninput: {channels: 3, size: 8}\nlayers:\n"
        "  - {custom: a, params: 0, macs: %s, name: a}\n"
        "  - {conv: %d, kernel: 1, name: c, when: %d > 1}\n"
    )
    networks = [measure_network(cost(text % (macs, n, n))) for macs, n in (now, base)]
    (row,) = comment(checked_network(*networks)).block("Changed networks").rows
    assert row[1:3] == cells


def test_a_truncated_table_and_the_last_line_count_the_missing_rows():
    report = Commented(
        [
            CommentBlock("First", tuple(f"line {n}" for n in range(100)), 0),
            CommentBlock("Second", ("x" * 300,), 1, folded=True),
        ]
    )
    text = written(report, Style(options={"max_bytes": 300}))
    shown = text.count("\n- line")
    assert text.endswith(
        f"- line {shown - 1}\n\n… {100 - shown} more rows\n\n… 1 more row beyond the size limit\n"
    )


def test_max_bytes_counts_utf8_bytes_or_ascii_escapes():
    report = Commented([CommentBlock("", tuple("中" * 30 for _ in range(40)), 0)])
    utf8 = written(report, Style(options={"max_bytes": 1_500}))
    assert 1_400 < len(utf8.encode()) <= 1_500
    bare = written(report, Style(ascii=True, options={"max_bytes": 1_500}))
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
    base = measure_network(cost(net(8, layer, evil)))
    now = measure_network(cost(net(9, layer, evil)))
    limit = Limit("params", HERE, max=1, grow=0)
    budget = Budget((limit,), message=f"{evil}m", name=f"{evil}b")
    one = CheckedNetwork(f"{evil}.yaml", now, ((f"{evil}f", budget),), base)
    text = written(check(one, statements=(f"s{evil}", evil), against=f"git:{evil}"))
    read_back = read(text)
    assert read_back.marker == "<!-- convcost:check -->"
    assert read_back.missing == 0
    assert text.count("<!--") == 1
    names = [row[0] for row in read_back.block("Changed layers").rows]
    assert names == ["stem", printable(layer).rstrip()]
    printed = [printable(f"s{evil}").rstrip(), printable(evil).rstrip()]
    assert read_back.block("Notes").rows == [[line] for line in printed]
    assert read_back.blocks[-1].rows[-1] == [
        f"convcost {__version__}, compared with git:{printable(evil)}"
    ]


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
    read_back = read(out.read_text("utf-8"))
    assert read_back.marker == "<!-- convcost:pull-request_1.a -->"
    assert (
        read_back.verdict
        == "Over budget (1 limit checked: 0 within, 1 exceeded); 1 of 1 network changed."
    )


@pytest.mark.parametrize("coding", ["utf-8", "ascii"])
def test_max_bytes_limits_the_output_in_every_encoding(tmp_path, coding):
    done = run(
        "analyze", "googlenet", "--format", "markdown", "--max-bytes", "2000",
        "--comment-key", "a", PYTHONIOENCODING=coding, PYTHONUTF8="0",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert 1_000 < len(done.stdout) <= 2_000
    text = done.stdout.decode(coding).replace("...", "…")
    whole = run("analyze", "googlenet", "--format", "markdown").stdout.decode()
    read_back = read(text)
    assert read_back.marker == "<!-- convcost:a -->"
    totals = 1
    assert (
        len(rows_of(read_back)) - totals + read_back.missing == len(rows_of(read(whole))) - totals
    )


def test_reports_without_a_comment_have_a_marker_only_with_a_key():
    text = run("analyze", "reduce_5x5", "--format", "markdown").stdout.decode()
    assert text.startswith("**")
    asked = run("analyze", "reduce_5x5", "--format", "markdown", "--comment-key", "k")
    assert asked.stdout.decode() == f"<!-- convcost:k -->\n\n{text}"


KEY = "--comment-key must be at most 64 letters, digits and - _ ."
ONLY = "works only with format markdown; add `--format markdown`"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--max-bytes", "999"], "--max-bytes must be 1,000 or more, not 999"),
        (["--max-bytes", "0"], "--max-bytes must be 1,000 or more, not 0"),
        (["--comment-key", "a b"], f"{KEY}, not `a b`"),
        (["--comment-key", "-->"], f"{KEY}, not `-->`"),
        (["--comment-key", "a\n"], f"{KEY}, not `a\\x0a`"),
        (["--comment-key", "é"], f"{KEY}, not `é`"),
        (["--comment-key", "a" * 65], f"{KEY}, not `{'a' * 65}`"),
        (["--max-bytes", "2000", "-o", "x.csv"], f"--max-bytes {ONLY}"),
        (["--comment-key", "a", "-o", "x.csv"], f"--comment-key {ONLY}"),
    ],
)  # fmt: skip
def test_an_invalid_comment_key_or_size_is_refused(options, message, tmp_path):
    form = [] if "-o" in options else ["--format", "markdown"]
    done = run("analyze", "reduce_5x5", *options, *form, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == f"error: {message}\n"
    assert not list(tmp_path.iterdir())


def test_the_schema_of_a_check_knows_nothing_of_the_comment():
    schema = (ROOT / "convcost/schemas/check-1.json").read_text("utf-8")
    assert "comment" not in json.loads(schema)["properties"]


LINKS = ["@team", "#1", "https://evil.example", "www.evil.example", "GH-1", ":smile:", "[a](//b)"]


@pytest.mark.parametrize("evil", [*EVIL, *LINKS])
def test_the_summary_of_a_folded_block_is_text_and_links_nothing(evil):
    """Markdown does not reach into an HTML block, but GitHub links what is in its text."""
    block = CommentBlock(f"a {evil} b", ("line",), 0, folded=True)
    head = block_piece(block).head
    line = re.fullmatch(r"<details>\n<summary>(.*)</summary>\n\n", head)[1]
    assert set(re.findall("<[^>]*>", line)) <= {"<code>", "</code>"}
    assert html.unescape(re.sub("</?code>", "", line)) == printable(f"a {evil} b")
    linked = html.unescape(re.sub("<code>.*?</code>", "\0", line))
    assert not re.search(r"@\w|#\d|://|www\.|GH-\d|:[\w+-]+:", linked)
