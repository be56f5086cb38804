"""Binds the options of kinds and blocks to values, from every way to write them."""

from collections.abc import Iterable
from typing import Any, TypeAlias

from convcost.language.problems import Problems
from convcost.language.syntax_tree import DEFERRED, Block, OptionValue
from convcost.language.values import Entries, Names, read_value, report_split_expression
from convcost.language.yaml_nodes import NULLS, Mapping, Node, Scalar, Sequence
from convcost.model.kind import COMMON_KEYS, KINDS, WEIGHT_KEYS, Kind
from convcost.model.number_format import counted
from convcost.model.options import show
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean, nearest, other_name

HasOptions: TypeAlias = type[Kind[Any]] | Block

INFERRED = "remove it: the input channels are those of the layer before"
ACTIVATION_WORDS = ("activation", "act", "activation_fn", "nonlinearity")
INPUT_WORDS = ("in_channels", "in_features", "input_channels", "channels_in", "in_planes")


class Written(NamedTuple):
    """A layer as written: `{word: value, **options}`. `names` are the variables that its
    expressions may use."""

    word: Scalar
    value: Node
    options: Entries
    names: Names

    @property
    def has_value(self) -> bool:
        """Whether a value is written: `conv: 64` has one, `relu` and `relu:` have none."""
        value = self.value
        return value is not self.word and not (type(value) is Scalar and value.null)


class OptionBinder:
    """Binds options; `defaults` are those of the document, by kind and option."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.defaults: dict[str, dict[str, OptionValue]] = {}
        self.frozen: dict[str, OptionValue] = {}  # the default of `frozen` for each kind
        self.states_bias = False  # whether any option `bias` is written

    def bind(self, owner: HasOptions, written: Written) -> tuple[OptionValue, ...] | None:
        """The options of a layer: defaults, its value, further keys. None if there is a problem."""
        before = len(self.problems)
        if report_split_expression(self.problems, written.value):
            return None
        options = self._entries(owner, written)
        bound = self.defaults.get(owner.name, {})
        if not isinstance(owner, Block) and not options.keys().isdisjoint(owner.required_one_of):
            # One of them is written here: the default of another does not apply.
            bound = {name: b for name, b in bound.items() if name not in owner.required_one_of}
        self.check_known(owner, options)
        values = self.read(owner, options, written.names)
        # A null means the default. A default that is an expression is evaluated at each call.
        values = {
            name: v for name, v in values.items() if v.expression or v.constant is not DEFERRED
        }
        bound = {**bound, **values}
        self._report_missing(owner, bound, options, written.word)
        return tuple(bound.values()) if len(self.problems) == before else None

    def _entries(self, owner: HasOptions, written: Written) -> Entries:
        """The options that a layer gives, in its value and as further keys."""
        options = self._entries_of_value(owner, written)
        for key, entry in written.options.items():
            if key in options:
                self.report_given_twice(key, owner.name, entry[0])
            options[key] = entry
        return options

    def _entries_of_value(self, owner: HasOptions, written: Written) -> Entries:
        """The options in the value of a layer. A kind's value is its principal option. A block's
        value is its first option, or a list of its options in order. Both accept a mapping by
        name."""
        value = written.value
        order, values = [owner.principal] if owner.principal else [], [value]
        by_name = type(value) is Mapping
        if isinstance(owner, Block):
            order = list(owner.options)
            values = value.items if type(value) is Sequence else values
            if type(value) is not Scalar:
                self.problems.count_read(value)
        elif type(value) is Mapping:  # the value of a principal option may be a mapping, too
            by_name = any(other_name(key, owner.options) for key in value.entries)
        if type(value) is Mapping and by_name:
            return dict(value.entries)
        if not written.has_value:
            return {}
        if len(values) > len(order):
            message = f"`{owner.name}` accepts no value"
            if order:
                options = counted(len(order), "option")
                message = f"`{owner.name}` has {len(values)} values, but only {options}"
            names = ", ".join(owner.options)
            hint = f"its options: {names}" if names else f"write `{owner.name}` alone"
            self.problems.add("CC104", message, value, hint)
        return {name: (written.word, item) for name, item in zip(order, values, strict=False)}

    def read(self, owner: HasOptions, options: Entries, names: Names) -> dict[str, OptionValue]:
        """The values of the options that the kind or block has, and that have no problem."""
        bound = {}
        for key, (_, node) in options.items():
            option = owner.options.get(key)
            if option is not None:
                value = read_value(self.problems, option, node, names, owner.name)
                self.states_bias |= key == "bias"
                if value is not None:
                    bound[key] = value
        return bound

    def _report_missing(
        self, owner: HasOptions, bound: dict[str, OptionValue], keys: Iterable[str], word: Scalar
    ) -> None:
        """Adds a problem for each required option that is missing. If a misspelt key probably means
        an option, that option is not reported."""
        options = owner.options.values()
        missing = [option for option in options if option.required and option.name not in bound]
        meant = {nearest(key, owner.options) for key in keys} if missing else ()
        for option in missing:
            if option.name not in meant:
                key = "{" + owner.name + ": …}"
                hint = key if option.name == owner.principal else f"`{option.name}: …`"
                message = f"{owner.name} needs `{option.name}` ({option.meaning})"
                self.problems.add("CC103", message, word, f"add {hint}")

    def report_given_twice(self, key: str, owner: str, at: Scalar) -> None:
        """Adds the problem of an option with two values."""
        self.problems.add("CC003", f"`{key}` of {owner} is given twice", at)

    def check_known(self, owner: HasOptions, options: Entries) -> None:
        """Adds a problem for each option that a kind or block does not have."""
        allowed = [*owner.options, *COMMON_KEYS, *(WEIGHT_KEYS if owner.learns else ())]
        for key, (word, value) in options.items():
            if key not in owner.options:
                hint = "" if other_name(key, allowed) else _layer_of_its_own(key, value)
                hint = INFERRED if key in INPUT_WORDS else hint or did_you_mean(key, allowed)
                if key in allowed:  # a key of the layer, inside the mapping of its options
                    hint = f"write `{key}` beside `{owner.name}`, not among its options"
                self.problems.add("CC101", f"{owner.name} has no option {show(key)}", word, hint)


def _layer_of_its_own(key: str, value: Node) -> str:
    """Help for an option of other tools that is a layer here, `activation: relu` or `maxpool: 2`;
    empty for another option."""
    text = value.text if type(value) is Scalar else ""
    if key not in ACTIVATION_WORDS:
        kind = other_name(key, KINDS.names())
        layer = f"{{{kind}: {text}}}" if text.isdecimal() else kind
    elif text in NULLS or text.lower() in ("linear", "identity"):
        return "remove it: a layer has no activation"
    else:
        kind = layer = other_name(text, KINDS.names())
        if kind is None:
            return "an activation is a layer of its own, written as the next layer"
    return f"write `{layer}` as the next layer" if kind else ""
