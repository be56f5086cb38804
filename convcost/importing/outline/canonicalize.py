"""Removes sequences whose names have no information, and gives the remaining items the names of
their modules."""

from collections.abc import Iterable

from convcost.importing.outline.tree import Item, ItemBranch, Items, rebuild
from convcost.model.suggestions import SYNONYMS

MIN_LETTERS = 3  # of a word that is a part of the name of a kind
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


def canonicalize(items: Iterable[Item]) -> Items:
    new_items: list[Item] = []
    for item in items:
        if not item.is_sequence:
            new_items.append(_canonicalize_inside(item))
            continue
        name = "" if item.path[-1].isdigit() else item.path[-1]
        inner = canonicalize(item.items)
        *before, last = inner
        if all(inner_item.kind in REARRANGES for inner_item in before):
            # Layers that only arrange the tensor for the single layer of a module come before it.
            new_items += [*before, _with_module_name(last, name)]
        elif name:
            new_items.append(item._replace(branches=(ItemBranch(inner),), name=name))
        else:
            new_items += inner
    return tuple(new_items)


def _canonicalize_inside(item: Item) -> Item:
    if item.is_side:
        return rebuild(item, canonicalize)
    branches = tuple(map(_branch, item.branches))
    return item._replace(name=item.name or _own_name(item), branches=branches)


def _branch(branch: ItemBranch) -> ItemBranch:
    """The branch. Items with the same name as the branch lose their name."""
    items = canonicalize(branch.items)
    name = branch.name
    if not name and [item.kind for item in items] == ["learned"]:
        name = items[0].name
    items = tuple(
        item._replace(name="") if item.name == name and not item.branches else item
        for item in items
    )
    return branch._replace(items=items, name=name)


def _with_module_name(item: Item, name: str) -> Item:
    """An item that is a whole module, with the module's name. Its own name is kept if it has more
    information."""
    if item.is_layer:
        return item if repeats_kind(name, item.kind) else item._replace(name=name)
    return item._replace(name=name or item.name)


def _own_name(item: Item) -> str:
    name = item.path[-1] if item.path else ""
    return "" if repeats_kind(name, item.kind) else name


def repeats_kind(name: str, kind: str) -> bool:
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
    part = len(word) >= MIN_LETTERS and word.replace("_", "") in kind.replace("_", "")
    return word == "" or alike or part or word in kind.split("_")
