"""Hashes items such that two possible uses of a block have the same hash."""

from typing import Any

from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.tree import Item, Items, named_values
from convcost.importing.outline.values import constant_part

Key = int


class StructuralHash:
    """Numbers for items. Items that differ only in values that options can express, in optional
    branches, or in what they reference by name, have the same number."""

    def __init__(self) -> None:
        self._known: dict[Any, Key] = {}
        self.key = cached_by_identity(self._number)
        self._own = 0

    def keys(self, items: Items) -> tuple[Key, ...]:
        return tuple(self.key(item) for item in items)

    def _number(self, item: Item) -> Key:
        """The number of an item. An item without a form has a negative number of its own."""
        form = self._form(item)
        if form is None:
            self._own -= 1
            return self._own
        return self._known.setdefault(form, len(self._known))

    def _form(self, item: Item) -> Any:
        """The structure of an item; None for an item that cannot be in a block, such as a side
        output."""
        if item.is_side or any(branch.when for branch in item.branches):
            return None
        if item.is_sequence:
            return ("sequence", self.keys(item.items))
        if item.is_call:
            return ("call", item.kind)
        constant = tuple((key, constant_part(value)) for key, value in item.options)
        references = tuple(value is not None for value in named_values(item))
        branches = [self.keys(branch.items) for branch in item.branches]
        longest = max(branches, key=lambda keys: (len(keys), keys), default=())
        return item.kind, item.note, constant, references, longest
