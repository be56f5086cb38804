"""Removes sequences whose names have no information, and gives the remaining items the names of
their modules."""

from collections.abc import Iterable

from convcost.importing.outline.tree import (
    BranchItem,
    CallItem,
    Item,
    JoinItem,
    LayerItem,
    Repeated,
    SequenceItem,
    SideItem,
)
from convcost.model.suggestions import SYNONYMS

SHORTEST = 3
GENERIC = {"activation", "act", "ac", "nonlinearity", "norm", "op", "layer", "module"}
FREE_WORDS = {"activation", "act", "ac", "bn", "ln", "norm", "pad", "dropout"}  # endings of names
WORDS = {
    "ln": "layer_norm",
    "gn": "group_norm",
    "lin": "linear",
    "downsample": "avg_pool",
    "zero_padding2d": "pad",
    "max_pooling2d": "max_pool",
    "average_pooling2d": "avg_pool",
}
WEIGHTED = ("conv", "depthwise", "transposed_conv", "linear")
REARRANGES = ("flatten", "reshape")


def canonicalize(items: Iterable[Item]) -> tuple[Item, ...]:
    found: list[Item] = []
    for item in items:
        if not isinstance(item, SequenceItem):
            found.append(_canonicalize_inside(item))
            continue
        name = "" if item.path[-1].isdigit() else item.path[-1]
        inner = canonicalize(item.items)
        *before, last = inner
        if all(isinstance(one, LayerItem) and one.kind in REARRANGES for one in before):
            # Layers that only arrange the tensor for the single layer of a module come before it.
            found += [*before, _with_module_name(last, name)]
        elif name:
            found.append(item._replace(items=inner, name=name))
        else:
            found += inner
    return tuple(found)


def _canonicalize_inside(item: Item) -> Item:
    if isinstance(item, LayerItem):
        return item._replace(name=item.name or _own_name(item))
    if isinstance(item, JoinItem):
        branches = tuple(_branch(branch) for branch in item.branches)
        return JoinItem(item.layer._replace(name=_own_name(item.layer)), branches)
    if isinstance(item, SideItem):
        return item._replace(items=canonicalize(item.items))
    if isinstance(item, CallItem):
        name = item.path[-1] if item.path else ""
        return item._replace(name="" if says_nothing(name, item.block) else name)
    return item


def _branch(branch: BranchItem) -> BranchItem:
    """The branch. Items with the same name as the branch lose their name."""
    items = canonicalize(branch.items)
    name = branch.name
    if (
        not name
        and len(items) == 1
        and isinstance(items[0], LayerItem)
        and items[0].kind == "learned"
    ):
        name = items[0].name
    return branch._replace(items=tuple(_unnamed(item, name) for item in items), name=name)


def _unnamed(item: Item, name: str) -> Item:
    return (
        item._replace(name="")
        if isinstance(item, LayerItem | CallItem) and item.name == name
        else item
    )


def _with_module_name(item: Item, name: str) -> Item:
    """An item that is a whole module, with the module's name. Its own name is kept if it has more
    information."""
    if isinstance(item, LayerItem):
        return item._replace(name=name) if not says_nothing(name, item.kind) else item
    if isinstance(item, JoinItem):
        return item._replace(layer=item.layer._replace(name=name or item.layer.name))
    if isinstance(item, SequenceItem | SideItem | CallItem):
        return item._replace(name=name or item.name)
    if isinstance(item, Repeated):
        return item
    return item


def _own_name(layer: LayerItem) -> str:
    name = layer.path[-1] if layer.path else ""
    return "" if says_nothing(name, layer.kind) else name


def says_nothing(name: str, kind: str) -> bool:
    """Whether a name only repeats the kind, or is a number: `conv1`, `bn`, `3`, `add_12`."""
    word = name.lower().lstrip("_")
    if word.removeprefix(kind).strip("_.0123456789") == "":
        return True
    word = word.strip("0123456789._")
    if word in GENERIC or WORDS.get(word) == kind:
        return True
    if "_" in word and word.rpartition("_")[2] in FREE_WORDS and kind not in WEIGHTED:
        return True  # a norm or a free layer, named after the layer before it
    alike = SYNONYMS.get(word, "") == kind != "linear"
    part = len(word) >= SHORTEST and word.replace("_", "") in kind.replace("_", "")
    return word == "" or alike or part or word in kind.split("_")
