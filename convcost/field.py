"""What an element sees: the interval of inputs behind every output, exact through any chain.

Where layers only shrink, all outputs see alike. Where one enlarges, neighbours see different
stretches in turn, so each turn is followed by itself: output q·P + r sees inputs q·Q + first[r] to
q·Q + last[r]. A convolution has P = 1, an upsampling by 2 has P = 2 and Q = 1.
"""

from math import gcd
from operator import le
from typing import Any, NamedTuple

MOST_TURNS = 512


class Sight(NamedTuple):
    """Along one axis: `turns` is P, `advance` is Q.

    Beyond MOST_TURNS they are no longer followed one by one: then `first` and `last` have one
    number only, and the extent is at most, not exactly, what is said.
    """

    turns: int = 1
    advance: int = 1
    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)

    @property
    def extent(self) -> int:
        """The most inputs from the first to the last that one output sees."""
        if len(self.first) == 1:
            return self.last[0] - self.first[0] + 1
        return max(b - a for a, b in zip(self.first, self.last, strict=True)) + 1

    @property
    def step(self) -> Any:
        """How far apart two neighbouring outputs see: an int, or a Fraction where it is not."""
        if self.advance % self.turns == 0:
            return self.advance // self.turns
        from fractions import Fraction

        return Fraction(self.advance, self.turns)


def sliding(begin: int, span: int, stride: int) -> Sight:
    """A window: output o sees o·stride − begin to o·stride − begin + span."""
    return Sight(1, stride, (-begin,), (span - begin,))


def all_of(n: int) -> Sight:
    """Every output sees the whole of an axis of n."""
    return Sight(1, 0, (0,), (n - 1,))


# Of a layer that moves elements about so that the axes are no longer the input's: any output may
# see all of the input.
EVERYWHERE: tuple[Sight, ...] = ()


def spreading(begin: int, kernel: int, stride: int, dilation: int) -> Sight:
    """A transposed window: output o sees every i with i·stride + t·dilation = o + begin.

    The t of one o are a whole number of `apart` from each other; the smallest sees furthest.
    """
    if stride > MOST_TURNS:
        return Sight(stride, 1, (0,), (-(-dilation * (kernel - 1) // stride),))
    common = gcd(dilation, stride)
    apart = stride // common
    inverse = pow(dilation // common, -1, apart) if apart > 1 else 0
    first, last = [], []
    for o in range(stride):
        place = o + begin
        least = place // common * inverse % apart
        if place % common or least >= kernel:
            first.append(place // stride)  # nothing is behind this one
            last.append(place // stride)
            continue
        most = least + (kernel - 1 - least) // apart * apart
        first.append((place - most * dilation) // stride)
        last.append((place - least * dilation) // stride)
    return Sight(stride, 1, tuple(first), tuple(last))


def scaling(n: int, o: int, before: int = 0, after: int = 0) -> Sight:
    """From n elements to o: each sees the one at its place, some `before` and some `after` it."""
    common = gcd(n, o)
    turns, advance = o // common, n // common
    if turns > MOST_TURNS:
        return Sight(turns, advance, (-before,), (after,))
    places = [r * advance // turns for r in range(turns)]
    return Sight(
        turns, advance, tuple(p - before for p in places), tuple(p + after for p in places)
    )


def through(field: Sight, layer: Sight) -> Sight:
    """What is seen by an output that sees `layer` of an input that sees `field`."""
    turns, advance, first, last = field
    if turns == 1 and layer.turns == 1:
        return Sight(
            1,
            advance * layer.advance,
            (first[0] + advance * layer.first[0],),
            (last[0] + advance * layer.last[0],),
        )
    # Output q·p + r starts where the layer's inputs have run through whole turns of the field.
    common = gcd(layer.advance, turns)
    again = turns // common
    all_turns, all_advance = again * layer.turns, layer.advance // common * advance
    followed = len(first) == turns and len(layer.first) == layer.turns
    if not followed or all_turns > MOST_TURNS:
        spanned = -(-layer.extent * advance // turns)
        return Sight(all_turns, all_advance, (0,), (field.extent - 1 + spanned,))
    # Behind a dilated transposed window a neighbour may see further back than the one before it:
    # then all that stand between the ends are asked, of whom not all need be seen.
    between = not (_steady(first, advance) and _steady(last, advance))
    lows, highs = [], []
    for r in range(all_turns):
        run, turn = divmod(r, layer.turns)
        low = run * layer.advance + layer.first[turn]
        high = run * layer.advance + layer.last[turn]
        ahead = range(low, min(high + 1, low + turns) if between else low + 1)
        behind = range(max(low, high + 1 - turns) if between else high, high + 1)
        lows.append(min([i // turns * advance + first[i % turns] for i in ahead]))
        highs.append(max([i // turns * advance + last[i % turns] for i in behind]))
    return Sight(all_turns, all_advance, tuple(lows), tuple(highs))


def _steady(places: tuple[int, ...], advance: int) -> bool:
    """Whether no output sees further back than the one before it."""
    return all(map(le, places, (*places[1:], places[0] + advance)))
