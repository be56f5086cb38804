"""The order of rows by `--sort`, and the rows that `--top` leaves out."""

import pytest
from support import run

from convcost.model.measures import Count
from convcost.reports.row_order import RowsLeftOut, first_rows, sort_rows

ROWS = [{"macs": m, "params": p, "path": f"{m}{p}"} for m in (3, 1, 2) for p in (2, 1)]


def paths(rows):
    return [row["path"] for row in rows]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        (None, "32 31 12 11 22 21"),
        ("macs", "32 31 22 21 12 11"),
        ("-macs", "12 11 22 21 32 31"),
        ("params,macs", "32 22 12 31 21 11"),
        ("params,-macs", "12 22 32 11 21 31"),
        ("path", "11 12 21 22 31 32"),
        ("-params,-path", "31 21 11 32 22 12"),
    ],
)
def test_counts_have_the_largest_first_names_the_smallest_and_a_minus_reverses(sort, order):
    assert paths(sort_rows(ROWS, sort, dict.__getitem__)) == order.split()


@pytest.mark.parametrize(
    ("top", "sort", "left_out"),
    [
        (6, "macs", (0, 0)),
        (3, "params", (3, 0)),
        (2, "params", (4, 1)),
        (1, "params", (5, 2)),
        (1, "params,macs", (5, 0)),
        (1, None, (5, 0)),
    ],
)
def test_rows_that_are_left_out_are_counted_and_those_equal_to_the_last_row(top, sort, left_out):
    assert first_rows(ROWS, top, sort, dict.__getitem__)[1][:2] == left_out


@pytest.mark.parametrize(
    ("left_out", "note"),
    [
        ((7, 0, "macs"), "7 more rows"),
        ((7, 1, "macs"), "7 more rows; 1 of them has the same macs as the last row"),
        ((7, 2, "macs and params"), "7 more rows; 2 of them have the same macs and params as the last row"),  # noqa: E501  one text
        ((1, 1, "saved_macs"), "1 more row; it has the same saved macs as the last row"),
    ],
)  # fmt: skip
def test_the_note_has_both_numbers(left_out, note):
    assert list(RowsLeftOut(*left_out).notes()) == [note]
    assert list(RowsLeftOut().notes()) == []


NET = f"input: {{channels: 4, size: 8}}\nlayers: [{', '.join(4 * ['{conv: 4, kernel: 1}'])}]\n"
TWO = "".join(f"---\nname: {name}\n{NET}" for name in ("a", "b", "c"))


@pytest.mark.parametrize(
    ("arguments", "note"),
    [
        (("analyze", "--sort", "macs"), "3 more rows, counted in the total; 3 of them have the same macs as the last row"),  # noqa: E501  one text
        (("analyze",), "3 more rows, counted in the total"),
        (("memory",), "3 more rows; 3 of them have the same bytes alive as the last row"),
        (("compare", "--sort", "params"), "2 more networks; 2 of them have the same params as the last network"),  # noqa: E501  one text
        (("analyze", "--depth", "0", "--sort", "params"), "2 more networks; 2 of them have the same params as the last network"),  # noqa: E501  one text
    ],
)  # fmt: skip
def test_every_table_says_how_many_more_rows_are_equal_to_the_last_one(arguments, note):
    several = "compare" in arguments or "0" in arguments
    command, *options = arguments
    text = run(command, "-", *options, "--top", "1", text=TWO if several else NET).stdout.decode()
    assert note in text.splitlines()


@pytest.mark.parametrize(
    ("sort", "order"), [("macs", "c a b d"), ("-macs", "b a c d"), ("-macs,path", "b a c d")]
)
def test_a_row_of_which_nothing_is_known_is_last_in_both_orders(sort, order):
    macs = {"a": Count(7), "b": Count(2, 1), "c": Count(9), "d": Count(0, 3)}
    found = sort_rows(sorted(macs), sort, lambda row, key: macs[row] if key == "macs" else row)
    assert found == order.split()


