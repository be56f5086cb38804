"""Counting conventions, one per file: what a tool counts for each kind of layer.

convcost finds a convention by its file. To add one, add a file to this package, or to
`conventions/` in a folder that CONVCOST_PLUGINS names. A convention is a table of rules. A rule is
a formula of quantities such as X (elements of the input), Y (elements of the output) and MACS:

    convention(
        "ours",
        word="FLOPs",
        meaning="Two operations per multiply-add, and one for each output of an activation.",
        source="our paper, section 3",
        rules={"conv linear": 2 * MACS + BIAS, "activation": Y},
        rest=ZERO,
    )

A key of `rules` names kinds (`relu`) or operations of kinds (`activation`, see `Operation` in
`convcost/model/kind.py`). The rule of a kind replaces the rule of its operation. `rest` is the rule
of all other kinds whose operation is known. The key `*` is the rule of all kinds without another
rule. A kind without any rule is not counted, and reports name the kind.

A command imports this package only if the user asks for a convention.
"""

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from convcost.conventions._formula import *  # noqa: F403  what the files of conventions use
from convcost.conventions._formula import Formula, LayerUse, as_formula
from convcost.model.costs import ConventionCounts, Costs, column_title, inputs_of
from convcost.model.errors import DefinitionError, UsageError, brief, printable
from convcost.model.kind import KINDS, OPERATIONS, Kind
from convcost.model.measures import Measure
from convcost.model.network import Network
from convcost.model.number_format import format_count
from convcost.model.record import NamedTuple, Record
from convcost.model.registry import Registry
from convcost.model.suggestions import did_you_mean
from convcost.model.symbolic import is_integer, memo

# Their rule is that of the tool, if it has one: what a contraction is to a tool depends on how a
# model writes it, as a matrix product or as a product and a sum.
UNKNOWN_TO_TOOLS = (None, "stated", "contraction")


class CountingRule(NamedTuple):
    """A formula with remarks.

    `fault` says why the number of the tool is wrong; it is empty for a correct rule. `depends` is
    an assumption that a spec does not confirm.
    """

    formula: Formula
    fault: str = ""
    depends: str = ""


def fault(formula: Formula, reason: str) -> CountingRule:
    """A rule of a tool whose number is wrong, and the `reason`."""
    return CountingRule(formula, fault=reason)


def depends(formula: Formula, on: str) -> CountingRule:
    """A rule that assumes something that a spec does not have; `on` says what."""
    return CountingRule(formula, depends=on)


# The tool has a number, but the number depends on something that a spec does not have.
UNKNOWN = Formula("not counted", lambda _work: 0)


