"""A search finds what a loop over all points finds, however it is cut into pieces."""

import csv
import json
import os
import random
from contextlib import suppress
from fractions import Fraction
from functools import cache
from itertools import product
from operator import le
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import run

from convcost import cli
from convcost.commands.memory import memory
from convcost.commands.search import SearchOptions, search
from convcost.conventions import find_convention
from convcost.design_space import run as run_module
from convcost.design_space.network_function import NetworkFunction
from convcost.design_space.pareto import pareto_front
from convcost.design_space.points_file import PointsFile
from convcost.design_space.search import Search
from convcost.design_space.space import Space, parse_vary
from convcost.design_space.traced_function import Variable
from convcost.design_space.vectors import exact_array
from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError, UsageError
from convcost.model.measures import CONVENTION
from convcost.render import FORMATS
from convcost.reports.search import FailedPoints

SPEC = """\
name: net
input: {channels: 3, size: 32}
vars: {width: 1, depth: 2, kernel: 3, norm: true}
layers:
  - {conv: 16*width, kernel: kernel, stride: 2}
  - {conv: 32*width, kernel: kernel, repeat: depth}
  - {batch_norm: , when: norm}
"""
VARY = ("width=0.25:1.5:0.25,0.3", "depth=1:3", "kernel=1,3,5", "norm=true,false", "size=4:40:3")
WHERE = ("macs <= 2M and params > 2 * 1k or depth == 1",)
MEASURES = ("params", "macs", "activations")


@pytest.fixture
def spec(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC, "utf-8")
    return str(path)


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(run_module, "CHUNK", 50)
    monkeypatch.setattr(run_module, "CHUNKS_IN_TASK", 2)


@cache
def every_point():
    """All points in order, with their measures; None for one with an error."""
    function = NetworkFunction(Documents(Source("net.yaml", SPEC)), None, MEASURES)
    space = Space(tuple(map(parse_vary, VARY)))
    found: list[tuple[dict[str, Any], Any]] = []
    for point in map(space.point, range(space.size)):
        try:
            found.append((point, function(point)))
        except SpecError:
            found.append((point, None))
    return found


def matches(point, params, macs):
    return (macs <= 2_000_000 and params > 2_000) or point["depth"] == 1


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize(
    ("sort", "top"),
    [
        *(("params", 1), ("params", 60), ("-macs,params", 1), ("-macs,params", 7)),
        *(("activations,-params", 7), ("activations,-params", 60)),
        *(("-params", 7), ("-params", 5_000)),
    ],
)
def test_points_that_are_left_out_and_equal_the_last_one_are_counted(spec, sort, top):
    found = search(spec, SearchOptions(VARY, WHERE, sort, top))
    keys = [key.removeprefix("-") for key in sort.split(",")]
    matching = [
        tuple(row[MEASURES.index(key)] for key in keys)
        for point, row in every_point()
        if row is not None and matches(point, row[0], row[1])
    ]
    last = tuple(found.best[-1].numbers[key] for key in keys)
    equal = sum(tuple(result.numbers[key] for key in keys) == last for result in found.best)
    assert found.tied == matching.count(last) - equal
    notes = list(found.tables())[-1].notes
    if len(matching) > top:
        assert notes[0].startswith(f"{len(matching) - top:,} more points")
        assert (f"the same {' and '.join(keys)} as the last point" in notes[0]) == bool(found.tied)


@pytest.mark.usefixtures("small_chunks")
def test_a_search_finds_what_a_loop_finds(spec):
    found = search(spec, SearchOptions(VARY, WHERE, "-activations", 7, ("macs", "+params")))
    points = every_point()
    valid = [(n, point, row) for n, (point, row) in enumerate(points) if row is not None]
    matching = [(n, point, row) for n, point, row in valid if matches(point, row[0], row[1])]
    assert found.points == found.evaluated == 7 * 3 * 3 * 2 * 13 == len(points)
    assert found.matching == len(matching) > 100
    assert found.failed is not None
    assert found.failed.points == len(points) - len(valid) > 100
    first = next(point for point, row in points if row is None)
    assert {name: float(text) for name, text in found.failed.first.items() if name != "norm"} == {
        name: float(value) for name, value in first.items() if name != "norm"
    }
    assert "larger than the input" in found.failed.message
    best = sorted(matching, key=lambda item: item[2][2])[:7]
    assert [list(result.numbers.values()) for result in found.best] == [row for _, _, row in best]
    front = [
        row[:2]
        for n, _, row in matching
        if not any(
            other[1] <= row[1] and other[0] >= row[0] and (other[:2] != row[:2] or earlier < n)
            for earlier, _, other in matching
        )
    ]
    front.sort(key=lambda row: row[1])
    assert [list(result.numbers.values())[:2] for result in found.front] == front
    (chart,) = found.charts()
    assert (chart.x, chart.y) == ("macs", "params")
    drawn = sorted((point.x, point.y) for point in chart.points)
    assert drawn == sorted((row[1], row[0]) for _, _, row in matching)
    assert [(point.y, point.x) for point in chart.points if point.front] == list(map(tuple, front))


@given(
    st.integers(2, 3).flatmap(
        lambda k: st.lists(st.tuples(*[st.integers(0, 6)] * k), min_size=1, max_size=40)
    )
)
def test_a_point_of_the_front_is_dominated_by_none(rows):
    def dominates(one, other, earlier):
        no_worse = all(a <= b for a, b in zip(one, other, strict=True))
        return no_worse and (one != other or earlier)

    front = pareto_front([np.array(column) for column in zip(*rows, strict=True)])
    assert front.tolist() == [
        n
        for n, row in enumerate(rows)
        if not any(dominates(other, row, m < n) for m, other in enumerate(rows) if m != n)
    ]


