"""Deformable convolutions: what their offsets and masks must be."""

import pytest
from support import cost, messages

INPUT = "input: {channels: 8, size: 12}\n"


def layer(offsets, mask=""):
    branches = f"features: [], offsets: [{{conv: {offsets}, kernel: 3}}]{mask}"
    return f"{INPUT}layers: [{{deformable_conv: {{{branches}}}, filters: 4, kernel: 3}}]"


def test_offsets_are_two_coordinates_for_each_element_of_the_window():
    assert messages(layer(2 * 3 * 3)) == []
    assert messages(layer(3 * 3)) == [
        "2:11 CC303 deformable_conv needs offsets of 10×10×18, not 10×10×9"
    ]


def test_a_mask_is_one_weight_for_each_element_of_the_window():
    assert messages(layer(18, ", mask: [{conv: 9, kernel: 3}]")) == []
    assert messages(layer(18, ", mask: [{conv: 9, kernel: 1}]")) == [
        "2:11 CC303 deformable_conv needs a mask of 10×10×9, not 12×12×9"
    ]


@pytest.mark.parametrize("inputs", ["[input]", "[input, input, input, input]"])
def test_deformable_conv_needs_features_offsets_and_optionally_a_mask(inputs):
    (message,) = messages(f"{INPUT}layers: [{{deformable_conv: {inputs}, filters: 4, kernel: 3}}]")
    needed = "deformable_conv needs features, offsets and optionally a mask"
    assert message == f"2:11 CC303 {needed}, not {inputs.count('input')} inputs"


def test_an_element_may_depend_on_any_element_of_the_features():
    assert [axis.extent for axis in cost(layer(18)).layers[-1].field] == [12, 12]
