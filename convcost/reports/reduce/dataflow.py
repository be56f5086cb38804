"""Where the layers of a network are: in its dataflow, and in the text of its spec."""

from collections import Counter
from itertools import takewhile
from typing import Any

from convcost.layers.conv import Conv
from convcost.model.axes import per_axis
from convcost.model.costs import inputs_of
from convcost.model.errors import ConstraintError, Span
from convcost.model.network import Network, path_prefixes
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape


class Followers(NamedTuple):
    """The elementwise layers after a layer. `ends` are the other layers that use its output or an
    output of theirs."""

    elementwise: list[int]
    ends: list[int]


class Dataflow:
    """A network, searched from a layer towards the output; layers are indices of steps."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.steps = network.steps
        self.users: dict[int, list[int]] = {}
        for index, step in enumerate(network.steps):
            for source in step.inputs:
                self.users.setdefault(source, []).append(index)
        self._owners = {step.shared for step in network.steps if step.shared is not None}

    def input(self, index: int) -> Shape:
        """The first input shape of a layer."""
        return inputs_of(self.network, self.steps[index])[0]

    def conv(self, index: int) -> Conv:
        """The layer of a step that is a convolution."""
        layer = self.steps[index].layer
        assert isinstance(layer, Conv)
        return layer

    def kernel(self, index: int) -> tuple[int, ...]:
        """A convolution's window, for each axis; empty for other layers."""
        layer = self.steps[index].layer
        if not isinstance(layer, Conv):
            return ()
        return per_axis(layer.kernel, len(self.input(index).size), "kernel")

    def shares_weights(self, index: int) -> bool:
        """Whether a layer uses the weights of another layer, or another layer uses its weights."""
        return self.steps[index].shared is not None or index in self._owners

    def fixed_weights(self, index: int) -> str:
        """The reason why the weights of a convolution cannot be replaced; empty if they can."""
        step = self.steps[index]
        if self.shares_weights(index):
            return "shares its weights"
        if self.conv(index).connections:
            return "has connections"
        if self.conv(index).buffer:
            return "has buffers as weights, so they cannot change"
        if step.frozen:
            return "is frozen, so its weights cannot change"
        if step.density is not None:
            return "is pruned"
        return "is part of an expert" if step.copies.stored > 1 else ""

    def exits(self, steps: frozenset[int]) -> list[int]:
        """The layers of `steps` whose output is used by other layers, or is that of the network."""
        return [
            step
            for step in sorted(steps)
            if step == self.network.last or not steps.issuperset(self.users.get(step, ()))
        ]

    def entries(self, steps: frozenset[int]) -> list[int]:
        """The layers of `steps` that use the output of a layer that is not in `steps`, or an
        input."""
        return [step for step in sorted(steps) if not steps.issuperset(self.steps[step].inputs)]

    def is_elementwise(self, index: int) -> bool:
        """Whether each output element depends only on the input at its position, for any number of
        channels."""
        step = self.steps[index]
        layer: Any = step.layer
        x = self.input(index)
        if len(step.inputs) != 1 or self.shares_weights(index):
            return False
        if not layer.is_positionwise(layer.select_inputs((x,))):
            return False
        # A norm belongs to the convolution before it, even one over all channels.
        if layer.mixes_channels and not layer.is_norm:
            return False
        wider = Shape(2 * x.channels, x.size)
        try:
            return bool(layer.output(wider) == wider)
        except ConstraintError:  # its options fix the channels
            return False

    def find_followers(self, index: int) -> Followers:
        """The layers after a layer, up to the next ones that are not elementwise."""
        followers: list[int] = []
        ends: set[int] = set()
        waiting = [index]
        while waiting:
            for user in self.users.get(waiting.pop(), ()):
                # A layer whose output is not used is a head for training: it counts as an end.
                used = user in self.users or user == self.network.last
                if used and self.is_elementwise(user):
                    followers.append(user)
                    waiting.append(user)
                else:
                    ends.add(user)
        return Followers(followers, sorted(ends))


class SpecItem(NamedTuple):
    """An item of a list of layers, at one path. An item of a block has one path for each call.

    `span` is that of the word that names its kind or block; `steps` are the layers that the
    item expands to at this path.
    """

    span: Span
    path: str
    steps: frozenset[int]


class SpecItems:
    """The items of a network by path (`by_path`), and by their span in the spec (`by_span`)."""

    def __init__(self, network: Network) -> None:
        self.network = network
        steps: dict[str, list[int]] = {}
        for index, step in enumerate(network.steps):
            for path in path_prefixes(step.path):
                steps.setdefault(path, []).append(index)
        self.by_path: dict[str, SpecItem] = {}
        self.by_span: dict[Span, list[SpecItem]] = {}
        origins = {step.path: step.origin for step in network.steps}
        origins |= {group.path: group.origin for group in network.groups if group.kind != "branch"}
        for path, origin in origins.items():
            item = SpecItem(origin.span, path, frozenset(steps.get(path, ())))
            self.by_path[path] = item
            self.by_span.setdefault(origin.span, []).append(item)

    def items_around(self, step: int) -> list[SpecItem]:
        """The items that a step is in, the innermost first."""
        paths = [*path_prefixes(self.network.steps[step].path)]
        return [self.by_path[path] for path in reversed(paths) if path in self.by_path]

    @property
    def copies(self) -> dict[tuple[int, int], int]:
        """How many copies each item has in its list, by its line and column."""
        return {
            (span.line, span.column): max(
                Counter(item.path.rpartition("/")[0] for item in alike).values()
            )
            for span, alike in self.by_span.items()
        }

    def item_in_list(self, step: int, folder: str) -> SpecItem | None:
        """The item that a step is in, of the list at a path; the path of the network's own list is
        empty."""
        around = self.items_around(step)
        return next((item for item in around if item.path.rpartition("/")[0] == folder), None)

    def common_list(self, steps: list[int]) -> str:
        """The path of the innermost list that all of the steps are in."""
        folders = [self.network.steps[step].path.split("/")[:-1] for step in steps]
        levels = zip(*folders, strict=False)
        return "/".join(names[0] for names in takewhile(lambda names: len(set(names)) == 1, levels))


def is_under(path: str, folder: str) -> bool:
    """Whether a path is `folder`, or is inside it."""
    return path == folder or path.startswith(f"{folder}/")
