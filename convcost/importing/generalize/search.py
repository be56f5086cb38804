"""Finds the spec of a model and the sizes at which it is valid."""

import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

from convcost.importing.generalize.fold_padding import fold_paddings
from convcost.importing.generalize.probe_sizes import (
    Size,
    common_steps,
    multiple_of_size,
    near_sizes,
    one_axis_sizes,
    probe_sizes,
    sizes_between,
    sizes_in_steps,
)
from convcost.importing.generalize.size_expressions import same_paddings, with_size_expressions
from convcost.importing.generalize.size_inputs import size_inputs, with_size_inputs
from convcost.importing.generalize.verify_at_size import (
    BOTH_REFUSE,
    DIFFERS,
    MODEL_REFUSES,
    SAME,
    SPEC_REFUSES,
    Verdict,
    costs_at_size,
    verify_at_size,
)
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.spec import proved_spec
from convcost.language.network_inputs import AllowedSizes
from convcost.model.errors import ConstraintError
from convcost.model.shape import size_text

FIXED = AllowedSizes(fixed=True)
DIVISOR = re.compile(r"// ([0-9]+)")
MAX_DIVISOR = 8  # of a rounded size; the model is read once for each remainder
REASONS = {
    DIFFERS: "the model and the spec differ at {}",
    MODEL_REFUSES: "the model refuses {}",
    SPEC_REFUSES: "the spec refuses {}, which the model accepts",
}


class GeneralizedSpec(NamedTuple):
    """The text of a spec; `notes` say what is known about other sizes."""

    text: str
    notes: tuple[str, ...] = ()


class _Fit(NamedTuple):
    """A graph with expressions, and its text."""

    graph: LayerGraph
    text: str
    size_inputs: dict[int, int]
    merged_pads: frozenset[int]


def generalized_spec(graph: LayerGraph, read_at: Callable[[Size], LayerGraph]) -> GeneralizedSpec:
    """The spec of a graph with one input, compared with the model at other sizes. It states which
    options depend on the size and which sizes are allowed. `read_at` reads the model at another
    size.

    Raises ConstraintError.
    """
    ((_, shape),) = graph.inputs
    return _SizeSearch(graph, shape.size, read_at).result()


