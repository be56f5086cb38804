"""Rebuilds lists with calls in place of layers. A list that does not change stays the same
object."""

from convcost.importing.outline.tree import Item, Items, rebuild

Calls = dict[int, dict[int, tuple[int, Item]]]


def substitute_calls(items: Items, calls: Calls) -> Items:
    """A list with its calls. `calls` has, by the identity of a list, the positions of calls, and
    the end of the items that each replaces."""
    own = calls.get(id(items), {})
    inner = [rebuild(item, lambda inside: substitute_calls(inside, calls)) for item in items]
    if not own and all(a is b for a, b in zip(items, inner, strict=True)):
        return items
    found: list[Item] = []
    at = 0
    while at < len(items):
        at, item = own.get(at, (at + 1, inner[at]))
        found.append(item)
    return tuple(found)
