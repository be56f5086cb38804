from math import prod

from convcost.errors import Refusal
from convcost.field import EVERYWHERE, Sight, all_of
from convcost.kind import Example, Layer, Like, kind, option
from convcost.options import REST, Form
from convcost.shapes import Shape, size_text


@kind("reshape", principal="shape")
class Reshape(Layer):
    """The same elements in another shape, whatever their order. Free."""

    shape: Form = option("the shape; one number may be `rest`, what is left over")

    examples = (
        Example(
            "{reshape: {channels: 768, size: [rest]}}", Shape(768, (14, 14)), Shape(768, (196,))
        ),
        Example(
            "{reshape: {channels: in_channels/12, size: [12, in_width]}}",
            Shape(768, (197,)),
            Shape(64, (12, 197)),
        ),
        Example(
            "{reshape: {channels: 96, size: [rest, 7 * 7]}}",
            Shape(96, (56, 56)),
            Shape(96, (8 * 8, 7 * 7)),
        ),
    )

    def output(self, x: Shape) -> Shape:
        channels, size = self.shape
        given = prod(n for n in (channels, *size) if n != REST)
        left, over = divmod(x.elements, given)
        if REST in (channels, *size):
            if over:
                raise Refusal(
                    "CC304",
                    f"reshape: {x.text} is {x.elements:,} elements, not a multiple of {given:,}",
                )
            return Shape(channels or left, tuple(n or left for n in size))
        if given != x.elements:
            raise Refusal(
                "CC304",
                f"reshape keeps all elements: {x.text} is {x.elements:,}, "
                f"{self.shape.text} would be {given:,}",
                "one of the numbers may be `rest`",
            )
        return self.shape

    def sight(self, x: Shape) -> tuple[Sight, ...] | None:
        return _seen(x, self.output(x))


@kind("reshape_like", principal="branches")
class ReshapeLike(Like):
    """The elements of the first of two branches at the size of the second, the channels being what
    is left over: tokens laid out as the map they came from. Free."""

    examples = (
        Example("{reshape_like: [input, input]}", Shape(64, (13, 17)), Shape(64, (13, 17))),
        Example(
            "{reshape_like: {tokens: [{reshape: {channels: 48, size: [rest]}}], map: []}}",
            Shape(48, (36, 38)),
            Shape(48, (36, 38)),
        ),
    )

    def output(self, x: tuple[Shape, ...]) -> Shape:
        tokens, like = x
        channels, over = divmod(tokens.elements, prod(like.size))
        if over:
            raise Refusal(
                "CC304",
                f"reshape_like: {tokens.text} is {tokens.elements:,} elements, "
                f"not a multiple of {size_text(like.size)}",
            )
        return Shape(channels, like.size)

    def sight(self, x: tuple[Shape, ...]) -> tuple[Sight, ...] | None:
        return _seen(x[0], self.output(x))


# Outer axes may come from the channels, as heads do, or go to them; of positions that are made anew
# nobody knows where on the input they lie.
def _seen(x: Shape, output: Shape) -> tuple[Sight, ...] | None:
    before, after = _long(x.size), _long(output.size)
    if after[len(after) - len(before) :] == before:
        return None
    gone = len(before) - len(after)
    if before[gone:] != after:
        return EVERYWHERE
    return tuple(
        Sight() if n == 1 or len(_long(x.size[:axis])) >= gone else all_of(n)
        for axis, n in enumerate(x.size)
    )


def _long(size: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in size if n > 1)
