"""Pairs the networks of specs with those of their base."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from convcost.model.network import Limit
from convcost.model.record import NamedTuple
from convcost.reports.check.baseline_policy import pair_networks
from convcost.reports.check.finding_text import network_label
from convcost.reports.check.measures import NO_SPAN, MeasuredNetwork, NetworkInFile
from convcost.reports.check.moved_networks import (
    are_similar,
    are_too_many,
    find_closer,
    pair_equal,
    pair_similar,
    same_layers,
)
from convcost.sources.base_lookup import Base, BaseNetworks, CurrentSpec

TOO_MANY = (
    "too many networks are new or changed, and too many are deleted or replaced, to find out which "
    "of them are the same: rename networks in a change of their own"
)


class _Pairs(NamedTuple):
    """A spec, what its base has of it, and the networks of the base, `old`, by the names of the
    current networks that they are compared with, otherwise by their own names.

    `old_files` has the files of those networks of the base that had another name or another file.
    """

    spec: CurrentSpec
    base: BaseNetworks
    old: dict[str, MeasuredNetwork]
    old_files: dict[str, str]

    def without_base(self, reason: str) -> "_Pairs":
        """The pairs of a spec whose base is not available."""
        if self.base.unavailable:
            return self
        base = self.base._replace(reason=reason, unavailable=True, new=False)
        return self._replace(base=base)

    @property
    def added(self) -> list[str]:
        """The names of the networks that have no base yet."""
        return [name for name in self.spec.networks if name not in self.old]

    @property
    def removed(self) -> list[str]:
        """The names of the networks that only the base has."""
        return [name for name in self.old if name not in self.spec.networks]


class _NetworkName(NamedTuple):
    """The name of a network in a spec, now or in the base."""

    pairs: _Pairs
    name: str

    @property
    def spec(self) -> str:
        return self.pairs.spec.name

    @property
    def now(self) -> NetworkInFile:
        return NetworkInFile(self.spec, self.pairs.spec.networks[self.name])

    @property
    def old(self) -> NetworkInFile:
        return NetworkInFile(self.spec, self.pairs.old[self.name])


def _new_networks(read: Iterable[_Pairs]) -> list[_NetworkName]:
    """The networks that have no base yet, although that of their spec is available."""
    available = (pairs for pairs in read if not pairs.base.unavailable)
    return [_NetworkName(pairs, name) for pairs in available for name in pairs.added]


def _lost(read: Iterable[_Pairs]) -> list[_NetworkName]:
    """The networks of the base that their files do not have any more."""
    complete = (pairs for pairs in read if pairs.spec.has_all_networks)
    return [_NetworkName(pairs, name) for pairs in complete for name in pairs.removed]


class _BaseNetwork(NamedTuple):
    """A network of the base, and the network that replaces it; empty if it was deleted. `namesake`
    is the network that has its name and file now."""

    old: NetworkInFile
    replaced_by: str = ""
    namesake: MeasuredNetwork | None = None

    @property
    def is_like_namesake(self) -> bool:
        return self.namesake is not None and are_similar(self.namesake, self.old.network)

    def note(self, base: Base, spec: str, name: str) -> str:
        file, old = self.old
        reason = f"which {self.replaced_by} replaces" if self.replaced_by else "which is deleted"
        other = f"`{old.name}` of {file} in {base.name}"
        return f"{spec}: `{name}` is also compared with {other}, {reason}"


class _Compared:
    """The networks that are compared with one of the base, as `changed`, and those of the base:
    `replaced` by one of another name or file, by a changed one of the `same_name` and file, or
    `renamed` only, by the name that they had. `paired` are the ids of all of them."""

    def __init__(self, read: Iterable[_Pairs]) -> None:
        self.changed: list[_NetworkName] = []
        self.replaced: list[_BaseNetwork] = []
        self.same_name: list[_BaseNetwork] = []
        self.renamed: dict[str, _BaseNetwork] = {}
        self.paired: set[int] = set()
        for pairs in read:
            for name in filter(pairs.old.__contains__, pairs.spec.networks):
                self._add(pairs, name)

    def _add(self, pairs: _Pairs, name: str) -> None:
        now, old = pairs.spec.networks[name], pairs.old[name]
        self.paired.add(id(old))
        moved = name in pairs.old_files
        previous = NetworkInFile(pairs.old_files[name] if moved else pairs.spec.name, old)
        other = _BaseNetwork(previous, network_label(pairs.spec.name, name), None if moved else now)
        if not same_layers(old, now):
            self.changed.append(_NetworkName(pairs, name))
            (self.replaced if moved else self.same_name).append(other)
        elif old.name != name:
            self.renamed[old.name] = other


def _replaced_networks(
    current_networks: Sequence[_NetworkName],
    others: Sequence[_BaseNetwork],
    same_name: Sequence[_BaseNetwork],
) -> tuple[bool, list[_BaseNetwork | None]]:
    """For each network in `current_networks` the one of the base that it may replace, None if there
    is none; and whether there are too many to compare. `same_name` are those whose name another
    network has now."""
    networks = [network.now for network in current_networks]
    candidates = [*others, *same_name]
    if are_too_many(networks, [network.old for network in candidates]):
        # Most networks that have their name are like before.
        candidates = [
            *others,
            *(network for network in same_name if not network.is_like_namesake),
        ]
    old = [network.old for network in candidates]
    before = [pairs.old.get(name) for pairs, name in current_networks]
    closer = find_closer(networks, before, old, [network.namesake for network in candidates])
    too_many = are_too_many(networks, old)
    return too_many, [None if index is None else candidates[index] for index in closer]


def _keeps_budget(network: MeasuredNetwork, old: MeasuredNetwork) -> bool:
    """Whether a network has the budget that it had, if it had one, in any place of the file."""

    def unplaced(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
        return tuple(limit._replace(span=NO_SPAN) for limit in limits)

    if old.budget is None or old.budget is network.budget:
        return True
    if network.budget is None:
        return False
    return old.budget.with_limits(unplaced) == network.budget.with_limits(unplaced)


class BaseLookup:
    """The base of each spec, and statements on what differs. `unavailable` are the names of the
    specs whose base is not available."""

    def __init__(self, base: Base | None, *, for_update: bool) -> None:
        self.base = base
        self.for_update = for_update
        self.deleted: list[NetworkInFile] = []
        self.unavailable: set[str] = set()
        self.too_many = False  # networks, to compare each new one with each deleted one
        # The second base of a network, by the names of its spec and of itself.
        self.second_base: dict[tuple[str, str], MeasuredNetwork] = {}
        self.unclear: set[str] = set()  # specs with networks that too many others may have been
        self._statements: dict[str, None] = {}
        self._without_base: dict[str, list[str]] = {}

    def networks_of(self, specs: Sequence[CurrentSpec]) -> list[Mapping[str, MeasuredNetwork]]:
        """For each spec its networks in the base, under their current names.

        A network that replaces one of another name, or of another file, is compared with that one,
        so that a new name hides no growth.
        """
        base = self.base
        if base is None:
            return [{} for _ in specs]
        read = [
            _Pairs(
                spec,
                base_networks,
                dict(base_networks.networks),
                dict.fromkeys(base_networks.networks, base_networks.file)
                if base_networks.file
                else {},
            )
            for spec, base_networks in ((spec, base.networks_of(spec)) for spec in specs)
        ]
        paired: dict[str, list[str]] = {pairs.spec.name: [] for pairs in read}
        for name, statement in self._pair(base, read):
            paired[name].append(statement)
        reason = TOO_MANY if self.too_many else ""
        if _new_networks(read) and (reason := reason or base.unread_deletion()):
            read = [pairs.without_base(reason) if pairs.added else pairs for pairs in read]
        read = [
            pairs.without_base(TOO_MANY) if pairs.spec.name in self.unclear else pairs
            for pairs in read
        ]
        for pairs in read:
            if pairs.base.unavailable:
                self.unavailable.add(pairs.spec.name)
            if pairs.base.reason:
                self._without_base.setdefault(pairs.base.reason, []).append(pairs.spec.name)
            statements = (*pairs.base.statements, *paired[pairs.spec.name])
            self._statements.update(dict.fromkeys((*statements, *self._differences(base, pairs))))
        return [pairs.old for pairs in read]

    def _pair(self, base: Base, read: Sequence[_Pairs]) -> Iterator[tuple[str, str]]:
        """Pairs new networks with those of the base; yields the name of a spec, and a statement.

        First all of them, if they only moved. Else in this order: the only network of a spec, the
        similar ones of all specs, and the others of a spec in their order. Last, a new network is
        compared with a similar one that another network replaces.
        """
        yield from self._pair_moved(base, read, pair_equal)
        for pairs in read:
            has_one_network = len(pairs.spec.networks) == len(pairs.old) == 1
            if has_one_network and (pairs.spec.has_all_networks or not base.tracks_deletions):
                yield from self._pair_in_order(base, pairs)
        yield from self._pair_moved(base, read, pair_similar)
        for pairs in read:
            if pairs.spec.has_all_networks:
                yield from self._pair_in_order(base, pairs)
        yield from self._compare_with_others(base, read)

    def _pair_in_order(self, base: Base, pairs: _Pairs) -> Iterator[tuple[str, str]]:
        """Pairs the networks of a spec that are left."""
        added, removed = pairs.added, pairs.removed
        for name, index in zip(added, pair_networks(added, removed), strict=True):
            if index is not None:
                pairs.old[name] = pairs.old.pop(removed[index])
                pairs.old_files[name] = pairs.base.file or pairs.spec.name
                was = f"{pairs.spec.name}: `{name}` was `{removed[index]}` in {base.name}"
                yield pairs.spec.name, was

    def _pair_moved(
        self,
        base: Base,
        read: Sequence[_Pairs],
        pair: Callable[[Sequence[NetworkInFile], Sequence[NetworkInFile]], list[int | None]],
    ) -> Iterator[tuple[str, str]]:
        """Pairs new networks with the most similar of those that any file lost since the base.
        Yields the name of a spec and a note for each pair."""
        if not base.tracks_deletions:
            return
        new = _new_networks(read)
        if not new:
            return
        lost = _lost(read)
        deleted = [*(network.old for network in lost), *base.deleted_networks()]
        networks = [network.now for network in new]
        self.too_many |= pair is pair_similar and are_too_many(networks, deleted)
        for (pairs, name), index in zip(new, pair(networks, deleted), strict=True):
            if index is not None:
                file, old = deleted[index]
                if index < len(lost):
                    del lost[index].pairs.old[old.name]
                pairs.old[name] = old
                pairs.old_files[name] = file
                of_file = "" if file == pairs.spec.name else f" of {file}"
                yield (
                    pairs.spec.name,
                    f"{pairs.spec.name}: `{name}` was `{old.name}`{of_file} in {base.name}",
                )

    def _compare_with_others(self, base: Base, read: Sequence[_Pairs]) -> Iterator[tuple[str, str]]:
        """Compares networks with others of the base that they may replace. Yields the name of a
        spec and a note for each.

        Otherwise a change could add a network that is more like the old one, or give the old name
        to another network, so that the one that really replaces it would count as new. If a network
        only has another name or file, nothing replaces it, except a network that has its name now.
        """
        if not base.tracks_deletions:
            return
        comparison = _Compared(read)
        deleted = [network.old for network in _lost(read)]
        deleted += base.deleted_networks() if comparison.changed else []
        left = [
            _BaseNetwork(network)
            for network in deleted
            if id(network.network) not in comparison.paired
        ]
        # In a family of networks, each may become more like the old version of another.
        unlike = [network for network in comparison.same_name if not network.is_like_namesake]
        too_many, matches = _replaced_networks(
            comparison.changed, [*comparison.replaced, *left, *unlike], ()
        )
        if too_many:
            self.unclear.update(network.spec for network in comparison.changed)
        for (pairs, name), other in zip(comparison.changed, matches, strict=True):
            # If it is equal, it has not grown.
            if other is not None and not same_layers(other.old.network, pairs.spec.networks[name]):
                self.second_base[pairs.spec.name, name] = other.old.network
                yield pairs.spec.name, other.note(base, pairs.spec.name, name)
        new = _new_networks(read)
        too_many, matches = _replaced_networks(new, comparison.replaced, comparison.same_name)
        self.too_many |= too_many
        for (pairs, name), other in zip(new, matches, strict=True):
            replaced = other or comparison.renamed.get(name)
            if replaced and are_similar(pairs.spec.networks[name], replaced.old.network):
                pairs.old[name] = replaced.old.network
                yield pairs.spec.name, replaced.note(base, pairs.spec.name, name)

    def _differences(self, base: Base, pairs: _Pairs) -> Iterator[str]:
        """What differs in names and inputs."""
        spec, networks, tells_new = pairs.spec, pairs.old, not self.for_update
        if pairs.base.new and not networks:
            if tells_new:
                yield f"{spec.name} is new: it is not in {base.name}, so growth is not checked"
            return
        if not networks:
            return
        for name, network in spec.networks.items():
            old = networks.get(name)
            if old is None and tells_new and not pairs.base.unavailable:
                yield f"{spec.name}: `{name}` is new, so growth is not checked"
            elif old is not None and old.inputs != network.inputs:
                yield (
                    f"{spec.name}: the input of `{name}` is {network.inputs_text}; it was "
                    f"{old.inputs_text} in {base.name}"
                )
            if old and base.tracks_deletions and not _keeps_budget(network, old):
                yield f"{spec.name}: the budget of `{name}` has changed since {base.name}"
        if base.tracks_deletions and spec.has_all_networks:
            for name in pairs.removed:
                self.deleted.append(NetworkInFile(spec.name, networks[name]))
                yield f"{spec.name}: `{name}` is deleted; it was in {base.name}"

    def all_statements(self) -> Iterator[str]:
        for reason, specs in self._without_base.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: growth is not checked without a base: {reason}"
        yield from self._statements
        if self.base is not None:
            yield from self.base.deletion_statements()
