"""The table of a terminal: exact at each width, whole numbers, and plain text for many rows."""

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run

from convcost.model.terminal_width import is_narrow, width_of
from convcost.render import FORMATS, Style
from convcost.render.table import MAX_ROWS
from convcost.reports.report import Report
from convcost.reports.table import Column, CountRange, Difference, Share, Table, cell_text

LAYER = Column("layer", "layer", "left", folds=True, least=12)
COLUMNS = (LAYER, Column("kind", "kind", "left", 2), Column("macs", "macs"))
SHARE = Column("share", "share", drop=1)


class Tables(NamedTuple):
    all: tuple[Table, ...]


class Many(Tables, Report):
    name = "many"

    def tables(self):
        yield from self.all

    def tree(self):
        return {}


def table(rows, columns=COLUMNS, total=(), notes=()):
    return Table(None, "title", columns, tuple(rows), total, notes)


def written(*tables, **style) -> str:
    return "".join(FORMATS["table"].write(Many(tables), Style(**style)))


ROWS = (
    ("block/first/conv", "conv", 1_234_567, Share(3, 4)),
    ("block/relu", "relu", 0, Share(0, 4)),
    ("fc", "linear", 411_522, Share(1, 4)),
)
TABLE = table(
    ROWS, (*COLUMNS, SHARE), ("total", None, 1_646_089, Share(4, 4)), ("a note of many words",)
)


def test_a_table_at_its_full_width():
    assert written(TABLE) == (
        "title\n"
        "\n"
        "layer             kind         macs  share\n"
        "──────────────────────────────────────────────────────\n"
        "block/first/conv  conv    1,234,567   75.0 % █████████\n"
        "block/relu        relu            0    0.0 %\n"
        "fc                linear    411,522   25.0 % ███\n"
        "──────────────────────────────────────────────────────\n"
        "total                     1,646,089  100.0 %\n"
        "\n"
        "a note of many words\n"
    )


def test_a_narrow_table_leaves_out_columns_and_breaks_paths_after_a_slash():
    assert written(TABLE, width=24) == (
        "title\n"
        "\n"
        "layer              macs\n"
        "───────────────────────\n"
        "block/first/  1,234,567\n"
        "conv\n"
        "block/relu            0\n"
        "fc              411,522\n"
        "───────────────────────\n"
        "total         1,646,089\n"
        "\n"
        "a note of many words\n"
        "not shown at this width:\n"
        "kind, share\n"
    )


HALVES = Column("share", "share of macs", drop=1)


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (
            54,
            """\
layer             kind         macs  share of macs
──────────────────────────────────────────────────────
block/first/conv  conv    1,234,567   75.0 % █████████
block/relu        relu            0    0.0 %
fc                linear    411,522   25.0 % ███
──────────────────────────────────────────────────────
total                     1,646,089  100.0 %
""",
        ),
        (
            53,
            """\
layer             kind         macs  share of macs
──────────────────────────────────────────────────
block/first/conv  conv    1,234,567   75.0 % ████▌
block/relu        relu            0    0.0 %
fc                linear    411,522   25.0 % █▌
──────────────────────────────────────────────────
total                     1,646,089  100.0 %
""",
        ),
        (
            49,
            """\
                                     share of
layer             kind         macs  macs
────────────────────────────────────────────────
block/first/conv  conv    1,234,567   75.0 % ██▎
block/relu        relu            0    0.0 %
fc                linear    411,522   25.0 % ▊
────────────────────────────────────────────────
total                     1,646,089  100.0 %
""",
        ),
        (
            47,
            """\
                                     share of
layer             kind         macs      macs
─────────────────────────────────────────────
block/first/conv  conv    1,234,567    75.0 %
block/relu        relu            0     0.0 %
fc                linear    411,522    25.0 %
─────────────────────────────────────────────
total                     1,646,089   100.0 %
""",
        ),
        (
            44,
            """\
                                       share
layer             kind         macs  of macs
────────────────────────────────────────────
block/first/conv  conv    1,234,567   75.0 %
block/relu        relu            0    0.0 %
fc                linear    411,522   25.0 %
────────────────────────────────────────────
total                     1,646,089  100.0 %
""",
        ),
        (
            43,
            """\
                                   share
layer         kind         macs  of macs
────────────────────────────────────────
block/first/  conv    1,234,567   75.0 %
conv
block/relu    relu            0    0.0 %
fc            linear    411,522   25.0 %
────────────────────────────────────────
total                 1,646,089  100.0 %
""",
        ),
    ],
)
def test_short_bars_and_heads_make_room_for_columns_before_paths_fold(width, lines):
    text = written(TABLE._replace(columns=(*COLUMNS, HALVES)), width=width)
    assert text.removeprefix("title\n\n").startswith(lines)


