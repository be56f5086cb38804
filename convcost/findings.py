"""What a check finds: one limit held against one number, whatever comes of it."""

from typing import Literal, NamedTuple, Protocol, TypeAlias

from convcost.errors import Place
from convcost.units import grouped

Level: TypeAlias = Literal["error", "warning", "skipped", "passed"]
Test: TypeAlias = Literal["max", "warn", "min", "grow"]
Scope: TypeAlias = Literal["total", "layer", "group"]


class Growth(NamedTuple):
    """How much a measure may grow: by `part`/`whole` of what it was, or by a count (`whole` 0);
    growth of up to `floor` is let pass. `text` is as it was written."""

    part: int
    whole: int
    floor: int
    text: str

    def allows(self, before: int, after: int) -> bool:
        grown = after - before
        if grown <= self.floor:
            return True
        return grown * self.whole <= before * self.part if self.whole else grown <= self.part

    def most(self, before: int) -> int:
        """How much growth is let pass."""
        of = before * self.part // self.whole if self.whole else self.part
        return max(of, self.floor)


class Finding(NamedTuple):
    """One limit of a budget, and the exact number it was held against.

    `file` and `place` are those of the limit; `path` is a layer, or the pattern of a group, or
    empty. `base` is what the measure was, if there is a base; `top` are the layers that grew most,
    without a base the largest. `reason` is why a limit was skipped.
    """

    level: Level
    code: str
    file: str
    place: Place | None
    network: str
    spec: str
    budget: str
    scope: Scope
    path: str
    measure: str
    test: Test
    limit: int | Growth
    found: int
    base: int | None = None
    top: tuple[tuple[str, int], ...] = ()
    message: str = ""
    reason: str = ""

    @property
    def what(self) -> str:
        """`macs of stage4/conv_1`."""
        of = {"total": "", "layer": " of ", "group": " of all that matches "}[self.scope]
        path = f"`{self.path}`" if self.path else ""
        return f"{self.measure.replace('_', ' ')}{of}{path}"


class Summary(NamedTuple):
    """How many limits came out how."""

    checked: int
    passed: int
    exceeded: int
    warned: int
    skipped: int

    @property
    def text(self) -> str:
        limits = "1 limit" if self.checked == 1 else f"{grouped(self.checked)} limits"
        text = f"{limits} checked: {grouped(self.passed)} within, {grouped(self.exceeded)} exceeded"
        if self.warned:
            text += f", {grouped(self.warned)} near"
        return f"{text}, {grouped(self.skipped)} skipped" if self.skipped else text


class Findings(Protocol):
    """A report of findings, for the formats that need them.

    `found` are all, in the order of the specs and of their budgets; `findings()` are those to be
    told, errors first. `statements` are what else a reader has to know, a sentence each.
    """

    @property
    def found(self) -> tuple[Finding, ...]: ...

    @property
    def statements(self) -> tuple[str, ...]: ...

    @property
    def ok(self) -> bool: ...

    @property
    def summary(self) -> Summary: ...

    def findings(self) -> tuple[Finding, ...]: ...
