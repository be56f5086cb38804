"""A finding: one limit, one exact count, and how they compare."""

from typing import Literal, TypeAlias

from convcost.model.errors import Span
from convcost.model.measures import Count
from convcost.model.number_format import counted, format_count
from convcost.model.record import NamedTuple
from convcost.reports.row_order import RowsLeftOut

Level: TypeAlias = Literal["error", "warning", "skipped", "passed"]
Test: TypeAlias = Literal["max", "warn", "min", "grow"]
Scope: TypeAlias = Literal["total", "layer", "group"]


class Growth(NamedTuple):
    """How much a measure may grow: by `part`/`whole` of the base, or by a count (`whole` 0).

    Growth of up to `floor` is always allowed. `text` is the growth as it was written.
    """

    part: int
    whole: int
    floor: int
    text: str

    def allows(self, before: int, after: int) -> bool:
        """Whether a measure may grow from `before` to `after`; computed with integers."""
        grown = after - before
        if grown <= self.floor:
            return True
        return grown * self.whole <= before * self.part if self.whole else grown <= self.part


class Finding(NamedTuple):
    """One limit of a budget, and the exact count that it was compared with.

    `file` and `span` are those of the limit. `path` is a layer, the pattern of a group, or empty.
    `base` is the count in the base, if there is one. `top` are the layers that grew most, or the
    largest if there is no base; `left_out` is how many more there are. `uncounted` are the numbers
    of layers that are not in `found` and in `base`, because their macs are not known. `reason` is
    why a limit was skipped. `dtype` is that of a measure in bytes.
    """

    level: Level
    code: str
    file: str
    span: Span | None
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
    left_out: RowsLeftOut = RowsLeftOut()
    uncounted: tuple[int, int] = (0, 0)
    message: str = ""
    reason: str = ""
    dtype: str = ""

    @property
    def found_count(self) -> Count:
        """What was found, with the number of layers that are not in it."""
        return Count(self.found, self.uncounted[0])

    @property
    def base_count(self) -> Count | None:
        """The count in the base; None without a base."""
        return None if self.base is None else Count(self.base, self.uncounted[1])

    @property
    def what(self) -> str:
        """The measure, its dtype, and the layers it is measured on: `macs of stage4/conv_1`."""
        of = {"total": "", "layer": " of ", "group": " of all layers that match "}[self.scope]
        path = f"`{self.path}`" if self.path else ""
        measure, by, convention = self.measure.partition(" (")
        dtype = f" in {self.dtype}" if self.dtype else ""
        return f"{measure.replace('_', ' ')}{dtype}{by}{convention}{of}{path}"


class CheckCounts(NamedTuple):
    """The number of limits by level; `checked` includes those that were skipped."""

    checked: int
    passed: int
    exceeded: int
    warned: int
    skipped: int

    @property
    def text(self) -> str:
        """The counts in words: `3 limits checked: 2 within, 1 exceeded`."""
        counts = [(self.passed, "within"), (self.exceeded, "exceeded")]
        counts += [(self.warned, "near")] if self.warned else []
        counts += [(self.skipped, "not checked")] if self.skipped else []
        listed = ", ".join(f"{format_count(count)} {level}" for count, level in counts)
        return f"{counted(self.checked - self.skipped, 'limit')} checked: {listed}"


class CheckResult(NamedTuple):
    """What a check found, for the formats that write findings.

    `found` are all findings, in the order of the specs and of their budgets; `reported` are those
    to show, errors first. `statements` are sentences on the base and on what was not checked.
    """

    found: tuple[Finding, ...]
    reported: tuple[Finding, ...]
    statements: tuple[str, ...]
    summary: CheckCounts
