"""Hashes items such that two possible uses of a block have the same hash."""

from typing import Any

from convcost.importing.outline.identity_cache import cached_by_identity
from convcost.importing.outline.tree import Item, Items, layer_numbers
from convcost.importing.outline.values import constant_part

Key = int


class StructuralHash:
    """Numbers for items. Items that differ only in values that options can express, or in optional
    branches, have the same number. A reference by name, or to shared weights, is identified by its
    distance in layers."""

    def __init__(self, items: Items) -> None:
        self._place = {number: n for n, number in enumerate(layer_numbers(items))}
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
        return (self._layer(item), *self._branches(item)) if item.branches else self._layer(item)

    def _branches(self, join: Item) -> tuple[Any, ...]:
        assert join.number is not None
        named = tuple(self._distance(join.number, branch.ref) for branch in join.branches)
        longest = max((self.keys(branch.items) for branch in join.branches), key=self._weight)
        return ("join", named, longest)

    def _layer(self, layer: Item) -> Any:
        constant = tuple((place, constant_part(value)) for place, value in layer.options)
        form = layer.kind, layer.note, constant
        if not layer.refs and layer.shares is None:
            return form
        assert layer.number is not None
        back = tuple(self._distance(layer.number, value) for value in (*layer.refs, layer.shares))
        return (form, back)

    def _distance(self, number: int, value: int | None) -> Any:
        """The distance in layers from a value to a layer that uses it; the first input comes before
        all layers."""
        if value is None:
            return None
        return self._place[number] - (self._place[value] if value >= 0 else value)

    @staticmethod
    def _weight(keys: tuple[Key, ...]) -> tuple[int, tuple[Key, ...]]:
        return len(keys), keys