@pytest.mark.parametrize(("costs", "values"), [(3, 9), (3, 10**6), (4, 20), (5, 10**25)])
def test_a_large_front_is_that_of_all_pairs(costs, values):
    """Points on a plane, of which none is better than another, and as many above it."""
    rng = random.Random(costs * values)
    rows = [[rng.randrange(values) for _ in range(costs - 1)] for _ in range(600)]
    rows = [(*row, costs * values - sum(row) + rng.randrange(2) * values) for row in rows]
    front = pareto_front([exact_array(list(column)) for column in zip(*rows, strict=True)])
    expected = [
        n
        for n, row in enumerate(rows)
        if row not in rows[:n]
        and not any(all(map(le, other, row)) for other in rows if other != row)
    ]
    assert front.tolist() == expected
    assert len(front) > 200 or values < 10


@pytest.mark.parametrize(
    ("text", "name", "values"),
    [
        ("depth=1:4", "depth", (1, 2, 3, 4)),
        ("size=96:320:112", "size", (96, 208, 320)),
        ("width=0.25:0.4:0.05", "width", tuple(Fraction(n, 20) for n in (5, 6, 7, 8))),
        ("w=1:2:1/2", "w", ()),
        ("kernel=3, 5,7:9", "kernel", (3, 5, 7, 8, 9)),
        ("norm=true,false", "norm", (True, False)),
        ("size=128x160,64", "size", ((128, 160), 64)),
    ],
)
def test_values_are_lists_and_ranges_with_exact_steps(text, name, values):
    if values:
        assert parse_vary(text) == Variable(name, values)
    else:
        with pytest.raises(UsageError, match="neither a number nor true or false"):
            parse_vary(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("width", "--vary must be like width=0.25:1.5:0.05 or kernel=3,5,7, not `width`"),
        ("w=1:2:3:4", "--vary w=1:2:3:4: a range is first:last:step, not `1:2:3:4`"),
        ("w=5:1", "--vary w=5:1: the range `5:1` must have 1 to 1,000,000 values, and a step abo"),
        ("w=0:1:0", "--vary w=0:1:0: the range `0:1:0` must have 1 to 1,000,000 values, and a s"),
        ("w=1,1.0", "--vary w=1,1.0 has a value twice"),
        ("w=true:3", "--vary w=true:3: a range needs numbers, not `true`"),
        ("w=1,x", "--vary w=1,x: `x` is neither a number nor true or false"),
    ],
)
def test_wrong_values_are_explained(text, message):
    with pytest.raises(UsageError) as error:
        parse_vary(text)
    assert str(error.value).startswith(message)


