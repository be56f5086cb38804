"""Receptive fields of joins, compared with the inputs that each output element depends on.

A tensor with one axis is a matrix here: row o has a 1 for each input that output o depends on.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import cost

from convcost.model.receptive_field import MAX_INTERVALS, MAX_PERIOD

CHANNELS = 4
CAUSAL = "{attention: [input, input, input], causal: true}"
MAX_SIZE = 40


def windows(x, kernel, stride, padding):
    padded = np.pad(x, ((padding, padding), (0, 0)))
    starts = range(0, len(padded) - kernel + 1, stride)
    return np.array([padded[start : start + kernel].any(0) for start in starts])


def spread(x, kernel, stride):
    found = np.zeros(((len(x) - 1) * stride + kernel, x.shape[1]), bool)
    for place, row in enumerate(x):
        found[place * stride : place * stride + kernel] |= row
    return found


def one_layer(draw, x):
    """The text and the dependencies of one layer on a tensor with the dependencies `x`."""
    a, b = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    n = len(x)
    found = {
        f"conv: 4, kernel: {a}, stride: {b}, padding: 1": windows(x, a, b, 1) if n > a else x[:0],
        f"max_pool: {a}, stride: {b}": windows(x, a, b, 0) if n >= a else x[:0],
        f"transposed_conv: 4, kernel: {a}, stride: {b}": spread(x, a, b),
        f"upsample: {a}": np.repeat(x, a, 0),
        f"upsample: , size: [{b}]": x[[o * n // b for o in range(b)]],
        f"pad: [{a}, {b}]": np.pad(x, ((a, b), (0, 0))),
        f"slice: 1, start: {n - 1}, along: 1": x[n - 1 :],
        f"crop: [{a}, 0]": x[a:],
        "lstm: 4": np.repeat(x.any(0, keepdims=True), n, 0),
        "mean: size": x.any(0, keepdims=True),
        "global_avg_pool: ": x.any(0, keepdims=True),
        f"roll: {a}": np.roll(x, a, 0),
        "glu: , along: 1": x[: n // 2] | x[n // 2 :] if n % 2 == 0 else x[:0],
    }
    possible = [text for text, rows in found.items() if 0 < len(rows) <= MAX_SIZE]
    text = draw(st.sampled_from(possible))
    return f"{{{text}}}", found[text]


def joined(draw, x, depth):
    """The text and the dependencies of a join of two branches."""
    one, a = chain(draw, x, depth + 1)
    other, b = chain(draw, x, depth + 1)
    of = f"{{a: {one}, b: {other}}}"
    whole = a | b.any(0)
    found = {
        f"matmul: {of}, transpose: true": whole,
        f"attention: {{a: {one}, b: {other}, c: {other}}}": whole,
        f'einsum: {of}, equation: "ci,dj->ci"': whole,
        f"upsample_like: {of}": a[[o * len(a) // len(b) for o in range(len(b))]],
    }
    if len(a) + len(b) <= MAX_SIZE:
        found[f"concat: {of}, along: 1"] = np.concatenate([a, b])
    if len(a) == len(b):
        found[f"concat: {of}"] = a | b
    if len(a) == len(b) or 1 in (len(a), len(b)):
        found[f"add: {of}"] = a | b
        found[f"contract: {of}, over: 1"] = (a | b).any(0, keepdims=True)
    text = draw(st.sampled_from(list(found)))
    mix = f"{{linear: {CHANNELS}, each_position: true}}"
    return f"{{sequence: [{{{text}}}, {mix}]}}", found[text]


def chain(draw, x, depth):
    layers = []
    for _ in range(draw(st.integers(0, 2))):
        join = depth < 2 and draw(st.booleans())
        text, x = joined(draw, x, depth) if join else one_layer(draw, x)
        layers.append(text)
    return f"[{', '.join(layers)}]", x


def widest(x):
    places = [np.flatnonzero(row) for row in x]
    return max((place[-1] - place[0] + 1 for place in places if len(place)), default=0)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_receptive_field_is_never_below_the_inputs_that_an_output_depends_on(data):
    size = data.draw(st.integers(2, 14))
    first, x = joined(data.draw, np.eye(size, dtype=bool), 0)
    then, x = chain(data.draw, x, 0)
    text = f"input: {{channels: 4, size: [{size}]}}\nlayers: [{first}, {{sequence: {then}}}]\n"
    layer = cost(text).layers[-1]
    assert layer.output.size == (len(x),)
    assert layer.field[0].extent >= widest(x)


def fields(size, layers):
    found = cost(f"input: {{channels: 4, size: {size}}}\nlayers: [{layers}]\n").layers[-1]
    return [(axis.extent, axis.step, axis.exact) for axis in found.field]


@pytest.mark.parametrize(
    ("layers", "extent", "step", "exact"),
    [
        pytest.param("{attention: {q: [], k: [{slice: 10, along: 1}], v: [{slice: 10, along: 1}]}}",
                     100, 0, False, id="queries behind the keys"),
        pytest.param("{attention: {q: [], k: [{max_pool: 3}], v: [{max_pool: 3}]}}",
                     100, 0, False, id="a query behind the last window of the keys"),
        pytest.param("{attention: {q: [], k: [{max_pool: 2}], v: [{max_pool: 2}]}}",
                     100, 0, True, id="keys of the whole input"),
        pytest.param("{matmul: {q: [], k: [{slice: 4, along: 1}]}}",
                     100, 0, False, id="rows behind the columns"),
        pytest.param("{add: {a: [], b: [{slice: 50, along: 1}, {upsample: 2}]}}",
                     51, 1, False, id="a half at twice the size"),
        pytest.param("{add: {a: [{max_pool: 9}, {crop: [0, 10]}], b: [{crop: [99, 0]}]}}",
                     100, 0, True, id="one output"),
        pytest.param("{concat: [input, input], along: 1}", 101, 1, False, id="two copies"),
        pytest.param("{concat: {a: [{learned: {channels: 4, size: [1]}}], b: []}, along: 1}, "
                     "{conv: 4, kernel: 3}", 3, 1, False, id="a learned token and a window"),
        pytest.param("{concat: {a: [{learned: {channels: 4, size: [9]}}], b: [lstm: 4]}, along: 1}",
                     100, 0, True, id="a learned token and one that depends on the whole input"),
        pytest.param("{concat: {a: [], b: [{pad: 2}, {mean: 1}]}, along: 1}, "
                     "{slice: 100, along: 1}", 104, 0, False, id="a branch that a slice removes"),
        pytest.param("{concat: {a: [{lstm: 4}], b: [{lstm: 4}]}, along: 1}, {conv: 4, kernel: 3}",
                     100, 0, True, id="two that depend on the whole input"),
        pytest.param(f"{CAUSAL}, {{slice: 2, step: 2, along: 1}}", 100, 0, False,
                     id="the first queries of causal attention"),
        pytest.param(f"{CAUSAL}, {{crop: [0, 1]}}", 100, 0, False, id="all but the last query"),
        pytest.param(f"{CAUSAL}, {{crop: [1, 0]}}", 100, 0, True, id="all but the first query"),
        pytest.param(f"{CAUSAL}, {{slice: 1, start: 99, along: 1}}", 100, 0, True,
                     id="the last query of causal attention"),
        pytest.param(f"{CAUSAL}, {{slice: 2, along: 1}}, {{upsample: 50}}", 100, 0, False,
                     id="copies of the first queries"),
        pytest.param(f"{{add: {{a: [{CAUSAL}], b: []}}}}, {{max_pool: 3}}", 100, 0, False,
                     id="windows without the last query"),
        pytest.param(f"{CAUSAL}, {{conv: 4, kernel: 2, dilation: 2, stride: 2}}", 100, 0, False,
                     id="dilated windows without the last query"),
        pytest.param(f"{CAUSAL}, {{conv: 4, kernel: 2, dilation: 3, stride: 2}}", 100, 0, True,
                     id="dilated windows with the last query"),
        pytest.param(f"{CAUSAL}, {{multiply: {{map: [], gate: [{{mean: 1}}]}}}}, "
                     "{slice: 2, along: 1}", 100, 0, True, id="queries and a gate"),
        pytest.param("{concat: {a: [lstm: 4], b: [mean: 1]}, along: 1}, {slice: 2, along: 1}",
                     100, 0, False, id="the first steps beside a mean"),
        pytest.param(f"{CAUSAL}, {{slice: 2, along: 1}}, {{mean: 1}}", 100, 0, False,
                     id="the mean of the first queries"),
        pytest.param("{attention: [input, input, input], window: 120}, {slice: 39, along: 1}",
                     100, 0, False, id="queries before the one that sees all keys"),
        pytest.param("{attention: [input, input, input], window: 120}, {slice: 61, along: 1}",
                     100, 0, True, id="queries up to the last one that sees all keys"),
        pytest.param("{attention: [input, input, input], window: 200}, {slice: 1, along: 1}",
                     100, 0, True, id="a window of all keys for each query"),
        pytest.param("{lstm: 4}, {slice: 9, along: 1}", 100, 0, False,
                     id="the first steps of a recurrent layer"),
        pytest.param("{lstm: 4, bidirectional: true}, {slice: 9, along: 1}", 100, 0, True,
                     id="the first steps of a recurrent layer in both directions"),
        pytest.param("{selective_scan: {x: [], delta: [], b: [], c: []}}, {slice: 9, along: 1}",
                     100, 0, False, id="the first steps of a scan"),
        pytest.param("{concat: {a: [{slice: 50, along: 1}, {lstm: 4}], b: [{crop: [50, 0]}, "
                     "{lstm: 4}]}, along: 1}, {slice: 100, along: 1}",
                     100, 0, False, id="two that depend on a half"),
        pytest.param("{contract: {a: [], b: [global_avg_pool]}, over: 1}",
                     100, 0, True, id="a sum over a map and its mean"),
    ],
)  # fmt: skip
def test_a_join_of_different_positions_depends_on_those_of_all_branches(
    layers, extent, step, exact
):
    assert fields("[100]", layers) == [(extent, step, exact)]


def test_an_output_of_glu_along_an_axis_depends_on_both_halves():
    assert fields("[100, 7]", "{glu: , along: 1}") == [(51, 1, True), (1, 1, True)]
    assert fields("[100]", "{glu: , along: 1}, {conv: 4, kernel: 3}") == [(53, 1, True)]


@pytest.mark.parametrize(
    ("query", "others", "extent"),
    [
        ("[]", "[{slice: 3, along: 1}]", 5 - 5 // 2 + 1),  # query 5 reads key 2
        ("[{slice: 3, along: 1}]", "[]", 5 - 5 // 2 + 1),
        ("[{max_pool: [2, 1]}]", "[{max_pool: [2, 1]}]", 2),
        ("[]", "[{slice: 1, start: 5, along: 1}]", 6),
    ],
)
def test_neighbouring_outer_positions_of_attention_share_those_of_a_smaller_axis(
    query, others, extent
):
    layers = f"{{attention: {{q: {query}, k: {others}, v: {others}}}}}"
    (outer, *_), keys = fields("[6, 5]", layers)
    assert outer == extent
    assert keys == (5, 0, True)


@pytest.mark.parametrize(
    "last",
    [
        "{reshape: {channels: 4, size: [1, 5]}}",
        "{reshape_like: {x: [], like: [{reshape: {channels: 4, size: [1, 5]}}]}}",
    ],
)
def test_an_axis_that_moves_when_another_one_is_removed_depends_on_the_whole_input(last):
    layers = f"{{max: 2}}, {{reshape: {{channels: 4, size: [1, 5, 1]}}}}, {last}"
    assert fields("[5, 2]", layers) == [(5, 0, True), (2, 0, True)]
    assert fields("[5, 2]", f"{layers}, global_avg_pool") == [(5, 0, True), (2, 0, True)]


def test_equal_indices_of_several_inputs_are_one_position():
    """Output o depends on a[o] to a[o + 2], and on b[o - 2] to b[o]."""
    text = """\
