"""Receptive fields along one axis, exact through any chain of layers.

The receptive field of an output element is the interval of input elements that it depends on. After
convolutions and pools, all intervals have the same length. After an upsampling they may differ:
with factor 2, two neighbours may depend on the same input. So a field stores one interval for each
output of a period. Output q·P + r depends on the inputs from q·Q + first[r] to q·Q + last[r], where
P is `period` and Q is `advance`. A convolution has P = 1 and Q = stride, an upsampling by 2 has P =
2 and Q = 1.
"""

from functools import lru_cache
from math import gcd, lcm
from operator import le
from typing import Any

from convcost.model.record import NamedTuple

MAX_PERIOD = 512  # outputs after which the intervals repeat
MAX_INPUTS = 1 << 14  # inputs of all outputs of a period together
MAX_INTERVALS = 1 << 17  # intervals of a whole network; with more, fields are upper bounds
UNIT = 1 << 20  # positions of an upper bound are in 1/UNIT of an input
EMPTY = (1, 0)  # first and last of an empty interval


class ReceptiveField(NamedTuple):
    """Intervals of inputs along one axis; one with `first` after `last` is empty.

    In the interval of a single layer, only every `dilation`-th input matters.

    A field whose exact intervals would exceed MAX_PERIOD, MAX_INPUTS or MAX_INTERVALS is not
    `exact`: it is an upper bound. Then output o depends at most on the inputs from o·Q/P + first[0]
    to o·Q/P + last[0], both in 1/UNIT of an input.

    After a layer such as causal attention, the intervals are those of the output `longest` only.
    Those of the others are parts of them.
    """

    period: int = 1
    advance: int = 1
    first: tuple[int, ...] = (0,)
    last: tuple[int, ...] = (0,)
    dilation: int = 1
    exact: bool = True
    longest: int | None = None

    @property
    def extent(self) -> int:
        """The length of the longest interval, in inputs."""
        if not self.exact:
            return (self.last[0] - self.first[0]) // UNIT + 1
        if len(self.first) == 1:
            return self.last[0] - self.first[0] + 1
        return max(b - a for a, b in zip(self.first, self.last, strict=True)) + 1

    @property
    def step(self) -> Any:
        """The distance of the intervals of neighbouring outputs: an int, or a Fraction."""
        if self.advance % self.period == 0:
            return self.advance // self.period
        from fractions import Fraction

        return Fraction(self.advance, self.period)

    def broadcast(self) -> "ReceptiveField":
        """The field of outputs that are all the first one."""
        first, last = self.first[:1], self.last[:1]
        return self._replace(period=1, advance=0, first=first, last=last, longest=None)

    def last_reader(self, position: int, outputs: int) -> int | None:
        """The last of `outputs` outputs that depends on an input position; None if none does. The
        advance is not 0."""
        period, advance, first, last, dilation, *_ = self
        common = gcd(advance, dilation)
        spacing = int(dilation // common)  # a modulus of `pow` cannot be symbolic
        inverse = pow(advance // common, -1, spacing) if spacing > 1 else 0
        readers = []
        for phase, (low, high) in enumerate(zip(first, last, strict=True)):
            run = min((position - low) // advance, (outputs - 1 - phase) // period)
            run -= (run - (position - low) // common * inverse) % spacing
            reads = run >= 0 and low + run * advance <= position <= high + run * advance
            if reads and (position - low) % common == 0:
                readers.append(phase + run * period)
        return max(readers, default=None)


def window_field(begin: int, span: int, stride: int, dilation: int = 1) -> ReceptiveField:
    """The field of a window: every `dilation`-th input from o·stride − begin to
    o·stride − begin + span."""
    return ReceptiveField(1, stride, (-begin,), (span - begin,), dilation)


def whole_axis(n: int, longest: int | None = None) -> ReceptiveField:
    """The field of outputs that depend on all n inputs, or of which only `longest` does."""
    return ReceptiveField(1, 0, (0,), (n - 1,), longest=longest)


# Of a tensor that depends on no input of the network, such as a learned one.
NO_INPUT = ReceptiveField(1, 0, EMPTY[:1], EMPTY[1:])
# Of a layer that mixes positions, such as some reshapes: an output may depend on any input.
ANY_POSITION: tuple[ReceptiveField, ...] = ()


def transposed_window_field(begin: int, kernel: int, stride: int, dilation: int) -> ReceptiveField:
    """The field of a transposed window: output o depends on every input i for which an element t of
    the kernel, 0 ≤ t < kernel, has i·stride + t·dilation = o + begin.

    For one o, these t have equal distances, stride / gcd(dilation, stride). The smallest t has the
    largest i.
    """
    if stride > MAX_PERIOD:
        low, high = (begin - dilation * (kernel - 1)) * UNIT, begin * UNIT
        return ReceptiveField(stride, 1, (low // stride,), (-(-high // stride),), exact=False)
    common = gcd(dilation, stride)
    spacing = int(stride // common)  # a modulus of `pow` cannot be symbolic
    inverse = pow(dilation // common, -1, spacing) if spacing > 1 else 0
    intervals = []
    for o in range(stride):
        place = o + begin
        least = place // common * inverse % spacing
        if place % common or least >= kernel:
            intervals.append(EMPTY)
            continue
        most = least + (kernel - 1 - least) // spacing * spacing
        intervals.append(
            ((place - most * dilation) // stride, (place - least * dilation) // stride)
        )
    first, last = zip(*intervals, strict=True)
    return ReceptiveField(stride, 1, first, last, dilation // common)


def resize_field(n: int, o: int, before: int = 0, after: int = 0) -> ReceptiveField:
    """The field of a resize from n elements to o: the input at the same position, and `before` and
    `after` elements around it."""
    common = gcd(n, o)
    period, advance = o // common, n // common
    if period > MAX_PERIOD:  # the place is rounded down, by less than one
        low = UNIT // period - (before + 1) * UNIT
        return ReceptiveField(period, advance, (low,), (after * UNIT,), exact=False)
    places = [r * advance // period for r in range(period)]
    return ReceptiveField(
        period, advance, tuple(p - before for p in places), tuple(p + after for p in places)
    )


def compose(field: ReceptiveField, layer: ReceptiveField) -> ReceptiveField:
    """The field after a layer with the field `layer`, whose input has `field`."""
    period, advance, first, last, _, exact, _ = field
    exact = exact and layer.exact
    if exact and period == 1 == layer.period and first <= last:
        return ReceptiveField(
            1,
            advance * layer.advance,
            (first[0] + advance * layer.first[0],),
            (last[0] + advance * layer.last[0],),
        )
    # Intervals repeat when the inputs of the layer have passed whole periods of the field.
    common = gcd(layer.advance, period)
    repeats = period // common
    full_period = repeats * layer.period
    if not exact or full_period > MAX_PERIOD:
        return compose_bounds(field, layer)
    # After a transposed window, the intervals of the outermost inputs may be empty, or may not be
    # the outermost intervals. Then compare as many inputs from each end as a period has.
    from_ends = 1 if _is_monotonic(field) else period // gcd(period, layer.dilation)
    if full_period * min(from_ends, layer.extent // layer.dilation + 1) > MAX_INPUTS:
        return compose_bounds(field, layer)
    intervals = []
    for r in range(full_period):
        run, phase = divmod(r, layer.period)
        low = run * layer.advance + layer.first[phase]
        high = run * layer.advance + layer.last[phase]
        inputs = range(low, high + 1, layer.dilation)
        lows, highs = (
            [
                edge[i % period] + i // period * advance
                for i in outermost
                if first[i % period] <= last[i % period]
            ]
            for edge, outermost in ((first, inputs[:from_ends]), (last, inputs[-from_ends:]))
        )
        intervals.append((min(lows), max(highs)) if lows else EMPTY)
    lowest, highest = zip(*intervals, strict=True)
    return ReceptiveField(full_period, layer.advance // common * advance, lowest, highest)


def after_longest(
    composed: ReceptiveField, field: ReceptiveField, layer: ReceptiveField, outputs: int
) -> ReceptiveField:
    """The field `composed` of a layer with so many outputs, whose input has `field`. If no output
    depends on the longest interval of `field`, it is an upper bound."""
    if field.longest is None or layer.advance == 0 or not composed.exact:
        return composed._replace(longest=layer.longest)
    if (reader := layer.last_reader(field.longest, outputs)) is None:
        return compose_bounds(composed, ReceptiveField())
    return composed._replace(longest=reader)


def join(
    fields: list[ReceptiveField], outputs: int, max_period: int, *, one_branch: bool
) -> ReceptiveField:
    """The field of a join: for each output, the smallest interval around those of all branches. A
    field with a period above `max_period` becomes an upper bound.

    Branches whose outputs advance by different steps have a field without a period: it is the
    largest field if this contains the others at each of the outputs, else an upper bound. With
    `one_branch`, each output depends on one of them. Then it is always an upper bound, because a
    layer after the join can read outputs of some branches only.
    """
    first = fields[0]
    if all(field == first for field in fields):
        return first
    longest = {field.longest for field in fields if field.longest is not None}
    if longest and all(field[:-1] == first[:-1] for field in fields):
        # In a sum, a branch that gives the whole axis to all outputs decides; else another one.
        return next((field for field in fields if (field.longest is None) != one_branch), first)
    period = lcm(*(field.period for field in fields))
    advances = {field.advance * (period // field.period) for field in fields}
    if one_branch or len(advances) > 1 or len(longest) > 1:
        largest = max(fields, key=lambda field: (field.extent, field.step))
        if not one_branch and all(
            _contains(largest, field, outputs, max_period) for field in fields
        ):
            return largest
        return upper_bound(largest, fields, outputs)
    if not all(field.exact for field in fields) or period > max_period:
        lows, highs = zip(*map(_bounds, fields), strict=True)
        return ReceptiveField(first.period, first.advance, (min(lows),), (max(highs),), exact=False)
    intervals = []
    for r in range(period):
        branch_intervals = [_interval(field, r) for field in fields]
        occupied = [(low, high) for low, high in branch_intervals if low <= high]
        lows, highs = zip(*(occupied or [EMPTY]), strict=True)
        intervals.append((min(lows), max(highs)))
    lowest, highest = zip(*intervals, strict=True)
    return ReceptiveField(
        period, advances.pop(), lowest, highest, longest=next(iter(longest), None)
    )


def _contains(field: ReceptiveField, other: ReceptiveField, outputs: int, max_period: int) -> bool:
    """Whether `field` has at each of the outputs all inputs that `other` has there; False also for
    fields without exact intervals.

    The outputs whose phases are equal have intervals on a line, so the first and the last of them
    decide.
    """
    period = lcm(field.period, other.period)
    if not field.exact or not other.exact or period > max_period:
        return False
    for phase in range(min(period, outputs)):
        for output in (phase, phase + (outputs - 1 - phase) // period * period):
            low, high = _interval(other, output)
            own_low, own_high = _interval(field, output)
            if low <= high and not own_low <= low <= high <= own_high:
                return False
    return True


def upper_bound(
    field: ReceptiveField, others: list[ReceptiveField], outputs: int
) -> ReceptiveField:
    """A field with the step of `field` that contains the intervals of all others at each output. It
    is exact if there is a single output and the others are exact."""
    if outputs == 1 and all(other.exact for other in others):
        starts, ends = zip(*(_interval(other, 0) for other in others), strict=True)
        return ReceptiveField(1, 0, (min(starts),), (max(ends),))
    lows, highs = [], []
    for other in others:
        # A field moves by advance / period inputs from one output to the next. If this differs from
        # `field`, the interval of the last output is shifted by drift / divisor, in 1/UNIT inputs.
        drift = (outputs - 1) * UNIT * (other.advance * field.period - field.advance * other.period)
        divisor = other.period * field.period
        low, high = _bounds(other)
        lows.append(low + min(drift // divisor, 0))
        highs.append(high + max(-(-drift // divisor), 0))
    return ReceptiveField(field.period, field.advance, (min(lows),), (max(highs),), exact=False)


def _interval(field: ReceptiveField, output: int) -> tuple[int, int]:
    """The inputs that an output depends on."""
    run, phase = divmod(output, field.period)
    return field.first[phase] + run * field.advance, field.last[phase] + run * field.advance


def compose_bounds(field: ReceptiveField, layer: ReceptiveField) -> ReceptiveField:
    """Like `compose`, with an upper bound in place of the exact intervals of a period."""
    first, last = _bounds(field)
    low, high = _bounds(layer)
    period, advance = field.period * layer.period, field.advance * layer.advance
    common = gcd(period, advance)
    return ReceptiveField(
        period // common,
        advance // common,
        (first + low * field.advance // field.period,),
        (last - -high * field.advance // field.period,),
        exact=False,
    )


def _bounds(field: ReceptiveField) -> tuple[int, int]:
    """The farthest input before and after the place of any output, in 1/UNIT of an input."""
    if not field.exact:
        return field.first[0], field.last[0]
    # The hash of a symbolic number would add a condition to a traced formula.
    numbers = field.period, field.advance, field.dilation, *field.first, *field.last
    return _known_bounds(field) if {*map(type, numbers)} == {int} else _exact_bounds(field)


def _exact_bounds(field: ReceptiveField) -> tuple[int, int]:
    period, advance, first, last, *_ = field
    occupied = [r for r in range(period) if first[r] <= last[r]]
    lows = [first[r] * UNIT - -(-r * advance * UNIT // period) for r in occupied]
    highs = [last[r] * UNIT - r * advance * UNIT // period for r in occupied]
    return min(lows, default=0), max(highs, default=-1)


_known_bounds = lru_cache(maxsize=64)(_exact_bounds)  # layers of a long chain are mostly equal


def _is_monotonic(field: ReceptiveField) -> bool:
    """Whether no interval is empty, and none starts or ends before that of the output before."""
    _, advance, first, last, *_ = field
    return all(map(le, first, last)) and all(
        all(map(le, places, (*places[1:], places[0] + advance))) for places in (first, last)
    )
