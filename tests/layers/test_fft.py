"""The multiply-adds of a radix-2 transform, counted stage by stage."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import cost, problems

from convcost.conventions import find_convention


def transform(channels, size, options="fft"):
    costs = cost(f"input: {{channels: {channels}, size: {list(size)}}}\nlayers: [{options}]")
    return costs.layers[0], costs


def counted(points):
    """The multiply-adds of one complex transform: each stage has a butterfly for two points."""
    stages, reach = 0, 1
    while reach < points:
        reach, stages = 2 * reach, stages + 1
    return 4 * points * stages // 2  # 4 for each butterfly


@given(st.integers(1, 4), st.lists(st.integers(1, 20), min_size=1, max_size=3))
def test_a_complex_transform_has_the_macs_of_a_transform_along_each_axis(maps, size):
    layer, _ = transform(2 * maps, size)
    macs = 0
    for axis, points in enumerate(size):
        others = [range(n) for other, n in enumerate(size) if other != axis]
        for _ in product(range(maps), *others):
            macs += counted(points)
    assert (layer.macs, layer.output) == (macs, (2 * maps, tuple(size)))


@given(st.integers(1, 4), st.lists(st.integers(1, 20), min_size=1, max_size=3))
def test_a_real_transform_halves_the_last_axis_and_its_inverse_brings_it_back(maps, size):
    layer, _ = transform(maps, size, "{fft: size, real: true}")
    *outer, last = size
    macs = counted(last) * maps * len(list(product(*map(range, outer)))) // 2
    kept = [*outer, last // 2 + 1]
    for axis, points in enumerate(outer):
        others = [range(n) for other, n in enumerate(kept) if other != axis]
        macs += counted(points) * maps * len(list(product(*others)))
    assert (layer.macs, layer.output) == (macs, (2 * maps, tuple(kept)))
    back, _ = transform(2 * maps, kept, f"{{fft: size, real: true, inverse: true, length: {last}}}")
    assert (back.macs, back.output) == (macs, (maps, tuple(size)))


def test_the_axis_that_is_halved_is_the_last_one_given():
    layer, _ = transform(3, (8, 6), "{fft: [2, 1], real: true}")
    assert layer.output == (6, (5, 6))
    assert layer.macs == 3 * 6 * 8 * 3 + 3 * 5 * (2 * 6 * 3)


def test_the_operations_are_those_of_fftw():
    _, costs = transform(2, (64,))
    assert find_convention("flops").numbers(costs).total == 5 * 64 * 6
    _, costs = transform(1, (64,), "{fft: size, real: true}")
    assert find_convention("flops").numbers(costs).total == 5 * 64 * 6 // 2


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ("fft", "channels 3 cannot be divided by the parts of a complex number, 2"),
        ("{fft: channels}", "fft needs axes of the size, not `channels`"),
        ("{fft: 3}", "fft needs axis 3, but the input has 2 axes"),
        ("{fft: 1, length: 8}", "fft has a length only with `real: true` and `inverse: true`"),
    ],
)
def test_what_cannot_be_transformed_is_refused(layer, message):
    text = f"input: {{channels: 3, size: [8, 8]}}\nlayers: [{layer}]"
    assert [problem.message for problem in problems(text)] == [message]


@pytest.mark.parametrize(("points", "length"), [(5, 8), (5, 9), (1, 1)])
def test_both_lengths_that_have_so_many_points_fit(points, length):
    layer, _ = transform(2, (points,), f"{{fft: 1, real: true, inverse: true, length: {length}}}")
    assert layer.output == (1, (length,))


def test_a_length_that_does_not_fit_is_refused():
    text = "input: {channels: 2, size: [5]}\n"
    text += "layers: [{fft: 1, real: true, inverse: true, length: 10}]"
    (problem,) = problems(text)
    assert problem.message == "fft has 6 complex points for a length of 10, and axis 1 has 5"
    assert problem.help == "a `length` of 9, or of 8, fits"


def test_a_flat_input_is_refused():
    (problem,) = problems("input: {channels: 2, size: []}\nlayers: [fft]")
    assert problem.message == "fft needs an input with a size, and this input is flat"