BATCH = "--vary: batch must be an integer from 1 to 1,000,000,000"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vary": ("wdth=1",)}, "--vary: `net.yaml` has no variable `wdth`; did you mean `width`"),
        ({"vary": ("width=1", "width=2")}, "--vary gives width twice; write all values as one l"),
        ({"vary": ("batch=-1:1",)}, f"{BATCH}, not -1"),
        ({"vary": ("batch=1,0.5",)}, f"{BATCH}, not 0.5"),
        ({"vary": ("batch=true",)}, f"{BATCH}, not true"),
        ({"vary": ("batch=2e9",)}, f"{BATCH}, not 2000000000"),
        ({"vary": ()}, "a search needs --vary, such as --vary width=0.25:1.5:0.05"),
        ({"sort": "mac"}, "--sort or --pareto: there is no measure `mac`; did you mean `macs`"),
        ({"pareto": ("score",)}, "--sort or --pareto: there is no measure `score`; "),
        (
            {"columns": ("bytes",)},
            (
                "--columns: there is no measure `bytes`; write `weights`, `biases`, `params`, "
                "`trainable`, `buffers`, `macs`, `activations`, `active`, `channels`, "
                "`receptive_field`, `peak_memory`, `flash`, `memory`, or a convention of `convcost "
                "conventions`"
            ),
        ),
        (
            {"columns": ("thop:new",)},
            (
                "--columns: there is no measure `thop:new`; known here: `thop:functional_pools`, "
                "`thop:before_0_1`"
            ),
        ),
        ({"where": ("macs <",)}, "--where: `macs <` is not an expression"),
        ({"where": ("macs",)}, "--where macs is "),
        ({"score": "math:nothing"}, "--score must be module:function; math:nothing: module 'math'"),
        ({"sobol": True}, "--sobol needs --samples, at most 1,073,741,824"),
        ({"points": "x.txt"}, "--points must end in .csv, .jsonl, .parquet, not `x.txt`"),
    ],
)
def test_a_wrong_option_is_explained(spec, options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as error:
        search("net.yaml", SearchOptions(**{"vary": ("width=1",), **options}))
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("sobol", [False, True])
def test_samples_are_the_same_however_they_are_cut(sobol):
    space = Space(tuple(map(parse_vary, VARY)), samples=1000, seed=5, sobol=sobol)
    whole = space.positions(0, 1000)
    parts = [space.positions(n, n + 8) for n in range(0, 1000, 8)]
    for name, index in whole.items():
        assert np.concatenate([part[name] for part in parts]).tolist() == index.tolist()
        assert set(index.tolist()) == set(range(len(set(index.tolist()))))
    other = space._replace(seed=6).positions(0, 1000)
    assert any(other[name].tolist() != index.tolist() for name, index in whole.items())


def test_sobol_points_take_every_value_of_an_axis_equally_often():
    space = Space(tuple(map(parse_vary, ("a=1:8", "b=1:16"))), samples=128, seed=3, sobol=True)
    for name, positions in space.positions(0, 128).items():
        counts = np.bincount(positions)
        assert counts.tolist() == [128 // len(counts)] * {"a": 8, "b": 16}[name]


def test_a_search_of_sobol_points_finds_points_of_the_grid(spec):
    options = SearchOptions(VARY, samples=64, seed=1, sobol=True, top=64, columns=MEASURES)
    found = search(spec, options)
    assert found.points == found.evaluated == 64
    expected = [numbers for _, numbers in every_point()]
    assert all([*record.numbers.values()] in expected for record in found.best)


@pytest.mark.usefixtures("small_chunks")
def test_a_file_of_points_has_every_point_that_matches(spec, tmp_path):
    options = SearchOptions(VARY, WHERE, points=str(tmp_path / "points.csv"))
    search(spec, options)
    search(spec, options._replace(points=str(tmp_path / "points.jsonl")))
    with (tmp_path / "points.csv").open() as file:
        rows = list(csv.DictReader(file))
    expected = [
        (point, row)
        for point, row in every_point()
        if row is not None and matches(point, row[0], row[1])
    ]
    assert list(rows[0]) == ["width", "depth", "kernel", "norm", "size", *MEASURES]
    assert [[int(row[name]) for name in MEASURES] for row in rows] == [row for _, row in expected]
    assert [float(row["width"]) for row in rows] == [point["width"] for point, _ in expected]
    lines = (tmp_path / "points.jsonl").read_text().splitlines()
    assert [json.loads(line)["norm"] for line in lines] == [p["norm"] for p, _ in expected]
    assert [json.loads(line)["macs"] for line in lines] == [row[1] for _, row in expected]


@pytest.mark.usefixtures("small_chunks")
def test_parquet_has_exact_integers(spec, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    options = SearchOptions(VARY, points=str(tmp_path / "points.parquet"))
    search(spec, options)
    table = parquet.read_table(tmp_path / "points.parquet")
    assert [str(table.schema.field(name).type) for name in ("width", "norm", "macs")] == [
        "double", "bool", "int64",
    ]  # fmt: skip
    assert table["macs"].to_pylist() == [row[1] for _, row in every_point() if row is not None]
    assert [path.name for path in tmp_path.iterdir() if "points" in path.name] == ["points.parquet"]


LARGE = "layers: [{conv: n, kernel: 1, bias: b}, {custom: x, params: 1, macs: %s}]"


@pytest.mark.parametrize("macs", [2**63 - 1, 10**24])
def test_parquet_has_integers_of_more_than_64_bits(macs, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    path, points = tmp_path / "net.yaml", tmp_path / "points.parquet"
    spec = "name: net\ninput: {channels: 3, size: 8}\nvars: {n: 4, b: true}\n"
    path.write_text(spec + LARGE % macs, "utf-8")
    search(str(path), SearchOptions(("n=2,4",), points=str(points)))
    assert parquet.read_table(points)["macs"].to_pylist() == [3 * n * 8**2 + macs for n in (2, 4)]


def test_parquet_has_mixed_values_of_a_variable_as_texts(spec, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    points = tmp_path / "points.parquet"
    search(spec, SearchOptions(("norm=true,1,false",), points=str(points)))
    assert set(parquet.read_table(points)["norm"].to_pylist()) <= {"true", "1", "false"}


CLASH = """\
name: net
input: {channels: 3, size: 8}
vars: {params: 4, channels: 5}
layers: [{conv: params, kernel: 1}, {conv: channels, kernel: 1}, {conv: 7, kernel: 1}]
"""


def test_a_measure_comes_before_a_variable_of_the_same_name(tmp_path):
    path, found = tmp_path / "net.yaml", [3 * n + n * 5 + 5 * 7 for n in (2, 4)]
    path.write_text(CLASH, "utf-8")
    files = {suffix: tmp_path / f"points{suffix}" for suffix in (".csv", ".jsonl")}
    for file in files.values():
        options = SearchOptions(
            ("params=2,4,6",), (f"params <= {found[1]}",), "params", points=str(file),
            columns=("params",),
        )  # fmt: skip
        names = [column.key for column in search(str(path), options).records().columns]
        assert names == ["set_params", "params"]
    with files[".csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["params"]) for row in rows] == found
    lines = files[".jsonl"].read_text("utf-8").splitlines()
    records = [{"set_params": n, "params": count} for n, count in zip((2, 4), found, strict=True)]
    assert list(map(json.loads, lines)) == records


def test_no_two_columns_have_the_same_name(tmp_path):
    path, points = tmp_path / "net.yaml", tmp_path / "points.jsonl"
    path.write_text(
        CLASH.replace("channels: 5}", "set_params: 5}").replace("channels, k", "set_params, k"),
        "utf-8",
    )
    variables, columns = ("set_params=2,3", "params=4,6"), ["set_set_params", "set_params"]
    search(
        str(path), SearchOptions(variables, (), "params", points=str(points), columns=("params",))
    )
    records = list(map(json.loads, points.read_text("utf-8").splitlines()))
    assert records == [
        dict(zip((*columns, "params"), (m, n, 3 * n + n * m + m * 7), strict=True))
        for m in (2, 3) for n in (4, 6)
    ]  # fmt: skip
    settings = [part for variable in variables for part in ("--set", variable)]
    swept = run("analyze", str(path), *settings, "--format", "csv").stdout.decode()
    assert swept.split()[:2] == [
        ",".join(("network", *columns, "params", "macs", "activations")),
        "net,2,4,34,2176,832",  # 3·4 + 4·2 + 2·7 params
    ]


def test_a_condition_means_the_same_in_a_search_as_in_a_sweep(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(CLASH, "utf-8")
    for command, option in (("search", "--vary"), ("analyze", "--set")):
        for most, found in ((7, 3), (6, 0)):
            where = ("--where", f"channels <= {most}", "--format", "csv")
            done = run(command, str(path), option, "channels=2,7,8", *where)
            header, *rows = done.stdout.decode().splitlines()
            assert ("set_channels" in header.split(","), len(rows)) == (True, found)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_an_interrupted_search_continues_and_counts_nothing_twice(spec, tmp_path, suffix):
    options = SearchOptions(VARY, WHERE, "-params", 5, ("macs", "+params"))
    whole = search(spec, options._replace(points=str(tmp_path / f"whole{suffix}")))
    assert whole.tied == 13 - 5  # the smallest width and depth at all sizes
    parts = options._replace(
        points=str(tmp_path / f"parts{suffix}"), resume=str(tmp_path / "state.json")
    )

    def interrupt_after(points):
        def progress(done, _points):
            if done >= points:
                raise KeyboardInterrupt

        return progress

    for points in (300, 700, 900):
        part = search(spec, parts, progress=interrupt_after(points))
        assert part.evaluated == points < part.points
    # What was written after the last save is written again.
    with (tmp_path / f"parts{suffix}.part").open("a") as file:
        file.write("a line that the state does not count\n")
    assert search(spec, parts) == whole._replace(continue_with="continue with the same options")
    texts = [(tmp_path / f"{name}{suffix}").read_text() for name in ("whole", "parts")]
    assert texts[0] == texts[1]
    # Once it is complete, another run reads the state and changes nothing.
    assert search(spec, parts).matching == whole.matching
    assert (tmp_path / f"parts{suffix}").read_text() == texts[0]
    assert not list(tmp_path.glob("*.part"))


def interrupt(_done, _points):
    raise KeyboardInterrupt


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_search_without_a_state_leaves_no_file_of_points(spec, tmp_path):
    points = tmp_path / "points.csv"
    points.write_text("earlier\n")
    search(spec, SearchOptions(VARY, points=str(points)), progress=interrupt)
    assert points.read_text() == "earlier\n"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"points": "folder.csv"}, "--points: `folder.csv` is not a file"),
        ({"points": "pipe.csv"}, "--points: `pipe.csv` is not a file"),
        ({"points": "none/points.csv"}, "--points: there is no folder `none`"),
        (
            {"points": "points.csv", "resume": "none/state.json"},
            "--resume: there is no folder `none`",
        ),
        ({"points": "points.csv", "resume": "folder.csv"}, "--resume: `folder.csv` is not a file"),
        (
            {"points": "points.csv", "resume": "./points.csv"},
            "two outputs write to `./points.csv`; give each its own file",
        ),
        (
            {"points": "points.csv", "resume": "points.csv.part"},
            "two outputs write to `points.csv.part`; give each its own file",
        ),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_search(
    spec, files, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo("pipe.csv")
    with pytest.raises(UsageError) as error:
        search(spec, SearchOptions(("width=1,2",), **files), progress=interrupt)
    assert str(error.value) == message
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.usefixtures("small_chunks")
def test_a_state_that_cannot_be_written_leaves_no_file_of_points(spec, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("the disk is full")

    monkeypatch.setattr(run_module, "_save", fail)
    points, state = str(tmp_path / "points.csv"), str(tmp_path / "state.json")
    with pytest.raises(OSError, match="the disk is full"):
        search(spec, SearchOptions(VARY, points=points, resume=state), progress=interrupt)
    assert list(tmp_path.iterdir()) == [tmp_path / "net.yaml"]


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (SystemExit(143), "143"),
        (OSError(28, "the disk is full"), "cannot write `.*/points.*`: the disk is full"),
    ],
)
@pytest.mark.parametrize(
    ("step", "suffix"), [("open", ".csv"), ("write", ".jsonl"), ("_write_parquet", ".parquet")]
)
def test_an_error_while_points_are_written_leaves_no_file(
    spec, tmp_path, monkeypatch, step, suffix, error, raised
):
    own = getattr(PointsFile, step)

    def fail(*arguments):
        own(*arguments)
        raise error

    monkeypatch.setattr(PointsFile, step, fail)
    with pytest.raises((SystemExit, UsageError), match=raised):
        search(spec, SearchOptions(("width=1,2",), points=str(tmp_path / f"points{suffix}")))
    assert list(tmp_path.iterdir()) == [tmp_path / "net.yaml"]


@pytest.mark.usefixtures("small_chunks")
def test_an_interrupted_search_prints_what_it_has_and_exits_with_130(spec, monkeypatch, capsys):
    whole, seen = Search.chunk, []

    def chunk(self, start, stop):
        seen.append(start)
        if len(seen) > 1:
            raise KeyboardInterrupt
        return whole(self, start, stop)

    monkeypatch.setattr(Search, "chunk", chunk)
    vary = [word for text in VARY for word in ("--vary", text)]
    assert cli.run(["search", str(spec), *vary, "--format", "plain"]) == 130
    assert "interrupted after " in capsys.readouterr().out


@pytest.mark.usefixtures("small_chunks")
def test_points_that_the_state_counts_must_be_there(spec, tmp_path):
    options = SearchOptions(
        VARY, points=str(tmp_path / "points.csv"), resume=str(tmp_path / "state.json")
    )
    search(spec, options, progress=interrupt)
    (tmp_path / "points.csv.part").unlink()
    with pytest.raises(
        UsageError, match=r"--resume needs the first [0-9,]+ bytes of `.*.csv.part`"
    ):
        search(spec, options)


def test_no_temporary_file_of_a_search_follows_a_link(spec, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("mine\n")
    for name in ("points.csv.part", "state.json.tmp", "points.parquet.csv"):
        (tmp_path / name).symlink_to(victim)
    for name in ("points.csv", "points.parquet"):
        search(
            spec,
            SearchOptions(
                ("width=1,2",), points=str(tmp_path / name), resume=str(tmp_path / f"{name}.state")
            ),
        )
    assert victim.read_text() == "mine\n"


def test_a_damaged_state_is_refused(spec, tmp_path):
    state = tmp_path / "state.json"
    options = SearchOptions(("width=1,2",), resume=str(state))
    search(spec, options)
    whole = json.loads(state.read_text())
    assert search(spec, options).points == 2
    for key in whole:
        for value in (None, [], {}, -1, 1.5, "x", [1, 2, 3], {"index": [9], "columns": [[9]]}):
            state.write_text(json.dumps({**whole, key: value}))
            with pytest.raises(UsageError, match="--resume: "):
                search(spec, options)
        state.write_text(json.dumps({name: whole[name] for name in whole if name != key}))
        with pytest.raises(UsageError, match="is not the state of a search"):
            search(spec, options)
    for counts, message in (
        ([1, 1, 1, 1, 1], "the state of --resume counts a point as failed that does not fail"),
        ([1, 1, 1, 2**70, 1], f"--resume: `{state}` is not a state of this search"),
    ):
        state.write_text(json.dumps({**whole, "counts": counts}))
        with pytest.raises(UsageError) as refused:
            search(spec, options)
        assert str(refused.value) == message
    with pytest.raises(UsageError, match="`/dev/zero` is not a file"):
        search(spec, options._replace(resume="/dev/zero"))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("math:pi", "--score must be module:function; `math:pi` is not a function"),
        ("json:dumps", "--score json:dumps failed: TypeError: .*"),
        ("builtins:str", "--score builtins:str must return numbers, not <U[0-9]+"),
    ],
)
def test_a_score_that_is_not_a_function_of_numbers_is_explained(spec, score, message):
    with pytest.raises(UsageError, match=message):
        search(spec, SearchOptions(("width=1,2",), score=score))


OTHER_OPTIONS: dict[str, Any] = {
    "vary": ("width=1,3",), "where": ("macs > 1",), "sort": "-macs", "top": 3, "pareto": ("macs",),
    "samples": 3, "seed": 1, "sobol": True, "score": "math:sqrt", "columns": ("flash",),
    "dtypes": ("int8",), "device": "stm32h743", "deployed": True,
}  # fmt: skip


def test_the_state_of_another_search_is_refused(spec, tmp_path):
    state = tmp_path / "state.json"
    options = SearchOptions(("width=1,2",), samples=2, resume=str(state))
    search(spec, options)
    assert OTHER_OPTIONS.keys() | {"points", "resume", "workers", "scheduler"} == {*options._fields}
    for name, value in OTHER_OPTIONS.items():
        with pytest.raises(UsageError, match="is the state of another search"):
            search(spec, options._replace(**{name: value}))
    with pytest.raises(UsageError, match="is the state of another search"):
        search(spec, options, Settings((("kernel", 1),)))
    state.write_text("{}")
    with pytest.raises(UsageError, match="is not the state of a search"):
        search(spec, options)


def test_a_score_ranks_points_that_cost_alone_cannot(spec, tmp_path, monkeypatch):
    (tmp_path / "predictor.py").write_text(
        "def accuracy(table):\n    return table['width'] / table['depth'] - table['macs'] * 1e-12\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    options = SearchOptions(
        ("width=0.5:2:0.5", "depth=1:3"), sort="score", top=2, score="predictor:accuracy"
    )
    found = search(spec, options)
    assert [result.values["width"] for result in found.best] == ["2", "1.5"]
    assert found.best[0].numbers["score"] == pytest.approx(2, abs=1e-4)


def test_a_score_gets_the_columns_of_a_file_of_points(tmp_path, monkeypatch):
    (tmp_path / "net.yaml").write_text(
        "name: net\ninput: {channels: 3, size: 8}\nvars: {macs_uncounted: 1}\n"
        "layers: [{custom: x, params: macs_uncounted, macs: uncounted}]\n"
    )
    (tmp_path / "names.py").write_text(
        "def score(table):\n"
        "    assert list(table) == ['macs', 'macs_uncounted', 'set_macs_uncounted'], table\n"
        "    return table['set_macs_uncounted'] * 10 + table['macs_uncounted']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    points = str(tmp_path / "points.csv")
    options = SearchOptions(
        ("macs_uncounted=5",), score="names:score", points=points, columns=("macs",)
    )
    (best,) = search(str(tmp_path / "net.yaml"), options).best
    assert best.numbers["score"] == 51
    lines = (tmp_path / "points.csv").read_text().splitlines()
    assert lines == ["set_macs_uncounted,macs,macs_uncounted,score", "5,?,1,51.0"]


def test_the_command_prints_front_points_and_errors(spec, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(
        "search", "net.yaml", "--vary", "size=3:9", "--vary", "depth=1,2", "--columns",
        "macs,receptive_field", "--where", "macs > 1k", "--pareto", "macs,params", cwd=tmp_path,
    )  # fmt: skip
    small = 3 * 3 * 16 * 3 * 3 * 3 + 32 * 16 * 3 * 3
    large = 4 * 4 * 16 * 3 * 3 * 3 + 2 * 2 * 32 * 16 * 3 * 3
    params = 16 * 3 * 9 + 32 * 16 * 9 + 2 * 32
    assert done.returncode == 0
    assert done.stdout.decode().splitlines() == [
        "net: Pareto front of macs and params",
        "",
        "size  depth   macs  receptive_field  params",
        f"   7      1  {small:,}                7   {params:,}",
        "",
        "net: points with the largest macs",
        "",
        "size  depth    macs  receptive_field  params",
        f"   9      1  {large:,}                7   {params:,}",
        f"   7      1   {small:,}                7   {params:,}",
        f"   8      1   {small:,}                7   {params:,}",
        "",
        "3 of 14 points with macs > 1k",
        "11 points have an error; the first is size=3 depth=1:",
        "net.yaml:6:6: error[CC301]: kernel 3 is larger than the input 1",
        CONVENTION,
    ]


def test_counting_conventions_are_measures_too(spec):
    options = SearchOptions(("width=1:4", "size=20:40"), ("flops <= 9M",), "thop", 3)
    found = search(spec, options._replace(columns=("macs", "thop", "torchinfo")))
    documents = Documents(Source("net.yaml", SPEC))
    for result in found.best:
        values = {name: int(text) for name, text in result.values.items()}
        settings = Settings((("width", values["width"]),), (values["size"],))
        counted = costs(documents.load(settings)[0])
        for name in ("thop", "torchinfo", "flops"):
            assert result.numbers[name] == find_convention(name).count(counted).total
        assert result.numbers["flops"] <= 9_000_000
    assert any("thop" in note for note in found.measure_notes)


# A window with a stride and a dilation skips positions, and has no formula for how many.
GAPS = SPEC.replace("stride: 2}", "stride: 2, padding: same, dilation: 2}")
DEVICE = """\
name: small
source: none
ram: 12KiB
flash: 12KiB
bandwidth: 1MB
macs: {int8: 200M}
"""


@pytest.mark.parametrize("deployed", [False, True])
def test_a_device_keeps_points_that_fit_and_bounds_their_time(tmp_path, deployed):
    path = tmp_path / "net.yaml"
    path.write_text(GAPS, "utf-8")
    spec = str(path)
    device = tmp_path / "small.yaml"
    device.write_text(DEVICE, "utf-8")
    options = SearchOptions(("width=0.25:1.5:0.25", "size=20:40"), top=1000, dtypes=("int8",))
    options = options._replace(
        device=str(device), columns=("macs", "nanoseconds"), deployed=deployed
    )
    found = {tuple(result.values.values()): result.numbers for result in search(spec, options).best}
    fitting = 0
    for width, size in product([f"{n / 4:g}" for n in range(1, 7)], range(20, 41)):
        settings = Settings((("width", Fraction(width)),), (size,))
        report = memory([spec], settings, dtypes=["int8"], device=str(device), deployed=deployed)
        record = report.tree()["networks"][0].device
        numbers = found.get((width, str(size)))
        assert record.fits == (numbers is not None)
        if numbers is not None:
            fitting += 1
            assert numbers["nanoseconds"] == record.picoseconds // 1000
            assert (numbers["flash"], numbers["peak_memory"]) == (record.flash, record.ram)
    assert 10 < fitting < 6 * 21 - 10


def test_the_state_of_a_search_for_another_device_is_refused(spec, tmp_path):
    device = tmp_path / "small.yaml"
    device.write_text(DEVICE, "utf-8")
    options = SearchOptions(("width=1,2",), resume=str(tmp_path / "state.json"), dtypes=("int8",))
    options = options._replace(device=str(device), sort="nanoseconds")
    search(spec, options)
    device.write_text(DEVICE.replace("1MB", "2MB"), "utf-8")
    with pytest.raises(UsageError, match="is the state of another search"):
        search(spec, options)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--columns", "nanoseconds"],
            "--columns: `nanoseconds` needs a --device with a bandwidth",
        ),
        (
            ["--where", "nanoseconds < 9k"],
            "--where: `nanoseconds` needs a --device with a bandwidth",
        ),
        (
            ["--columns", "nanoseconds", "--device", "nrf52840", "--dtype", "bfloat16"],
            "has no peak rate for bfloat16\nhelp: it has rates for int8, uint8, int16, int32, ",
        ),
        (["--device", "nrf"], "there is no device `nrf`\nhelp: known devices: a100, h100,"),
    ],
)
def test_a_mistake_with_a_device_is_explained(spec, arguments, message):
    done = run("search", spec, "--vary", "width=1,2", *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_a_condition_without_a_device_may_have_a_variable_with_a_name_like_its_measure(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(SPEC.replace("width", "nanoseconds"), "utf-8")
    found = search(str(path), SearchOptions(("nanoseconds=1:4",), ("nanoseconds < 3",)))
    assert [result.values["nanoseconds"] for result in found.best] == ["2", "1"]


def test_json_follows_the_form_of_points(spec):
    done = run("search", spec, "--vary", "width=1,1.5", "--format", "json", "--top", "1")
    tree = json.loads(done.stdout)
    assert tree["schema"] == "convcost.search/1"
    assert tree["points"] == tree["evaluated"] == tree["matching"] == 2
    assert tree["best"][0]["values"] == {"width": "1.5"}
    assert tree["best"][0]["numbers"]["params"] == 24 * 3 * 9 + 48 * 24 * 9 + 48 * 48 * 9 + 2 * 48


def test_json_has_all_that_the_search_found(spec):
    options = SearchOptions(VARY, WHERE, "-activations", 3, ("macs", "+params"))
    found = search(spec, options)._replace(evaluated=1500)
    tree = found.tree()
    names = tree.keys() & {*found._fields}
    assert tree.keys() - names == {"schema", "version", "name", "notes"}
    for name in names:
        own = getattr(found, name)
        assert tree[name] == (list(own) if isinstance(tree[name], list) else own)
    assert tree["failed"].points
    assert tree["evaluated"] != tree["points"] != tree["matching"]


def test_a_long_front_is_cut_in_tables_only(spec):
    found = search(spec, SearchOptions(("width=1,2",), pareto=("macs", "params")))
    found = found._replace(front=(*found.front, *found.best * 30))
    front, _ = found.tables()
    more = len(found.front) - len(front.rows)
    assert front.notes == (f"{more} more points, in JSON and CSV",)
    assert len(found.records().rows) == len(found.front)


def test_without_a_matching_point_each_format_has_the_columns(spec, tmp_path):
    none = ("search", spec, "--vary", "width=1,2", "--where", "macs < 1", "--pareto", "macs,params")
    forms = [name for name, form in FORMATS.items() if not form.needs]
    done = run(*none, *(f"--output={name}:{tmp_path / name}" for name in forms))
    assert (done.returncode, done.stderr.count(b"wrote ")) == (0, len(forms))
    names = ["width", "params", "macs", "activations"]
    assert (tmp_path / "csv").read_text("utf-8") == f"{','.join(names)}\n"
    assert f"{' & '.join(names)} \\\\\n" in (tmp_path / "latex").read_text("utf-8")


def test_a_search_of_deployed_networks_says_what_that_is(spec):
    found = search(spec, SearchOptions(("width=1,2",), deployed=True))
    folded = (
        "deployed: batch norms folded, parallel convolutions merged, identity and dropout removed"
    )
    assert folded in found.measure_notes
    assert folded not in search(spec, SearchOptions(("width=1,2",))).measure_notes


@pytest.mark.parametrize(
    "width", ["in_channels*n + 1", '"divisible(in_channels*n + 7, 8)"', "in_channels//3 + 7*n"]
)
def test_points_of_a_network_with_too_large_formulas_are_counted_one_by_one(tmp_path, width):
    text = (
        "name: net\nvars: {n: 1}\ninput: {channels: 3, size: 8}\n"
        f"layers: [{{conv: {width}, kernel: 1, repeat: 320}}]\n"
    )
    (tmp_path / "net.yaml").write_text(text, "utf-8")
    options = SearchOptions(("n=0.5,1",), sort="-macs", columns=("macs",))
    found = search(str(tmp_path / "net.yaml"), options)
    function = NetworkFunction(Documents(Source("net.yaml", text)), None, ("macs",))
    expected = []
    for n in (Fraction(1, 2), 1):
        with suppress(SpecError):  # half a channel
            expected.append(function({"n": n}))
    assert expected
    assert [[result.numbers["macs"]] for result in found.best] == sorted(expected)
    assert found.evaluated == 2


@pytest.mark.parametrize("kind", ["custom", r'"cust\x6fm"'])
def test_a_point_with_macs_that_are_not_known_is_named(tmp_path, kind):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ninput: {channels: 8, size: 9}\nvars: {a: 1}\nlayers:\n"
        "  - {conv: 8, kernel: a}\n"
        f"  - {{{kind}: what, params: 5, macs: uncounted, when: a > 1}}\n"
    )
    found = search(str(path), SearchOptions(("a=1,2,3",), sort="params"))
    assert [point.numbers["macs_uncounted"] for point in found.best] == [1, 1, 0]
    assert [point.numbers["macs"] for point in found.best] == [
        8 * 9 * 8 * 7 * 7,
        8 * 4 * 8 * 8 * 8,
        8 * 8 * 9 * 9,
    ]
    note = "uncounted: the macs of 1 layer of net are unknown and not in the total: custom_1"
    assert f"{note} (at a=3)" in found.measure_notes
    found = search(str(path), SearchOptions(("a=1",)))
    assert "uncounted" not in "".join(found.measure_notes)


@pytest.mark.parametrize(
    ("options", "measure"),
    [
        ({"where": ("macs <= 1G",)}, "macs"),
        ({"where": ("a < 9 and macs <= 1G",)}, "macs"),
        ({"pareto": ("macs", "params")}, "macs"),
        ({"where": ("flops <= 1G",)}, "flops"),
        ({"pareto": ("+thop", "params")}, "thop"),
        ({"where": ("params <= 1G", "a < 9")}, ""),
        ({"pareto": ("activations", "params")}, ""),
        ({}, ""),
    ],
)
def test_a_condition_or_a_front_compares_no_count_that_is_known_in_part(options, measure, tmp_path):
    """The point without known macs would have the fewest."""
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: {channels: 8, size: 9}\nvars: {a: 1}\nlayers:\n"
        "  - {custom: what, params: 5, macs: uncounted, name: u, when: a > 1}\n"
        "  - {conv: 8, kernel: 1, when: a < 3}\n"
    )
    found = search(str(path), SearchOptions(("a=1,2,3",), sort="-params", **options))
    assert found.matching == (1 if measure else 3)
    assert {point.values["a"] for point in found.best} == ({"1"} if measure else {"1", "2", "3"})
    if not measure:
        assert found.failed is None
        return
    assert [point.values["a"] for point in found.front] in ([], ["1"])
    message = f"{path}:4:6: error[CC112]: `{measure}` of the custom `u` is not known"
    assert found.failed == FailedPoints(2, {"a": "2"}, message)


def test_a_kind_that_a_convention_does_not_count_at_some_points_is_named(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ninput: {channels: 8, size: 9}\nvars: {a: 1}\nlayers:\n"
        "  - {custom: what, params: 5, macs: 7, when: a > 1, repeat: a}\n"
        "  - {fft: size, when: a == 40}\n"
    )
    options = SearchOptions(("a=1:40",), columns=("netscope",), sort="-params", top=40)
    notes = [
        note for note in search(str(path), options).measure_notes if "not in its total" in note
    ]
    assert notes == [
        "not counted by netscope, and not in its total: custom ×2 (at a=2)",
        "not counted by netscope, and not in its total: custom ×40, fft ×1 (at a=40)",
    ]


def test_a_search_says_if_not_all_points_are_searched_for_unknown_counts(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text(
        "name: net\ninput: {channels: 8, size: 9}\nvars: {a: 1}\nlayers:\n"
        "  - {conv: a, kernel: 1}\n"
        "  - {custom: what, params: 5, macs: uncounted, when: a > 8}\n"
    )
    options = SearchOptions(("a=1:9",), sort="-params")
    note = "uncounted: the macs of 1 layer of net are unknown and not in the total: custom_1"
    assert search(str(path), options).measure_notes == (f"{note} (at a=9)",)
    monkeypatch.setattr("convcost.commands.search.MAX_LAYERS_WITH_NOTES", 7 * 2)
    (note,) = search(str(path), options).measure_notes
    assert note == "stated and unknown counts were searched in the first 8 of 9 points only"


def test_no_point_is_counted_again_for_the_note_on_density_that_the_spec_has(tmp_path, monkeypatch):
    path = tmp_path / "net.yaml"
    path.write_text(
        "input: {channels: 8, size: 9}\nvars: {a: 1}\n"
        "layers: [{conv: a, kernel: 1, density: 0.5}]\n"
    )
    monkeypatch.setattr("convcost.commands.search.MAX_LAYERS_WITH_NOTES", -1)
    (note,) = search(str(path), SearchOptions(("a=1:9",))).measure_notes
    assert note == (
        "density: the author of the spec stated the share of the weights that is not pruned; "
        "params and macs count these weights only"
    )


def test_a_point_of_which_no_macs_are_known_has_a_question_mark(tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 8}\nvars: {w: 4}\nlayers:\n"
        "  - {custom: magic, params: w, macs: uncounted}\n"
        "  - {conv: 2, kernel: 1, when: w == 2}\n"
    )
    call = ("search", "net.yaml", "--vary", "w=1,2", "--columns", "macs,thop,params")
    for suffix, unknown, known in (
        ("csv", "1,?,?,1,1,1", f"2,{6 * 64},{6 * 64},{2 + 6},1,1"),
        ("json", '{"macs": null, "thop": null, "params": 1, ', f'{{"macs": {6 * 64}, '),
    ):
        printed = run(*call, "--format", suffix, cwd=tmp_path).stdout.decode()
        assert unknown in printed
        assert known in printed


PARTLY = (
    "name: net\ninput: {channels: 3, size: 8}\nvars: {w: 1, u: 0}\nlayers:\n"
    "  - {conv: w, kernel: 1, when: w > 1}\n"
    "  - {custom: magic, params: w, macs: uncounted, when: u > 0}\n"
    "  - relu\n"
)
MACS = 3 * 2 * 64


@pytest.mark.parametrize("measure", ["macs", "thop"])
def test_points_of_which_nothing_is_known_are_last_in_each_order(tmp_path, measure):
    (tmp_path / "net.yaml").write_text(PARTLY)
    call = ("search", "net.yaml", "--vary", "w=1,2", "--vary", "u=0,1", "--columns", measure)
    for sort, rows in (
        (measure, [f"2,0,{MACS},0", f"2,1,{MACS},1", "1,0,0,0", "1,1,?,1"]),
        (f"-{measure}", ["1,0,0,0", f"2,0,{MACS},0", f"2,1,{MACS},1", "1,1,?,1"]),
    ):
        printed = run(*call, f"--sort={sort}", "--format", "csv", cwd=tmp_path).stdout.decode()
        assert printed.splitlines() == [f"w,u,{measure},{measure}_uncounted", *rows]
    units = (f"--sort={measure}", "--units", "k")
    known = run(*call, *units, "--top", "1", cwd=tmp_path).stdout.decode()
    assert known.splitlines()[2] == f"w  u  {measure} (k)"
    partly = run(*call, *units, cwd=tmp_path).stdout.decode().splitlines()
    assert partly[2] == f"w  u  {measure} (k)  {measure}_uncounted"


def test_no_points_are_as_many_as_a_last_point_that_is_known_in_part(tmp_path):
    (tmp_path / "net.yaml").write_text(PARTLY)
    call = ("search", "net.yaml", "--vary", "w=2", "--vary")
    known = run(*call, "u=-1,0,1", "--top", "1", cwd=tmp_path).stdout.decode()
    assert "2 more points; 1 of them has the same macs as the last point\n" in known
    partly = run(*call, "u=1,2,3", "--top", "1", cwd=tmp_path).stdout.decode()
    assert "2 more points\n" in partly


def test_a_file_of_points_says_how_many_layers_are_not_in_a_count(tmp_path):
    pytest.importorskip("pyarrow")
    import pyarrow.parquet

    (tmp_path / "net.yaml").write_text(PARTLY)
    call = ("search", "net.yaml", "--vary", "w=1,2", "--vary", "u=0,1", "--columns", "macs")
    for suffix in ("csv", "jsonl", "parquet"):
        run(*call, "--points", f"points.{suffix}", cwd=tmp_path)
    assert (tmp_path / "points.csv").read_text().splitlines() == [
        "w,u,macs,macs_uncounted",
        "1,0,0,0",
        "1,1,?,1",
        f"2,0,{MACS},0",
        f"2,1,{MACS},1",
    ]
    lines = [json.loads(line) for line in (tmp_path / "points.jsonl").read_text().splitlines()]
    assert [(line["macs"], line["macs_uncounted"]) for line in lines] == [
        (0, 0),
        (None, 1),
        (MACS, 0),
        (MACS, 1),
    ]
    table = pyarrow.parquet.read_table(tmp_path / "points.parquet").to_pydict()
    assert table["macs"] == [0, None, MACS, MACS]
    assert table["macs_uncounted"] == [0, 1, 0, 1]
