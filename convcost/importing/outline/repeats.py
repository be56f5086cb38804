"""Writes consecutive equal items once, with `repeat`."""

from collections.abc import Sequence as Items

from convcost.importing.outline.tree import (
    CallItem,
    Item,
    JoinItem,
    LayerItem,
    Repeated,
    SequenceItem,
    SideItem,
    layers,
    output,
    references,
)
from convcost.importing.outline.valid_names import stem


def fold_repeats(items: Items[Item], taken: frozenset[int]) -> tuple[Item, ...]:
    """The items with consecutive equal items merged. A value that is referenced by name, or is in
    `taken`, must be the output of the last copy."""
    shared = (layer.shares for layer in layers(tuple(items)) if layer.shares is not None)
    return _fold(items, taken.union(references(tuple(items)), shared))


def _fold(items: Items[Item], taken: frozenset[int]) -> tuple[Item, ...]:
    """A list with each run of equal items merged, also in the lists inside its items. Of all values
    in a run, only the output of the last copy may be in `taken`."""
    inner = [_fold_inside(item, taken) for item in items]
    found: list[Item] = []
    at = 0
    while at < len(inner):
        end = at + 1
        form = _form(inner[at])
        while (
            form is not None
            and not _has_fixed_name(inner[at])
            and end < len(inner)
            and _is_unreferenced(inner[end - 1], taken)
            and _form(inner[end]) == form
            and _is_unreferenced(inner[end], taken, except_output=True)
        ):
            end += 1
        run = inner[at:end]
        found.append(run[0] if len(run) == 1 else Repeated(tuple(run)))
        at = end
    return tuple(found)


def _fold_inside(item: Item, taken: frozenset[int]) -> Item:
    if isinstance(item, JoinItem):
        branches = tuple(b._replace(items=_fold(b.items, taken)) for b in item.branches)
        return item._replace(branches=branches)
    if isinstance(item, SequenceItem | SideItem):
        return item._replace(items=_fold(item.items, taken))
    return item


def _is_unreferenced(item: Item, taken: frozenset[int], *, except_output: bool = False) -> bool:
    """Whether no value of an item is in `taken`, except for its output if `except_output` is
    true."""
    if not taken:
        return True
    last = output(item)
    # Nothing outside of a call can reference the layers in it.
    numbers = () if isinstance(item, CallItem) else (layer.number for layer in layers((item,)))
    inner_is_unreferenced = all(n == last or n not in taken for n in numbers)
    return inner_is_unreferenced and (except_output or last not in taken)


def _form(item: Item) -> object:
    """The content of an item as the writer writes it; None if the item cannot be repeated."""
    if isinstance(item, LayerItem):
        alone = item.refs or item.shares is not None or item.name
        return None if alone else (item.kind, item.options, item.note)
    if isinstance(item, CallItem):
        return None if item.refs else (item.block, item.arguments, stem(item.name))
    if isinstance(item, JoinItem):
        return _join(item)
    if isinstance(item, Repeated):
        return (len(item.copies), _form(item.copies[0]))
    inner = tuple(map(_form, item.items))
    once = item.name or isinstance(item, SideItem) or None in inner
    return None if once else ("sequence", inner)


def _join(join: JoinItem) -> object:
    own = _form(join.layer)
    parts = [(b.name, b.when, b.ref, tuple(map(_form, b.items))) for b in join.branches]
    listed = any(branch.items for branch in join.branches)  # otherwise its names belong to the list
    return (own, tuple(parts)) if own is not None and listed and _can_repeat(parts) else None


def _has_fixed_name(item: Item) -> bool:
    """Whether an item has a name of its own, without a number."""
    return isinstance(item, CallItem) and bool(item.name) and not item.name[-1].isdigit()


def _can_repeat(parts: list[tuple[str, str, int | None, tuple[object, ...]]]) -> bool:
    return all(ref is None and None not in items for _, _, ref, items in parts)