class Convention(Record):
    """What a tool counts. `word` is the tool's word for its number, such as `FLOPs`.

    The `name` of a variant is `tool:variant`. With `per_sample`, the number does not grow with the
    batch. With `pruned`, only weights that are not pruned count. `factor` multiplies all rules.
    `variants` are the names of the variants. A variant with an `assumption` has the number of the
    tool for a network that is written in another way.
    """

    name: str
    word: str
    meaning: str
    source: str
    rules: Mapping[str, CountingRule]
    rest: CountingRule | None = None
    version: str = ""
    per_sample: bool = False
    factor: int = 1
    assumption: str = ""
    variants: tuple[str, ...] = ()
    pruned: bool = False

    @property
    def title(self) -> str:
        """The title of a column: the name and the word, such as `thop MACs`."""
        return column_title(self.name, self.word)

    @property
    def counts_activations(self) -> bool:
        """Whether it counts activations, not operations."""
        return self.word in ("activations", "acts")

    @property
    def summary(self) -> str:
        """The first sentence of the meaning."""
        first, dot, _ = self.meaning.partition(". ")
        return first if dot else self.meaning.rstrip(".")

    @property
    def note(self) -> str:
        """What reports say below a number: the title and the summary."""
        return f"{self.title}: {self.summary}"

    def rule(self, layer: Kind[Any]) -> CountingRule | None:
        """The rule of a layer; None if the convention does not count the kind."""
        rule = self._rule(layer)
        return None if rule is None or rule.formula is UNKNOWN else rule

    def _rule(self, layer: Kind[Any]) -> CountingRule | None:
        rule = self.rules.get(layer.name) or self.rules.get(layer.operation or "")
        if rule is None and layer.operation not in UNKNOWN_TO_TOOLS:
            rule = self.rest
        return rule or self.rules.get("*")

    def number(self, use: LayerUse) -> int | None:
        """The number of one layer; None if it is not counted."""
        rule = self.rule(use.layer)
        if rule is None or not use.layer.counted():
            return None
        if self.per_sample and use.batch != 1:
            use = use._replace(batch=1)
        if not self.pruned and use.density is not None:
            use = use._replace(density=None)
        return self.factor * use.times * self._value(rule.formula, use)

    def _value(self, formula: Formula, use: LayerUse) -> int:
        """The integer of a formula. Raises UsageError if that of a plug-in gives anything else."""
        try:
            number = formula.evaluate(use)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            file = CONVENTIONS.plugin_file(self.name)
            if file is None or os.environ.get("CONVCOST_DEBUG"):
                raise
            what = "" if isinstance(error, DefinitionError) else f"{type(error).__name__}: "
            reason = f"`{formula.text}` fails: {what}{error}"
        else:
            if is_integer(number) and (type(number) is not int or number >= 0):
                return number
            file = CONVENTIONS.plugin_file(self.name)
            reason = (
                f"`{formula.text}` gives {brief(number)}, which is not a whole number of at least 0"
            )
        what = f"`{self.name}` cannot count {use.layer.name}"
        raise UsageError(f"the plug-in `{file}` is not valid: {what}; {reason}")

    def count(self, costs: Costs, /) -> ConventionCounts:
        """The numbers of every layer of a network, with notes on what is assumed."""
        counts = self.numbers(costs)
        return counts._replace(notes=tuple(self._notes(costs, counts)))

    def numbers(self, costs: Costs) -> ConventionCounts:
        """The numbers of every layer of a network, without notes."""
        network = costs.network
        cache: dict[LayerUse, int | None] = memo(costs.batch, network.variables, network.inputs)
        numbers = []
        for use in _layer_uses(network, costs.batch):
            if use not in cache:
                cache[use] = self.number(use)
            numbers.append(cache[use])
        kinds = tuple(layer.kind for layer in costs.layers)
        return ConventionCounts(self.name, self.word, kinds, tuple(numbers))

    def total(self, uses: Mapping[LayerUse, int]) -> int | None:
        """The sum over all layers, from `distinct_layer_uses`; None if a layer is not counted."""
        numbers = [(self.number(use), times) for use, times in uses.items()]
        if any(number is None for number, _ in numbers):
            return None
        return sum((number or 0) * times for number, times in numbers)

    def _notes(self, costs: Costs, counts: ConventionCounts) -> Iterator[str]:
        """The meaning, the layers that are not counted, and the totals under assumptions about how
        the network is written."""
        yield self.note
        yield from self.uncounted_notes(costs, counts)
        for name in self.variants:
            variant = find_convention(name)
            total = variant.numbers(costs).total if variant.assumption else counts.total
            if total != counts.total:
                network = printable(costs.network.name)
                yield f"{name}: {format_count(total)} for {network}, {variant.assumption}"

    def uncounted_notes(self, costs: Costs, counts: ConventionCounts) -> Iterator[str]:
        """The kinds of layers that are not counted, with the reason if there is one."""
        layers = {step.layer.name: step.layer for step in costs.network.steps}
        reasons: dict[str, list[str]] = {}
        for kind, number in counts.uncounted:
            rule = self._rule(layers[kind])
            reasons.setdefault(rule.depends if rule else "", []).append(f"{kind} ×{number}")
        for reason, kinds in reasons.items():
            why = f"; {reason}" if reason else ""
            yield f"not counted by {self.name}, and not in its total: {', '.join(kinds)}{why}"


