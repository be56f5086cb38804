"""All that a check is of: networks, the budgets each is held against, and what each was."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from convcost.costs import costs
from convcost.errors import Source, SpecError, UsageError
from convcost.files.arguments import Lost, each_once, own_file
from convcost.files.base import base_of
from convcost.files.configuration import Budgets, Configurations
from convcost.files.sources import CONFIG, Found, source_of
from convcost.files.was import Base, Now
from convcost.network import Budget, Network
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import Measured, measured
from convcost.report import printable
from convcost.spec.load import load

T = TypeVar("T")
COMMAND_LINE = "the command line"


class Asked(NamedTuple):
    """What is to be checked: specs and folders by name, against what, with which further limits;
    `limits_from` is where those stand. `networks` are read already, so that only a spec can be
    their base."""

    specs: tuple[str, ...]
    base: str | None = None
    config: str | None = None
    limits: Budget | None = None
    limits_from: str = COMMAND_LINE
    networks: tuple[Network, ...] = ()


class Gathered(NamedTuple):
    """`files` are the specs that were read; `nows` are by their names; `without` have no budget.
    `deleted` are networks of the base that are in none of the files any more, each with the name of
    its file; `unmet` is whether a base that was asked for cannot be had."""

    files: tuple[str, ...]
    held: tuple[Held, ...]
    nows: tuple[Now, ...]
    statements: tuple[str, ...]
    without: tuple[str, ...]
    base: Base | None
    deleted: tuple[tuple[str, Measured], ...] = ()
    unmet: bool = False


def gather(asked: Asked, *, begun: bool = False) -> Gathered:
    """Reads everything once. A baseline that is `begun` is about to be written, and may lack what
    is asked for. Raises a group of all the SpecErrors and UsageErrors."""
    grows = asked.limits is not None and any(limit.grow is not None for limit in asked.limits.total)
    if grows and asked.base is None:
        option = "--max-growth" if asked.limits_from == COMMAND_LINE else "max_growth"
        raise UsageError(
            f"{option} is growth over a base, and none is named\n"
            "help: a base is git:REF, like git:origin/main, a baseline .json, or a spec"
        )
    return _Gathering(asked, begun=begun).all()


def refuse_nothing(found: Gathered) -> None:
    """Raises UsageError if all that was asked for are configurations."""
    if not found.files:
        raise UsageError(
            f"`{CONFIG}` is a configuration, no spec\nhelp: name specs, or their folder"
        )


class _Gathering:
    def __init__(self, asked: Asked, *, begun: bool) -> None:
        self.asked = asked
        self.begun = begun
        self.configurations = Configurations(asked.config)
        self.base: Base | None = None
        self.held: list[Held] = []
        self.nows: list[Now] = []
        self.said: dict[str, None] = {}
        self.lacks: dict[str, list[str]] = {}
        self.without: list[str] = []
        self.deleted: dict[tuple[str, str], Measured] = {}
        self.unmet = False
        self.errors: list[SpecError | UsageError] = []

    def all(self) -> Gathered:
        specs = each_once(self.asked.specs)
        found = [one for one in specs if isinstance(one, Found)]
        if self.asked.base is not None:
            files = [file for one in found if (file := own_file(one)) is not None]
            try:
                self.base = base_of(self.asked.base, self.asked.specs, files, begun=self.begun)
            except UsageError as error:
                self.errors.append(error)
        for spec in specs:
            self._caught(self._one, spec)
        for network in self.asked.networks:
            self._caught(self._loaded, network)
        if self.errors:
            raise ExceptionGroup("specs", self.errors)
        return Gathered(
            (*(one.name for one in found), *(one.file for one in self.asked.networks)),
            tuple(self.held),
            tuple(self.nows),
            tuple(self._statements()),
            tuple(self.without),
            self.base,
            tuple((file, network) for (file, _), network in self.deleted.items()),
            self.unmet,
        )

    def _caught(self, read: Callable[[T], None], asked: T) -> None:
        try:
            read(asked)
        except (SpecError, UsageError) as error:
            # A configuration that is wrong is so for all of its specs, and one error.
            if not any(error is other for other in self.errors):
                self.errors.append(error)

    def _loaded(self, network: Network) -> None:
        count = measured(costs(network))
        rules = self.configurations.budgets(network.file)
        was = self._was(Now(Source(network.file, ""), {network.name: count}, whole=True))
        self._hold(network, network.file, count, rules, was)

    def _one(self, spec: Found | Lost) -> None:
        if isinstance(spec, Lost):
            raise self._missing(spec)
        source = source_of(spec)
        networks = {network.name: network for network in load(source, pick=spec.pick)}
        counts = {name: measured(costs(network)) for name, network in networks.items()}
        now = Now(source, counts, spec.pick is None, own_file(spec), spec.shipped)
        self.nows.append(now)
        # A file that happens to be called like a shipped spec is another one.
        near = not spec.shipped or self.asked.config is not None
        rules = self.configurations.budgets(source.name) if near else ()
        was = self._was(now)
        for name, network in networks.items():
            self._hold(network, source.name, counts[name], rules, was)

    def _hold(
        self,
        network: Network,
        file: str,
        count: Measured,
        rules: Budgets,
        was: Mapping[str, Measured],
    ) -> None:
        rules = self.configurations.of_network(rules, count)
        budgets = self._budgets(network, file, rules)
        if not budgets:
            self.without.append(f"{file}#{network.name}")
        self.held.append(Held(file, count, budgets, was.get(network.name)))

    def _missing(self, lost: Lost) -> UsageError:
        """Why it is, and that it is the change that deletes the spec, if so."""
        name = lost.argument.partition("#")[0]
        if self.base is None or not name or not self.base.had(name):
            return lost.error
        shown = printable(name)
        return UsageError(f"there is no file `{shown}`: it was in {self.base.name}, and is deleted")

    def _budgets(self, network: Network, file: str, rules: Budgets) -> Budgets:
        own = ((file, network.budget),) if network.budget is not None else ()
        limits = self.asked.limits
        given = ((self.asked.limits_from, limits),) if limits is not None else ()
        return (*own, *rules, *given)

    # The base

    def _was(self, now: Now) -> Mapping[str, Measured]:
        """What each network was, under the name it has now."""
        if self.base is None:
            return {}
        was = self.base.of(now)
        self.unmet |= was.unmet
        if was.lack:
            self.lacks.setdefault(was.lack, []).append(printable(now.source.name))
        self.said.update(dict.fromkeys(was.said))
        if not was.networks:
            return {}
        before = dict(was.networks)
        self.said.update(dict.fromkeys(self._renamed(now, before)))
        self.said.update(dict.fromkeys(self._differences(now, before)))
        self._note_deleted(now, before)
        return before

    def _renamed(self, now: Now, before: dict[str, Measured]) -> Iterator[str]:
        """A file of one network that still has one has the same, whatever that is called; so has a
        spec that is named as the base of one network."""
        assert self.base is not None
        (name, *more), (old, *others) = now.networks, before
        if more or others or name == old or (self.base.keeps and len(now.names()) != 1):
            return
        before[name] = before.pop(old)
        shown = printable(now.source.name)
        yield f"{shown}: `{printable(name)}` was `{printable(old)}` in {self.base.name}"

    def _differences(self, now: Now, before: Mapping[str, Measured]) -> Iterator[str]:
        assert self.base is not None
        shown = printable(now.source.name)
        for name, network in now.networks.items():
            old = before.get(name)
            if old is None and not self.begun:
                yield f"{shown}: `{printable(name)}` is new: growth is not checked"
            elif old is not None and old.inputs != network.inputs:
                yield (
                    f"{shown}: `{printable(name)}` takes {_inputs(network)}, and took "
                    f"{_inputs(old)} in {self.base.name}"
                )

    def _note_deleted(self, now: Now, before: Mapping[str, Measured]) -> None:
        """Of a file of which one network is asked for, a baseline that is written loses others
        that are there no more."""
        assert self.base is not None
        if not self.base.keeps or not (now.whole or self.begun) or set(before) <= set(now.networks):
            return
        names = now.names()
        shown = printable(now.source.name)
        for name, network in before.items():
            if names and name not in names:
                self.deleted[now.source.name, name] = network
                said = f"{shown}: `{printable(name)}` is deleted, was in {self.base.name}"
                self.said[said] = None

    def _statements(self) -> Iterator[str]:
        for lack, specs in self.lacks.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: no base, growth is not checked: {lack}"
        yield from self.said
        if self.base is not None:
            yield from self.base.deleted()
        yield from self.configurations.statements()


def _inputs(network: Measured) -> str:
    return ", ".join(
        shape.text if name == "input" else f"{printable(name)} {shape.text}"
        for name, shape in network.inputs
    )
