"""--units and --digits: counts rounded from exact integers, and said to be."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run

from convcost.report import Column, Rounded, Table
from convcost.rounding import UNITS, in_units
from convcost.units import beside, change, times


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
def test_what_is_shown_is_off_by_half_a_digit_at_most(value, unit, digits):
    (row,) = in_units(table(value, total=False), (("", unit),), digits).rows
    shown = row[1]
    if isinstance(shown, Rounded):
        assert 2 * abs(shown.digits * UNITS[unit] - value * 10**digits) <= UNITS[unit]
        assert (shown.text == "0") == (value == 0)


def test_the_total_is_that_of_the_exact_integers_and_a_gap_is_said():
    found = in_units(table(1_400, 1_400, 1_400), (("", "k"),), 0)
    assert [row[1].text for row in found.rows] == ["1", "1", "1"]
    assert found.total[1].text == "4"
    assert found.notes == (
        "macs are rounded one by one: as shown they come to 3, the exact sum to 4",
    )


def test_no_gap_is_said_where_the_numbers_add_up_or_rows_are_left_out():
    assert in_units(table(1_000, 2_000), (("", "k"),), 0).notes == ()
    some = table(1_400, 1_400, 1_400)
    assert in_units(some._replace(rows=some.rows[:2]), (("", "k"),), 0).notes == ()


def test_auto_takes_one_unit_for_a_column_by_its_largest_number():
    found = in_units(table(10, 2_000_000), (("", "auto"),), 2)
    assert found.columns[1].title == "macs (M)"
    assert [row[1].text for row in found.rows] == ["<0.01", "2.00"]
    assert in_units(table(10, 20), (("", "auto"),), 2) == table(10, 20)


def test_a_comparison_has_a_unit_for_each_measure():
    shown = run("compare", "vgg16", "googlenet", "--units", "auto", "--no-bars").stdout.decode()
    assert "params (M)" in shown
    assert "macs (G)" in shown
    assert "biases (k)" in shown


@pytest.mark.parametrize("name", ["json", "csv"])
def test_programs_get_exact_integers_whatever_the_unit(name):
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
        (["-o", "a.json", "-o", "csv:a.json"], "error: two outputs go to `a.json`"),
        (["-o", "-", "-o", "json:-"], "error: two outputs go to standard output"),
        (["-o", "json:"], "error: --output names no file"),
        (["--units", "m"], "error: there is no unit `m`; did you mean `M`?"),
        (["--units", "flop=M"], "error: there are no counts called `flop`; known here: "),
        (["--digits", "1"], "error: --digits is for a unit: add --units auto, or one of k, M, G"),
        (["-o", "a.svg"], "error: `a.svg` would be a picture: ask for it by --plot a.svg"),
        (["--units", "flops"], "error: there is no unit `flops`; known here: "),
    ],
)
def test_bad_requests_are_refused(arguments, message, tmp_path):
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
    shown = run("compare", "vgg16", "mobilenet_v1", "--units", "M", "--digits", "1", "--layers")
    lines = shown.stdout.decode().splitlines()
    row = next(n for n, line in enumerate(lines) if line.startswith("params (M)"))
    assert lines[row].split() == ["params", "(M)", "138.4", "4.2"]
    assert lines[row + 1].split() == ["change", "-134.1", "(-96.9", "%)"]
    assert any("change in macs (M)" in line for line in lines)


def test_a_sweep_is_shown_in_a_unit():
    shown = run("analyze", "mobilenet_v1", "--size", "192,224", "--units", "M", "--digits", "1")
    assert "568.7" in shown.stdout.decode()


@pytest.mark.parametrize(
    ("before", "after", "change_", "beside_", "times_"),
    [
        (1000, 1006, "+0.6 %", "100.6 %", "1.01"),
        (1000, 1000, "0.0 %", "100.0 %", "1.00"),
        (2_655_936, 2_656_448, "+0.02 %", "100.02 %", "1.0002"),
        (10**12, 10**12 + 1, "+0.0000000001 %", "100.0000000001 %", "1.000000000001"),
        (1000, 500, "-50.0 %", "50.0 %", "2.00"),
        (100_000, 99_999, "-0.001 %", "99.999 %", "1.00001"),
    ],
)
def test_a_change_is_never_rounded_to_none(before, after, change_, beside_, times_):
    assert change(after - before, before) == change_
    assert beside(after, before) == beside_
    assert times(max(before, after), min(before, after)) == times_
