"""How a spec reads without its 1x1 reductions, as changes of its text."""

import re
from collections.abc import Callable, Iterable

from convcost.errors import Place
from convcost.network import Network
from convcost.questions.reduce.find import Reduction, conv, joined_strides
from convcost.questions.reduce.sites import Site
from convcost.spec.document import Mapping, Sequence
from convcost.spec.draft import Draft
from convcost.spec.pins import pin, unspoken
from convcost.spec.wording import Wording

INCOMING = re.compile(r"\bin_channels\b")


def undo_edit(network: Network, found: tuple[Reduction, ...]) -> Callable[[Draft], None]:
    """The text without reductions: their items go, windows take over filters and strides."""

    def edit(draft: Draft) -> None:
        told: set[Place] = set()
        gone: dict[Place, None] = {}
        for item in found:
            gone.update(dict.fromkeys(site.place for site in item.sites))
            fresh = [site for site in item.stand if site.place not in told]
            told.update(site.place for site in fresh)
            if fresh:
                _alone(draft, network, item, fresh)
        unspoken(draft, tuple(gone))
        pin(draft, gone=tuple(gone))
        for place in gone:
            _hand_on(draft, place, gone)
            draft.remove(place)

    return edit


def _alone(draft: Draft, network: Network, item: Reduction, stand: list[Site]) -> None:
    """The windows of a reduction as they have to be without it."""
    reduce = _wording(draft, network, item.sites[0], item.reduce)
    for step, site in zip(item.windows, item.stand, strict=True):
        if site not in stand:
            continue
        window = _wording(draft, network, site, step)
        if item.expand is not None:
            expand = next(site for site in item.sites if item.expand in site.steps)
            wide = _wording(draft, network, expand, item.expand).needed("filters")
            window.set("filters", _before(wide, reduce))
        elif INCOMING.search(window.text("filters")):
            window.set("filters", _before(window.text("filters"), reduce))
        if item.altered is not None:
            _stride(network, item, reduce, window)


def _stride(network: Network, item: Reduction, reduce: Wording, window: Wording) -> None:
    """The window takes over the stride of the 1x1: as an expression if it is one, else counted."""
    stride, own = reduce.text("stride"), window.text("stride")
    if stride == "1" or (not stride and conv(network, item.reduce).stride == 1):
        return
    if re.fullmatch("[0-9]*", stride + own) or "[" in stride + own:
        counted = joined_strides(network, item.reduce, item.windows[0])
        written = counted if isinstance(counted, int) else f"[{', '.join(map(str, counted))}]"
        window.set("stride", str(written))
    else:
        window.set("stride", stride if own in ("", "1") else f"({stride}) * ({own})")


def _before(filters: str, reduce: Wording) -> str:
    """What filters come to where `in_channels` are no longer those that the 1x1 left."""
    if not INCOMING.search(filters):
        return filters
    return INCOMING.sub(lambda _: f"({reduce.needed('filters')})", filters)


def _wording(draft: Draft, network: Network, site: Site, step: int) -> Wording:
    return Wording(draft, site.place, network.steps[step].origin.place)


def _hand_on(draft: Draft, place: Place, gone: Iterable[Place]) -> None:
    """What an item took by name goes to the next that stays."""
    item = draft.item(place)
    node = item.node
    taken = node.get("from") if type(node) is Mapping else None
    numbers = {draft.item(p).number for p in gone if draft.item(p).list is item.list}
    for number in range(item.number + 1, len(item.list.items)):
        heir = item.list.items[number]
        if number in numbers or type(heir) is Sequence:
            continue
        if taken is not None and not (type(heir) is Mapping and "from" in heir.entries):
            word = next(iter(heir.entries.values()))[0] if type(heir) is Mapping else heir
            draft.add(word.place, "from", draft.written(taken))
        return
