"""Costs of layers, compared with loops that do the work one multiply at a time."""

from functools import reduce
from itertools import pairwise, product
from math import prod
from operator import eq, le, or_

import pytest
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st
from support import cost, messages
from windows import scattered, starts

from convcost.model.measures import Counts

pytestmark = pytest.mark.slow

few = st.integers(1, 3)
ranks = st.integers(1, 3)


def one_or_each(values, rank):
    """Written as one number, or as one for each axis; what is meant is the latter."""
    return st.one_of(
        values.map(lambda n: (str(n), (n,) * rank)),
        st.tuples(*[values] * rank).map(lambda each: (str(list(each)), each)),
    )


def paddings(rank, words=("same", "valid")):
    """As written, and what it means: (begin, end) for each axis, or None for `same`."""
    values = st.integers(0, 2)
    pairs = st.tuples(*[st.tuples(values, values)] * rank)
    return st.one_of(
        one_or_each(values, rank).map(lambda both: (both[0], [(n, n) for n in both[1]])),
        pairs.map(lambda each: (str([b for b, _ in each] + [e for _, e in each]), list(each))),
        st.sampled_from(words).map(
            lambda word: (word, None if word == "same" else [(0, 0)] * rank)
        ),
    )


@st.composite
def windows(draw):
    """Size, kernel, stride, padding and dilation, each as written and as meant."""
    rank = draw(ranks)
    size = draw(st.tuples(*[st.integers(1, (9, 6, 4)[rank - 1])] * rank))
    return (
        size,
        draw(one_or_each(few, rank)),
        draw(one_or_each(few, rank)),
        draw(paddings(rank)),
        draw(one_or_each(st.integers(1, 2), rank)),
    )


def positions(size, kernel, stride, padding, dilation, *, ceil=False):
    """Every output position, each the tuple of where its window starts."""
    if padding is None:
        axes = [list(range(0, n, s)) for n, s in zip(size, stride, strict=True)]
    else:
        axes = [
            starts(n, f, s, begin, end, d, ceil=ceil)
            for n, f, s, (begin, end), d in zip(
                size, kernel, stride, padding, dilation, strict=True
            )
        ]
    assume(all(axes))
    return list(product(*axes)), tuple(map(len, axes))


def only(text):
    (layer,) = cost(text).layers
    return layer


def spec(channels, size, layer):
    return f"input: {{channels: {channels}, size: {list(size)}}}\nlayers: [{layer}]"


