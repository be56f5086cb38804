"""A spec's text with its reductions undone, or with new ones; held against its arithmetic.

Nothing is handed out that was not read back: the text is loaded again, and has to come to exactly
what the rewired network comes to.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from convcost.costs import MEASURES, Costs, costs
from convcost.errors import Refusal, Source, SpecError
from convcost.network import Budget, Network
from convcost.rewire import Rewiring, rewired
from convcost.spec.draft import Draft
from convcost.spec.entry import Settings
from convcost.spec.load import load


class Planned(NamedTuple):
    """What is to be written for one network: its rewiring, and the same as changes of its text.

    `position` is its number among the networks that the text holds, or that were picked of it.
    """

    network: Network
    change: Rewiring
    edit: Callable[[Draft], None]
    name: str
    position: int = 0

    @property
    def promised(self) -> Network:
        return rewired(self.network, self.change)._replace(name=self.name)


class Written(NamedTuple):
    """A text; the sections that were turned into comments in it, and those that were left out."""

    text: str
    commented: tuple[str, ...]
    left_out: tuple[str, ...]


def written(
    source: Source, pick: str | None, settings: Settings, plans: Iterable[Planned]
) -> Written:
    """The text that comes to what the plans promise.

    Raises Refusal where it cannot be written, or would come to anything else.
    """
    plans = tuple(plans)
    said: Refusal | None = None
    for sections in (("published",), ("published", "budget")):
        draft = Draft(source.text)
        outcomes: dict[bool, dict[str, None]] = {True: {}, False: {}}
        documents = []
        for plan in plans:
            plan.edit(draft)
            document = draft.document(plan.network.steps[0].origin.place)
            documents.append(document)
            draft.name(document, plan.name)
            for section in sections:
                kept = draft.comment_out(document, section)
                if kept is not None:
                    outcomes[kept][section] = None
        text = draft.text(documents[0] if pick is not None else None)
        try:
            _hold(Source(source.name, text), settings, plans)
        except Refusal as refusal:
            said = said or refusal
        else:
            return Written(text, tuple(outcomes[True]), tuple(outcomes[False]))
    assert said is not None
    raise said


def _hold(source: Source, settings: Settings, plans: tuple[Planned, ...]) -> None:
    try:
        networks = load(source, settings)
    except SpecError as error:
        problem = error.problems[0]
        lines = source.text.splitlines()
        number = problem.place.line - 1 if problem.place else len(lines)
        line = lines[number].strip() if number < len(lines) else ""
        message = f"the text would not be a spec: {problem.message}"
        raise Refusal(problem.code, message, f"in `{line}`" if line else "") from None
    for plan in plans:
        promised = plan.promised
        found = networks[plan.position] if plan.position < len(networks) else None
        if found is None or not _same(costs(found), costs(promised)):
            message = f"the text would not come to what {plan.name} was counted to be"
            raise Refusal("CC004", message, "an option leans on what comes in, or on another layer")
        if found.budget is not None and not _matched_alike(found.budget, promised, found):
            raise Refusal("CC112", "a budget would speak of other layers than before")


def _matched_alike(budget: Budget, one: Network, other: Network) -> bool:
    """Whether the patterns of a budget match the same layers by the names of either network."""
    patterns = {rule.match for rule in (*budget.layers, *budget.groups)}
    return all(
        _matches(before.path, pattern) == _matches(after.path, pattern)
        for before, after in zip(one.steps, other.steps, strict=True)
        for pattern in patterns
    )


def _matches(path: str, pattern: str) -> list[bool]:
    """Whether a pattern matches a path, and each of the groups it stands in."""
    names = path.split("/")
    return [fnmatchcase("/".join(names[:end]), pattern) for end in range(1, len(names) + 1)]


def _same(one: Costs, other: Costs) -> bool:
    """Whether two networks have the same layers, fed alike, at the same costs."""
    mine, others = (
        [(layer.kind, layer.output, layer.weights, layer.biases, layer.macs, step.inputs)
         for layer, step in zip(costs.layers, costs.network.steps, strict=True)]
        for costs in (one, other)
    )  # fmt: skip
    return mine == others and all(
        getattr(one.totals, name) == getattr(other.totals, name) for name in MEASURES
    )
