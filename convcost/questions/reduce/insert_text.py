"""How a spec reads with further 1x1 reductions, as changes of its text."""

import re
from collections.abc import Callable
from typing import NamedTuple

from convcost.errors import Place, Refusal
from convcost.layers.conv import Conv
from convcost.network import Network
from convcost.questions.reduce.find import conv
from convcost.questions.reduce.sites import Site
from convcost.questions.reduce.undo_text import INCOMING
from convcost.spec.document import Mapping, Node, Scalar
from convcost.spec.draft import Draft
from convcost.spec.pins import pin
from convcost.spec.wording import Wording

NEUTRAL = {"stride": "1", "padding": "0", "dilation": "1", "groups": "1"}


class Insertion(NamedTuple):
    """A 1x1 to put before an item, to the width that `text` says; `step` is its convolution.

    Where the item is laid out with too few channels, `when` is the condition that leaves it out.
    """

    site: Site
    step: int
    text: str
    when: str = ""


def reduce_edit(
    network: Network, chosen: tuple[Insertion, ...], *, expand: bool
) -> Callable[[Draft], None]:
    """The text with a 1x1 before items; with `expand` also one behind each, that widens again."""

    def edit(draft: Draft) -> None:
        pin(draft, new=tuple(item.site.place for item in chosen))
        names: dict[int, set[str]] = {}
        for item in sorted(chosen, key=lambda item: item.site.place):
            place, layer = item.site.place, conv(network, item.step)
            _insertable(draft, place)
            listed = draft.item(place).list
            taken = names.setdefault(id(listed), set(map(_name, listed.items)))
            made = _Pointwise(draft, place, layer, taken)
            draft.insert(place, made.options_of("reduce", item.text, item.when))
            window = Wording(draft, place, network.steps[item.step].origin.place)
            if expand:
                filters = _incoming(window.needed("filters"), item)
                window.set("filters", "in_channels")
                draft.insert(place, made.options_of("expand", filters), after=True)
            elif INCOMING.search(window.text("filters")):
                window.set("filters", _incoming(window.text("filters"), item))

    return edit


def _incoming(filters: str, item: Insertion) -> str:
    """What `in_channels` has to be where a 1x1 has left a part of them."""
    part = re.fullmatch(r"in_channels // ([0-9]+)", item.text)
    if not INCOMING.search(filters):
        return filters
    if part is None:
        message = f"`{filters}` of line {item.site.place.line} leans on what comes in"
        raise Refusal("CC004", message, "a 1x1 changes that: write the number")
    return INCOMING.sub(f"({part[1]} * in_channels)", filters)


def _insertable(draft: Draft, place: Place) -> None:
    node = draft.item(place).node
    if type(node) is not Mapping:
        return
    for key, help_text in (
        ("repeat", "hold the layer in a `sequence` and repeat that"),
        ("from", "hold the layer in a `sequence` that has the `from`"),
    ):
        if key in node.entries:
            message = f"a 1x1 cannot stand before a layer with `{key}`, line {place.line}"
            raise Refusal("CC004", message, help_text)


class _Pointwise:
    """A 1x1 as an item, whatever the document's `defaults` say of convolutions."""

    def __init__(self, draft: Draft, place: Place, layer: Conv, taken: set[str]) -> None:
        defaults = draft.document(place).get("defaults")
        own = defaults.get("conv") if type(defaults) is Mapping else None
        known = own.entries if type(own) is Mapping else {}
        self.taken = taken
        self.options = {key: value for key, value in NEUTRAL.items() if key in known}
        bias = "true" if layer.bias else "false"
        if bias != (_text(known["bias"][1]) if "bias" in known else "false"):
            self.options["bias"] = bias
        node = draft.item(place).node
        when = node.get("when") if type(node) is Mapping else None
        self.when = "" if when is None else draft.written(when)

    def options_of(self, name: str, filters: str, when: str = "") -> dict[str, str]:
        number, called = 1, name
        while called in self.taken:
            number += 1
            called = f"{name}_{number}"
        self.taken.add(called)
        options = {"conv": filters, "kernel": "1", **self.options}
        if self.when or when:
            options["when"] = (
                f"({self.when}) and {when}" if self.when and when else self.when or when
            )
        return {**options, "name": called}


def _name(node: Node) -> str:
    return _text(node.get("name")) if type(node) is Mapping else ""


def _text(node: Node | None) -> str:
    return node.text if type(node) is Scalar else ""
