"""Writes layers as YAML nodes: first the key of the kind, then its options, then the options that
every layer has."""

from collections.abc import Mapping
from typing import Any

from convcost.importing.emit.flow import Node
from convcost.importing.emit.scalars import expression, number_text, text
from convcost.importing.outline.naming import Named
from convcost.importing.outline.tree import CallItem, JoinItem, LayerItem, SequenceItem, SideItem
from convcost.importing.outline.values import OptionExpression
from convcost.language.common_keys import FROZEN
from convcost.model.kind import KINDS
from convcost.model.options import REST
from convcost.model.shape import Shape

Defaults = Mapping[str, Mapping[str, Any]]


def layer_nodes(items: tuple[Named, ...], defaults: Defaults) -> list[Node]:
    return [_item(item, defaults) for item in items]


def _item(named: Named, defaults: Defaults) -> Node:
    item = named.item
    node: dict[str, Node]
    if isinstance(item, LayerItem):
        node = _options(item.kind, item.options, defaults)
    elif isinstance(item, JoinItem):
        node = {item.layer.kind: _branches(named, defaults)}
        node |= _options(item.layer.kind, item.layer.options, defaults, {})
    elif isinstance(item, SequenceItem | SideItem):
        word = "sequence" if isinstance(item, SequenceItem) else "side"
        node = {word: layer_nodes(named.lists[0], defaults)}
    else:
        assert isinstance(item, CallItem)
        node = _call(item)
    return _common(node, named)


def _common(node: dict[str, Node], named: Named) -> Node:
    if named.name:
        node["name"] = text(named.name)
    if named.sources:
        sources: list[Node] = [text(source) for source in named.sources]
        node["from"] = sources if len(sources) > 1 else sources[0]
    if named.weights:
        node["weights"] = text(named.weights)
    if named.repeat > 1:
        node["repeat"] = str(named.repeat)
    if named.when:
        node["when"] = named.when
    item = named.item
    note = (
        item.note
        if isinstance(item, LayerItem)
        else item.layer.note
        if isinstance(item, JoinItem)
        else ""
    )
    if note:
        node["note"] = text(note)
    if len(node) == 1:
        ((word, value),) = node.items()
        if value == "":
            return word
    return node


def _options(
    kind: str,
    options: tuple[tuple[str, Any], ...],
    defaults: Defaults,
    node: dict[str, Node] | None = None,
) -> dict[str, Node]:
    """The options that the spec has to state for a layer. Options equal to `defaults` are left out.
    Without `node`, the principal option becomes the value of the kind's key."""
    found = KINDS.get(kind)
    assert found is not None, kind
    given = dict(options)
    for name, value in defaults.get(kind, {}).items():
        if name in given and given[name] == value and type(given[name]) is type(value):
            del given[name]
        elif name not in given:
            # The layer differs from `defaults`, so it states the usual value of the option.
            given[name] = False if name == FROZEN.name else found.options[name].default
    if node is None:
        principal = found.principal
        own = principal is not None and principal in given
        value = given.pop(str(principal)) if own else None
        node = {kind: _value(value, literal=_is_literal(found, principal)) if own else ""}
    for name, value in given.items():
        node[name] = _value(value, literal=_is_literal(found, name))
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


def _branches(named: Named, defaults: Defaults) -> Node:
    if all(name == "" for name, _ in named.branches):
        return [text(str(path)) for _, path in named.branches]
    return {
        text(name): layer_nodes(items, defaults) if path is None else text(path)
        for (name, path), items in zip(named.branches, named.lists, strict=True)
    }


def _call(item: CallItem) -> dict[str, Node]:
    """A use of a block: required options in order, options with a default by name."""
    values = [_value(value) for _, value in item.required_arguments]
    own: Node = ""
    if len(values) > 1 or (values and isinstance(values[0], list)):
        own = values
    elif values:
        own = values[0]
    node: dict[str, Node] = {item.block: own}
    return node | {name: _value(value) for name, value in item.changed_arguments}
