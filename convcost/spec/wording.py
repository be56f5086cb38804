"""A convolution as it is written: by itself, or as the call of a block that holds it."""

from convcost.errors import Place, Refusal
from convcost.spec.document import Node, Scalar
from convcost.spec.draft import Draft


class Wording:
    """The options of one layer. `item` is the place of the item it stands in, `origin` that of
    the layer's own word, which is elsewhere if the item calls a block."""

    def __init__(self, draft: Draft, item: Place, origin: Place) -> None:
        self.draft = draft
        self.item = item
        self.origin = origin

    def text(self, option: str) -> str:
        """An option as written for this layer; empty where it is left to a default."""
        node, place, name = self._find(option)
        if node is None and place == self.item and place != self.origin:
            # Not given in this call: what the block has in its stead.
            node = (self.draft.block(place) or {}).get(name)
        empty = node is None or (type(node) is Scalar and node.null)
        return "" if node is None or empty else self.draft.written(node)

    def needed(self, option: str) -> str:
        text = self.text(option)
        if not text:
            raise Refusal("CC004", f"`{option}` is not written at line {self.item.line}")
        return text

    def set(self, option: str, text: str) -> None:
        """Raises Refusal where the item calls a block that does not leave the option open."""
        node, place, name = self._find(option)
        if place != self.item:
            message = f"the block called at line {self.item.line} does not leave `{option}` open"
            raise Refusal("CC004", message)
        if node is None:
            self.draft.add(place, name, text)
        else:
            self.draft.replace(node, text)

    def _find(self, option: str) -> tuple[Node | None, Place, str]:
        """The value of an option, the item it belongs to, and what it is called there."""
        own = self.draft.option(self.origin, option, ("filters",))
        if self.item == self.origin:
            return own, self.origin, option
        names = tuple(self.draft.block(self.item) or ())
        if type(own) is not Scalar or own.text not in names:
            return own, self.origin, option
        return self.draft.option(self.item, own.text, names), self.item, own.text