# What a variant can change.
CHANGES = (
    *("word", "meaning", "source", "version", "per_sample", "pruned"),
    *("factor", "assumption", "rules", "rest"),
)
MIN_PART = 3  # letters of a name that is looked for in others
# Names that mean something else where conventions are named: in --sort, --where and --columns.
NOT_CONVENTIONS = (
    *(measure for measure in Measure if measure is not Measure.MACS),
    *("channels", "receptive_field", "peak_memory", "flash", "memory", "nanoseconds", "score"),
    *("network", "path"),
)


def check_definition(name: str, convention: Convention) -> None:
    """Raises DefinitionError for a name that `--count` cannot have, and for a rule of a kind that
    does not exist, which would count nothing."""
    if not re.fullmatch(r"[\w.-]+(:[\w.-]+)?", name):
        raise DefinitionError(
            f"`{name}` is not a valid name; use letters, digits, `_`, `-` and `.`"
        )
    if name in NOT_CONVENTIONS:
        raise DefinitionError(f"`{name}` is the name of a measure or a column; use another")
    for key in ("word", "meaning", "source", "version"):
        if not isinstance(getattr(convention, key), str):
            raise DefinitionError(f"the {key} of `{name}` must be a text")
    for key in convention.rules:
        kind = None if key in OPERATIONS or key == "*" else KINDS.get(key)
        if key not in OPERATIONS and key != "*" and kind is None:
            hint = did_you_mean(key, (*KINDS.names(), *OPERATIONS))
            raise DefinitionError(
                f"`{name}` has a rule for `{key}`, but there is no such kind or operation"
                f"{hint and f'; {hint}'}"
            )
        if kind is not None and kind.role not in ("layer", "join"):
            raise DefinitionError(f"`{name}` has a rule for `{key}`, which is not a layer")


CONVENTIONS: Registry[Convention] = Registry("convcost.conventions", check=check_definition)


