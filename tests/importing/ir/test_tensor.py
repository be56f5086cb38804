"""Which axis of a tensor has the channels, after the model moved its elements."""

from convcost.importing.ir.tensor import Tensor, output_tensor, permuted, reshaped
from convcost.model.shape import Shape

WIDTH = 16
KEYS = output_tensor(0, Shape(WIDTH, (WIDTH,)), 3, channel=2)  # as many positions as channels
MAP = output_tensor(0, Shape(6, (6, 6)), 4, channel=1)


def moved(x: Tensor, *moves: tuple[int, ...]) -> Tensor:
    """The tensor after reshapes and permutations, in turn."""
    for number, move in enumerate(moves):
        x = permuted(x, move) if number % 2 else reshaped(x, move)
    return x


def test_channels_are_not_an_axis_that_only_has_as_many_elements():
    heads = moved(KEYS, (1, WIDTH, 2, 8), (0, 2, 1, 3))
    assert (heads.dims, heads.channel) == ((1, 2, WIDTH, 8), 3)


def test_channels_that_are_an_axis_again_are_found_there():
    assert moved(MAP, (1, 2, 3, 6, 6), (0, 2, 1, 3, 4), (1, 6, 6, 6)).channel == 1
    assert moved(MAP, (1, 6, 36), (0, 2, 1), (1, 9, 4, 6)).channel == 3
    assert moved(MAP, (1, 6, 2, 3, 6), (0, 2, 3, 1, 4)).channel == 3


def test_channels_that_are_parts_of_several_axes_are_the_last_axis():
    assert moved(MAP, (1, 4, 54)).channel == 2
    assert moved(MAP, (1, 2, 3, 6, 6), (0, 3, 1, 4, 2)).channel == 4
