"""Where a network has 1x1 reductions, and what it is without them.

Three forms are known. A reduction is a 1x1 that leaves a larger window fewer channels. With a 1x1
after it that widens what the window kept, it is a bottleneck. A projection is a 1x1 that leaves
fewer channels of what a pool hands on to a concat.
"""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from convcost.costs import inputs_of
from convcost.errors import Place, Refusal
from convcost.layers.conv import Conv
from convcost.network import Network
from convcost.questions.reduce.flow import Flow
from convcost.questions.reduce.narrow import remade
from convcost.questions.reduce.sites import Site, Sites, common_folder
from convcost.rewire import Rewiring
from convcost.window import spread


class Reduction(NamedTuple):
    """One reduction, by the indices of its steps.

    `windows` are the convolutions that the 1x1 feeds; none of a projection. `sites` are the items
    that go when it is undone, `out` all their steps. `altered` is the item whose window then takes
    over the filters of the 1x1 `expand`, that of a bottleneck, or the stride of the 1x1 `reduce`;
    `stand` are the items of all windows.
    """

    form: Literal["reduction", "bottleneck", "projection"]
    reduce: int
    windows: tuple[int, ...]
    expand: int | None
    sites: tuple[Site, ...]
    altered: Site | None
    stand: tuple[Site, ...]
    narrows: bool

    @property
    def out(self) -> frozenset[int]:
        return frozenset().union(*(site.steps for site in self.sites))


class Survey(NamedTuple):
    """What was found, and (path, reason) of each 1x1 that reduces but cannot be undone."""

    found: tuple[Reduction, ...]
    left: tuple[tuple[str, str], ...]


def survey(network: Network, *, projections: bool = True, within: tuple[str, ...] = ()) -> Survey:
    """All reductions, or those whose 1x1 stands at or under a path of `within`.

    What is laid out from one place of the text is undone together or not at all.
    """
    finder = _Finder(network, projections=projections)
    found: list[Reduction] = []
    left: dict[int, str] = {}
    for index in range(len(network.steps)):
        outcome = finder.look(index)
        if isinstance(outcome, str):
            left[index] = outcome
        elif outcome is not None:
            found.append(outcome)
    if within:
        chosen = {
            item.sites[0].place
            for item in found
            if any(under(network.steps[item.reduce].path, path) for path in within)
        }
        found = [item for item in found if item.sites[0].place in chosen]
        left = {
            index: reason
            for index, reason in left.items()
            if any(under(network.steps[index].path, path) for path in within)
        }
    kept = _settled(finder.sites, found, left)
    paths = tuple((network.steps[index].path, reason) for index, reason in sorted(left.items()))
    return Survey(tuple(kept), paths)


def under(path: str, folder: str) -> bool:
    """Whether a path is another, or stands in it."""
    return path == folder or path.startswith(f"{folder}/")


def undoing(network: Network, found: Iterable[Reduction]) -> Rewiring:
    """The change that takes reductions out."""
    found = tuple(found)
    instead = tuple(
        (item.windows[0], undone_window(network, item))
        for item in found
        if item.altered is not None
    )
    return Rewiring(out=frozenset().union(*(item.out for item in found)), instead=instead)


def conv(network: Network, index: int) -> Conv:
    """The convolution that a step is known to be."""
    layer = network.steps[index].layer
    assert isinstance(layer, Conv)
    return layer


def undone_window(network: Network, item: Reduction) -> Conv:
    """The window of a reduction that stands alone again."""
    window = conv(network, item.windows[0])
    filters = window.filters if item.expand is None else conv(network, item.expand).filters
    stride = joined_strides(network, item.reduce, item.windows[0])
    return remade(window, filters=filters, stride=stride)


def joined_strides(network: Network, reduce: int, window: int) -> int | tuple[int, ...]:
    """The strides of a 1x1 and of its window in one: a number, or one for each axis."""
    rank = len(network.steps[reduce].shape.size)
    own = spread(conv(network, window).stride, rank, "stride")
    others = spread(conv(network, reduce).stride, rank, "stride")
    strides = tuple(a * b for a, b in zip(own, others, strict=True))
    return strides if len(set(strides)) > 1 else strides[0]


def _settled(sites: Sites, found: list[Reduction], left: dict[int, str]) -> list[Reduction]:
    """Drops what shares its text with layers that stay, until nothing does."""
    narrow: set[Place] = {item.sites[0].place for item in found if item.narrows}
    found = [item for item in found if item.sites[0].place in narrow]
    while True:
        out = frozenset().union(*(item.out for item in found))
        altered = {item.altered.path for item in found if item.altered is not None}
        torn = {
            place
            for item in found
            for place in {site.place for site in item.sites}
            if any(not site.steps <= out for site in sites.alike[place])
        } | {
            item.altered.place
            for item in found
            if item.altered is not None
            and any(site.path not in altered for site in sites.alike[item.altered.place])
        }
        if not torn:
            return found
        for item in found:
            if torn & {site.place for site in (*item.sites, *filter(None, (item.altered,)))}:
                left[item.reduce] = "shares its line of the spec with layers that are no reduction"
        found = [item for item in found if item.reduce not in left]


