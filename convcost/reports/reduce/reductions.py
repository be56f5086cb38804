"""The 1x1 reductions of a network, and the network without them.

There are three forms. A reduction is a 1x1 that reduces the input channels of a larger convolution,
the window. A bottleneck has a second 1x1 after the window that increases the channels again. A
projection is a 1x1 that reduces the channels of a pool's output, before a concat.
"""

from typing import Any

from convcost.language.yaml_edit import SpecEditor
from convcost.layers.conv import Conv
from convcost.model.axes import per_axis
from convcost.model.costs import inputs_of
from convcost.model.errors import ConstraintError
from convcost.model.graph_edit import GraphEdit
from convcost.model.network import Network
from convcost.model.record import NamedTuple
from convcost.reports.reduce.dataflow import Dataflow, Followers, SpecItem, SpecItems, is_under


class Reduction(NamedTuple):
    """One reduction, by the indices of its steps.

    `removed` are the items that its removal deletes, that of the 1x1 first. `windows` are the
    convolutions that use the output of the 1x1; a projection has none. The first one, in
    `window_item`, is replaced by `window` if it gets the filters of the second 1x1, `expand`, or
    the stride of the first, `reduce`.
    """

    reduce: int
    removed: tuple[SpecItem, ...]
    windows: tuple[int, ...] = ()
    expand: int | None = None
    window_item: SpecItem | None = None
    window: Conv | None = None

    @property
    def form(self) -> str:
        """One of `reduction`, `bottleneck` and `projection`."""
        if not self.windows:
            return "projection"
        return "reduction" if self.expand is None else "bottleneck"


class NetworkReductions(NamedTuple):
    """The reductions of a network, and (path, reason) of each other 1x1 that reduces the
    channels."""

    network: Network
    reductions: tuple[Reduction, ...]
    left: tuple[tuple[str, str], ...]

    def change(self) -> GraphEdit:
        """The network without the reductions, as a change of its steps."""
        change: GraphEdit = {}
        for reduction in self.reductions:
            change.update({step: [] for item in reduction.removed for step in item.steps})
            if reduction.window is not None:
                change[reduction.windows[0]] = [("", reduction.window)]
        return change

    def edit(self, editor: SpecEditor) -> None:
        """Deletes the items of the reductions. Their windows get the filters of the second 1x1 and
        the stride of the first."""
        # Copies of a block have items at the same span, whose text is changed once.
        changed = {
            reduction.window_item.span: reduction
            for reduction in self.reductions
            if reduction.window_item
        }
        for span, reduction in changed.items():
            window = editor.item(span)
            if reduction.expand is not None:
                expand_item = next(
                    item for item in reduction.removed if reduction.expand in item.steps
                )
                filters = editor.item(expand_item.span).option_text("filters")
                editor.set_option(window, "filters", filters)
            stride = editor.item(reduction.removed[0].span).option_text("stride")
            if stride not in ("", "1"):
                window_stride = window.option_text("stride")
                both = stride if window_stride in ("", "1") else f"({stride}) * ({window_stride})"
                editor.set_option(window, "stride", both)
        spans = {item.span for reduction in self.reductions for item in reduction.removed}
        removed = [editor.item(span) for span in sorted(spans)]
        editor.keep_names(removed, SpecItems(self.network).copies, inserts=False)
        editor.remove(removed)


def find_reductions(
    network: Network, *, projections: bool = True, within: tuple[str, ...] = ()
) -> NetworkReductions:
    """All reductions, or those whose 1x1 is at or under a path of `within`.

    Reductions from the same place in the spec are found together.
    """
    finder = _Finder(network, projections=projections)
    reductions: list[Reduction] = []
    left: list[tuple[str, str]] = []
    requested: set[int] = set()
    for index, step in enumerate(network.steps):
        if not within or any(is_under(step.path, path) for path in within):
            requested.add(index)
        try:
            reductions += finder.find(index)
        except ConstraintError as error:
            if index in requested and finder.narrows(index):
                left.append((step.path, error.message))
    # A 1x1 that keeps the number of channels counts only if the same line of the spec reduces it in
    # another copy of the block.
    spans = {item.removed[0].span for item in reductions if item.reduce in requested}
    spans &= {item.removed[0].span for item in reductions if finder.narrows(item.reduce)}
    undone = tuple(item for item in reductions if item.removed[0].span in spans)
    return NetworkReductions(network, undone, tuple(left))


