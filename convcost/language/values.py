"""Reads the value of an option: a number, a word, a list, or an expression."""

from collections import ChainMap
from collections.abc import Callable
from itertools import chain
from typing import Any, TypeAlias

from convcost.language.expressions import Evaluate, Lookup, parse
from convcost.language.problems import Problems
from convcost.language.scalars import BOOLS, parse_number
from convcost.language.syntax_tree import DEFERRED, OptionValue
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError
from convcost.model.kind import Option
from convcost.model.options import OptionType, show
from convcost.model.suggestions import did_you_mean

Entries: TypeAlias = dict[str, tuple[Scalar, Node]]
# A constant, or an expression.
Parsed: TypeAlias = tuple[Any, Evaluate | None]

INPUT_NAMES = ("in_channels", "in_height", "in_width", "in_depth")
MAX_PLAIN_DIGITS = 9  # of usual numbers, which are parsed first because that is faster


class Names(ChainMap[str, Any]):
    """The names that an expression may use: the variables of the document, and in a block its
    options. It is a key of dictionaries, equal only to itself."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def read_value(
    problems: Problems, option: Option, node: Node, names: Names, owner: str
) -> OptionValue | None:
    """The value of an option; None, and a problem, if it is wrong.

    `names` are the variables that an expression may use, `owner` is the kind or block of the
    option.
    """
    subject = f"`{option.name}` of {owner}"
    try:
        constant, expression = _parse(problems, node, option.type, names)
        if expression is not None:
            return OptionValue(option, node, DEFERRED, expression)
        if constant is None and option.required:
            raise ConstraintError("CC103", "has no value")  # noqa: TRY301
        checked = option.default if constant is None else option.type.check(constant)
        return OptionValue(option, node, checked)
    except ConstraintError as error:
        if error.code in ("CC105", "CC106"):  # the message names the expression
            subject = ""
        elif not error.message.startswith(("must", "needs", "has no")):
            subject += ":"  # the message is about a part of the value
        if not error.help:
            from convcost.language.value_hints import value_hint

            error.help = value_hint(option, node)
        problems.refuse(node, error, subject)
    return None


def report_split_expression(problems: Problems, node: Node | None) -> bool:
    """Whether a comma splits an expression, as in `{conv: max(8, w)}`; adds a problem if so."""
    if type(node) is not Mapping or not any(")" in key and "(" not in key for key in node.entries):
        return False
    for _, half in node.entries.values():
        if type(half) is Scalar and half.plain and half.text.count("(") > half.text.count(")"):
            message = f"`{half.text}` is only a part of an expression"
            hint = 'inside { } an expression with a comma needs quotes: "max(8, width)"'
            problems.add("CC105", message, half, hint)
            return True
    return False


def _parse(problems: Problems, node: Node, option_type: OptionType, names: Names) -> Parsed:
    """The value of an option of a type. Raises ConstraintError."""
    if type(node) is Scalar:
        return _parse_scalar(node, option_type, names)
    if option_type.literal:
        raise _wrong_type("text", "a list or mapping")
    problems.count_read(node)
    if type(node) is Sequence:
        for item in node.items:
            if type(item) is Sequence and option_type.nested:
                continue
            if type(item) is not Scalar or item.null:
                label = {Scalar: "nothing", Sequence: "a list", Mapping: "a mapping"}[type(item)]
                raise _wrong_type(option_type.meaning, label)
        within = option_type._replace(nested=False)
        return _combine([_parse(problems, item, within, names) for item in node.items], tuple)
    assert type(node) is Mapping
    if option_type.meaning[:1] != "{":
        raise _wrong_type(option_type.meaning, "a mapping")
    entries = {key: value for key, (_, value) in node.entries.items() if key[:2] != "x-"}
    # A mapping in a mapping is not parsed: its type is wrong anyway.
    parts = [
        ({}, None) if type(value) is Mapping else _parse(problems, value, option_type, names)
        for value in entries.values()
    ]
    return _combine(parts, lambda values: dict(zip(entries, values, strict=True)))


def _parse_scalar(node: Scalar, option_type: OptionType, names: Names) -> Parsed:
    text = node.text
    if node.null:
        return None, None
    if option_type.literal:
        return text, None
    if node.plain and text.isdecimal() and text.isascii() and len(text) <= MAX_PLAIN_DIGITS:
        return int(text), None
    if text in option_type.words or text in BOOLS:
        return BOOLS.get(text, text), None
    value = parse_number(text)
    return (value, None) if value is not None else _parse_expression(text, option_type, names)


def _parse_expression(text: str, option_type: OptionType, names: Names) -> Parsed:
    expression = parse(text)
    for name in sorted(expression.names):
        if name not in names and name not in INPUT_NAMES:
            raise _unknown_name(name, text, option_type, names)
    if expression.names:
        return None, expression.evaluate
    return expression.evaluate(dict[str, Any]().__getitem__), None


def _unknown_name(name: str, text: str, option_type: OptionType, names: Names) -> ConstraintError:
    """A word alone is more likely a wrong value than the name of a variable."""
    scope_names = chain(names, INPUT_NAMES)
    if text == name and not name.startswith("in_"):
        hint = did_you_mean(name, chain(scope_names, option_type.words), listed=0)
        if name.lower() in ("yes", "on", "no", "off"):
            hint = "write `true` or `false`; YAML 1.2 has no other truth values"
        return _wrong_type(option_type.meaning, show(name), hint)
    message = f"there is no name `{name}` here, in the expression `{text}`"
    return ConstraintError("CC105", message, did_you_mean(name, scope_names))


def _wrong_type(requirement: str, description: str, hint: str = "") -> ConstraintError:
    return ConstraintError("CC104", f"must be {requirement}, not {description}", hint)


def _combine(parts: list[Parsed], join: Callable[[list[Any]], Any]) -> Parsed:
    """Combines the values of parts to one value, which is a constant if all parts are constants."""
    if all(expression is None for _, expression in parts):
        return join([value for value, _ in parts]), None

    def evaluate(lookup: Lookup) -> Any:
        return join([value if part is None else part(lookup) for value, part in parts])

    return None, evaluate