inputs: {a: {channels: 4, size: [100]}, b: {channels: 4, size: [100]}}
layers:
  - {conv: 4, kernel: 3, from: a, name: x}
  - {conv: 4, kernel: 3, padding: [2, 0], from: b}
  - {crop: [0, 2], name: y}
  - {add: [x, y]}
"""
    assert [layer.field[0].extent for layer in cost(text).layers] == [3, 3, 3, 5]


def test_an_input_with_fewer_axes_than_another_one_is_not_in_the_receptive_field():
    text = """\
inputs: {map: {channels: 4, size: [9, 9]}, words: {channels: 4, size: [100]}}
layers:
  - {conv: 4, kernel: 3, from: map, name: x}
  - {global_avg_pool: , from: words, name: y}
  - {multiply: [x, y]}
"""
    extents = [[axis.extent for axis in layer.field] for layer in cost(text).layers]
    assert extents == [[3, 3], [100], [3, 3]]


def test_an_outer_axis_that_is_removed_moves_no_other():
    layers = "{reshape: {channels: 2, size: [2, 5, 3]}}, {slice: 1, along: 1}"
    assert fields("[5, 3]", f"{layers}, {{reshape: {{channels: 2, size: [5, 3]}}}}") == [
        (1, 1, True),
        (1, 1, True),
    ]


def test_axes_that_a_reshape_adds_are_not_positions_of_the_input():
    layers = "{upsample: 2}, {conv: 4, kernel: 2}"
    assert fields("[8]", f"{layers}, {{reshape: {{channels: 2, size: [2, 15]}}}}") == fields(
        "[8]", layers
    )


@pytest.mark.parametrize(
    ("size", "layers"),
    [
        ("[16, 1]", "{reshape: {channels: 2, size: [2, 16]}, name: x}"),
        ("[16, 1]", "{reshape: {channels: 4, size: [16]}}, {reshape: {channels: 2, size: [2, 16]}, name: x}"),  # noqa: E501  a row of the table
        ("[16, 6]", "{mean: 2, keep: false}, {reshape: {channels: 2, size: [2, 16]}, name: x}"),
    ],
)  # fmt: skip
def test_a_position_that_changes_its_axis_may_be_any(size, layers):
    """Attention then compares the 16 positions of the first axis of the input."""
    assert fields(size, f"{layers}, {{attention: [x, x, x]}}")[0] == (16, 0, True)


def test_rows_that_become_channels_are_not_positions_of_another_axis():
    """The four columns become the outer axis, where each position depends on its column."""
    layers = "{reshape: {channels: 20, size: [4, 1]}}, {mean: size}"
    assert fields("[5, 4]", layers) == [(5, 0, True), (4, 0, True)]


def test_positions_that_move_beside_an_added_axis_may_be_any():
    """Position 0 of the sum depends on positions 1 and 0."""
    parts = "a: [{slice: 1, start: 1, along: 2}], b: [{slice: 1, along: 2}]"
    layers = f"{{reshape: {{channels: 4, size: [1, 2]}}}}, {{add: {{{parts}}}}}"
    assert fields("[2]", layers) == [(2, 0, True)]


def test_a_removed_axis_does_not_broadcast_as_the_axis_that_is_left():
    """Position (i, j) of the sum depends on row i and, through the mean of row j, on row j."""
    layers = "{mean: 2, keep: false, name: rows}, {add: [input, rows]}"
    assert fields("[6, 6]", layers) == [(6, 0, True), (6, 0, True)]


def test_many_joins_of_long_patterns_become_upper_bounds():
    layers = [f"{{transposed_conv: 1, kernel: {MAX_PERIOD - 1}, stride: {MAX_PERIOD}, name: t}}"]
    layers += [
        f"{{conv: 1, kernel: {k}, padding: [{k - 1}, 0], from: t, name: b{k}}}" for k in (2, 3)
    ]
    joins = MAX_INTERVALS // (2 * (MAX_PERIOD - 1))
    layers += ["{add: [b2, b3]}"] * joins
    found = cost(f"input: {{channels: 1, size: [9]}}\nlayers: [{', '.join(layers)}]\n").layers
    exact = [layer.field[0].exact for layer in found]
    assert exact == [True] * (joins + 2) + [False]
    assert {layer.field[0].extent for layer in found[3:]} == {2}


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("layer", ["upsample: 9", "upsample: , size: [9]", "upsample_like: [m, a]"])
def test_an_enlarged_element_broadcasts(layer, mode):
    before = "{relu: , name: a}, {conv: 4, kernel: 9, name: m}"
    layers = f"{before}, {{{layer}, mode: {mode}}}"
    assert fields("[9]", layers) == [(9, 0, True)]
    assert fields("[9]", f"{layers}, {{conv: 4, kernel: 3, padding: 1}}") == [(9, 0, True)]


def causal(x):
    return np.logical_or.accumulate(x, 0)


def windowed(x, half):
    return np.array([x[max(o - half, 0) : o + half + 1].any(0) for o in range(len(x))])


def dilated(x, kernel, stride, dilation):
    starts = range(0, len(x) - dilation * (kernel - 1), stride)
    return np.array([x[start : start + dilation * kernel : dilation].any(0) for start in starts])


def sequence_layer(draw, x):
    """As `one_layer`, without padding: each layer reads positions that exist."""
    a, b, c = (draw(st.integers(1, 3)) for _ in range(3))
    n = len(x)
    itself = "attention: [input, input, input]" if draw(st.booleans()) else None
    found = {
        "lstm: 4": causal(x),
        "lstm: 4, bidirectional: true": np.repeat(x.any(0, keepdims=True), n, 0),
        f"conv: 4, kernel: {a}, stride: {b}, dilation: {c}": dilated(x, a, b, c),
        f"slice: {-(-(n - a + 1) // b) if n >= a else n}, start: {a - 1}, step: {b}, along: 1":
            x[a - 1 :: b],
        f"slice: 1, start: {n - 1}, along: 1": x[n - 1 :],
        f"crop: [{a - 1}, {b - 1}]": x[a - 1 : n - b + 1] if n > a + b - 2 else x[:0],
        f"upsample: {a}": np.repeat(x, a, 0),
        f"upsample: , size: [{b}]": x[[o * n // b for o in range(b)]],
        f"transposed_conv: 4, kernel: {a}, stride: {a}": spread(x, a, a),
        "global_avg_pool: ": x.any(0, keepdims=True),
    }  # fmt: skip
    if itself:
        found = {
            f"{itself}, causal: true": causal(x),
            f"{itself}, window: {2 * n}": np.repeat(x.any(0, keepdims=True), n, 0),
            f"{itself}, window: {n}": windowed(x, n // 2),
        }
    possible = [text for text, rows in found.items() if 0 < len(rows) <= MAX_SIZE]
    text = draw(st.sampled_from(possible))
    rows = found[text]
    if itself:
        text = text.replace("[input, input, input]", "{q: [], k: [], v: []}")
    return f"{{{text}}}", rows


@pytest.mark.slow
@given(st.data())
@settings(max_examples=600, deadline=None)
def test_a_field_is_an_upper_bound_if_no_output_reads_the_last_step_of_a_sequence(data):
    x = np.eye(data.draw(st.integers(2, 12)), dtype=bool)
    size, layers = len(x), []
    for _ in range(data.draw(st.integers(1, 4))):
        text, x = sequence_layer(data.draw, x)
        layers.append(text)
    ((extent, _, exact),) = fields(f"[{size}]", ", ".join(layers))
    assert extent == widest(x) if exact else extent >= widest(x)