class _Finder:
    """Finds reductions, one step after the other."""

    def __init__(self, network: Network, *, projections: bool) -> None:
        self.network = network
        self.steps = network.steps
        self.projections = projections
        self.items = SpecItems(network)
        self.flow = Dataflow(network)

    def narrows(self, index: int) -> bool:
        """Whether a 1x1 has fewer filters than channels."""
        return self.flow.conv(index).filters < self.flow.input(index).channels

    def find(self, index: int) -> list[Reduction]:
        """The reductions whose 1x1 is this step.

        Raises ConstraintError for a 1x1 that cannot be removed, with the reason."""
        if not self._is_1x1(index):
            return []
        followers, ends = self.flow.find_followers(index)
        if not ends or self.network.last in (index, *followers):
            return []
        kinds = {self.steps[end].layer.name for end in ends}
        if kinds == {"conv"} and not all(map(self._is_1x1, ends)):
            self._check(index, ends)
            return [self._reduction(index, followers, ends)]
        if self.projections and kinds == {"concat"} and self._follows_pool(index):
            self._check(index, [])
            folder = self.items.common_list([index, self.steps[index].inputs[0]])
            return [Reduction(index, self._removed_items(index, folder, followers))]
        return []

    def _is_1x1(self, index: int) -> bool:
        return max(self.flow.kernel(index), default=0) == 1

    def _reduction(self, index: int, followers: list[int], ends: list[int]) -> Reduction:
        widened, expand = self._expansion(index, ends)
        folder = self.items.common_list([index, *expand, *ends])
        removed = self._removed_items(index, folder, followers)
        for step in expand:
            removed += self._removed_items(step, folder, widened)
        x = self.flow.input(index)
        strided = self.steps[index].shape.size != x.size
        if not expand and not strided:
            return Reduction(index, removed, tuple(ends))
        window_item = self.items.item_in_list(ends[0], folder)
        if window_item is None:
            raise ConstraintError(
                "CC004", "is in another list of layers than the larger convolution"
            )
        convs = self.flow.conv(index), self.flow.conv(ends[0])
        first, window_stride = (per_axis(conv.stride, len(x.size), "stride") for conv in convs)
        stride = tuple(step * other for step, other in zip(first, window_stride, strict=True))
        filters = self.flow.conv((expand or ends)[0]).filters
        window = convs[1].with_options(filters=filters, stride=stride)
        if strided and window.output(x).size != self.steps[ends[0]].shape.size:
            message = "has a stride that would change the output size of the larger convolution"
            raise ConstraintError("CC004", message)
        second = expand[0] if expand else None
        return Reduction(index, removed, tuple(ends), second, window_item, window)

    def _expansion(self, index: int, ends: list[int]) -> Followers:
        """The layers after the only window of a bottleneck; the end is the second 1x1. Empty if the
        1x1 and its ends are no bottleneck."""
        followers = self.flow.find_followers(ends[0])
        between, after = followers
        narrow = self.flow.conv(index).filters
        if (
            len(ends) == len(after) == 1
            and self.network.last not in (ends[0], *between)
            and self.flow.conv(ends[0]).filters == narrow
            and self._is_1x1(after[0])
            and self.flow.conv(after[0]).filters > narrow
            and not self._obstacle(after[0], [])
        ):
            return followers
        return Followers([], [])

    def _removed_items(self, index: int, folder: str, followers: list[int]) -> tuple[SpecItem, ...]:
        """The items that the removal of a 1x1 deletes: its own, and its followers in its list."""
        target = self.items.item_in_list(index, folder)
        others = () if target is None else target.steps - {index}
        are_elementwise = all(map(self.flow.is_elementwise, others))
        if target is None or not are_elementwise or len(self.flow.exits(target.steps)) > 1:
            raise ConstraintError("CC004", "is in a block with other layers")
        items = {target.path: target}
        for follower in followers:
            item = self.items.item_in_list(follower, folder)
            if item is not None and item.steps <= set(followers):
                items.setdefault(item.path, item)
        return tuple(items.values())

    def _check(self, index: int, ends: list[int]) -> None:
        if obstacle := self._obstacle(index, ends):
            raise ConstraintError("CC004", obstacle)

    def _obstacle(self, index: int, ends: list[int]) -> str:
        """The reason why a 1x1 cannot be removed, if there is one.

        Either the 1x1 does more than reduce the channels, or a window depends on more than its
        channels.
        """
        x, size = self.flow.input(index), self.steps[index].shape.size
        unpadded = self.flow.conv(index).with_options(padding=0).output(x).size
        if size != x.size and (size != unpadded or len(ends) != 1):
            return "changes the size of its input"
        if any(self.flow.conv(step).groups > 1 for step in (index, *ends)):
            return "has groups, or a convolution with groups uses its output"
        reasons = {step: self.flow.fixed_weights(step) for step in (index, *ends)}
        fixed = next((step for step, reason in reasons.items() if reason), None)
        if fixed is None or fixed == index:
            return reasons[index]
        return f"is before {self.steps[fixed].path}, which {reasons[fixed]}"

    def _follows_pool(self, index: int) -> bool:
        source = self.steps[index].inputs[0]
        if source < 0 or self.flow.users[source] != [index]:
            return False
        pool = self.steps[source]
        x = inputs_of(self.network, pool)
        layer: Any = pool.layer
        if len(x) > 1 or pool.shape != x[0]:
            return False
        return bool(layer.receptive_field(x[0])) and not layer.weights(x[0]).value
