"""`--units` and `--digits`: counts rounded from exact integers."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run

from convcost.model.number_format import format_change, format_percent, format_ratio
from convcost.reports.display_units import UNITS, in_units
from convcost.reports.table import Column, Rounded, Table


def table(*values: int, total: bool = True) -> Table:
    return Table(
        "net",
        "net",
        (Column("path", "layer", "left"), Column("macs", "macs", scales=True)),
        tuple((f"layer_{n}", value) for n, value in enumerate(values)),
        ("total", sum(values)) if total else (),
    )


@pytest.mark.parametrize(
    ("value", "unit", "digits", "text"),
    [
        (1_582_671_872, "M", 2, "1,582.67"),
        (1_582_671_872, "G", 1, "1.6"),
        (1_582_671_872, "G", 0, "2"),
        (163_328, "Ki", 1, "159.5"),
        (2**20, "Mi", 2, "1.00"),
        (125, "k", 2, "0.13"),
        (-125, "k", 2, "-0.13"),
        (4, "k", 2, "<0.01"),
        (-4, "k", 2, ">-0.01"),
        (0, "G", 2, "0"),
    ],
)
def test_a_count_in_a_unit_is_rounded_half_up_from_the_exact_one(value, unit, digits, text):
    (row,) = in_units(table(value, total=False), (("", unit),), digits).rows
    shown = row[1]
    assert (shown.text if isinstance(shown, Rounded) else str(shown)) == text


@given(
    value=st.integers(-(10**15), 10**15),
    unit=st.sampled_from(sorted(set(UNITS) - {"raw"})),
    digits=st.integers(0, 12),
)
def test_a_rounded_count_is_off_by_at_most_half_a_digit(value, unit, digits):
    (row,) = in_units(table(value, total=False), (("", unit),), digits).rows
    shown = row[1]
    if isinstance(shown, Rounded):
        assert 2 * abs(shown.digits * UNITS[unit] - value * 10**digits) <= UNITS[unit]
        assert (shown.text == "0") == (value == 0)


def test_a_total_is_rounded_from_the_exact_sum_and_a_note_names_the_gap():
    found = in_units(table(1_400, 1_400, 1_400), (("", "k"),), 0)
    assert [row[1].text for row in found.rows] == ["1", "1", "1"]
    assert found.total[1].text == "4"
    assert found.notes == ("macs and their total are rounded separately, so they may not add up",)


def test_there_is_no_note_if_the_rounded_numbers_add_up_or_rows_are_left_out():
    assert in_units(table(1_000, 2_000), (("", "k"),), 0).notes == ()
    some = table(1_400, 1_400, 1_400)
    assert in_units(some._replace(rows=some.rows[:2]), (("", "k"),), 0).notes == ()


def test_auto_chooses_the_unit_of_a_column_by_its_largest_count():
    found = in_units(table(10, 2_000_000), (("", "auto"),), 2)
    assert found.columns[1].heading == "macs (M)"
    assert [row[1].text for row in found.rows] == ["<0.01", "2.00"]
    assert in_units(table(10, 20), (("", "auto"),), 2) == table(10, 20)


def test_a_comparison_has_a_unit_for_each_measure():
    columns = ("--columns", "biases,params,macs")
    for more in ((), ("--transpose",)):
        shown = run("compare", "vgg16", "googlenet", *columns, *more, "--units", "auto").stdout
        assert "params (M)" in shown.decode()
        assert "macs (G)" in shown.decode()
        assert "biases (k)" in shown.decode()


@pytest.mark.parametrize(
    "command",
    [
        "compare vgg16 googlenet --columns params,params_change,macs,macs_change",
        "compare vgg16 googlenet --columns params,params_change,macs,macs_change --transpose",
        "compare vgg16 googlenet --layers",
        "compare mobilenet_v1 --set width=0.5,1",
        "analyze vgg16 --sort macs --top 1",
        "analyze vgg16 --depth 0",
        "analyze mobilenet_v1 --set width=0.5,1",
        "explain vgg16",
        "explain googlenet inception_3a",
        "specs",
        "reduce vgg16 --top 3",
        "reduce googlenet --undo",
    ],
)
@pytest.mark.parametrize(
    "units", ["macs=G", "params=k,weights=k,macs=G", "auto,params=k,weights=k"]
)
def test_params_never_have_the_unit_of_macs(command, units):
    shown = run(*command.split(), "--units", units).stdout.decode()
    heads = re.findall(r"(?:[a-z]+ )*(?:params|weights|macs)(?: [a-z]+)* \([kMGT]\)", shown)
    assert any("macs" in head for head in heads)
    assert [head for head in heads if "macs" not in head and not head.endswith("(k)")] == []


@pytest.mark.parametrize("name", ["json", "csv", "html"])
def test_formats_for_programs_and_the_page_have_exact_integers_in_any_unit(name):
    raw, scaled = (
        run("analyze", "googlenet", "--format", name, "--units", units).stdout
        for units in ("raw", "M")
    )
    assert raw == scaled


def test_several_outputs_are_written_in_one_run(tmp_path):
    ran = run("analyze", "vgg16", "-o", "-", "-o", "a.json", "-o", "csv:b.txt", cwd=tmp_path)
    assert ran.returncode == 0
    assert ran.stderr.decode().splitlines() == ["wrote a.json", "wrote b.txt"]
    assert json.loads((tmp_path / "a.json").read_text("utf-8"))["schema"] == "convcost.analyze/1"
    assert (tmp_path / "b.txt").read_text("utf-8").startswith("network,path,")
    assert ran.stdout == run("analyze", "vgg16").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "a.json", "-o", "csv:a.json"], "error: two outputs write to `a.json`"),
        (["-o", "-", "-o", "json:-"], "error: two outputs write to standard output"),
        (["-o", "json:"], "error: --output has no file name"),
        (["--units", "m"], "error: there is no unit `m`; did you mean `M`?"),
        (["--units", "flop=M"], "error: there is no measure `flop`; did you mean `macs`? One mac "),
        (
            ["--units", "M,G"],
            "error: --units gives two units for all columns: M,G\nhelp: write params",
        ),
        (
            ["--units", "M,macs=k,macs=G"],
            "error: --units gives two units for macs: M,macs=k,macs=G",
        ),
        (["--digits", "1"], "error: --digits needs a unit; add --units auto, or one of k, M, G"),
        (["-o", "a.svg"], "error: `a.svg` is a chart; write it with --plot a.svg"),
        (["--units", "flops"], "error: there is no unit `flops`; known here: "),
    ],
)
def test_invalid_units_are_refused(arguments, message, tmp_path):
    ran = run("analyze", "vgg16", *arguments, cwd=tmp_path)
    assert ran.returncode == 2
    assert ran.stderr.decode().startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_columns_have_units_of_their_own():
    shown = run(
        "analyze", "googlenet", "--depth", "1", "--units", "params=k,macs=M", "--digits", "1",
        "--columns", "layer,params,macs,activations", "--format", "plain",
    ).stdout.decode()  # fmt: skip
    row = next(line for line in shown.splitlines() if line.startswith("inception_3a"))
    assert row.split() == ["inception_3a", "163.7", "128.0", "928,256"]


def test_the_changes_of_a_comparison_have_the_unit_of_their_row():
    columns = ("--transpose", "--columns", "params,params_change")
    shown = run("compare", "vgg16", "mobilenet_v1", "--units", "M", "--digits", "1", "--layers",
                *columns)  # fmt: skip
    lines = shown.stdout.decode().splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("params (M)"))
    assert lines[row].split() == ["params", "(M)", "138.4", "4.2"]
    assert lines[row + 1].split() == ["params", "change", "(M)", "-134.1", "(-96.9", "%)"]
    assert any("change in macs (M)" in line for line in lines)


def test_a_sweep_is_shown_in_a_unit():
    shown = run("analyze", "mobilenet_v1", "--size", "192,224", "--units", "M", "--digits", "1")
    assert "568.7" in shown.stdout.decode()


@pytest.mark.parametrize(
    ("before", "after", "change_", "times_"),
    [
        (1000, 1006, "+0.6 %", "1.01"),
        (1000, 1000, "0.0 %", "1.00"),
        (2_655_936, 2_656_448, "+0.02 %", "1.0002"),
        (10**12, 10**12 + 1, "+0.0000000001 %", "1.000000000001"),
        (1000, 500, "-50.0 %", "2.00"),
        (100_000, 99_999, "-0.001 %", "1.00001"),
        (100_000, 1, "-99.999 %", "100,000.00"),
    ],
)
def test_a_change_is_rounded_neither_to_zero_nor_to_all(before, after, change_, times_):
    assert format_change(after - before, before) == change_
    assert format_ratio(max(before, after), min(before, after)) == times_


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 7, "0.0 %"),
        (1, 10**9, "<0.1 %"),
        (49, 100_000, "<0.1 %"),
        (50, 100_000, "0.1 %"),
        (99_949, 100_000, "99.9 %"),
        (99_950, 100_000, ">99.9 %"),
        (10**9 - 1, 10**9, ">99.9 %"),
        (7, 7, "100.0 %"),
        (10**9 + 1, 10**9, ">100.0 %"),
        (0, 0, "0.0 %"),
    ],
)
def test_a_share_is_nothing_or_all_only_if_it_is(part, whole, shown):
    assert format_percent(part, whole) == shown


def test_a_small_share_and_a_large_one_are_neither_nothing_nor_all_in_a_format():
    layers = "[{custom: a, params: 99999999, macs: 0}, {custom: b, params: 1, macs: 0}]"
    text = f"input: {{channels: 1, size: 1}}\nlayers: {layers}\n"
    for name, shares in (
        ("plain", (">99.9 %", "<0.1 %")),
        ("markdown", (">99.9 %", "<0.1 %")),
        ("csv", ("99.999999", "0.000001")),
        ("latex", (r"\textgreater{}99.9\,\%", r"\textless{}0.1\,\%")),
        ("html", ("&gt;99.9 %", "&lt;0.1 %")),
    ):
        columns = ("--columns", "layer,params_share", "--format", name)
        printed = run("analyze", "-", *columns, text=text).stdout.decode()
        assert all(share in printed for share in shares), printed


def test_a_small_ratio_is_not_zero_in_csv():
    one, many = (
        f"name: n{n}\ninput: {{channels: 1, size: 1}}\n"
        f"layers: [{{custom: a, params: {n}, macs: 0}}]"
        for n in (1, 10**8)
    )
    text = f"{many}\n---\n{one}\n"
    printed = run("compare", "-", "--columns", "params_ratio", "--format", "csv", text=text)
    assert printed.stdout.decode().split()[1:] == ["1.000000", "0.00000001"]
