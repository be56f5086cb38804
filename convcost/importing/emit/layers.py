"""Writes layers as YAML nodes: first the key of the kind, then its options, then the options that
every layer has."""

from collections.abc import Mapping
from typing import Any

from convcost.importing.emit.flow import Node
from convcost.importing.emit.scalars import expression, number_text, text
from convcost.importing.outline.tree import Item, Items
from convcost.importing.outline.values import OptionExpression, written_options
from convcost.language.common_keys import FROZEN
from convcost.model.kind import KINDS
from convcost.model.options import REST
from convcost.model.shape import Shape

Defaults = Mapping[str, Mapping[str, Any]]


def layer_nodes(items: Items, defaults: Defaults, when: str = "") -> list[Node]:
    """The items of a list. With `when`, they exist only if that option of the block is true."""
    return [_item(item, defaults, when) for item in items]


def _item(item: Item, defaults: Defaults, when: str) -> Node:
    node: dict[str, Node]
    if item.is_call:
        node = _call(item)
    elif item.number is None:
        node = {item.kind: layer_nodes(item.items, defaults)}
    else:
        branch_node: dict[str, Node] = (
            {item.kind: _branches(item, defaults)} if item.branches else {}
        )
        node = _options(item, defaults, branch_node)
    if item.name:
        node["name"] = text(item.name)
    if item.sources:
        sources: list[Node] = [text(source) for source in item.sources]
        node["from"] = sources if len(sources) > 1 else sources[0]
    if item.weights:
        node["weights"] = text(item.weights)
    if item.repeat > 1:
        node["repeat"] = str(item.repeat)
    if when:
        node["when"] = when
    if item.note:
        node["note"] = text(item.note)
    return item.kind if node == {item.kind: ""} else node


def _options(item: Item, defaults: Defaults, node: dict[str, Node]) -> dict[str, Node]:
    """The options that the spec has to state for a layer. Options equal to `defaults` are left out.
    If `node` is empty, the principal option becomes the value of the kind's key."""
    kind = item.kind
    kind_class = KINDS[kind]
    options = written_options(kind, item.options)
    for name, value in defaults.get(kind, {}).items():
        if name in options and options[name] == value and type(options[name]) is type(value):
            del options[name]
        elif name not in options:
            # The layer differs from `defaults`, so it states the usual value of the option.
            options[name] = False if name == FROZEN.name else kind_class.options[name].default
    if not node:
        principal = kind_class.principal
        has_principal = principal is not None and principal in options
        value = options.pop(str(principal)) if has_principal else None
        node = {
            kind: _value(value, literal=_is_literal(kind_class, principal)) if has_principal else ""
        }
    for name, value in options.items():
        node[name] = _value(value, literal=_is_literal(kind_class, name))
    return node


def _is_literal(kind: Any, option: str | None) -> bool:
    return option in kind.options and bool(kind.options[option].type.literal)


def _value(value: Any, *, literal: bool = False) -> Node:
    if literal:
        return text(str(value))
    if isinstance(value, OptionExpression):
        return expression(value)
    if isinstance(value, Shape):
        entries: list[Any] = [value.channels, *value.size]
        channels, *size = ("rest" if type(n) is int and n == REST else _value(n) for n in entries)
        return {"channels": channels, "size": list(size)}
    if isinstance(value, tuple):
        return [_value(item) for item in value]
    return number_text(value)


def _branches(item: Item, defaults: Defaults) -> Node:
    if not any(branch.name for branch in item.branches):
        return [text(branch.source) for branch in item.branches]
    return {
        text(branch.name): layer_nodes(branch.items, defaults, branch.when)
        if branch.ref is None
        else text(branch.source)
        for branch in item.branches
    }


def _call(item: Item) -> dict[str, Node]:
    """A use of a block: required options in order, options with a default by name."""
    values = [_value(value) for _, value in item.required_arguments]
    arguments: Node = ""
    if len(values) > 1 or (values and isinstance(values[0], list)):
        arguments = values
    elif values:
        arguments = values[0]
    node: dict[str, Node] = {item.kind: arguments}
    return node | {name: _value(value) for (name, _), value in item.changed_arguments}
