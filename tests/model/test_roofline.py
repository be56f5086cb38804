"""Bytes read and written, and the bounds of a device."""

import csv
import json
from textwrap import dedent

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support import run

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.dtypes import Dtypes, parse_dtypes
from convcost.model.errors import ConstraintError, Source
from convcost.model.roofline import Device, LayerBound, Traffic, bounds, traffic
from convcost.model.window import AxisWindow, TransposedWindow, count_covered

SLOW = Device("slow", "none", 100, None, 10**6, (("float32", 10**6), ("int8", 4 * 10**6)))


def counted(text, batch=1):
    return costs(load(Source("net.yaml", dedent(text)), Settings())[0], batch)


def moved(text, batch=1, dtype="int8"):
    return traffic(counted(text, batch), parse_dtypes(dtype))


def test_a_layer_reads_its_input_and_weights_and_writes_its_output_once():
    text = "input: {channels: 3, size: 8}\nlayers: [{conv: 4, kernel: 3, bias: true}, relu]"
    maps = 6 * 6 * 4
    assert moved(text) == [Traffic(8 * 8 * 3 + 4 * 27 + 4, maps), Traffic(maps, maps)]
    assert moved(text, batch=5)[0] == Traffic(5 * 8 * 8 * 3 + 4 * 27 + 4, 5 * maps)
    assert moved(text, dtype="float32")[1] == Traffic(4 * maps, 4 * maps)


@pytest.mark.parametrize(
    ("options", "covered"),
    [
        ("kernel: 1, stride: 2", 4 * 4),
        ("kernel: 2, stride: 3", 6 * 6),  # 0 1, 3 4, 6 7
        ("kernel: 3, dilation: 3", 6 * 6),  # 0 3 6, 1 4 7: all but 2 and 5
        ("kernel: 3, stride: 2, padding: 1", 8 * 8),
        ("kernel: 3, stride: 3, padding: same", 8 * 8),
        ("kernel: 2, stride: 5", 4 * 4),
    ],
)
def test_a_convolution_does_not_read_positions_that_no_window_covers(options, covered):
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{{conv: 1, {options}}}]"
    found = counted(text)
    assert moved(text)[0].read == covered * 3 + found.totals.weights


@example(n=1, f=1, s=1, d=1, padding=(2, -2))  # the window is on the padding
@given(
    n=st.integers(1, 30),
    f=st.integers(1, 6),
    s=st.integers(1, 8),
    d=st.integers(1, 5),
    padding=st.none() | st.tuples(st.integers(-3, 6), st.integers(-3, 6)),
)
def test_the_positions_that_windows_cover_are_those_of_a_list(n, f, s, d, padding):
    begin, end = padding or (0, 0)
    assume(padding is None or n + begin + end >= d * (f - 1) + 1)
    window = AxisWindow(n, f, s, padding, d)
    if padding is None:
        begin = max((window.output - 1) * s + d * (f - 1) + 1 - n, 0) // 2
    covered = {i * s + j * d - begin for i in range(window.output) for j in range(f)}
    assert count_covered(window) == len(covered & set(range(n)))


@pytest.mark.parametrize(
    ("options", "read"),
    [
        ("kernel: 2, stride: 2", 8 * 8),
        ("kernel: 1, padding: 1", 6 * 6),
        (
            "kernel: 3, stride: 2, padding: 3",
            6 * 6,
        ),  # the first is at −3 to −1, the last at 11 to 13
        ("kernel: 3, padding: same", 8 * 8),
    ],
)
def test_a_transposed_convolution_does_not_read_positions_whose_outputs_are_removed(options, read):
    text = f"input: {{channels: 3, size: 8}}\nlayers: [{{transposed_conv: 1, {options}}}]"
    assert moved(text)[0].read == read * 3 + counted(text).totals.weights


@example(n=2, f=2, s=1, d=7, padding=(1, 6), extra=0)  # the output is between two elements
@given(
    n=st.integers(1, 20),
    f=st.integers(1, 6),
    s=st.integers(1, 8),
    d=st.integers(1, 7),
    padding=st.none() | st.tuples(st.integers(0, 20), st.integers(0, 20)),
    extra=st.integers(0, 6),
)
def test_the_positions_that_transposed_windows_read_are_those_of_a_list(n, f, s, d, padding, extra):
    extra = min(extra, max(s, d) - 1) if padding else 0
    assume(padding is None or (n - 1) * s + d * (f - 1) + extra + 1 > sum(padding))
    window = TransposedWindow(n, f, s, padding, d, False, extra)
    begin = padding[0] if padding else max(d * (f - 1) + 1 - s, 0) // 2
    outputs = range(begin, begin + window.output)
    read = [i for i in range(n) if any(i * s + t * d in outputs for t in range(f))]
    assert count_covered(window) == len(read)