def test_lower_bounds_are_not_the_same():
    for last, tied in ((Count(7), 1), (Count(7, 1), 0), (Count(0, 1), 0), (None, 0)):
        shown, left_out = first_rows([last, last], 1, "macs", lambda row, _: row)
        assert (shown, left_out.rows, left_out.tied) == ([last], 1, tied)


UNKNOWN_LAYERS = "{custom: a, params: 0, macs: uncounted}, {conv: 1, kernel: 1}, relu"


@pytest.mark.parametrize(("key", "order"), [("-macs", [64, 0]), ("macs", [0, 64])])
@pytest.mark.parametrize("count", ["macs", "thop"])
def test_layers_whose_macs_are_not_known_are_last(key, order, count):
    key = key.replace("macs", count)
    text = f"input: {{channels: 1, size: 8}}\nlayers: [{UNKNOWN_LAYERS}]\n"
    columns = ("--columns", "macs", "--count", count, "--format", "csv")
    printed = run("analyze", "-", f"--sort={key}", *columns, text=text).stdout.decode()
    found = [row.rpartition(",")[2] for row in printed.splitlines()[1:]]
    assert found == [*map(str, reversed(order)), "?"]


def test_points_that_were_dropped_on_the_way_are_counted_as_equal_too():
    points = ",".join(map(str, range(1, 1202)))
    text = "vars: {n: 1, m: 1}\ninput: {channels: 1, size: 8}\nlayers: [{conv: m, kernel: 1}]\n"
    arguments = ("--set", f"n={points}", "--set", "m=1,2", "--sort", "macs", "--top", "3")
    assert (
        "2,399 more points; 1,198 of them have the same macs as the last point"
        in run("analyze", "-", *arguments, text=text).stdout.decode()
    )


LAYERS = "{conv: 4, kernel: 1}, {conv: 4, kernel: 1, bias: true}, relu"
MIXED = f"input: {{channels: 4, size: 8}}\nvars: {{n: 1}}\nlayers: [{LAYERS}]\n"


@pytest.mark.parametrize(
    ("command", "arguments", "text", "rows"),
    [
        (
            "analyze",
            ("--sort", "macs,-params", "--columns", "layer,params"),
            MIXED,
            ["<stdin>,conv_1,16", "<stdin>,conv_2,20", "<stdin>,relu_1,0"],
        ),
        (
            "compare",
            ("--sort", "-macs, params", "--columns", "network,macs,params"),
            f"{TWO}---\nname: d\n{MIXED}",
            ["d,2048,36", "a,4096,64", "b,4096,64", "c,4096,64"],
        ),
        (
            "analyze",
            ("--set", "n=1,2", "--size", "4,8", "--sort", "-n,macs", "--columns", "macs"),
            MIXED,
            ["<stdin>,1,8,2048", "<stdin>,1,4,512", "<stdin>,2,8,2048", "<stdin>,2,4,512"],
        ),
        (
            "search",
            (
                "--vary",
                "n=1,2",
                "--vary",
                "size=4,8",
                "--sort",
                "-params,macs",
                "--columns",
                "macs",
            ),
            MIXED,
            ["1,8,2048,36", "2,8,2048,36", "1,4,512,36", "2,4,512,36"],
        ),
    ],
)
def test_several_keys_sort_layers_networks_and_points(command, arguments, text, rows):
    ran = run(command, "-", *arguments, "--format", "csv", text=text)
    assert ran.stdout.decode().splitlines()[1:] == rows


def test_each_sort_key_must_be_known():
    ran = run("analyze", "-", "--sort", "macs,-parms", text=NET)
    assert (ran.returncode, ran.stderr.decode()) == (
        2,
        "error: cannot sort by `parms`; did you mean `params`?\n",
    )
    ran = run("analyze", "-", "--sort", ",", text=NET)
    assert ran.stderr.decode() == (
        "error: --sort needs one of weights, biases, params, trainable, buffers, macs, "
        "activations, active, path\n"
    )
