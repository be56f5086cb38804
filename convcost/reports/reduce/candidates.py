"""What a convolution costs after a 1x1 that reduces its input channels.

If the 1x1 has r* channels, both together cost as much as the convolution alone.

Naive: k²·Cin·Cout. With a 1x1 to r channels before it: r·Cin + k²·r·Cout, so r* = k²·Cin·Cout /
(Cin + k²·Cout). With a 1x1 from r back to Cout after it: r·Cin + k²·r² + r·Cout, and r* is a root.
Biases are not counted. For macs, each weight counts once per output position.
"""

import re
from fractions import Fraction
from math import isqrt, prod

from convcost.layers.conv import Conv
from convcost.model.cost_product import NOTHING, CostProduct
from convcost.model.errors import UsageError
from convcost.model.network import Network
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.reports.reduce.dataflow import Dataflow

OTHER_CONVOLUTIONS = {
    "depthwise": "is a depthwise convolution", "transposed_conv": "is a transposed convolution",
}  # fmt: skip


class Width(NamedTuple):
    """The output channels of a 1x1: a count, or `part`/`whole` of the input channels."""

    part: int
    whole: int = 0

    @classmethod
    def parse(cls, text: str) -> "Width":
        """Parses `64` or `1/4`. Raises UsageError."""
        match = re.fullmatch(r"\s*([1-9][0-9]{0,8})(?:/([1-9][0-9]{0,8}))?\s*", text)
        if match is None or (match[2] and int(match[1]) >= int(match[2])):
            raise UsageError(
                "a width must be a number or a fraction of the channels, like 64 or 1/4, "
                f"not `{text}`"
            )
        return cls(int(match[1]), int(match[2] or 0))

    def width_for(self, channels: int) -> int:
        """The number of channels, truncated; it may be 0."""
        return channels * self.part // self.whole if self.whole else self.part

    def fits(self, channels: int) -> bool:
        """Whether the width is at least 1, and at most the number of channels."""
        return 0 < self.width_for(channels) <= channels

    @property
    def least_channels(self) -> int:
        """The fewest input channels that the width fits."""
        return -(-self.whole // self.part) if self.whole else self.part

    @property
    def expression(self) -> str:
        """The width as an expression of the spec language."""
        if not self.whole:
            return str(self.part)
        factor = f"{self.part} * " if self.part > 1 else ""
        return f"{factor}in_channels // {self.whole}"


class BreakEven(NamedTuple):
    """The root r* ≥ 0 of square·r² + linear·r = naive."""

    square: int
    linear: int
    naive: int

    @property
    def most(self) -> int:
        """The largest whole width that costs less than the naive layer; 0 if there is none."""
        width = self._scaled_root(1)
        cost = self.square * width**2 + self.linear * width
        return width - (cost == self.naive)

    @property
    def text(self) -> str:
        """r* with two decimals, truncated."""
        hundredths = self._scaled_root(100)
        return f"{hundredths // 100:,}.{hundredths % 100:02d}"

    @property
    def exact(self) -> str:
        """r* as a fraction, `9216/61`, or as a root, `(√4321 − 320)/18`."""
        if not self.square:
            return str(Fraction(self.naive, self.linear))
        return f"(√{self._radicand} − {self.linear})/{2 * self.square}"

    @property
    def _radicand(self) -> int:
        return self.linear**2 + 4 * self.square * self.naive

    def _scaled_root(self, scale: int) -> int:
        """⌊scale · r*⌋, computed with integers only."""
        if not self.square:
            return self.naive * scale // self.linear
        return (isqrt(self._radicand * scale**2) - self.linear * scale) // (2 * self.square)


class ReducedCosts(NamedTuple):
    """The costs of a 1x1 and of the layers after it, for one sample."""

    weights: CostProduct
    macs: CostProduct
    biases: int


class ReducibleConv(NamedTuple):
    """A convolution that can get a 1x1 before it: a window larger than 1x1 on several channels."""

    step: int
    path: str
    layer: Conv
    x: Shape
    kernel: tuple[int, ...]

    def break_even(self, *, macs: bool, expand: bool) -> BreakEven:
        """The width at which the weights, or the macs, are those of the convolution alone."""
        output = self.layer.output(self.x)
        before, after = (prod(self.x.size), prod(output.size)) if macs else (1, 1)
        window, channels, filters = prod(self.kernel), self.x.channels, self.layer.filters
        naive = window * channels * filters * after
        if expand:
            return BreakEven(window * after, channels * before + filters * after, naive)
        return BreakEven(0, channels * before + window * filters * after, naive)

    def layers(self, channels: int, *, expand: bool) -> tuple[Conv, ...]:
        """A 1x1 to `channels`, and the convolution.

        With `expand`, the convolution has `channels` filters, and a second 1x1 restores the number
        of filters.
        """
        options = {"kernel": 1, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}
        reduce = self.layer.with_options(**options, filters=channels)
        if not expand:
            return reduce, self.layer
        window = self.layer.with_options(filters=channels)
        return reduce, window, self.layer.with_options(**options)

    def reduced_costs(self, channels: int, *, expand: bool) -> ReducedCosts:
        """The costs of all `layers` with a 1x1 to `channels`."""
        x, weights, macs, biases = self.x, NOTHING, NOTHING, 0
        for layer in self.layers(channels, expand=expand):
            weights, macs = weights.plus(layer.weights(x)), macs.plus(layer.macs(x))
            biases += layer.biases(x).value
            x = layer.output(x)
        return ReducedCosts(weights, macs, biases)


def find_candidates(
    network: Network,
) -> tuple[tuple[ReducibleConv, ...], tuple[tuple[str, str], ...]]:
    """The convolutions that can get a 1x1, and (path, reason) of each that cannot."""
    flow = Dataflow(network)
    candidates, left = [], []
    for index, step in enumerate(network.steps):
        reason = OTHER_CONVOLUTIONS.get(step.layer.name, "")
        if isinstance(step.layer, Conv):
            x, kernel = flow.input(index), flow.kernel(index)
            if max(kernel) == 1:
                reason = "is a 1x1"
            elif step.layer.groups != 1:
                reason = "has groups"
            elif x.channels == 1:
                reason = "has one input channel"
            elif not (reason := flow.fixed_weights(index)):
                candidates.append(ReducibleConv(index, step.path, step.layer, x, kernel))
        if reason:
            left.append((step.path, reason))
    return tuple(candidates), tuple(left)