def test_a_convolution_does_not_read_channels_without_connections():
    connections = "connections: [[1, 2], [2, 4]]"
    layer = f"{{conv: 2, kernel: 1, stride: 2, {connections}}}"
    found = moved(f"input: {{channels: 5, size: 8}}\nlayers: [{layer}]")
    assert found == [Traffic(3 * 4 * 4 + (2 + 2), 2 * 4 * 4)]


def test_views_move_nothing_and_a_tensor_that_is_read_twice_counts_once():
    text = """
        input: {channels: 2, size: 4}
        layers: [{conv: 2, kernel: 1, name: c}, {add: [c, c]}, {dropout: 0.5}, flatten]
        """
    maps = 2 * 16
    assert moved(text)[1:] == [Traffic(maps, maps), Traffic(0, 0), Traffic(0, 0)]


def test_a_tensor_that_is_read_again_through_views_counts_once():
    text = """
        input: {channels: 2, size: [4]}
        layers: [{add: {a: [], b: [identity, {reshape: {channels: 2, size: [4]}}]}}]
        """
    assert moved(text)[-1] == Traffic(2 * 4, 2 * 4)


def test_a_tensor_that_is_read_and_gives_the_shape_is_read():
    text = """
        input: {channels: 2, size: 5}
        layers: [{upsample_like: [input, input]}, {pad_like: [upsample_like_1, input]}]
    """
    assert moved(text) == [Traffic(5 * 5 * 2, 5 * 5 * 2)] * 2


@pytest.mark.parametrize(
    ("layer", "read", "written"),
    [
        ("{upsample: 0.125}", 8 * 5, 8 * 5),
        ("{upsample: 0.125, mode: linear}", 2 * 8 * 2 * 5, 8 * 5),
        ("{upsample: 0.125, mode: cubic}", 4 * 8 * 4 * 5, 8 * 5),
        ("{upsample: , size: [43, 80]}", 43 * 40, 43 * 80),
        ("{upsample: 0.75, mode: linear}", 64 * 40, 48 * 30),
        ("{upsample_like: {x: [], like: [{max_pool: 8}]}}", 8 * 5, 8 * 5),
        ("{grid_sample: {x: [], grid: [{slice: 2}, {max_pool: 8}]}, mode: nearest}",
         8 * 5, 8 * 5),
    ],
)  # fmt: skip
def test_a_layer_reads_only_the_elements_that_it_interpolates(layer, read, written):
    text = f"input: {{channels: 3, size: [64, 40]}}\nlayers: [{layer}]"
    grid = 2 * 8 * 5 if "grid" in layer else 0
    assert moved(text)[-1] == Traffic(3 * read + grid, 3 * written)


@pytest.mark.parametrize(
    ("options", "queries", "keys"),
    [
        ("causal: true, window: 16", 1, 16),
        ("causal: true, window: 16", 5, 20),
        ("window: 16", 5, 8 + 5),
        ("window: 4096", 5, 100),
        ("causal: true", 1, 100),
    ],
)
def test_attention_does_not_read_keys_that_no_query_is_compared_with(options, queries, keys):
    text = f"""
        inputs: {{q: {{channels: 6, size: [2, {queries}]}}, k: {{channels: 6, size: [2, 100]}}}}
        layers: [{{attention: [q, k, k], {options}}}]
        """
    output = 6 * 2 * queries
    assert moved(text) == [Traffic(output + 6 * 2 * keys, output)]


def test_a_table_reads_only_the_rows_that_are_looked_up():
    text = "input: {channels: 5, size: []}\nlayers: [{embedding: 8, rows: 1000}]"
    assert moved(text) == [Traffic(5 + 5 * 8, 5 * 8)]


def test_a_batch_looks_up_more_rows_up_to_the_whole_table():
    text = "input: {channels: 5, size: []}\nlayers: [{embedding: 8, rows: 12}]"
    assert moved(text, batch=2) == [Traffic(2 * 5 + 2 * 5 * 8, 2 * 5 * 8)]
    assert moved(text, batch=3) == [Traffic(3 * 5 + 12 * 8, 3 * 5 * 8)]


