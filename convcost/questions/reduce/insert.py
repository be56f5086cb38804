"""Which items of a spec get a 1x1 before them, so that offers become a reduced network."""

from typing import NamedTuple

from convcost.costs import Costs
from convcost.errors import Place, UsageError
from convcost.network import Network
from convcost.questions.reduce.flow import Flow
from convcost.questions.reduce.insert_text import Insertion
from convcost.questions.reduce.narrow import (
    Candidate,
    Form,
    Width,
    candidates,
    form,
    pointwise,
    remade,
)
from convcost.questions.reduce.offers import Offers
from convcost.questions.reduce.sites import Site, Sites
from convcost.report import printable
from convcost.rewire import Rewiring


class Plan(NamedTuple):
    """What is put in. `along` are the convolutions that were not asked for but stand on the same
    lines; `left` has (path, reason) of those asked for that stay as they are."""

    insertions: tuple[Insertion, ...]
    change: Rewiring
    along: tuple[str, ...]
    left: tuple[tuple[str, str], ...]


def plan(offers: Offers, *, named: bool) -> Plan:
    """A 1x1 for each offer, which must have one width each.

    If layers were `named`, all of them are reduced whatever it costs, or it is an error; else those
    that save macs. Raises UsageError.
    """
    planner = _Planner(offers, named=named)
    for offer in offers.offers:
        planner.offer(offer.candidate, offer.widths[0])
    return planner.plan()


class _Planner:
    def __init__(self, offers: Offers, *, named: bool) -> None:
        self.costs: Costs = offers.costs
        self.network: Network = offers.costs.network
        self.expand = offers.expand
        self.named = named
        self.sites = Sites(self.network)
        self.known = {found.step: found for found in candidates(offers.costs)[0]}
        self.asked = {offer.candidate.path for offer in offers.offers}
        self.flow = Flow(self.network)
        self.taken: dict[Place, tuple[Candidate, Width, tuple[tuple[Site, Candidate], ...]]] = {}
        self.begun: dict[Place, tuple[tuple[tuple[Site, Candidate], ...], frozenset[int]]] = {}
        self.left: list[tuple[str, str]] = []

    def offer(self, candidate: Candidate, width: Width) -> None:
        chosen = self._site(candidate)
        if chosen is None:
            self._leave(candidate, "stands on a line with layers that a 1x1 would change, too")
            return
        known = self.taken.get(chosen[0][0].place)
        if known is not None:
            if known[1] != width:
                raise UsageError(
                    f"`{printable(known[0].path)}` and `{printable(candidate.path)}` stand on one "
                    f"line of the spec: they cannot be reduced to {known[1].asked} and "
                    f"{width.asked}"
                )
            return
        narrow = next((other for _, other in chosen if not width.fits(other.x.channels)), None)
        if narrow is not None and self.expand:
            self._leave(
                candidate,
                f"shares its line with `{narrow.path}`, where {narrow.x.channels} channels come "
                f"in: too few for {width.asked}",
            )
            return
        if not self.named and self._saved(chosen, width) <= 0:
            self._leave(candidate, "would cost more behind a 1x1")
            return
        self.taken[chosen[0][0].place] = candidate, width, chosen

    def _leave(self, candidate: Candidate, reason: str) -> None:
        if self.named:
            raise UsageError(f"`{printable(candidate.path)}` {printable(reason)}")
        self.left.append((candidate.path, reason))

    def _site(self, candidate: Candidate) -> tuple[tuple[Site, Candidate], ...] | None:
        """The innermost item that begins with this convolution, and does so wherever it is laid
        out: all the sites of that item."""
        for site in self.sites.chain(candidate.step):
            if site.place not in self.begun:
                begun = [(other, self._first(other)) for other in self.sites.alike[site.place]]
                found = tuple((other, first) for other, first in begun if first is not None)
                steps = frozenset(first.step for _, first in found)
                self.begun[site.place] = found if len(found) == len(begun) else (), steps
            sites, steps = self.begun[site.place]
            if sites and candidate.step in steps:
                return sites
        return None

    def _first(self, site: Site) -> Candidate | None:
        """The convolution that alone takes what comes into an item, if it is one to be reduced;
        for a 1x1 behind the item no other layer there may count channels of its own."""
        entries = self.flow.entries(site.steps)
        found = self.known.get(entries[0]) if len(entries) == 1 else None
        if found is None or not self.expand:
            return found
        others = (step for step in site.steps if step != found.step)
        alone = all(self.flow.is_elementwise(step) for step in others)
        return found if alone and len(self.flow.exits(site.steps)) == 1 else None

    def _form(self, candidate: Candidate, width: Width) -> Form:
        return form(candidate, width.of(candidate.x.channels), expand=self.expand)

    def _saved(self, chosen: tuple[tuple[Site, Candidate], ...], width: Width) -> int:
        return sum(
            found.layer.macs(found.x).value - self._form(found, width).macs.value
            for _, found in chosen
            if width.fits(found.x.channels)
        )

    def plan(self) -> Plan:
        before, instead, after = [], [], []
        insertions, along = [], []
        for _, width, chosen in self.taken.values():
            fit = [(site, found) for site, found in chosen if width.fits(found.x.channels)]
            when = "" if len(fit) == len(chosen) else f"in_channels >= {width.least}"
            insertions.append(Insertion(fit[0][0], fit[0][1].step, width.text, when))
            for site, found in fit:
                channels, layer = width.of(found.x.channels), found.layer
                before.append((found.step, pointwise(layer, channels)))
                if self.expand:
                    instead.append((found.step, remade(layer, filters=channels)))
                    exit_ = self.flow.exits(site.steps)[0]
                    after.append((exit_, pointwise(layer, layer.filters)))
                if found.path not in self.asked:
                    along.append(found.path)
        change = Rewiring(frozenset(), tuple(instead), tuple(before), tuple(after))
        return Plan(tuple(insertions), change, tuple(along), tuple(self.left))
