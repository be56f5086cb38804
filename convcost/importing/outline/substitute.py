"""Rebuilds lists with calls in place of layers. A list that does not change stays the same
object."""

from collections.abc import Iterator

from convcost.importing.outline.tree import CallItem, Item, JoinItem, LayerItem, Repeated

Calls = dict[int, dict[int, tuple[int, CallItem]]]


def substitute_calls(
    items: tuple[Item, ...], numbers: Iterator[int], calls: Calls
) -> tuple[Item, ...]:
    """A list with its calls. `numbers` number this list and then the lists inside its items, in
    order; `calls` has for each number the positions of calls, and how many items each replaces."""
    own = calls.get(next(numbers), {})
    inner = [_substitute_inside(item, numbers, calls) for item in items]
    if not own and all(a is b for a, b in zip(items, inner, strict=True)):
        return items
    found: list[Item] = []
    at = 0
    while at < len(items):
        length, item = own.get(at, (1, inner[at]))
        found.append(item)
        at += length
    return tuple(found)


def _substitute_inside(item: Item, numbers: Iterator[int], calls: Calls) -> Item:
    if isinstance(item, JoinItem):
        lists = [
            substitute_calls(b.items, numbers, calls) if b.items else () for b in item.branches
        ]
        if all(a is b.items or not a for a, b in zip(lists, item.branches, strict=True)):
            return item
        branches = [b._replace(items=a) for a, b in zip(lists, item.branches, strict=True)]
        return item._replace(branches=tuple(branches))
    if isinstance(item, LayerItem | CallItem | Repeated):
        return item
    items = substitute_calls(item.items, numbers, calls)
    return item if items is item.items else item._replace(items=items)
