"""An imported spec at sizes that it was not imported at: options that a framework computes from the
size are expressions, or the spec states which sizes it allows.

The models here build their layer graph at any size, as a front end does.
"""

from fractions import Fraction

import pytest
from sketch import windowed

from convcost.importing.generalize.fit import fit_expression
from convcost.importing.generalize.search import generalized_spec
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import output_tensor, permuted, reshaped
from convcost.importing.passes.lower import joins, slices, stored_tensors, windows
from convcost.importing.passes.lower.resizing import enlargement
from convcost.importing.passes.lowering import lower
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.spec import flat_text
from convcost.importing.verify.equivalence import Equivalence
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import ConstraintError, Source, SpecError

SIZE = (64, 64)
OTHERS = [(64, 64), (96, 128), (101, 165), (128, 128), (77, 94)]


def conv(builder, x, filters, name, stride=1):
    tensors = {name: filters * x.dims[1] * 9}
    window = windows.SlidingWindow((3, 3), (stride,) * 2, (1, 1), (1, 1))
    return lower(builder, "conv", (name,), x, filters=filters, window=window, weights=tensors)


def half_of(builder, x):
    """A convolution of stride 2 without padding."""
    window = windows.SlidingWindow((3, 3), (2, 2))
    return lower(builder, "conv", ("a",), x, filters=8, window=window, weights={"a": 8 * 3 * 9})


def resized(builder, x, size, factors=None):
    """As a front end has it: to a size, or by the factors that the model has."""
    options = {"mode": "linear", **enlargement(x.dims[2:], size, factors)}
    return windowed(builder, "upsample", x, options, computes_size=factors is None)


def padded(builder, x, ends):
    if not any(ends):
        return x
    return windowed(builder, "pad", x, {"border": windows.border((0, 0), ends)})


def pooled(builder, x, kernel):
    return windowed(builder, "avg_pool", x, {"kernel": windows.compact(kernel)}, "pool")


# Models


def segmenter(builder, x):
    y = conv(builder, conv(builder, x, 8, "a", 2), 16, "b", 2)
    return resized(builder, y, x.dims[2:])


def pyramid(builder, x):
    c2 = conv(builder, x, 8, "c2", 2)
    c3 = conv(builder, c2, 8, "c3", 2)
    c4 = conv(builder, c3, 8, "c4", 2)
    up = resized(builder, conv(builder, conv(builder, c4, 8, "l4"), 8, "p4"), c3.dims[2:])
    p3 = joins.elementwise(builder, "add", [conv(builder, c3, 8, "l3"), up], ("add",))
    up = resized(builder, p3, c2.dims[2:])
    return joins.elementwise(builder, "add", [conv(builder, c2, 8, "l2"), up], ("add",))


def pyramid_over_a_block(builder, x):
    """A layer inside the block of `c3` has the size of `c2`."""
    c2 = conv(builder, x, 8, "c2", 2)
    c3 = conv(builder, conv(builder, c2, 8, "inside"), 8, "c3", 2)
    up = resized(builder, c3, c2.dims[2:])
    return joins.elementwise(builder, "add", [conv(builder, c2, 8, "l2"), up], ("add",))


