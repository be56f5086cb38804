"""What a convolution would cost behind a 1x1 that leaves it fewer channels."""

from math import prod
from typing import Any, NamedTuple

from convcost.costs import Costs, inputs_of
from convcost.layers.conv import Conv
from convcost.questions.reduce.break_even import BreakEven
from convcost.shapes import Shape
from convcost.window import spread
from convcost.work import NOTHING, Work

OTHERS = {"depthwise": "is a depthwise", "transposed_conv": "is a transposed conv"}


class Width(NamedTuple):
    """How many channels a 1x1 leaves: a count, or `part`/`whole` of those that come in."""

    part: int
    whole: int = 0

    def of(self, channels: int) -> int:
        """The whole number of channels, cut; may be 0."""
        return channels * self.part // self.whole if self.whole else self.part

    def fits(self, channels: int) -> bool:
        """Whether it leaves some of the channels, and no more than there are."""
        return 0 < self.of(channels) <= channels

    @property
    def least(self) -> int:
        """How many channels have to come in for it to fit."""
        return -(-self.whole // self.part) if self.whole else self.part

    @property
    def text(self) -> str:
        """As an expression of the spec language."""
        if not self.whole:
            return str(self.part)
        return f"{f'{self.part} * ' * (self.part > 1)}in_channels // {self.whole}"

    @property
    def asked(self) -> str:
        return f"{self.part}/{self.whole}" if self.whole else str(self.part)


class Candidate(NamedTuple):
    """A convolution that a 1x1 can stand before: its window is larger than 1, its input deep."""

    step: int
    path: str
    layer: Conv
    x: Shape
    output: Shape
    kernel: tuple[int, ...]


class Form(NamedTuple):
    """The same convolution behind a 1x1 to `channels`, and with `expand` before one back."""

    channels: int
    expand: bool
    weights: Work
    biases: Work
    macs: Work

    @property
    def params(self) -> int:
        return self.weights.value + self.biases.value


def candidates(costs: Costs) -> tuple[tuple[Candidate, ...], tuple[tuple[str, str], ...]]:
    """What can be reduced, and (path, reason) of each convolution that cannot."""
    steps = costs.network.steps
    lending = {step.shared for step in steps if step.shared is not None}
    found, left = [], []
    for index, step in enumerate(steps):
        x = inputs_of(costs.network, step)[0]
        if not isinstance(step.layer, Conv):
            if step.layer.name in OTHERS:
                left.append((step.path, OTHERS[step.layer.name]))
            continue
        kernel = spread(step.layer.kernel, len(x.size), "kernel")
        shares = step.shared is not None or index in lending
        reason = _unfit(step.layer, x, max(kernel), shares=shares)
        if reason:
            left.append((step.path, reason))
        else:
            found.append(Candidate(index, step.path, step.layer, x, step.shape, kernel))
    return tuple(found), tuple(left)


def _unfit(layer: Conv, x: Shape, window: int, *, shares: bool) -> str:
    if window == 1:
        return "is a 1x1"
    if layer.groups != 1:
        return "has groups"
    if shares:
        return "shares its weights"
    return "has one input channel" if x.channels == 1 else ""


def form(candidate: Candidate, channels: int, *, expand: bool = False) -> Form:
    """The layers that would stand in its place, counted by their own kind."""
    weights = biases = macs = NOTHING
    x = candidate.x
    for layer in layers(candidate.layer, channels, expand=expand):
        weights = weights.plus(layer.weights(x))
        biases = biases.plus(layer.biases(x))
        macs = macs.plus(layer.macs(x))
        x = layer.output(x)
    return Form(channels, expand, weights, biases, macs)


def layers(layer: Conv, channels: int, *, expand: bool) -> tuple[Conv, ...]:
    """1x1 to `channels`, then the layer; with `expand` it keeps them, and a 1x1 widens again."""
    reduce = pointwise(layer, channels)
    if not expand:
        return reduce, layer
    return reduce, remade(layer, filters=channels), pointwise(layer, layer.filters)


def pointwise(layer: Conv, filters: int) -> Conv:
    """A 1x1 convolution, with a bias where the layer has one."""
    return remade(layer, filters=filters, kernel=1, stride=1, padding=0, dilation=1, groups=1)


def remade(layer: Conv, **options: Any) -> Conv:
    """The same layer with other options."""
    own = {known.name: getattr(layer, known.field) for known in Conv.options.values()}
    return Conv(**{**own, **options})


def break_even(candidate: Candidate, *, macs: bool, expand: bool) -> BreakEven:
    """The width at which weights, or macs, are those of the convolution as it stands."""
    come, go = (prod(candidate.x.size), prod(candidate.output.size)) if macs else (1, 1)
    window, channels, filters = (
        prod(candidate.kernel),
        candidate.x.channels,
        candidate.layer.filters,
    )
    naive = window * channels * filters * go
    if expand:
        return BreakEven(window * go, channels * come + filters * go, naive)
    return BreakEven(0, channels * come + window * filters * go, naive)
