"""Windows, compared with windows counted one by one."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from windows import scattered, starts

from convcost.model.errors import ConstraintError
from convcost.model.window import conv_windows, transposed_windows


def conv_output_size(*options, **flags):
    return tuple(window.output for window in conv_windows(*options, **flags))


def transposed_output_size(*options):
    return tuple(window.output for window in transposed_windows(*options))


def evaluated(text):
    """A filled-in formula as Python computes it: ⌊a/b⌋ is a//b, ⌈a/b⌉ is −(−a//b)."""
    plain = text.replace("−", "-").replace("·", "*")
    plain = re.sub(r"⌊(.*)/(\d+)⌋", r"((\1)//\2)", plain)
    return eval(re.sub(r"⌈(.*)/(\d+)⌉", r"(-(-(\1)//\2))", plain))


sides = st.integers(1, 20)
extents = st.integers(1, 6)
borders = st.integers(0, 5)


@given(n=sides, f=extents, s=extents, begin=borders, end=borders, d=extents, ceil=st.booleans())
@settings(max_examples=500, deadline=None)
def test_an_output_has_one_element_for_each_position_of_the_window(n, f, s, begin, end, d, ceil):
    laid = starts(n, f, s, begin, end, d, ceil=ceil)
    if laid:
        assert conv_output_size((n,), f, s, (begin, end), d, ceil=ceil) == (len(laid),)
    else:
        with pytest.raises(ConstraintError):
            conv_output_size((n,), f, s, (begin, end), d, ceil=ceil)


@given(n=sides, f=extents, s=extents, p=borders)
@settings(max_examples=200, deadline=None)
def test_in_the_plain_case_the_size_is_that_of_the_textbook(n, f, s, p):
    if n + 2 * p >= f:
        assert conv_output_size((n,), f, s, p) == ((n - f + 2 * p) // s + 1,)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_same_is_the_size_over_the_stride_rounded_up(n, f, s, d):
    assert conv_output_size((n,), f, s, "same", d) == (len(range(0, n, s)),)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_valid_means_no_padding(n, f, s, d):
    if d * (f - 1) < n:
        assert conv_output_size((n,), f, s, "valid", d) == conv_output_size((n,), f, s, 0, d)


@given(
    axes=st.lists(st.tuples(sides, extents, extents, borders, borders), min_size=1, max_size=3),
    ceil=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_each_axis_is_computed_from_its_own_options(axes, ceil):
    sizes, kernels, strides, begins, ends = map(tuple, zip(*axes, strict=True))
    laid = [starts(n, f, s, b, e, 1, ceil=ceil) for n, f, s, b, e in axes]
    if all(laid):
        whole = conv_output_size(sizes, kernels, strides, (*begins, *ends), ceil=ceil)
        assert whole == tuple(map(len, laid))


@given(
    n=sides, f=extents, s=extents, begin=borders, end=borders, d=extents, extra=st.integers(0, 5)
)
@settings(max_examples=500, deadline=None)
def test_a_transposed_output_has_one_element_for_each_position_that_is_scattered_to(
    n, f, s, begin, end, d, extra
):
    full = max(scattered(n, f, s, d)) + 1 + extra
    if extra < max(s, d) and full - begin - end >= 1:
        assert transposed_output_size((n,), f, s, (begin, end), d, extra) == (full - begin - end,)
    else:
        with pytest.raises(ConstraintError):
            transposed_output_size((n,), f, s, (begin, end), d, extra)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_a_transposed_same_is_the_size_times_the_stride(n, f, s, d):
    assert transposed_output_size((n,), f, s, "same", d, 0) == (n * s,)


@given(n=sides, f=extents, s=extents, begin=borders, end=borders, d=extents)
@settings(max_examples=300, deadline=None)
def test_a_transposed_window_restores_the_size_before_a_window(n, f, s, begin, end, d):
    left_over = n + begin + end - d * (f - 1) - 1
    if left_over >= 0:
        slid = conv_output_size((n,), f, s, (begin, end), d)
        assert transposed_output_size(slid, f, s, (begin, end), d, left_over % s) == (n,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: conv_output_size((5,), 7),
            "kernel 7 is larger than the input 5",
            id="without padding",
        ),
        pytest.param(
            lambda: conv_output_size((5,), 8, 1, 1),
            "kernel 8 is larger than the padded input 7",
            id="with padding on both sides",
        ),
        pytest.param(
            lambda: conv_output_size((5,), 8, 1, (0, 2)),
            "kernel 8 is larger than the padded input 7",
            id="with padding at the end",
        ),
        pytest.param(
            lambda: conv_output_size((5,), 3, 1, 0, 4),
            "kernel 3 at dilation 4 spans 9 and is larger than the input 5",
            id="dilated",
        ),
        pytest.param(
            lambda: conv_output_size((9, 2), (3, 3)),
            "kernel 3 is larger than the input 2",
            id="on one axis of two",
        ),
        pytest.param(
            lambda: conv_output_size((5, 5), (3, 3, 3)),
            "kernel has 3 numbers, but the input has 2 axes",
            id="kernel with an axis too many",
        ),
        pytest.param(
            lambda: conv_output_size((5, 5), (3,)),
            "kernel has 1 number, but the input has 2 axes",
            id="kernel with an axis too few",
        ),
        pytest.param(
            lambda: conv_output_size((5,), 3, (2, 2)),
            "stride has 2 numbers, but the input has 1 axis",
            id="stride with an axis too many",
        ),
        pytest.param(
            lambda: conv_output_size((5, 5), 3, 1, (1, 1, 1)),
            "padding has 3 numbers, but the input has 2 axes",
            id="padding between one for each axis and two",
        ),
        pytest.param(
            lambda: transposed_output_size((2,), 3, 1, 2, 1, 0),
            "padding 2 + 2 removes all of the output 4",
            id="a padding that takes all of a transposed output",
        ),
        pytest.param(
            lambda: transposed_output_size((2,), 3, 2, 0, 1, 2),
            "output_padding 2 must be smaller than stride 2 or dilation 1",
            id="an output padding of a whole stride",
        ),
        pytest.param(
            lambda: transposed_output_size((2,), 3, 2, "same", 1, 1),
            "output_padding cannot be used with padding `same`",
            id="an output padding beside same",
        ),
    ],
)
def test_a_window_that_does_not_fit_its_input_is_refused(call, message):
    with pytest.raises(ConstraintError) as refused:
        call()
    assert refused.value.message == message


