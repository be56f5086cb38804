"""All that a check is of: networks, the budgets each is held against, and what each was."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from convcost.costs import costs
from convcost.errors import SpecError, UsageError
from convcost.files.base import base_of
from convcost.files.configuration import Configurations
from convcost.files.sources import open_source, specs_of
from convcost.files.was import Base, Now
from convcost.network import Budget, Network
from convcost.questions.check.evaluate import Held
from convcost.questions.check.measures import Measured, measured
from convcost.report import printable
from convcost.spec.load import load

COMMAND_LINE = "the command line"


class Asked(NamedTuple):
    """What is to be checked: specs and folders by name, against what, with which further limits;
    `limits_from` is where those stand."""

    specs: tuple[str, ...]
    base: str | None = None
    config: str | None = None
    limits: Budget | None = None
    limits_from: str = COMMAND_LINE


class Gathered(NamedTuple):
    """`files` are the specs that were read; `nows` are by their names; `without` have no budget."""

    files: tuple[str, ...]
    held: tuple[Held, ...]
    nows: tuple[Now, ...]
    statements: tuple[str, ...]
    without: tuple[str, ...]
    base: Base | None


def gather(asked: Asked) -> Gathered:
    """Reads everything once. Raises a group of all the SpecErrors and UsageErrors."""
    return _Gathering(asked).all()


class _Gathering:
    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.configurations = Configurations(asked.config)
        self.base: Base | None = None
        self.held: list[Held] = []
        self.nows: list[Now] = []
        self.said: dict[str, None] = {}
        self.lacks: dict[str, list[str]] = {}
        self.without: list[str] = []
        self.errors: list[SpecError | UsageError] = []

    def all(self) -> Gathered:
        specs: dict[str, None] = {}
        for argument in self.asked.specs:
            try:
                specs.update(dict.fromkeys(specs_of(argument)))
            except UsageError as error:
                self.errors.append(error)
        if self.asked.base is not None:
            try:
                self.base = base_of(self.asked.base, self.asked.specs, specs)
            except UsageError as error:
                self.errors.append(error)
        for spec in specs:
            try:
                self._one(spec)
            except (SpecError, UsageError) as error:
                # A configuration that is wrong is so for all of its specs, and one error.
                if not any(error is other for other in self.errors):
                    self.errors.append(error)
        if self.errors:
            raise ExceptionGroup("specs", self.errors)
        return Gathered(
            tuple(specs),
            tuple(self.held),
            tuple(self.nows),
            tuple(self._statements()),
            tuple(self.without),
            self.base,
        )

    def _one(self, spec: str) -> None:
        try:
            source, pick = open_source(spec)
        except UsageError as error:
            raise self._missing(spec, error) from None
        networks = {network.name: network for network in load(source, pick=pick)}
        counts = {name: measured(costs(network)) for name, network in networks.items()}
        now = Now(source, counts, pick is None)
        self.nows.append(now)
        rules = self.configurations.budgets(source.name)
        was = self._was(now)
        for name, network in networks.items():
            budgets = self._budgets(network, source.name, rules)
            if not budgets:
                self.without.append(f"{source.name}#{name}")
            self.held.append(Held(source.name, counts[name], budgets, was.get(name)))

    def _missing(self, spec: str, error: UsageError) -> UsageError:
        """The same, and that it is the change that deletes the spec, if so."""
        name = spec.partition("#")[0]
        if self.base is None or not self.base.had(name):
            return error
        shown = printable(name)
        return UsageError(f"there is no file `{shown}`: it was in {self.base.name}, and is deleted")

    def _budgets(
        self, network: Network, file: str, rules: tuple[tuple[str, Budget], ...]
    ) -> tuple[tuple[str, Budget], ...]:
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
        if was.lack:
            self.lacks.setdefault(was.lack, []).append(printable(now.source.name))
        self.said.update(dict.fromkeys(was.said))
        if not was.networks:
            return {}
        before = dict(was.networks)
        self.said.update(dict.fromkeys(self._renamed(now, before)))
        self.said.update(dict.fromkeys(self._differences(now, before)))
        return before

    def _renamed(self, now: Now, before: dict[str, Measured]) -> Iterator[str]:
        """A file of one network that still has one has the same, whatever that is called."""
        (name, *more), (old, *others) = now.networks, before
        if now.whole and not more and not others and name != old and self.base is not None:
            before[name] = before.pop(old)
            shown = printable(now.source.name)
            yield f"{shown}: `{printable(name)}` was `{printable(old)}` in {self.base.name}"

    def _differences(self, now: Now, before: Mapping[str, Measured]) -> Iterator[str]:
        assert self.base is not None
        shown = printable(now.source.name)
        for name, network in now.networks.items():
            old = before.get(name)
            if old is None:
                yield f"{shown}: `{printable(name)}` is new: growth is not checked"
            elif old.inputs != network.inputs:
                yield (
                    f"{shown}: `{printable(name)}` takes {_inputs(network)}, and took "
                    f"{_inputs(old)} in {self.base.name}"
                )
        if now.whole and self.base.keeps:
            for name in before:
                if name not in now.networks:
                    yield f"{shown}: `{printable(name)}` is deleted, was in {self.base.name}"

    def _statements(self) -> Iterator[str]:
        for lack, specs in self.lacks.items():
            more = f" and {len(specs) - 1} more" if len(specs) > 1 else ""
            yield f"{specs[0]}{more}: no base, growth is not checked: {lack}"
        yield from self.said
        if self.base is not None:
            for spec in self.base.deleted():
                yield f"{printable(spec)}: deleted, was in {self.base.name}"


def _inputs(network: Measured) -> str:
    return ", ".join(
        shape.text if name == "input" else f"{printable(name)} {shape.text}"
        for name, shape in network.inputs
    )