def test_weights_that_experts_share_are_read_once_for_each_expert_that_is_taken():
    text = """
        input: {channels: 4, size: [6]}
        layers:
          - experts:
              gate: [{conv: 3, kernel: 1}]
              each:
                - {conv: 4, kernel: 1, name: a}
                - {conv: 4, kernel: 1, weights: a}
            of: 3
            take: 2
        """
    maps = 2 * 4 * 6
    assert moved(text)[2] == Traffic(maps + 2 * 4 * 4, maps)


def test_shared_weights_are_read_by_each_layer():
    text = """
        input: {channels: 4, size: []}
        layers: [{linear: 4, name: a, bias: false}, {linear: 4, bias: false, weights: a}]
        """
    assert moved(text) == [Traffic(4 + 16, 4), Traffic(4 + 16, 4)]


def test_the_batch_does_not_multiply_a_stored_tensor():
    text = """
        input: {channels: 2, size: 4}
        layers: [{add: {x: [], position: [{learned: {channels: 2, size: [4, 4]}}]}}]
        """
    found = moved(text, batch=3)
    assert found[-1] == Traffic(3 * 32 + 32, 3 * 32)
    reshaped = text.replace(
        "size: [4, 4]}}", "size: [16]}}, {reshape: {channels: 2, size: [4, 4]}}"
    )
    assert moved(reshaped, batch=3)[-1] == found[-1]


def test_a_layer_is_limited_by_what_takes_longer():
    text = "input: {channels: 10, size: []}\nlayers: [{linear: 10, bias: false}, relu, identity]"
    found = bounds(counted(text), Dtypes(), SLOW)
    assert found == [
        LayerBound("memory", 4 * (10 + 100 + 10) * 10**6),
        LayerBound("memory", 4 * (10 + 10) * 10**6),
        LayerBound("", 0),
    ]
    fast = SLOW._replace(bandwidth=10**9)
    assert bounds(counted(text), Dtypes(), fast)[0] == LayerBound("compute", 100 * 10**6)


def test_weights_of_fewer_bits_are_multiplied_in_the_type_of_the_activations():
    text = "input: {channels: 10, size: []}\nlayers: [{linear: 10, bias: false}]"
    fast = SLOW._replace(bandwidth=10**12)
    mixed = parse_dtypes("float32,weights=int4/32")
    assert bounds(counted(text), mixed, fast) == [LayerBound("compute", 100 * 10**6)]


def test_a_dtype_without_a_rate_is_an_error_and_no_guess():
    text = "input: {channels: 10, size: []}\nlayers: [{linear: 10}]"
    with pytest.raises(ConstraintError) as refused:
        bounds(counted(text), parse_dtypes("float16"), SLOW)
    assert refused.value.message == "the device slow has no peak rate for float16"
    assert refused.value.help == "it has rates for float32, int8"


def test_what_limits_a_layer_without_known_macs_is_not_known():
    text = (
        "name: net\ninput: {channels: 64, size: 16}\nlayers:\n"
        "  - {custom: what, params: 100, macs: uncounted, name: x}\n"
        "  - {conv: 64, kernel: 3, padding: 1, name: c}\n"
    )
    command = ("memory", "-", "--device", "h100", "--format")
    lines = run(*command, "plain", text=text).stdout.decode().splitlines()
    (start,) = [number for number, line in enumerate(lines) if "limited by  at least" in line]
    x, c, total, _, *notes = lines[start + 1 :]
    assert [line.split() for line in (x, c, total)] == [
        ["x", "?", "131,472", "?", "?", "0.03"],
        ["c", "9,437,184", "278,528", "33.9", "compute", "0.28"],
        ["total", "9,437,184", "410,000", "?", "0.32"],
    ]
    assert notes[:3] == [
        "limited by memory: 0 layers, 0.0 % of the time",
        "limited by compute: 1 layer, 87.8 % of the time",
        "what limits is not known: 1 layer, 12.2 % of the time",
    ]
    records = list(csv.DictReader(run(*command, "csv", text=text).stdout.decode().splitlines()))
    assert [(row["macs"], row["limit"]) for row in records] == [
        ("?", "?"),
        (str(64 * 3 * 3 * 64 * 16 * 16), "compute"),
    ]
    (network,) = json.loads(run(*command, "json", text=text).stdout)["networks"]
    assert [layer["limit"] for layer in network["device"]["limits"]] == [None, "compute"]
