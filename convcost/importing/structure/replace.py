"""Lists rebuilt with calls in the place of layers; what does not change stays the same object."""

from collections.abc import Iterator

from convcost.importing.structure.tree import Call, Item, Join, Layer, Repeated

Calls = dict[int, dict[int, tuple[int, Call]]]


def replaced(items: tuple[Item, ...], numbers: Iterator[int], calls: Calls) -> tuple[Item, ...]:
    """A list with its calls. `numbers` count lists: one, then those inside its items, in order; by
    them `calls` say where a call begins, and how many items it stands for."""
    own = calls.get(next(numbers), {})
    inner = [_inside(item, numbers, calls) for item in items]
    if not own and all(a is b for a, b in zip(items, inner, strict=True)):
        return items
    found: list[Item] = []
    at = 0
    while at < len(items):
        length, item = own.get(at, (1, inner[at]))
        found.append(item)
        at += length
    return tuple(found)


def _inside(item: Item, numbers: Iterator[int], calls: Calls) -> Item:
    if isinstance(item, Join):
        lists = [replaced(b.items, numbers, calls) if b.items else () for b in item.branches]
        if all(a is b.items or not a for a, b in zip(lists, item.branches, strict=True)):
            return item
        branches = [b._replace(items=a) for a, b in zip(lists, item.branches, strict=True)]
        return item._replace(branches=tuple(branches))
    if isinstance(item, Layer | Call | Repeated):
        return item
    items = replaced(item.items, numbers, calls)
    return item if items is item.items else item._replace(items=items)