def half_as_much_again(builder, x):
    y = conv(builder, x, 8, "a", 2)
    return resized(builder, y, [n * 3 // 2 for n in y.dims[2:]])


def by_a_third(builder, x):
    size = [n // 3 for n in x.dims[2:]]
    return conv(builder, resized(builder, x, size, [Fraction(1, 3)] * 2), 8, "a")


def to_a_fixed_size(builder, x):
    return conv(builder, resized(builder, x, (50, 50)), 8, "a")


def pooled_as_a_whole(builder, x):
    y = pooled(builder, conv(builder, x, 8, "a", 2), [(n + 1) // 2 for n in x.dims[2:]])
    return lower(
        builder, "linear", ("head",), reshaped(y, (1, 8)), features=5, weights={"head": 40}
    )


def looked_up(builder, x):
    """Numbers of a table, one for each position."""
    table = stored_tensors.learned_tensor(
        builder, "table", (1, 8, 200, 200), ("table",), neighbour=x.source, channel=1
    )
    dims = (1, 8, *x.dims[2:])
    return lower(builder, "custom", ("at",), table, what="look-up", dims=dims, channel=1)


def added_to_a_map(builder, x):
    y = conv(builder, x, 8, "a")
    return joins.elementwise(builder, "add", [y, looked_up(builder, x)], ("add",))


def added_to_a_map_after_a_function(builder, x):
    y = conv(builder, x, 8, "a")
    cosine = lower(builder, "cos", ("cos",), looked_up(builder, x))
    return joins.elementwise(builder, "add", [y, cosine], ("add",))


def upper_half(builder, x):
    y = conv(builder, x, 8, "a")
    return slices.slice_axis(builder, y, 2, 0, y.dims[2] // 2, ("slice",))


def whole_tens(builder, x):
    y = conv(builder, x, 8, "a")
    return conv(
        builder, slices.slice_axis(builder, y, 3, 0, y.dims[3] // 10 * 10, ("slice",)), 4, "b"
    )


def padded_as_tensorflow_does(builder, x):
    """⌈n/2⌉ windows of 3, the odd zero at the end: another border where n is odd."""
    size = x.dims[2:]
    whole = [(n + 1) // 2 * 2 + 1 - n for n in size]
    begins = [n // 2 for n in whole]
    ends = [n - m for n, m in zip(whole, begins, strict=True)]
    border = {"border": windows.border(begins, ends)}
    y = windowed(builder, "pad", x, border)
    return half_of(builder, y)


def tokens_and_back(builder, x):
    y = conv(builder, x, 8, "a", 2)
    h, w = y.dims[2:]
    y = permuted(reshaped(y, (1, 8, h * w)), (0, 2, 1))
    y = lower(builder, "linear", ("b",), y, features=6, weights={"b": 48})
    y = reshaped(permuted(y, (0, 2, 1)), (1, 6, h, w))
    return conv(builder, y, 4, "c")


def padded_to_its_skip(builder, x):
    """A U-Net that cuts halves: what comes up again lacks a row where there was an odd one."""
    a = conv(builder, x, 8, "a")
    b = conv(builder, halved(builder, a), 8, "b")
    c = conv(builder, halved(builder, b), 8, "c")
    for skip in (b, a):
        c = doubled(builder, c)
        lacks = [n - m for n, m in zip(skip.dims[2:], c.dims[2:], strict=True)]
        begins = [n // 2 for n in lacks]
        ends = [n - m for n, m in zip(lacks, begins, strict=True)]
        if any(lacks):
            border = {"border": windows.border(begins, ends)}
            c = windowed(builder, "pad", c, border)
        c = lower(builder, "concat", ("concat",), skip, c, axis=1)
    return c


def halved(builder, x):
    return windowed(builder, "max_pool", x, {"kernel": 2})


def doubled(builder, x):
    return windowed(builder, "upsample", x, {"scale": 2})


def table_as_large_as_the_map(builder, x):
    """Positions learned at 32×32, resized to the map where that is another."""
    y = conv(builder, x, 8, "a", 2)
    table = stored_tensors.learned_tensor(
        builder, "p", (1, 8, 32, 32), ("p",), neighbour=y.source, channel=1
    )
    if table.dims[2:] != y.dims[2:]:
        table = resized(builder, table, y.dims[2:])
    return joins.elementwise(builder, "add", [y, table], ("add",))


def split_in_two(builder, x):
    """[1, 8, h, w] as [1, 2, 4, h, w]: two entries of a shape go with the size."""
    y = conv(builder, x, 8, "a")
    apart = builder.materialize(reshaped(y, (1, 2, 4, *y.dims[2:])), 2, ("reshape",))
    return output_tensor(apart, builder.shape(apart), 5, 2, 0)


def folded_without_a_kind(builder, x):
    """A `custom` layer states its output, its input and its macs, all of them by the size."""
    y = conv(builder, x, 8, "a")
    h, w = y.dims[2:]
    return lower(builder, "custom", ("c",), y, what="fold", dims=(1, 8, h // 2, w), macs=h * w)


FREE = [folded_without_a_kind, segmenter, pyramid, half_as_much_again, by_a_third,
        to_a_fixed_size, pooled_as_a_whole,
        upper_half, whole_tens, split_in_two, tokens_and_back, padded_to_its_skip,
        table_as_large_as_the_map]  # fmt: skip


def padded_to_eights(builder, x):
    y = padded(builder, x, [-n % 8 for n in x.dims[2:]])
    return conv(builder, y, 8, "a", 2)


def halved_and_padded_to_eights(builder, x):
    if any(n % 2 for n in x.dims[2:]):
        raise ConstraintError("CC401", "an odd size")
    y = lower(builder, "pixel_unshuffle", ("down",), x, factor=2)
    return padded_to_eights(builder, y)


def deeper_where_it_is_wide(builder, x):
    y = conv(builder, x, 8, "a")
    return conv(builder, y, 8, "b") if x.dims[3] > 70 else y


def of_eights_alone(builder, x):
    if any(n % 8 for n in x.dims[2:]):
        raise ConstraintError("CC401", "not a multiple of 8")
    return conv(builder, x, 8, "a")


def of_one_size_alone(builder, x):
    if x.dims[2:] != SIZE:
        raise ConstraintError("CC401", "not 64×64")
    return conv(builder, x, 8, "a")


def of_squares_alone(builder, x):
    if x.dims[2] != x.dims[3]:
        raise ConstraintError("CC401", "not a square")
    return conv(builder, x, 8, "a")


def flattened(builder, x):
    y = conv(builder, x, 2, "a")
    weights, flat = {"head": 5 * 2 * 64 * 64}, reshaped(y, (1, y.elements))
    return lower(builder, "linear", ("head",), flat, features=5, weights=weights)


def layer_graph(model, size):
    builder = GraphBuilder(model.__name__, "")
    x = builder.input("x", (1, 3, *size), 1)
    return rewrite(builder.graph([model(builder, x)]))


def imported(model, size=SIZE):
    return generalized_spec(layer_graph(model, size), lambda other: layer_graph(model, other))


def at(text, size):
    (network,) = load(Source("net", text), Settings((), size))
    return costs(network)


def taken(text):
    """The line of the input: what comes in, and which sizes it takes."""
    return next(line for line in text.splitlines() if line.startswith("input:"))


@pytest.mark.parametrize("size", OTHERS, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("model", FREE, ids=lambda model: model.__name__)
def test_numbers_that_depend_on_the_size_follow_it(model, size):
    spec = at(imported(model).text, size)
    theirs = at(flat_text(layer_graph(model, size)), None)
    assert Equivalence(theirs, spec).is_same
    assert (spec.totals.params, spec.totals.macs) == (theirs.totals.params, theirs.totals.macs)


@pytest.mark.parametrize(
    ("window", "step"),
    [(3, 2), (2, 2), (1, 3), (2, 3), (3, 3), (4, 3), (2, 4), (3, 5), (5, 7), (6, 8)],
)
@pytest.mark.parametrize("size", [(9, 13), (12, 16), (14, 18), (33, 31)])
def test_rounded_sizes_are_right_at_every_remainder_or_refused(window, step, size):
    def windows(n):
        return (n - window) // step + 1

    def pooled_without_a_kind(builder, x):
        y = conv(builder, x, 8, "a")
        dims = (1, 8, *map(windows, y.dims[2:]))
        return lower(builder, "custom", ("c",), y, what="lp_pool", dims=dims)

    text = imported(pooled_without_a_kind, size).text
    for height in range(size[0], size[0] + 8):
        for width in (size[1], size[1] + 1, size[1] + 2):
            try:
                output = at(text, (height, width)).layers[-1].output
            except SpecError:
                continue
            assert output.size == (windows(height), windows(width))


@pytest.mark.parametrize(("start", "step"), [(1, 2), (0, 4), (1, 4), (3, 5), (2, 7), (0, 8)])
def test_every_nth_row_is_right_at_every_remainder(start, step):
    def strided(builder, x):
        y = conv(builder, x, 8, "a")
        rows = range(start, y.dims[2], step)
        return lower(builder, "slice", ("rows",), y, axis=2, entries=rows)

    text = imported(strided, (10, 14)).text
    for height in range(10, 10 + step):
        rows = len(range(start, height, step))
        assert at(text, (height, 14)).layers[-1].output.size == (rows, 14)


@pytest.mark.parametrize("size", [(64, 64), (65, 64), (33, 98)])
def test_a_pad_that_depends_on_the_size_becomes_padding_of_its_window(size):
    spec = at(imported(padded_as_tensorflow_does).text, size)
    height, width = (-(-n // 2) for n in size)
    assert [layer.kind for layer in spec.layers] == ["conv"]
    assert spec.totals.macs == 8 * 3 * 9 * height * width


def test_a_pad_that_is_the_same_at_every_size_stays_a_layer():
    def padded_before(builder, x):
        y = padded(builder, x, [1, 1])
        return half_of(builder, y)

    assert lines(padded_before).startswith("  - {pad: [0, 0, 1, 1]}\n")


def lines(model):
    text = imported(model).text
    return text[text.index("layers:\n") + len("layers:\n") :]


def test_a_resize_to_the_size_of_another_tensor_names_that_tensor():
    assert lines(segmenter) == (
        "  - {conv: 8, kernel: 3, stride: 2, padding: 1, name: a}\n"
        "  - {conv: 16, kernel: 3, stride: 2, padding: 1, name: b}\n"
        "  - {upsample_like: {x: [], like: input}, mode: linear}\n"
    )


def test_the_top_down_path_of_a_pyramid_takes_its_sizes_from_the_bottom_up_path():
    assert lines(pyramid) == (
        "  - {conv: 8, kernel: 3, stride: 2, padding: 1, name: c2}\n"
        "  - {conv: 8, kernel: 3, stride: 2, padding: 1, name: c3}\n"
        "  - {conv: 8, kernel: 3, stride: 2, padding: 1, name: c4}\n"
        "  - {conv: 8, kernel: 3, padding: 1, name: l4}\n"
        "  - {conv: 8, kernel: 3, padding: 1, name: p4}\n"
        "  - {upsample_like: {x: [], like: c3}, mode: linear}\n"
        "  - {add: {skip: [{conv: 8, kernel: 3, padding: 1, name: l3, from: c3}], main: []}}\n"
        "  - {upsample_like: {x: [], like: c2}, mode: linear}\n"
        "  - {add: {skip: [{conv: 8, kernel: 3, padding: 1, name: l2, from: c2}], main: []}}\n"
    )


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (half_as_much_again, "  - {upsample: 1.5, mode: linear}\n"),
        (
            folded_without_a_kind,
            (
                "    macs: in_height * in_width\n"
                "    output: {channels: 8, size: [in_height // 2, in_width]}\n"
            ),
        ),
        (by_a_third, "  - {upsample: 1/3, mode: linear}\n"),
        (to_a_fixed_size, "  - {upsample: , size: 50, mode: linear}\n"),
        (pooled_as_a_whole, "  - global_avg_pool\n"),
        (upper_half, "  - {slice: in_height // 2, along: 1}\n"),
        (added_to_a_map, "  - {custom: look-up, params: 0, macs: 0, name: at, from: [a, table]}\n"),
        (
            added_to_a_map_after_a_function,
            (
                "        - custom: look-up\n"
                "          params: 0\n"
                "          macs: 0\n"
                "          output: {channels: 8, size: [in_height, in_width]}\n"
                "          name: at\n"
                "          from: [input, table]\n"
            ),
        ),
        (whole_tens, "  - {slice: in_width // 10 * 10, along: 2}\n"),
        (tokens_and_back, "  - {reshape_like: {x: [], like: a}}\n"),
        (
            padded_as_tensorflow_does,
            "  - {conv: 8, kernel: 3, stride: 2, padding: same, name: a}\n",
        ),
        (padded_to_its_skip, "  - {pad_like: {x: [], like: b}, name: pad_like_1}\n"),
        (table_as_large_as_the_map, "  - {upsample_like: {x: [], like: a}, mode: linear"),
        (pyramid_over_a_block, "  - {upsample_like: {x: [], like: c2}, mode: linear}\n"),
        (split_in_two, "  - {reshape: {channels: 4, size: [2, in_height, in_width]}}\n"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_numbers_that_depend_on_the_size_are_written_as_expressions(model, line):
    assert line in lines(model)
    assert taken(imported(model).text) == "input: {channels: 3, size: 64}"


BOUND = {
    padded_to_eights: (
        "input: {channels: 3, size: 64, multiple: 8}",
        (
            "the input is `multiple: 8`, because the model and the spec differ at 127×193: "
            "only the model has `pad_1`, pad to 128×200×3"
        ),
    ),
    # The model and the spec refuse 127×193.
    halved_and_padded_to_eights: (
        "input: {channels: 3, size: 64, multiple: 16}",
        (
            "the input is `multiple: 16`, because the model and the spec differ at 128×66: "
            "only the model has `pad_1`, pad to 64×40×12"
        ),
    ),
    deeper_where_it_is_wide: (
        "input: {channels: 3, size: 64, fixed: true}",
        (
            "the input is `fixed: true`, because the model and the spec differ at 127×193: "
            "only the model has `conv_2`, conv to 127×193×8"
        ),
    ),
    of_eights_alone: (
        "input: {channels: 3, size: 64, multiple: 8}",
        "the input is `multiple: 8`, because the model refuses 127×193: not a multiple of 8",
    ),
    of_one_size_alone: (
        "input: {channels: 3, size: 64, fixed: true}",
        (
            "the input is `fixed: true`, because the model accepts no other size that convcost "
            "tried; the model refuses 127×193: not 64×64"
        ),
    ),
}


@pytest.mark.parametrize("model", BOUND, ids=lambda model: model.__name__)
def test_a_spec_that_is_wrong_at_other_sizes_declares_its_sizes_and_the_reason(model):
    made = imported(model)
    assert (taken(made.text), *made.notes) == BOUND[model]
    with pytest.raises(SpecError):
        at(made.text, (101, 165))


def test_a_spec_that_is_wrong_at_odd_sizes_takes_multiples():
    text = imported(padded_to_eights).text
    for size in [(72, 64), (8, 16), (200, 104)]:
        theirs = at(flat_text(layer_graph(padded_to_eights, size)), None)
        assert at(text, size).totals == theirs.totals


@pytest.mark.parametrize(("step", "own"), [(14, 224), (14, 518), (12, 384), (128, 512)])
def test_a_spec_takes_the_multiples_of_any_divisor_of_its_size(step, own):
    def of_multiples_alone(builder, x):
        if any(n % step for n in x.dims[2:]):
            raise ConstraintError("CC401", f"not a multiple of {step}")
        return conv(builder, x, 8, "a", step)

    made = imported(of_multiples_alone, (own, own))
    assert taken(made.text) == f"input: {{channels: 3, size: {own}, multiple: {step}}}"


def test_a_model_that_makes_few_steps_of_many_samples_is_compared_at_other_numbers_of_steps():
    """4,000, 4,095 and 4,195 samples are 10 steps each."""

    def last_step_removed(builder, x):
        window = windows.SlidingWindow((400,), (400,))
        weights = {"a": 8 * 3 * 400}
        y = lower(builder, "conv", ("a",), x, filters=8, window=window, weights=weights)
        return slices.slice_axis(builder, y, 2, 0, y.dims[2] - 1, ("slice",))

    made = imported(last_step_removed, (4000,))
    assert made.notes == ("also compared with the model at 6015 and 8035",)
    assert "{slice: in_width - 1, along: 1}" in made.text


def test_a_model_that_takes_only_squares_keeps_its_size_open():
    made = imported(of_squares_alone)
    assert taken(made.text) == "input: {channels: 3, size: 64}"
    assert made.notes == ("also compared with the model at 127×127 and 227×227",)


def test_a_model_of_one_size_becomes_a_spec_of_one_size():
    made = imported(flattened)
    assert taken(made.text) == "input: {channels: 3, size: 64, fixed: true}"
    assert made.notes == (
        "the input is `fixed: true`, because the model accepts no other size that convcost tried",
    )


def test_a_size_that_only_the_spec_refuses_is_reported():
    def table_by_size(builder, x):
        y = conv(builder, x, 8, "a")
        h, w = y.dims[2:]
        parts = reshaped(y, (1, 8, h * w))
        return lower(builder, "linear", ("mixer",), parts, features=5, weights={"mixer": 5 * h * w})

    assert imported(table_by_size).notes == (
        (
            "the input is `fixed: true`, because the spec refuses 127×193, which the model "
            "accepts: linear needs 4096 inputs, not 24511"
        ),
    )


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ((7, 9), "in_height"),
        ((14, 18), "2 * in_height"),
        ((3, 4), "in_height // 2"),
        ((4, 5), "(in_height + 1) // 2"),
        ((5, 7), "in_height - 2"),
        ((9, 11), "in_height + 2"),
        ((12, 20), "in_width"),
        ((7 * 12, 9 * 20), "in_height * in_width"),
        ((7 * 6, 9 * 10), "in_height * in_width / 2"),
        ((3 * 7 * 12, 3 * 9 * 20), "3 * in_height * in_width"),
        ((6, 8), "in_height - 1"),
        ((5, 100), None),
    ],
)
def test_a_number_is_computed_from_the_input(wanted, text):
    assert fit_expression(wanted, {"in_height": (7, 9), "in_width": (12, 20)}) == text


def test_a_model_with_one_fixed_axis_keeps_that_axis_fixed():
    """A reader of lines: a number learned for each of 64 rows, lines of any length."""

    def of_64_rows(builder, x):
        y = conv(builder, x, 8, "a")
        if y.dims[2] != 64:
            raise ConstraintError("CC401", "not 64 rows")
        rows = stored_tensors.learned_tensor(
            builder, "p", (1, 8, 64, 1), ("p",), neighbour=y.source, channel=1
        )
        return joins.elementwise(builder, "add", [y, rows], ("add",))

    made_of = imported(of_64_rows)
    assert taken(made_of.text) == "input: {channels: 3, size: 64}"
    assert made_of.notes == ("also compared with the model at 64×193",)
    assert at(made_of.text, (64, 100)).totals.macs == 100 * 64 * 8 * 27
