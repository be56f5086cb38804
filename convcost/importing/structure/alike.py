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
    layers,
)
from convcost.importing.structure.values import fixed, slots

Key = int


class Alike:
    """Numbers for items: the same for those that differ in nothing but what options can say, and
    in branches that one has and the other has not. What an item takes by name, or whose weights it
    shares, is told by how many layers it stands before it."""

    def __init__(self, items: tuple[Item, ...]) -> None:
        self._place = {layer.number: n for n, layer in enumerate(layers(items))}
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
        """None for what no block may hold: it stands aside."""
        if isinstance(item, Layer):
            return self._layer(item)
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
        if any(branch.when for branch in join.branches):
            return None
        own = join.layer.number
        named = tuple(self._back(own, branch.ref) for branch in join.branches)
        longest = max((self.keys(branch.items) for branch in join.branches), key=self._weight)
        return ("join", self._layer(join.layer), named, longest)

    def _layer(self, layer: Layer) -> Any:
        said = layer.kind, layer.options, layer.note
        if said not in self._layers:
            marks = tuple((slot, fixed(v)) for slot, v in slots(layer.kind, layer.options).items())
            self._layers[said] = (layer.kind, layer.note, marks)
        form = self._layers[said]
        if not layer.refs and layer.shares is None:
            return form
        back = tuple(self._back(layer.number, value) for value in (*layer.refs, layer.shares))
        return (form, back)

    def _back(self, number: int, value: int | None) -> Any:
        """How far behind a value a layer stands; the first input is what stands before all."""
        if value is None:
            return None
        return self._place[number] - (self._place[value] if value >= 0 else value)

    @staticmethod
    def _weight(keys: tuple[Key, ...]) -> tuple[int, tuple[Key, ...]]:
        return len(keys), keys