@given(
    n=sides, f=extents, s=extents, d=extents, ceil=st.booleans(),
    padding=st.one_of(st.just("same"), borders, st.tuples(borders, borders)),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_the_printed_formula_of_a_window_gives_its_output_size(n, f, s, d, ceil, padding):
    (window,) = conv_windows((n,), f, s, padding, d, ceil=ceil)
    try:
        output = window.output
    except ConstraintError:
        return
    assert evaluated(window.formula) == output


@given(
    n=sides, f=extents, s=extents, d=extents, extra=borders,
    padding=st.one_of(st.just("same"), borders, st.tuples(borders, borders)),
)  # fmt: skip
@settings(max_examples=500, deadline=None)
def test_the_printed_formula_of_a_transposed_window_gives_its_output_size(
    n, f, s, d, extra, padding
):
    (window,) = transposed_windows((n,), f, s, padding, d, extra)
    try:
        output = window.output
    except ConstraintError:
        return
    assert evaluated(window.formula) == output


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (
            conv_windows((224,), 7, 2, 3),
            "⌊(224 − 7 + 2·3)/2⌋ + 1",
        ),
        (
            conv_windows((9,), 3, 1, 0, 2),
            "⌊(9 + 0 + 0 − 2·(3 − 1) − 1)/1⌋ + 1",
        ),
        (conv_windows((9,), 3, 2, "same"), "⌈9/2⌉"),
        (
            conv_windows((112,), 3, 2, ceil=True),
            "⌈(112 − 3 + 2·0)/2⌉ + 1",
        ),
        (
            transposed_windows((28,), 2, 2, 0, 1, 0),
            "(28 − 1)·2 + 2 − 2·0",
        ),
    ],
)
def test_the_formula_is_that_of_the_textbook_if_that_is_exact(window, text):
    assert window[0].formula == text
