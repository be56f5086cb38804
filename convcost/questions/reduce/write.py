"""A spec's text with its reductions undone, or with new ones; held against its arithmetic.

Nothing is handed out that was not read back: the text is loaded again, and has to come to exactly
what the rewired network comes to.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from convcost.costs import MEASURES, Costs, costs
from convcost.errors import Refusal, Source, SpecError
from convcost.network import Network
from convcost.rewire import Rewiring, rewired
from convcost.spec.draft import Draft
from convcost.spec.entry import Settings
from convcost.spec.load import load


class Planned(NamedTuple):
    """What is to be written for one network: its rewiring, and the same as changes of its text."""

    network: Network
    change: Rewiring
    edit: Callable[[Draft], None]
    name: str

    @property
    def promised(self) -> Network:
        return rewired(self.network, self.change)._replace(name=self.name)


class Written(NamedTuple):
    """A text, and what was turned into comments in it."""

    text: str
    commented: tuple[str, ...]


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
        commented: dict[str, None] = {}
        documents = []
        for plan in plans:
            plan.edit(draft)
            document = draft.document(plan.network.steps[0].origin.place)
            documents.append(document)
            draft.name(document, plan.name)
            for section in sections:
                if draft.comment_out(document, section):
                    commented[section] = None
        text = draft.text(documents[0] if pick is not None else None)
        try:
            _hold(Source(source.name, text), settings, plans)
        except Refusal as refusal:
            said = said or refusal
        else:
            return Written(text, tuple(commented))
    assert said is not None
    raise said


def _hold(source: Source, settings: Settings, plans: tuple[Planned, ...]) -> None:
    try:
        networks = load(source, settings)
    except SpecError as error:
        problem = error.problems[0]
        line = source.text.splitlines()[problem.place.line - 1].strip() if problem.place else ""
        message = f"the text would not be a spec: {problem.message}"
        raise Refusal(problem.code, message, f"in `{line}`" if line else "") from None
    for plan in plans:
        promised = costs(plan.promised)
        found = [network for network in networks if network.name in (plan.name, plan.network.name)]
        if len(found) != 1 or not _same(costs(found[0]), promised):
            message = f"the text would not come to what {plan.name} was counted to be"
            raise Refusal("CC004", message, "an option leans on what comes in, or on another layer")


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
