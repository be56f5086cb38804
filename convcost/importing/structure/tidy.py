"""Sequences that say nothing are taken apart, what is left gets the names that modules gave it."""

from collections.abc import Iterable

from convcost.importing.structure.tree import (
    Branch,
    Call,
    Item,
    Join,
    Layer,
    Repeated,
    Sequence,
    Side,
)
from convcost.names import SYNONYMS

SHORTEST = 3
GENERIC = {"activation", "act", "ac", "nonlinearity", "norm", "op", "layer", "module"}
FREE_WORDS = {"activation", "act", "ac", "bn", "ln", "norm", "pad", "dropout"}  # at a name's end
WORDS = {
    "ln": "layer_norm",
    "gn": "group_norm",
    "lin": "linear",
    "downsample": "avg_pool",
    "zero_padding2d": "pad",
    "max_pooling2d": "max_pool",
    "average_pooling2d": "avg_pool",
}
TOLD = ("conv", "depthwise", "transposed_conv", "linear")
REARRANGES = ("flatten", "reshape")


def tidied(items: Iterable[Item]) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in items:
        if not isinstance(item, Sequence):
            found.append(_within(item))
            continue
        name = "" if item.path[-1].isdigit() else item.path[-1]
        inner = tidied(item.items)
        *before, last = inner
        if all(isinstance(one, Layer) and one.kind in REARRANGES for one in before):
            # What only arranges the tensor for a module's one layer stands before it.
            found += [*before, _called(last, name)]
        elif name:
            found.append(item._replace(items=inner, name=name))
        else:
            found += inner
    return tuple(found)


def _within(item: Item) -> Item:
    if isinstance(item, Layer):
        return item._replace(name=item.name or _own_name(item))
    if isinstance(item, Join):
        branches = tuple(_branch(branch) for branch in item.branches)
        return Join(item.layer._replace(name=_own_name(item.layer)), branches)
    if isinstance(item, Side):
        return item._replace(items=tidied(item.items))
    if isinstance(item, Call):
        name = item.path[-1] if item.path else ""
        return item._replace(name="" if says_nothing(name, item.block) else name)
    return item


def _branch(branch: Branch) -> Branch:
    """A layer called as its branch is has no need of it."""
    items = tidied(branch.items)
    name = branch.name
    if not name and len(items) == 1 and isinstance(items[0], Layer) and items[0].kind == "learned":
        name = items[0].name
    return branch._replace(items=tuple(_unnamed(item, name) for item in items), name=name)


def _unnamed(item: Item, name: str) -> Item:
    return item._replace(name="") if isinstance(item, Layer | Call) and item.name == name else item


def _called(item: Item, name: str) -> Item:
    """An item that is all of a module, by the name of that; its own is kept if it says more."""
    if isinstance(item, Layer):
        return item._replace(name=name) if not says_nothing(name, item.kind) else item
    if isinstance(item, Join):
        return item._replace(layer=item.layer._replace(name=name or item.layer.name))
    if isinstance(item, Sequence | Side | Call):
        return item._replace(name=name or item.name)
    if isinstance(item, Repeated):
        return item
    return item


def _own_name(layer: Layer) -> str:
    name = layer.path[-1] if layer.path else ""
    return "" if says_nothing(name, layer.kind) else name


def says_nothing(name: str, kind: str) -> bool:
    """Whether a name only repeats the kind, or a number: `conv1`, `bn`, `3`, `add_12`."""
    word = name.lower().lstrip("_")
    if word.removeprefix(kind).strip("_.0123456789") == "":
        return True
    word = word.strip("0123456789._")
    if word in GENERIC or WORDS.get(word) == kind:
        return True
    if "_" in word and word.rpartition("_")[2] in FREE_WORDS and kind not in TOLD:
        return True  # a norm, or what is free, called after the layer that it stands behind
    alike = SYNONYMS.get(word, "") == kind != "linear"
    part = len(word) >= SHORTEST and word.replace("_", "") in kind.replace("_", "")
    return word == "" or alike or part or word in kind.split("_")
