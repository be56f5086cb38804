"""What two uses of a block must have in common, as a number that is the same for both."""

from collections.abc import Sequence as Items
from typing import Any

from convcost.importing.structure.tree import (
    Call,
    Item,
    Join,
    Layer,
    Repeated,
    Sequence,
)
from convcost.importing.structure.values import fixed, slots

Key = int


class Alike:
    """Numbers for items: the same for those that differ in nothing but what options can say, and
    in branches that one has and the other has not."""

    def __init__(self) -> None:
        self._known: dict[Any, Key] = {}
        self._of: dict[int, tuple[Key, Item]] = {}  # by identity; the item is kept, so that stays
        self._layers: dict[Any, Any] = {}
        self._own = 0

    def key(self, item: Item) -> Key:
        known = self._of.get(id(item))
        if known is None:
            known = self._of[id(item)] = self._number(self._form(item)), item
        return known[0]

    def keys(self, items: Items[Item]) -> tuple[Key, ...]:
        return tuple(self.key(item) for item in items)

    def alone(self) -> Key:
        """The number of what is like nothing else."""
        self._own -= 1
        return self._own

    def _number(self, form: Any) -> Key:
        return self.alone() if form is None else self._known.setdefault(form, len(self._known))

    def _form(self, item: Item) -> Any:
        """None for what no block may hold: it takes layers by name, or shares their weights, or
        stands aside."""
        if isinstance(item, Layer):
            return None if item.refs else self._layer(item)
        if isinstance(item, Join):
            return self._join(item)
        if isinstance(item, Sequence):
            return ("sequence", self.keys(item.items))
        if isinstance(item, Call):
            return None if item.refs else ("call", item.block)
        if isinstance(item, Repeated):
            return ("repeated", len(item.copies), self.key(item.copies[0]))
        return None

    def _join(self, join: Join) -> Any:
        held = any(branch.ref is not None or branch.when for branch in join.branches)
        own = self._layer(join.layer)
        if join.layer.refs or held or own is None:
            return None
        longest = max((self.keys(branch.items) for branch in join.branches), key=self._weight)
        return ("join", own, len(join.branches), longest)

    def _layer(self, layer: Layer) -> Any:
        if layer.shares is not None:
            return None
        said = layer.kind, layer.options, layer.note
        if said not in self._layers:
            marks = tuple((slot, fixed(v)) for slot, v in slots(layer.kind, layer.options).items())
            self._layers[said] = (layer.kind, layer.note, marks)
        return self._layers[said]

    @staticmethod
    def _weight(keys: tuple[Key, ...]) -> tuple[int, tuple[Key, ...]]:
        return len(keys), keys