class _Finder:
    """Looks at one step after the other."""

    def __init__(self, network: Network, *, projections: bool) -> None:
        self.network = network
        self.steps = network.steps
        self.projections = projections
        self.sites = Sites(network)
        self.flow = Flow(network)

    def look(self, index: int) -> Reduction | str | None:
        """The reduction that a step is; a reason why it cannot be undone; or None."""
        if not self._is_pointwise(index):
            return None
        step = self.steps[index]
        narrows = conv(self.network, index).filters < self.flow.taken(step).channels
        followers, ends = self.flow.followed(index)
        if not ends or self.network.last in (index, *followers):
            return None
        kinds = {self.steps[end].layer.name for end in ends}
        found: Reduction | str | None = None
        if kinds == {"conv"} and any(self._is_window(end) for end in ends):
            found = self._unfit(index, ends) or self._reduction(
                index, followers, ends, narrows=narrows
            )
        elif self.projections and kinds == {"concat"} and self._follows_pool(index):
            found = self._unfit(index, ()) or self._projection(index, followers, narrows=narrows)
        return None if isinstance(found, str) and not narrows else found

    # Forms

    def _reduction(
        self, index: int, followers: list[int], ends: list[int], *, narrows: bool
    ) -> Reduction | str:
        behind, expand = self._expansion(index, ends)
        members = [index, *ends, *([] if expand is None else [expand])]
        folder = common_folder([self.steps[member].path for member in members])
        going = self._going(index, folder, followers)
        if isinstance(going, str):
            return going
        if not self._moves(index, ends[0]):
            return "has a stride, and its window would come to another size"
        altered = self.sites.under(ends[0], folder)
        stand = tuple(self.sites.under(end, folder) or self.sites.chain(end)[0] for end in ends)
        if expand is None:
            strides = self.steps[index].shape.size != self.flow.taken(self.steps[index]).size
            return Reduction(
                "reduction",
                index,
                tuple(ends),
                None,
                going,
                altered if strides else None,
                stand,
                narrows,
            )
        back = self._going(expand, folder, behind)
        if isinstance(back, str) or altered is None:
            return back if isinstance(back, str) else "its window stands in a branch"
        return Reduction(
            "bottleneck", index, tuple(ends), expand, (*going, *back), altered, stand, narrows
        )

    def _projection(self, index: int, followers: list[int], *, narrows: bool) -> Reduction | str:
        pool = self.steps[self.steps[index].inputs[0]]
        folder = common_folder([self.steps[index].path, pool.path])
        going = self._going(index, folder, followers)
        if isinstance(going, str):
            return going
        return Reduction("projection", index, (), None, going, None, (), narrows)

    def _moves(self, index: int, end: int) -> bool:
        """Whether a window that takes over the stride of its 1x1 gives a map of the same size."""
        x = self.flow.taken(self.steps[index])
        if self.steps[index].shape.size == x.size:
            return True
        window = remade(conv(self.network, end), stride=joined_strides(self.network, index, end))
        try:
            return window.output(x).size == self.steps[end].shape.size
        except Refusal:
            return False

    def _expansion(self, index: int, ends: list[int]) -> tuple[list[int], int | None]:
        """Of a bottleneck the layers behind its window, and the 1x1 that widens again."""
        if len(ends) != 1:
            return [], None
        window = conv(self.network, ends[0])
        if window.filters != conv(self.network, index).filters:
            return [], None
        behind, after = self.flow.followed(ends[0])
        if len(after) != 1 or not self._is_pointwise(after[0]) or self._unfit(after[0], ()):
            return [], None
        if conv(self.network, after[0]).filters <= window.filters:
            return [], None
        last = self.network.last
        return ([], None) if last in (ends[0], *behind) else (behind, after[0])

    def _going(self, index: int, folder: str, followers: list[int]) -> tuple[Site, ...] | str:
        """The items that go with a 1x1: its own, and those of one list that follow it."""
        own = self.sites.under(index, folder)
        if own is None:
            return "stands in a branch of its own"
        if not all(step == index or self.flow.is_elementwise(step) for step in own.steps):
            return "stands in a block with other layers"
        exits = self.flow.exits(own.steps)
        if len(exits) > 1:
            return "stands in a block whose other layers are taken, too"
        sites = [own]
        for follower in followers:
            site = self.sites.under(follower, folder)
            if site is not None and site not in sites and site.steps <= set(followers):
                sites.append(site)
        return tuple(sites)

    # Steps

    def _is_pointwise(self, index: int) -> bool:
        return self._kernel(index) == 1

    def _is_window(self, index: int) -> bool:
        return self._kernel(index) > 1

    def _kernel(self, index: int) -> int:
        """The longest side of a convolution's window; 0 for other layers."""
        step = self.steps[index]
        if not isinstance(step.layer, Conv):
            return 0
        return max(spread(step.layer.kernel, len(self.flow.taken(step).size), "kernel"))

    def _unfit(self, index: int, ends: Iterable[int]) -> str:
        """Why a 1x1 does more than reduce, or what it feeds sees more than its channels."""
        step = self.steps[index]
        x = self.flow.taken(step)
        strided = remade(conv(self.network, index), padding=0).output(x).size == step.shape.size
        if step.shape.size != x.size and not (strided and len(tuple(ends)) == 1):
            return "changes the size of its map"
        if any(conv(self.network, i).groups > 1 for i in (index, *ends)):
            return "has groups, or feeds a convolution that has"
        if any(self.flow.shares(i) for i in (index, *ends)):
            return "shares its weights, or feeds a convolution that does"
        return ""

    def _follows_pool(self, index: int) -> bool:
        source = self.steps[index].inputs[0]
        if source < 0:
            return False
        pool = self.steps[source]
        x = inputs_of(self.network, pool)
        if len(x) > 1 or pool.shape != x[0] or self.flow.users[source] != [index]:
            return False
        layer: Any = pool.layer
        return bool(layer.sight(x[0])) and not layer.weights(x[0]).value