class _SizeSearch:
    """A model at its own size, and at the other sizes that were tried. `models` has the graph of
    the model at each size, or the message with which the model refuses it. `size_inputs` has the
    layers that get their size from another tensor, each with that tensor. `merged_pads` are the
    layers that become `padding: same` of the next window."""

    def __init__(
        self, graph: LayerGraph, own_size: Size, read_at: Callable[[Size], LayerGraph]
    ) -> None:
        self.graph = graph
        self.own_size = own_size
        self.read_at = read_at
        self.models: dict[Size, LayerGraph | str] = {}
        self.size_inputs: dict[int, int] = {}
        self.merged_pads: frozenset[int] = frozenset()

    def result(self) -> GeneralizedSpec:
        """The spec with expressions, or with a restriction of the sizes, and a note about it."""
        general, text = self._general_graph()
        verdicts = self._verdicts(general, text)
        if not _is_wrong(verdicts):
            return GeneralizedSpec(text, (_comparison_note(verdicts),))
        refused = {verdict.outcome for verdict in verdicts} <= {BOTH_REFUSE, MODEL_REFUSES}
        sizes = FIXED if refused else self._sizes(text)
        wrong = next(
            (verdict for verdict in verdicts if verdict.outcome in (DIFFERS, MODEL_REFUSES)), None
        )
        if sizes.fixed:
            general = self.graph  # no other size is allowed, so the spec needs no expressions
        restriction = "fixed: true" if sizes.fixed else f"multiple: {sizes.multiple}"
        note = _restriction_note(verdicts, wrong, restriction, refused=refused)
        return GeneralizedSpec(proved_spec(general._replace(sizes=sizes)), (note,))

    def _general_graph(self) -> tuple[LayerGraph, str]:
        """The graph with expressions for the options that depend on the size, if the graphs at
        three sizes allow that, and its text. If sizes are rounded, the expressions are also those
        of the sizes near the model's own, where that is possible."""
        for sizes in (*probe_sizes(self.own_size), one_axis_sizes(self.own_size)):
            fit = self._fit(sizes)
            if fit is None:
                continue
            near = self._near_sizes(fit.graph)
            fit = (self._fit((*sizes, *near)) if near else None) or fit
            self.size_inputs, self.merged_pads = fit.size_inputs, fit.merged_pads
            return fit.graph, fit.text
        return self.graph, proved_spec(self.graph)

    def _fit(self, sizes: Sequence[Size]) -> _Fit | None:
        """The graph with expressions that are right at those of the sizes that the model accepts;
        None if there are none."""
        models = [model for size in sizes if not isinstance(model := self._model(size), str)]
        chosen = size_inputs(self.graph, *models)
        first, *models = (with_size_inputs(graph, chosen) for graph in (self.graph, *models))
        general = with_size_expressions(first, *models) if models else None
        if general is None:
            return None
        pads = same_paddings(first, *models)
        general = fold_paddings(general, pads)
        try:
            return _Fit(general, proved_spec(general), chosen, pads)
        except ConstraintError:  # the text with the expressions differs from the graph
            return None

    def _near_sizes(self, general: LayerGraph) -> list[Size]:
        """Sizes near the model's own at which rounded sizes have all remainders, at least those by
        2 and 3, because the divisor may be wrong; empty if the graph rounds no size."""
        texts = (str(layer.follows) for layer in general.layers)
        divisors = {int(divisor) for text in texts for divisor in DIVISOR.findall(text)}
        small = (divisor for divisor in divisors if divisor <= MAX_DIVISOR)
        return near_sizes(self.own_size, max((3, *small))) if divisors else []

    def _verdicts(self, general: LayerGraph, text: str) -> list[Verdict]:
        """Verdicts at enough sizes: two with few common factors, one of them wider than high and
        one higher than wide. If the model does not accept these, squares and multiples of its own
        size, and a size between these that the spec accepts. At other remainders, an expression
        that equals the numbers at all of these sizes may be wrong."""
        verdicts: list[Verdict] = []
        for sizes in probe_sizes(self.own_size):
            outcomes = {verdict.outcome for verdict in verdicts}
            squares = len(sizes[0]) > 1 and len(set(sizes[0])) == 1
            if squares and MODEL_REFUSES not in outcomes:
                continue
            if DIFFERS in outcomes or (SAME in outcomes and MODEL_REFUSES not in outcomes):
                break
            verdicts += [self._verdict(text, size) for size in sizes]
        near = [self._verdict(text, size) for size in self._near_sizes(general)]
        verdicts += [verdict for verdict in near if verdict.outcome == DIFFERS]
        if {verdict.outcome for verdict in verdicts} == {BOTH_REFUSE}:
            # A head for 7×7 accepts inputs whose maps become 7×7. A head on rows accepts lines of
            # any length. A table of positions accepts one size only.
            verdicts += [
                self._verdict(text, size)
                for size in (near_sizes(self.own_size)[0], *one_axis_sizes(self.own_size))
            ]
        outcomes = {verdict.outcome for verdict in verdicts}
        if SAME in outcomes and outcomes & {BOTH_REFUSE, MODEL_REFUSES}:
            accepted = (
                size
                for size in sizes_between(self.own_size)
                if not isinstance(costs_at_size(text, size), str)
            )
            verdicts += [self._verdict(text, size) for size in islice(accepted, 1)]
        return verdicts

    def _sizes(self, text: str) -> AllowedSizes:
        """The allowed sizes of a spec that is wrong at some sizes: the multiples of a number, if
        the spec is right at all such sizes that are tried, near and far."""
        right = (SAME, BOTH_REFUSE)
        multiple_of_all_steps = multiple_of_size(self.own_size)
        if self._verdict(text, multiple_of_all_steps).outcome not in right:
            return FIXED
        for step in common_steps(self.own_size):
            outcomes = set()
            for size in sizes_in_steps(self.own_size, step):
                outcomes.add(self._verdict(text, size).outcome)
                if not outcomes <= set(right):
                    break
            else:
                if SAME in outcomes:
                    return AllowedSizes(multiple=step)
        return FIXED

    def _verdict(self, text: str, size: Size) -> Verdict:
        model = self._model(size)
        if not isinstance(model, str):
            model = fold_paddings(with_size_inputs(model, self.size_inputs), self.merged_pads)
        return verify_at_size(text, size, model)

    def _model(self, size: Size) -> LayerGraph | str:
        """The model at a size, read once; or the message with which it refuses the size."""
        if size not in self.models:
            try:
                self.models[size] = self.read_at(size)
            except ConstraintError as refusal:
                self.models[size] = refusal.message
        return self.models[size]


def _is_wrong(verdicts: Sequence[Verdict]) -> bool:
    """Whether a spec accepts sizes at which it is or may be wrong. If the model accepts only
    squares, other sizes remain the user's responsibility."""
    outcomes = {verdict.outcome for verdict in verdicts}
    if DIFFERS in outcomes or SPEC_REFUSES in outcomes or SAME not in outcomes:
        return True
    same_verdicts = [verdict for verdict in verdicts if verdict.outcome == SAME]
    return MODEL_REFUSES in outcomes and not any(
        len(set(verdict.size)) == 1 for verdict in same_verdicts
    )


def _comparison_note(verdicts: Sequence[Verdict]) -> str:
    same = " and ".join(size_text(verdict.size) for verdict in verdicts if verdict.outcome == SAME)
    return f"also compared with the model at {same}"


def _restriction_note(
    verdicts: Sequence[Verdict], wrong: Verdict | None, restriction: str, *, refused: bool
) -> str:
    """A note with the reason why a spec accepts only some sizes, and with its `restriction`;
    `refused` if the model accepts none of the sizes that were tried."""
    case = wrong or next((verdict for verdict in verdicts if verdict.outcome == SPEC_REFUSES), None)
    reasons = ["the model accepts no other size that convcost tried"] if refused else []
    if case is not None:
        reasons.append(f"{REASONS[case.outcome].format(size_text(case.size))}: {case.reason}")
    return f"the input is `{restriction}`, because {'; '.join(reasons)}"
