"""Writes consecutive equal items once, with `repeat`."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from convcost.importing.outline import tree
from convcost.importing.outline.tree import Item, Items
from convcost.importing.outline.valid_names import stem


def fold_repeats(items: Items) -> Items:
    """The items with consecutive equal items merged. A value that others reference by name must
    be the output of the last copy."""
    chained = Counter(_chained_inputs(items))
    once = {
        value for value, count in Counter(tree.references(items)).items() if count == chained[value]
    }
    return _fold(items, tree.named_by_others(items) - once)


def _chained_inputs(items: Items) -> Iterator[int]:
    """The values that are the first input by name of a call because a call before it outputs
    them."""
    for before, item in pairwise(items):
        if _is_next_copy(before, item):
            yield item.refs[0]
    for item in items:
        for branch in item.branches:
            yield from _chained_inputs(branch.items)


def _is_next_copy(before: Item, item: Item) -> bool:
    """Whether a call of a block with several inputs continues the call before it."""
    continued = before.kind, tree.output(before), *before.refs[1:]
    return item.is_call and len(item.refs) > 1 and continued == (item.kind, *item.refs)


def _fold(items: Items, used_values: set[int]) -> Items:
    """A list with each run of equal items merged, also in the lists inside its items. Of all values
    in a run, only the output of the last copy may be in `used_values`."""
    inner = [tree.rebuild(item, lambda inside: _fold(inside, used_values)) for item in items]
    new_items: list[Item] = []
    at = 0
    while at < len(inner):
        end, form = at + 1, _form(inner[at])
        while end < len(inner) and _continues_run(form, inner[end - 1], inner[end], used_values):
            end += 1
        first, *others = inner[at:end]
        unwritten = (*first.unwritten, *others)
        new_items.append(first._replace(repeat=1 + len(others), unwritten=unwritten))
        at = end
    return tuple(new_items)


def _continues_run(form: object, previous: Item, item: Item, used_values: set[int]) -> bool:
    """Whether an item is one more copy in a run of items of this form, the last of which is the
    `previous` one, so that all can be one `repeat`."""
    return (
        form is not None
        and _is_unreferenced(previous, used_values)
        and _form(item) == form
        and (not item.refs or _is_next_copy(previous, item))
        and _is_unreferenced(item, used_values, except_output=True)
    )


def _is_unreferenced(item: Item, used_values: set[int], *, except_output: bool = False) -> bool:
    """Whether no value of an item is in `used_values`, except for its output if `except_output` is
    true."""
    if not used_values:
        return True
    last = tree.output(item)
    # Nothing outside of a call can reference the layers in it.
    numbers = () if item.is_call else tree.layer_numbers((item,))
    inner_is_unreferenced = all(n == last or n not in used_values for n in numbers)
    return inner_is_unreferenced and (except_output or last not in used_values)


def _form(item: Item) -> object:
    """The content of an item as the writer writes it; None if the item cannot be repeated."""
    lists = tuple((b.name, b.when, tuple(map(_form, b.items))) for b in item.branches)
    shared = item.refs[1:] if item.is_call else ()
    by_name = (item.shares, *(() if shared else item.refs), *(b.ref for b in item.branches))
    named = item.name and not item.is_call
    # The names of branches without a list belong to the list of the join.
    listed = not item.is_join or any(items for *_, items in lists)
    if any(value is not None for value in by_name) or named or item.is_side or not listed:
        return None
    if any(None in items for *_, items in lists):
        return None
    return item.kind, item.options, item.note, stem(item.name), item.repeat, lists, shared