def test_heads_of_numbers_fold_before_a_column_is_left_out():
    long = Column("change", "change in trainable macs", "right", 1)
    columns = (LAYER, Column("kind", "kind", "left", 2), Column("macs", "macs"), long)
    rows = tuple((*row[:-1], 411_522) for row in ROWS)
    text = written(table(rows, columns), width=48)
    assert text.startswith(
        """\
title

                                     change in
                                     trainable
layer             kind         macs       macs
"""
    )


def test_the_bars_have_the_room_of_a_column_that_is_left_out():
    wide = (LAYER, Column("output", "o" * 60, "left", 2), Column("macs", "macs"), HALVES)
    text = written(TABLE._replace(columns=wide, total=()), width=47)
    assert "not shown at this width:" in text
    assert text.splitlines()[4] == "block/first/conv  1,234,567   75.0 % █████████"


def test_a_narrow_column_stays_where_a_wider_one_does_not_fit():
    wide = Column("share", "share_of_the_macs", drop=1)
    narrow = Column("kind", "kind", "left", 2)
    lines = written(table(ROWS, (LAYER, narrow, Column("macs", "macs"), wide)), width=36)
    assert lines.splitlines()[2] == "layer             kind         macs"


def test_tables_with_the_same_columns_leave_out_the_same_ones():
    short = table([("fc", "linear", 411_522, Share(1, 4))], (*COLUMNS, SHARE))
    other = table(ROWS, COLUMNS)  # another set of columns, which all fit
    texts = [written(one, width=36) for one in (TABLE, short, other)]
    heads = [line for line in written(TABLE, short, other, width=36).splitlines() if "macs" in line]
    assert [text.splitlines()[2].split() for text in texts] == [
        ["layer", "macs", "share"],
        ["layer", "kind", "macs", "share"],
        ["layer", "kind", "macs"],
    ]
    assert [head.split() for head in heads] == [
        ["layer", "macs", "share"],
        ["layer", "macs", "share"],
        ["layer", "kind", "macs"],
    ]


def test_zeros_are_dim_and_bars_have_a_colour():
    lines = written(TABLE, color=True).splitlines()
    assert lines[0] == "\x1b[1mtitle\x1b[0m"
    assert lines[4].endswith(" 75.0 % \x1b[34m█████████\x1b[0m")
    assert lines[5] == ("block/relu        relu            \x1b[2m0\x1b[0m  \x1b[2m  0.0 %\x1b[0m")
    assert re.sub(r"\x1b\[\d*m", "", "\n".join(lines)) == written(TABLE).rstrip("\n")


def test_ascii_has_other_rules_and_bars():
    text = written(TABLE, ascii=True)
    assert text.isascii()
    assert "75.0 % #########\n" in text
    assert f"\n{'-' * 54}\n" in text


@pytest.mark.parametrize(
    ("encoding", "shown"), [("ascii", r"gr\xf6\xdfe->\u6f22"), ("cp1252", r"größe->\u6f22")]
)
@pytest.mark.parametrize("format_name", ["table", "plain"])
def test_words_and_escapes_for_an_output_without_unicode_keep_columns_aligned(
    format_name, encoding, shown
):
    wide = table([("größe→漢", "conv", 1), ("a", "conv", 20)])
    style = Style(ascii=True, encoding=encoding)
    lines = "".join(FORMATS[format_name].write(Many((wide,)), style)).splitlines()
    rows = [line for line in lines if "conv" in line]
    assert rows == [f"{shown}  conv     1", f"{'a'.ljust(len(shown))}  conv    20"]


def test_a_head_of_one_long_word_breaks_on_a_narrow_terminal_only():
    columns = (LAYER, Column("a", "a" * 30), Column("b", "漢" * 11))
    wide = table([("macs", 1, 2)], columns)
    assert written(wide).splitlines()[2] == f"layer  {'a' * 30}  {'漢' * 11}"
    assert written(wide, width=51).splitlines()[2:6] == [
        f"{'a' * 20:>27}  {'漢' * 10}",
        f"layer  {'a' * 10:>20}  {'漢':>19}",
        "─" * 49,
        f"macs   {1:>20}  {2:>20}",
    ]


def test_markup_and_wide_characters_are_text():
    text = written(table([("[bold]:smile:[/]", "畳み込み", 1), ("[link=x]", "conv", 2)]))
    assert text.splitlines()[2:] == [
        "layer             kind      macs",
        "────────────────────────────────",
        "[bold]:smile:[/]  畳み込み     1",
        "[link=x]          conv         2",
    ]


counts = st.integers(-(10**15), 10**15)
cells = st.one_of(counts, st.tuples(counts, counts).map(lambda pair: Difference(*pair)))