@given(
    drawn=windows(),
    groups=few,
    channels=st.integers(1, 2),
    filters=st.integers(1, 2),
    bias=st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_conv_multiplies_each_weight_of_a_filter_once_for_each_output(
    drawn, groups, channels, filters, bias
):
    size, kernel, stride, padding, dilation = drawn
    places, out = positions(size, kernel[1], stride[1], padding[1], dilation[1])
    weights = [
        (group * filters + f, group * channels + c, *tap)
        for group in range(groups)
        for f in range(filters)
        for c in range(channels)
        for tap in product(*map(range, kernel[1]))
    ]
    macs = 0
    for _ in places:
        for _ in weights:
            macs += 1
    layer = only(
        spec(
            channels * groups,
            size,
            f"{{conv: {filters * groups}, kernel: {kernel[0]}, stride: {stride[0]}, "
            f"padding: {padding[0]}, dilation: {dilation[0]}, groups: {groups}, "
            f"bias: {str(bias).lower()}}}",
        )
    )
    assert layer.output == (filters * groups, out)
    assert (layer.macs, layer.weights) == (macs, len(set(weights)))
    assert layer.biases == (filters * groups if bias else 0)


@given(drawn=windows(), channels=few, filters=few, bias=st.booleans())
@settings(max_examples=80, deadline=None)
def test_locally_connected_has_weights_for_each_position_and_uses_each_once(
    drawn, channels, filters, bias
):
    size, kernel, stride, padding, _ = drawn
    places, out = positions(size, kernel[1], stride[1], padding[1], (1,) * len(size))
    weights = list(product(places, range(filters), range(channels), *map(range, kernel[1])))
    layer = only(
        spec(
            channels,
            size,
            f"{{locally_connected: {filters}, kernel: {kernel[0]}, stride: {stride[0]}, "
            f"padding: {padding[0]}, bias: {str(bias).lower()}}}",
        )
    )
    assert layer.output == (filters, out)
    assert layer.weights == layer.macs == len(weights)
    assert layer.biases == (filters * len(places) if bias else 0)


@given(drawn=windows(), channels=st.integers(1, 4), multiplier=few, bias=st.booleans())
@settings(max_examples=80, deadline=None)
def test_depthwise_multiplies_the_weights_of_each_channel_and_no_others(
    drawn, channels, multiplier, bias
):
    size, kernel, stride, padding, dilation = drawn
    places, out = positions(size, kernel[1], stride[1], padding[1], dilation[1])
    weights = [
        (c, m, *tap)
        for c in range(channels)
        for m in range(multiplier)
        for tap in product(*map(range, kernel[1]))
    ]
    macs = 0
    for _ in places:
        for _ in weights:
            macs += 1
    options = f"stride: {stride[0]}, padding: {padding[0]}, dilation: {dilation[0]}"
    layer = only(
        spec(
            channels,
            size,
            f"{{depthwise: {kernel[0]}, multiplier: {multiplier}, {options}, "
            f"bias: {str(bias).lower()}}}",
        )
    )
    assert layer.output == (channels * multiplier, out)
    assert (layer.macs, layer.weights) == (macs, len(set(weights)))
    assert layer.biases == (channels * multiplier if bias else 0)
    conv = only(
        spec(
            channels,
            size,
            f"{{conv: {channels * multiplier}, kernel: {kernel[0]}, groups: {channels}, "
            f"{options}}}",
        )
    )
    assert (conv.macs, conv.weights, conv.output) == (layer.macs, layer.weights, layer.output)


@given(
    drawn=windows(),
    groups=few,
    channels=st.integers(1, 2),
    filters=st.integers(1, 2),
    bias=st.booleans(),
    data=st.data(),
)
@settings(max_examples=120, deadline=None)
def test_transposed_conv_multiplies_each_input_element_with_its_weights_once(
    drawn, groups, channels, filters, bias, data
):
    size, kernel, stride, padding, dilation = drawn
    extra = data.draw(
        st.tuples(
            *(st.integers(0, max(s, d) - 1) for s, d in zip(stride[1], dilation[1], strict=True))
        )
    )
    if padding[1] is None:
        extra = (0,) * len(size)
        out = tuple(n * s for n, s in zip(size, stride[1], strict=True))
    else:
        out = tuple(
            max(scattered(n, f, s, d)) + 1 + more - begin - end
            for n, f, s, d, more, (begin, end) in zip(
                size, kernel[1], stride[1], dilation[1], extra, padding[1], strict=True
            )
        )
    assume(min(out) >= 1)
    weights = [
        (group * channels + c, f, *tap)
        for group in range(groups)
        for c in range(channels)
        for f in range(filters)
        for tap in product(*map(range, kernel[1]))
    ]
    macs = 0
    for element in product(range(groups * channels), *map(range, size)):
        for weight in weights:
            macs += weight[0] == element[0]
    layer = only(
        spec(
            channels * groups,
            size,
            f"{{transposed_conv: {filters * groups}, kernel: {kernel[0]}, stride: {stride[0]}, "
            f"padding: {padding[0]}, output_padding: {list(extra)}, dilation: {dilation[0]}, "
            f"groups: {groups}, bias: {str(bias).lower()}}}",
        )
    )
    assert layer.output == (filters * groups, out)
    assert (layer.macs, layer.weights) == (macs, len(set(weights)))
    assert layer.biases == (filters * groups if bias else 0)


@given(inputs=st.integers(1, 12), features=st.integers(1, 12), bias=st.booleans())
@settings(max_examples=40, deadline=None)
def test_linear_multiplies_every_input_with_a_weight_of_every_feature(inputs, features, bias):
    matrix = [(f, i) for f in range(features) for i in range(inputs)]
    macs = 0
    for _ in matrix:
        macs += 1
    layer = only(spec(inputs, (), f"{{linear: {features}, bias: {str(bias).lower()}}}"))
    assert layer.output == (features, ())
    assert (layer.macs, layer.weights) == (macs, len(matrix))
    assert layer.biases == (features if bias else 0)


sizes = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


@given(inputs=few, features=few, size=sizes, bias=st.booleans())
@settings(max_examples=40, deadline=None)
def test_linear_at_each_position_uses_one_matrix_at_all_positions(inputs, features, size, bias):
    used = []
    for _ in product(*map(range, size)):
        used += [(f, i) for f in range(features) for i in range(inputs)]
    written = f"{{linear: {features}, each_position: true, bias: {str(bias).lower()}}}"
    layer = only(spec(inputs, size, written))
    assert layer.output == (features, size)
    assert (layer.macs, layer.weights) == (len(used), len(set(used)))
    assert layer.biases == (features if bias else 0)


def stretched(one, other):
    """The indices of two sizes that meet, as NumPy pairs them; None if they do not fit."""
    rank = max(len(one), len(other))
    one, other = ((1,) * (rank - len(size)) + size for size in (one, other))
    if any(a != b and 1 not in (a, b) for a, b in zip(one, other, strict=True)):
        return None
    return list(product(*(range(max(a, b)) for a, b in zip(one, other, strict=True))))


@given(batches=st.tuples(*[st.lists(st.integers(1, 3), max_size=2).map(tuple)] * 2),
       rows=few, inner=few, columns=few, transpose=st.booleans())  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_matmul_multiplies_each_row_with_each_column(batches, rows, inner, columns, transpose):
    meeting = stretched(*batches)
    assume(meeting is not None)
    macs = 0
    outputs = set()
    for batch in meeting:
        for row, column, _ in product(range(rows), range(columns), range(inner)):
            macs += 1
            outputs.add((*batch, row, column))
    first, second = batches
    second = (inner, (*second, columns)) if transpose else (columns, (*second, inner))
    layer = cost(
        f"""
        inputs:
          a: {{channels: {inner}, size: {[*first, rows]}}}
          b: {{channels: {second[0]}, size: {list(second[1])}}}
        layers: [{{matmul: [a, b], transpose: {str(transpose).lower()}}}]
        """
    ).layers[-1]
    assert (layer.macs, layer.params) == (macs, 0)
    assert layer.activations == len(outputs)
    assert (layer.output.channels, layer.output.size[-1]) == (columns, rows)


@given(outer=st.lists(few, max_size=1), groups=few, each=few, width=few, depth=few,
       queries=few, keys=few, split=st.booleans())  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_attention_compares_each_query_with_each_key_and_weighs_each_value(
    outer, groups, each, width, depth, queries, keys, split
):
    heads = groups * each
    macs = 0
    for _ in product(*map(range, outer), range(heads), range(queries), range(keys)):
        for _ in range(width):
            macs += 1
        for _ in range(depth):
            macs += 1

    def written(name, channels, parts, tokens):
        size = [*outer, tokens] if split else [*outer, parts, tokens]
        channels = channels * parts if split else channels
        return f"{name}: {{channels: {channels}, size: {size}}}"

    option = f", heads: {heads}" if split else ""
    layer = cost(
        f"""
        inputs:
          {written("q", width, heads, queries)}
          {written("k", width, groups, keys)}
          {written("v", depth, groups, keys)}
        layers: [{{attention: [q, k, v]{option}}}]
        """
    ).layers[-1]
    assert (layer.macs, layer.params) == (macs, 0)
    assert layer.activations == heads * queries * depth * prod(outer)
    assert layer.output.size == ((*outer, queries) if split else (*outer, heads, queries))


@given(queries=few, more=st.integers(0, 4), heads=few, causal=st.booleans(),
       window=st.one_of(st.none(), st.integers(1, 9)))  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_attention_by_position_compares_each_query_with_the_keys_in_its_window(
    queries, more, heads, causal, window
):
    keys = queries + more
    pairs = 0
    for query, key in product(range(more, keys), range(keys)):
        if causal:
            pairs += key <= query and (window is None or query - key < window)
        else:
            pairs += window is None or abs(query - key) <= window // 2
    layer = cost(
        f"""
        inputs:
          q: {{channels: 5, size: [{heads}, {queries}]}}
          k: {{channels: 5, size: [{heads}, {keys}]}}
          v: {{channels: 7, size: [{heads}, {keys}]}}
        layers:
          - attention: [q, k, v]
            causal: {str(causal).lower()}
            {f"window: {window}" if window else ""}
        """
    ).layers[-1]
    assert layer.macs == heads * pairs * (5 + 7)
    assert layer.output == (7, (heads, queries))


@pytest.mark.parametrize(("kind", "gates"), [("rnn", 1), ("gru", 3), ("lstm", 4)])
@given(inputs=few, hidden=few, steps=few, deep=few, both=st.booleans(), bias=st.integers(0, 2),
       projection=st.one_of(st.none(), few))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_a_recurrent_layer_uses_every_weight_once_a_step(
    kind, gates, inputs, hidden, steps, deep, both, bias, projection
):
    assume(projection is None or kind == "lstm")
    weights, biases, taken = [], [], inputs
    for layer in range(deep):
        handed = hidden if projection is None else projection
        for end in range(1 + both):
            for gate, unit in product(range(gates), range(hidden)):
                weights += [(layer, end, gate, unit, "input", i) for i in range(taken)]
                weights += [(layer, end, gate, unit, "state", i) for i in range(handed)]
                biases += [(layer, end, gate, unit, i) for i in range(bias)]
            if projection is not None:
                weights += [(layer, end, p, h) for p in range(projection) for h in range(hidden)]
        taken = handed * (1 + both)
    macs = 0
    for _ in range(steps):
        for _ in weights:
            macs += 1
    options = f", bias: {str(bias > 0).lower()}, one_bias: {str(bias == 1).lower()}"
    options += f", projection: {projection}" if projection else ""
    written = f"{{{kind}: {hidden}, layers: {deep}, bidirectional: {str(both).lower()}{options}}}"
    layer = only(spec(inputs, (steps,), written))
    assert layer.output == (taken, (steps,))
    assert (layer.macs, layer.weights, layer.biases) == (macs, len(weights), len(biases))


@pytest.mark.parametrize("kind", ["add", "subtract", "multiply", "divide", "maximum", "minimum"])
@given(one=sizes, other=sizes, channels=st.tuples(few, few))
@settings(max_examples=60, deadline=None)
def test_joins_broadcast_axes_of_size_1(kind, one, other, channels):
    meeting = stretched(one, other)
    assume(meeting is not None and (channels[0] == channels[1] or 1 in channels))
    layer = cost(
        f"""
        inputs:
          a: {{channels: {channels[0]}, size: {list(one)}}}
          b: {{channels: {channels[1]}, size: {list(other)}}}
        layers: [{{{kind}: [a, b]}}]
        """
    ).layers[-1]
    assert layer.output.size == tuple(n + 1 for n in max(meeting))
    assert layer.activations == len(meeting) * max(channels)
    assert (layer.params, layer.macs) == (0, 0)


@given(size=sizes, channels=few, axis=st.integers(1, 3), data=st.data())
@settings(max_examples=60, deadline=None)
def test_concatenated_slices_of_an_axis_are_the_axis(size, channels, axis, data):
    assume(axis <= len(size))
    cut = data.draw(st.integers(1, size[axis - 1]))
    assume(cut < size[axis - 1])
    rest = size[axis - 1] - cut
    layers = cost(
        spec(
            channels,
            size,
            f"{{concat: {{a: [{{slice: {cut}, along: {axis}}}], "
            f"b: [{{slice: {rest}, start: {cut}, along: {axis}}}]}}, along: {axis}}}",
        )
    ).layers
    assert [layer.output.size[axis - 1] for layer in layers] == [cut, rest, cut + rest]
    assert layers[-1].output == (channels, size)


@given(size=sizes, start=st.integers(0, 3), step=few, length=few)
@settings(max_examples=60, deadline=None)
def test_a_slice_needs_an_input_up_to_its_last_element(size, start, step, length):
    there = list(range(size[0]))[start::step][:length]
    text = spec(4, size, f"{{slice: {length}, start: {start}, step: {step}, along: 1}}")
    message = messages(text)
    if len(there) == length:
        assert message == []
        assert only(text).output == (4, (length, *size[1:]))
    else:
        last = start + (length - 1) * step
        n = size[0]
        needed = f"{start} to {last} of axis 1, counted from 0"
        assert message == [f"2:11 CC304 slice needs {needed}, but the input has {n}"]


@given(size=st.lists(few, min_size=1, max_size=3), channels=few, data=st.data())
@settings(max_examples=60, deadline=None)
def test_contract_multiplies_each_pair_of_elements_once_and_sums_along_the_axis(
    size, channels, data
):
    over = data.draw(st.sampled_from(["channels", "size", *range(1, len(size) + 1)]))
    macs = 0
    sums = set()
    for channel, *place in product(range(channels), *map(range, size)):
        macs += 1
        kept = [0 if over in ("size", axis) else at for axis, at in enumerate(place, 1)]
        sums.add((0 if over == "channels" else channel, *kept))
    layer = only(spec(channels, size, f"{{contract: [input, input], over: {over}}}"))
    assert (layer.macs, layer.output.elements) == (macs, len(sums))


@pytest.mark.parametrize("kind", ["mean", "sum", "max", "min"])
@given(size=sizes, channels=few, keep=st.booleans(), data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_reduction_leaves_size_1_on_its_axes(kind, size, channels, keep, data):
    gone = data.draw(st.sets(st.integers(1, len(size)), min_size=1))
    left = set()
    for index in product(*map(range, size)):
        left.add(tuple(n for axis, n in enumerate(index, 1) if axis not in gone))
    layer = only(spec(channels, size, f"{{{kind}: {sorted(gone)}, keep: {str(keep).lower()}}}"))
    assert layer.activations == len(left) * channels
    assert len(layer.output.size) == (len(size) if keep else len(size) - len(gone))
    assert (layer.params, layer.macs) == (0, 0)


@pytest.mark.parametrize("kind", ["max_pool", "avg_pool"])
@given(drawn=windows(), channels=few, ceil=st.booleans(), steps=st.booleans())
@settings(max_examples=80, deadline=None)
def test_a_pool_has_an_output_for_each_window_and_multiplies_nothing(
    kind, drawn, channels, ceil, steps
):
    size, kernel, stride, padding, dilation = drawn
    stride = stride if steps else kernel
    places, out = positions(size, kernel[1], stride[1], padding[1], dilation[1], ceil=ceil)
    stepped = f"stride: {stride[0]}, " if steps else ""
    layer = only(
        spec(
            channels,
            size,
            f"{{{kind}: {kernel[0]}, {stepped}padding: {padding[0]}, "
            f"dilation: {dilation[0]}, ceil: {str(ceil).lower()}}}",
        )
    )
    assert layer.output == (channels, out)
    assert layer.activations == channels * len(places)
    assert (layer.params, layer.buffers, layer.macs) == (0, 0, 0)


# Receptive fields: the input indices that an element depends on, pushed through layer by layer as
# the bits of an int. None stands for an element that would also see what lies past a border.

SEEN = 240
MANY = 30  # elements that must be left, so that some see no border


def slid(elements, f, s, p, d):
    out = []
    for start in range(-p, len(elements) + p - d * (f - 1), s):
        taps = [start + k * d for k in range(f)]
        out.append(_together(elements, taps))
    return out


def spread_out(elements, f, s, p, d):
    out = []
    for place in range(p, (len(elements) - 1) * s + d * (f - 1) + 1 - p):
        taps = [(place - k * d) // s for k in range(f) if (place - k * d) % s == 0]
        out.append(_together(elements, taps))
    return out


def _together(elements, taps):
    seen = 0
    for tap in taps:
        if not 0 <= tap < len(elements) or elements[tap] is None:
            return None
        seen |= elements[tap]
    return seen


def widest(elements):
    spans = [bits.bit_length() - (bits & -bits).bit_length() + 1 for bits in elements if bits]
    if len(spans) < MANY:
        reject()
    return max(spans)


def _window(text, *, least=1):
    return st.tuples(
        st.just(text), st.integers(least, 4), st.integers(1, 3), st.integers(0, 2), few
    )


shrinking = st.one_of(_window("conv"), _window("max_pool"))
# A kernel from the stride up, so that no output element is fed by nothing.
enlarging = st.one_of(
    _window("transposed_conv", least=3),
    st.tuples(st.just("upsample"), st.integers(2, 3), *[st.just(1)] * 3),
)
mixed = st.one_of(
    st.tuples(shrinking, enlarging, shrinking),
    st.lists(st.one_of(shrinking, enlarging), min_size=1, max_size=4),
)


def through(chain):
    """The elements after a chain of layers, and the layers as written."""
    elements = [1 << i for i in range(SEEN)]
    lines = []
    for kind, f, s, p, d in chain:
        options = f"kernel: {f}, stride: {s}, padding: {p}, dilation: {d}"
        if kind == "upsample":
            elements = [bits for bits in elements for _ in range(f)]
            lines.append(f"{{upsample: {f}}}")
        elif kind == "max_pool":
            elements = slid(elements, f, s, p, d)
            lines.append(f"{{max_pool: {f}, {options.split(', ', 1)[1]}}}")
        elif kind == "conv":
            elements = slid(elements, f, s, p, d)
            lines.append(f"{{conv: 1, {options}}}")
        else:
            elements = spread_out(elements, f, s, p, d)
            lines.append(f"{{transposed_conv: 1, {options}}}")
        if len(elements) < MANY:
            reject()
    return elements, ", ".join(lines)


def pushed(chain):
    """The widest span that is seen through a chain, and what the reports say after each layer."""
    elements, layers = through(chain)
    counted = cost(spec(1, (SEEN,), layers))
    assert [layer.output.size for layer in counted.layers][-1] == (len(elements),)
    return widest(elements), [layer.field for layer in counted.layers]


@given(chain=st.lists(shrinking, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_receptive_field_is_the_widest_span_that_an_element_depends_on(chain):
    seen, fields = pushed(chain)
    assert fields[-1][0].extent == seen
    assert fields[-1][0].step == prod(s for _, _, s, _, _ in chain)


@given(chain=mixed)
@settings(max_examples=100, deadline=None)
def test_a_receptive_field_is_exact_where_layers_enlarge_too(chain):
    seen, fields = pushed(chain)
    assert fields[-1][0].extent >= seen
    if all(d == 1 for kind, _, _, _, d in chain if kind == "transposed_conv"):
        assert fields[-1][0].extent == seen


def test_a_receptive_field_is_exact_after_pooling_and_upsampling():
    """Two levels of a U-Net: after enlarging, neighbours may lie in different pooled windows."""
    down = ("max_pool", 2, 2, 0, 1)
    up = ("transposed_conv", 2, 2, 0, 1)
    conv = ("conv", 3, 1, 1, 1)
    seen, fields = pushed([down, down, up, conv, up, conv])
    assert seen == 3 * 4
    assert fields[-1][0].extent == seen


def test_a_step_that_is_whole_again_is_an_integer():
    chain = [("upsample", 2, 1, 1, 1), ("conv", 3, 2, 1, 1)]
    _, fields = pushed(chain)
    assert fields[-1][0].step == 1
    assert type(fields[-1][0].step) is int


def test_a_receptive_field_never_shrinks_along_a_chain_of_windows():
    fields = [
        layer.field[0].extent
        for layer in cost(
            """
            input: {channels: 1, size: [99]}
            layers: [{conv: 1, kernel: 3}, {max_pool: 2}, {upsample: 2}, {conv: 1, kernel: 3}]
            """
        ).layers
    ]
    assert all(before <= after for before, after in pairwise(fields))


def test_at_a_join_the_receptive_field_is_that_of_all_branches():
    layer = cost(
        """
        input: {channels: 4, size: [32, 32]}
        layers:
          - concat:
              near: [{conv: 4, kernel: 1}]
              far: [{conv: 4, kernel: [5, 1], padding: [2, 0]}]
              wide: [{conv: 4, kernel: [1, 7], padding: [0, 3]}]
        """
    ).layers[-1]
    assert tuple(sight.extent for sight in layer.field) == (5, 7)


SE_8 = "[global_avg_pool, {conv: 4, kernel: 1}, sigmoid]"


@pytest.mark.parametrize(
    ("join", "field"),
    [
        (f"{{multiply: {{map: [], gate: {SE_8}}}}}", [(8, 0), (8, 0)]),
        (f"{{multiply: {{map: [], gate: [{SE_8[1:-1]}, flatten]}}}}", [(8, 0), (8, 0)]),
        ("{multiply: {map: [], gate: [{mean: [2]}]}}", [(3, 1), (8, 0)]),
        ("{multiply: {map: [], gate: [{conv: 4, kernel: 6}]}}", [(8, 0), (8, 0)]),
        ("{experts: {gate: [global_avg_pool, {conv: 2, kernel: 1}], each: [relu]}, of: 2, take: 1}",
         [(8, 0), (8, 0)]),
        ("{add: {map: [], other: [{upsample: 2}, {conv: 4, kernel: 12}]}}", [(8, 0), (8, 0)]),
    ],
)  # fmt: skip
def test_all_outputs_of_a_join_depend_on_what_a_broadcast_position_depends_on(join, field):
    """A window after it then sees the same inputs again, and not more of them."""
    layers = cost(
        f"""
        input: {{channels: 3, size: 8}}
        layers: [{{conv: 4, kernel: 3}}, {join}, {{conv: 4, kernel: 3}}]
        """
    ).layers
    assert [(axis.extent, axis.step) for axis in layers[-2].field] == field
    after = [(extent + 2 * step, step) for extent, step in field]
    assert [(axis.extent, axis.step) for axis in layers[-1].field] == after


def test_the_receptive_field_of_a_join_covers_the_sides_of_all_branches():
    """Paddings at one end only: 3 elements before, and 2 behind."""
    (layer,) = cost(
        """
        input: {channels: 4, size: [32]}
        layers:
          - concat:
              left: [{conv: 4, kernel: 4, padding: [3, 0]}]
              right: [{conv: 4, kernel: 3, padding: [0, 2]}]
        """
    ).layers[2:]
    assert [axis.extent for axis in layer.field] == [3 + 1 + 2]


@given(st.lists(mixed, min_size=2, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_join_depends_on_all_that_its_branches_depend_on(chains):
    """The branches are cut to one length; an element of the join sees the bits of all."""
    assume(all(d == 1 for chain in chains for kind, *_, d in chain if kind == "transposed_conv"))
    branches = [through(chain) for chain in chains]
    length = min(len(elements) for elements, _ in branches)
    cut = f"{{slice: {length}, along: 1}}"
    lists = ", ".join(f"b{n}: [{layers}, {cut}]" for n, (_, layers) in enumerate(branches))
    counted = cost(spec(1, (SEEN,), f"{{concat: {{{lists}}}}}"))
    met = [
        None if None in seen else reduce(or_, seen)
        for seen in zip(*(elements[:length] for elements, _ in branches), strict=True)
    ]
    (field,) = counted.layers[-1].field
    steps = {layer.field[0].step for layer in counted.layers if layer.kind == "slice"}
    assert field.exact or len(steps) > 1
    assert (le, eq)[field.exact](widest(met), field.extent)


NETWORK = """
    input: {channels: 3, size: 32}
    layers:
      - {conv: 8, kernel: 3, stride: 2, bias: true}
      - batch_norm
      - relu
      - {transposed_conv: 4, kernel: 2, stride: 2}
      - {max_pool: 2}
      - flatten
      - {linear: 10}
    """


@pytest.mark.parametrize("batch", [2, 3, 64])
def test_a_batch_multiplies_macs_and_activations_and_nothing_else(batch):
    one, many = cost(NETWORK), cost(NETWORK, batch=batch)
    assert many.totals == _times_batch(one.totals, batch)
    for alone, together in zip(one.layers, many.layers, strict=True):
        assert together == alone._replace(counts=_times_batch(alone.counts, batch))


def _times_batch(one: Counts, batch: int) -> Counts:
    return one._replace(macs=one.macs * batch, activations=one.activations * batch)


def test_shared_weights_count_params_once_and_macs_again():
    first, _, again = cost(
        """
        input: {channels: 16, size: 14}
        layers:
          - {conv: 16, kernel: 3, padding: 1, bias: true, name: first}
          - {max_pool: 2}
          - {conv: 16, kernel: 3, padding: 1, bias: true, name: again, weights: first}
        """
    ).layers
    assert (first.weights, first.biases, first.macs) == (
        16 * 3 * 3 * 16,
        16,
        16 * 3 * 3 * 16 * 14 * 14,
    )
    assert (again.weights, again.biases, again.macs) == (0, 0, 16 * 3 * 3 * 16 * 7 * 7)


def test_weights_shared_with_a_layer_that_shares_are_those_of_the_first():
    counted = cost(
        """
        input: {channels: 16, size: []}
        layers:
          - {linear: 16, name: a}
          - {linear: 16, name: b, weights: a}
          - {linear: 16, name: c, weights: b}
        """
    )
    assert [step.shared for step in counted.network.steps] == [None, 0, 0]
    assert counted.totals.params == 16 * 16 + 16
    assert counted.totals.macs == 3 * 16 * 16


@pytest.mark.parametrize("size", [(33,), (34,), (225,), (7,)])
def test_an_input_that_only_provides_its_size_is_not_in_the_receptive_field(size):
    """The wide branch sees 9; what is enlarged sees the 3 of its own window."""
    layers = cost(
        f"""
        input: {{channels: 3, size: {list(size)}}}
        layers:
          - {{conv: 8, kernel: 3, stride: 2, padding: 1, name: down}}
          - {{conv: 8, kernel: 9, padding: 4, name: wide, from: input}}
          - {{upsample_like: [down, wide]}}
        """
    ).layers
    assert layers[-1].output.size == size
    assert layers[-1].field[0].extent == 3