def convention(
    name: str,
    *,
    word: str,
    meaning: str,
    source: str,
    rules: Mapping[str, Formula | CountingRule],
    rest: Formula | CountingRule | None = None,
    version: str = "",
    per_sample: bool = False,
    pruned: bool = False,
    variants: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Registers a convention.

    `variants` maps the name of each variant to the parameters that it changes, one of CHANGES each.
    Its `rules` replace those of the same kinds; all others are those of the base. The variant is
    registered as `name:variant`.

    Raises DefinitionError for anything that would be ignored or is not exact.
    """
    if ":" in name:
        raise DefinitionError(f"`{name}` has a colon; write a variant in `variants`")
    base = Convention(
        name,
        word,
        " ".join(meaning.split()),
        source,
        _by_kind(rules),
        None if rest is None else _rule(rest),
        version,
        per_sample,
        variants=tuple(f"{name}:{variant}" for variant in variants or ()),
        pruned=pruned,
    )
    CONVENTIONS.add(name, base)
    for variant, changes in (variants or {}).items():
        changed = dict(changes)
        for key in changed:
            if key not in CHANGES:
                hint = did_you_mean(key, CHANGES)
                raise DefinitionError(f"a variant of `{name}` cannot change `{key}`; {hint}")
        factor = changed.get("factor", 1)
        if not is_integer(factor) or factor < 1:
            requirement = f"a whole number of at least 1, not {brief(factor)}"
            raise DefinitionError(f"the factor of `{name}:{variant}` must be {requirement}")
        if "meaning" in changed:
            changed["meaning"] = " ".join(changed["meaning"].split())
        changed["rules"] = {**base.rules, **_by_kind(changed.get("rules", {}))}
        if "rest" in changed:
            changed["rest"] = _rule(changed["rest"])
        CONVENTIONS.add(
            f"{name}:{variant}", base._replace(name=f"{name}:{variant}", variants=(), **changed)
        )


def _rule(rule: Formula | CountingRule | int) -> CountingRule:
    if isinstance(rule, CountingRule):
        return rule._replace(formula=as_formula(rule.formula))
    return CountingRule(as_formula(rule))


def _by_kind(rules: Mapping[str, Formula | CountingRule]) -> dict[str, CountingRule]:
    rule_by_kind: dict[str, CountingRule] = {}
    for kinds, formula in rules.items():
        rule = _rule(formula)
        for kind in kinds.split():
            if kind in rule_by_kind:
                raise DefinitionError(f"there are two rules for `{kind}`")
            rule_by_kind[kind] = rule
        if not kinds.split():
            raise DefinitionError("a rule has an empty key; the key names kinds or operations")
    return rule_by_kind


def find_convention(name: str) -> Convention:
    """The convention with this name, such as `thop` or `thop:functional_pools`.

    Raises UsageError if there is none.
    """
    entry = CONVENTIONS.get(name) if CONVENTIONS.get(name.partition(":")[0]) is not None else None
    if entry is None:
        raise UsageError(f"there is no convention `{name}`; {suggest_convention(name)}")
    return entry


def suggest_count(name: str) -> str:
    """Help for a name that is a convention, but none of those of `--count`; else empty."""
    base = CONVENTIONS.get(name.partition(":")[0])
    return f"add --count {name}" if base is not None and CONVENTIONS.get(name) else ""


def suggest_convention(name: str) -> str:
    """Help for an unknown name: the variants of the tool, or the nearest of the conventions that
    have the name in theirs (`keras` in `keras_flops`), are in it, or are similar."""
    base = CONVENTIONS.get(name.partition(":")[0])
    listing = "`convcost conventions` lists them"
    if base is not None:
        return did_you_mean(name, base.variants) or f"`{base.name}` has no such variant; {listing}"
    names = CONVENTIONS.names()
    word = name.lower().replace("-", "_")
    longer = [other for other in names if word in other] if len(word) >= MIN_PART else []
    base_names = longer or [other for other in names if other in word]
    return (
        did_you_mean(name, base_names or [other for other in names if ":" not in other]) or listing
    )


def find_conventions(text: str) -> tuple[Convention, ...]:
    """Parses names such as `thop,fvcore` to conventions, each once.

    Raises UsageError for an unknown name.
    """
    names = dict.fromkeys(name.strip() for name in text.split(","))
    return tuple(find_convention(name) for name in names)


def distinct_layer_uses(costs: Costs) -> Mapping[LayerUse, int]:
    """The different layers of a network, and how often each occurs."""
    count_by_use = Counter(_layer_uses(costs.network, costs.batch))
    return {
        use._replace(macs=use.layer.macs(use.x).value, known_windows=use.windows): n
        for use, n in count_by_use.items()
    }


def _layer_uses(network: Network, batch: int) -> Iterable[LayerUse]:
    sources = (source for step in network.steps for source in step.inputs)
    readers = Counter((network.last, *sources))
    binary = _binary_steps(network)
    for index, step in enumerate(network.steps):
        source = step.inputs[0] if step.inputs else -1
        read_once = source >= 0 and readers[source] == 1
        before = network.steps[source].layer if read_once else None
        inputs, times = inputs_of(network, step), step.copies.used
        use = LayerUse(step.layer, inputs, step.shape, batch, before, index in binary, times)
        yield use if step.density is None else use._replace(density=step.density)


def _binary_steps(network: Network) -> set[int]:
    """The steps whose weights and first input have 1 bit."""
    if network.dtypes is None:
        return set()
    from convcost.model.peak_memory import tensor_dtypes

    tensors = tensor_dtypes(network, network.dtypes)
    layers = network.dtypes.for_paths(step.path for step in network.steps)
    return {
        index
        for index, (step, layer_dtypes) in enumerate(zip(network.steps, layers, strict=True))
        if layer_dtypes.weights.bits == 1 and step.inputs and tensors[step.inputs[0]].bits == 1
    }
