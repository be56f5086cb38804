"""Windows, held against windows laid down one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcost.errors import Refusal
from convcost.window import unslide, window

sides = st.integers(1, 20)
extents = st.integers(1, 6)
borders = st.integers(0, 5)


def starts(n, f, s, begin, end, d, *, ceil=False):
    """Where windows start in the padded input, laid down from its first element on."""
    padded = range(n + begin + end)
    found = []
    start = 0
    if not ceil:
        while all(start + k * d in padded for k in range(f)):
            found.append(start)
            start += s
        return found
    # Rounded up, a window stands wherever the one before it leaves an element over.
    while start - s + d * (f - 1) + 1 < len(padded):
        found.append(start)
        start += s
    if found and found[-1] >= begin + n:
        found.pop()
    return found


def scattered(n, f, s, d):
    """The positions that windows spread over, one from each of n elements."""
    return {i * s + k * d for i in range(n) for k in range(f)}


@given(n=sides, f=extents, s=extents, begin=borders, end=borders, d=extents, ceil=st.booleans())
@settings(max_examples=500, deadline=None)
def test_an_output_has_one_element_for_each_window_that_can_be_laid_down(
    n, f, s, begin, end, d, ceil
):
    laid = starts(n, f, s, begin, end, d, ceil=ceil)
    if laid:
        assert window((n,), f, s, (begin, end), d, ceil=ceil) == (len(laid),)
    else:
        with pytest.raises(Refusal):
            window((n,), f, s, (begin, end), d, ceil=ceil)


@given(n=sides, f=extents, s=extents, p=borders)
@settings(max_examples=200, deadline=None)
def test_in_the_plain_case_the_size_is_that_of_the_textbook(n, f, s, p):
    if n + 2 * p >= f:
        assert window((n,), f, s, p) == ((n - f + 2 * p) // s + 1,)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_same_is_the_size_over_the_stride_rounded_up(n, f, s, d):
    assert window((n,), f, s, "same", d) == (len(range(0, n, s)),)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_valid_is_no_padding(n, f, s, d):
    if d * (f - 1) < n:
        assert window((n,), f, s, "valid", d) == window((n,), f, s, 0, d)


@given(
    axes=st.lists(st.tuples(sides, extents, extents, borders, borders), min_size=1, max_size=3),
    ceil=st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_axes_do_not_know_each_other(axes, ceil):
    sizes, kernels, strides, begins, ends = map(tuple, zip(*axes, strict=True))
    laid = [starts(n, f, s, b, e, 1, ceil=ceil) for n, f, s, b, e in axes]
    if all(laid):
        whole = window(sizes, kernels, strides, (*begins, *ends), ceil=ceil)
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
        assert unslide((n,), f, s, (begin, end), d, extra) == (full - begin - end,)
    else:
        with pytest.raises(Refusal):
            unslide((n,), f, s, (begin, end), d, extra)


@given(n=sides, f=extents, s=extents, d=extents)
@settings(max_examples=200, deadline=None)
def test_a_transposed_same_is_the_size_times_the_stride(n, f, s, d):
    assert unslide((n,), f, s, "same", d, 0) == (n * s,)


@given(n=sides, f=extents, s=extents, begin=borders, end=borders, d=extents)
@settings(max_examples=300, deadline=None)
def test_a_transposed_window_undoes_the_size_of_a_window(n, f, s, begin, end, d):
    left_over = n + begin + end - d * (f - 1) - 1
    if left_over >= 0:
        slid = window((n,), f, s, (begin, end), d)
        assert unslide(slid, f, s, (begin, end), d, left_over % s) == (n,)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: window((5,), 7),
            "kernel 7 is larger than the input 5",
            id="without padding",
        ),
        pytest.param(
            lambda: window((5,), 8, 1, 1),
            "kernel 8 is larger than the padded input 7",
            id="with padding on both sides",
        ),
        pytest.param(
            lambda: window((5,), 8, 1, (0, 2)),
            "kernel 8 is larger than the padded input 7",
            id="with padding at the end",
        ),
        pytest.param(
            lambda: window((5,), 3, 1, 0, 4),
            "kernel 3 at dilation 4 spans 9 and is larger than the input 5",
            id="dilated",
        ),
        pytest.param(
            lambda: window((9, 2), (3, 3)),
            "kernel 3 is larger than the input 2",
            id="on one axis of two",
        ),
        pytest.param(
            lambda: window((5, 5), (3, 3, 3)),
            "kernel has 3 numbers, the input has 2 axes",
            id="kernel with an axis too many",
        ),
        pytest.param(
            lambda: window((5,), 3, (2, 2)),
            "stride has 2 numbers, the input has 1 axis",
            id="stride with an axis too many",
        ),
        pytest.param(
            lambda: window((5, 5), 3, 1, (1, 1, 1)),
            "padding has 3 numbers, the input has 2 axes",
            id="padding between one for each axis and two",
        ),
        pytest.param(
            lambda: unslide((2,), 3, 1, 2, 1, 0),
            "padding 2 + 2 takes all of the output 4",
            id="a padding that takes all of a transposed output",
        ),
        pytest.param(
            lambda: unslide((2,), 3, 2, 0, 1, 2),
            "output_padding 2 must be smaller than stride 2 or dilation 1",
            id="an output padding of a whole stride",
        ),
        pytest.param(
            lambda: unslide((2,), 3, 2, "same", 1, 1),
            "output_padding has no meaning beside padding `same`",
            id="an output padding beside same",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(Refusal) as refused:
        call()
    assert refused.value.message == message