@given(
    st.lists(st.tuples(st.text(max_size=40), st.text(max_size=8), cells), max_size=6),
    st.integers(20, 60),
    st.booleans(),
)
def test_no_number_is_cut_and_no_line_is_too_long_at_any_width(rows, width, color):
    text = re.sub(r"\x1b\[\d*m", "", written(table(rows), width=width, color=color))
    body = text.split("─\n")[1].splitlines()
    numbers = [cell_text(row[2]) for row in rows]
    found = iter(body)
    assert all(any(line.endswith(number) for line in found) for number in numbers)
    room = max(width, 12 + 2 + max(map(len, [*numbers, "macs"])))
    assert all(width_of(line) <= room or "\\x3a" in line for line in body)


def test_more_than_2_000_rows_are_plain_text():
    rows = [(f"layer_{n}", "conv", n) for n in range(MAX_ROWS)]
    assert "─" in written(table(rows), width=80)
    half = table(rows[: MAX_ROWS // 2 + 1])
    report = Many((half, half))
    plain = "".join(FORMATS["plain"].write(report, Style()))
    assert written(*report.all, width=20, color=True) == (
        f"{plain}\n2,002 rows; with more than 2,000, convcost uses the format `plain`, which is "
        "faster\n"
    )


def test_a_pipe_can_ask_for_a_table_without_a_width():
    text = run("analyze", "vgg16", "--format", "table").stdout.decode()
    assert "share of macs\n─" in text
    assert all(width_of(line) == len(line) and line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("variables", [{"TERM": "dumb"}, {"TERM": "unknown"}, {"COLUMNS": "²"}])
def test_no_variable_of_the_environment_changes_a_table_of_a_given_width(variables):
    command = ("analyze", "googlenet", "--format", "table", "--width", "200", "--color", "always")
    plain, changed = run(*command, TERM="xterm"), run(*command, **{"TERM": "xterm", **variables})
    assert (changed.returncode, changed.stdout) == (0, plain.stdout)


def test_a_range_breaks_between_its_counts_and_has_no_groups_in_csv():
    column = Column("macs", "macs", folds=True)
    ranges = table([("a", CountRange(1_000, 2_000_000)), ("b", CountRange(7, 7))], (LAYER, column))
    assert written(ranges, width=20).splitlines()[2:] == [
        "layer       macs",
        "────────────────",
        "a       1,000 to",
        "       2,000,000",
        "b              7",
    ]
    assert (
        "".join(FORMATS["csv"].write(Many((ranges,)), Style()))
        == "layer,macs\na,1000-2000000\nb,7-7\n"
    )


def test_a_percent_sign_stays_with_its_number():
    one = table([("a",)], (LAYER,), notes=("off by +0.34 % of all",))
    lines = written(one, width=13).splitlines()
    assert lines[-3:] == ["off by", "+0.34 % of", "all"]
    assert written(table((), notes=("1" * 20 + " %",)), width=20).splitlines()[-2:] == [
        "1" * 20,
        "%",
    ]


@pytest.mark.parametrize("name", ["畳み込み", "a畳み込み/畳", "e\u0301" * 9])
def test_a_width_of_one_column_is_enough_for_wide_characters(name):
    lines = written(table((), notes=(name,)), width=1).splitlines()
    assert name in "".join(lines)


def test_a_long_name_is_measured_once_and_not_again_for_each_line(monkeypatch):
    measured = 0

    def measure(text):
        nonlocal measured
        measured += len(text)
        return width_of(text)

    monkeypatch.setattr("convcost.render.table.width_of", measure)
    written(table((), notes=("畳" * 3_000, "e\u0301" * 1_500)), width=60)
    assert measured < 3 * (3_000 + 2 * 1_500)


def test_plain_text_aligns_wide_and_combining_characters():
    rows = [("畳み込み", "conv", 1_000), ("e\u0301e\u0301", "conv", 20), ("⌊n⌋ → Φ", "c×c", 3)]
    assert "".join(FORMATS["plain"].write(Many((table(rows),)), Style())) == (
        "title\n"
        "\n"
        "layer     kind   macs\n"
        "畳み込み  conv  1,000\n"
        "e\u0301e\u0301        conv     20\n"
        "⌊n⌋ → Φ   c×c       3\n"
    )


@pytest.mark.parametrize(
    ("characters", "narrow"),
    [("aé×Φ⌊→…−·₂≤─█▏", True), ("e\u0301", False), ("\u20d7", False), ("中", False), ("⌚", False)],
)
def test_only_characters_of_one_column_are_narrow(characters, narrow):
    assert is_narrow(characters) == narrow
    assert all(width_of(character) == 1 for character in characters if is_narrow(character))
