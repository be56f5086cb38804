"""Who takes what a layer hands on, and what on the way leaves every number at its place."""

from typing import Any

from convcost.costs import inputs_of
from convcost.errors import Refusal
from convcost.network import Network, Step
from convcost.shapes import Shape

# Of one shape, but each output is of several channels.
MIXING = ("softmax", "log_softmax", "channel_shuffle", "l2_norm")


class Flow:
    """A network, read from a layer towards its output."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.steps = network.steps
        self.users: dict[int, list[int]] = {}
        for index, step in enumerate(network.steps):
            for source in step.inputs:
                self.users.setdefault(source, []).append(index)
        self.lending = {step.shared for step in network.steps if step.shared is not None}

    def taken(self, step: Step) -> Shape:
        """The shape that comes in, of a layer with one input."""
        return inputs_of(self.network, step)[0]

    def shares(self, index: int) -> bool:
        """Whether a layer's weights are another's, or another uses its own."""
        return self.steps[index].shared is not None or index in self.lending

    def exits(self, steps: frozenset[int]) -> list[int]:
        """Those of some layers whose output is taken outside of them."""
        return [
            step
            for step in sorted(steps)
            if step == self.network.last
            or any(user not in steps for user in self.users.get(step, ()))
        ]

    def entries(self, steps: frozenset[int]) -> list[int]:
        """Those of some layers that take what comes from outside of them."""
        return [
            step
            for step in sorted(steps)
            if any(source not in steps for source in self.steps[step].inputs)
        ]

    def is_elementwise(self, index: int) -> bool:
        """Whether a layer keeps each number at its place, however many channels there are."""
        step = self.steps[index]
        x = inputs_of(self.network, step)
        if len(x) != 1 or step.layer.many or step.layer.stated or self.shares(index):
            return False
        if step.layer.name in MIXING:
            return False
        wider = Shape(2 * x[0].channels, x[0].size)
        layer: Any = step.layer
        if layer.output(x[0]) != x[0] or layer.sight(x[0]):
            return False
        try:
            return bool(layer.output(wider) == wider)
        except Refusal:  # it is bound to its channels
            return False

    def followed(self, index: int) -> tuple[list[int], list[int]]:
        """The elementwise layers behind a step, and those that take what they hand on."""
        followers: list[int] = []
        ends: dict[int, None] = {}
        waiting = [index]
        while waiting:
            for user in self.users.get(waiting.pop(), ()):
                # What nobody takes is an end of its own, a head that only training has.
                taken = user in self.users or user == self.network.last
                if taken and self.is_elementwise(user):
                    followers.append(user)
                    waiting.append(user)
                else:
                    ends[user] = None
        return followers, sorted(ends)
