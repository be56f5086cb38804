"""Modules become sequences: layers of one that stand together stand under its name."""

from collections import Counter
from collections.abc import Sequence as Items
from itertools import groupby

from convcost.importing.drawing import Path
from convcost.importing.structure.tidy import says_nothing
from convcost.importing.structure.tree import (
    Branch,
    Item,
    Join,
    Layer,
    Sequence,
    Side,
    inside,
    layers,
)

DEEPEST = 24  # modules in each other
LEARNING = ("conv", "depthwise", "transposed_conv", "linear")  # norms are called after them
SHORTEST = 3  # beginning of names that says something


def grouped(items: Items[Item], base: Path = ()) -> tuple[Item, ...]:
    """The items, those of every module below `base` as a sequence, of one item or more."""
    homes = [home(item) for item in items]
    base = _common(homes) if items else base
    if len(base) > DEEPEST:
        return tuple(items)
    keys = [path[: len(base) + 1] if len(path) > len(base) else () for path in homes]
    found: list[Item] = []
    runs = [
        (key, [items[n] for n in numbers])
        for key, group in groupby(range(len(items)), keys.__getitem__)
        for numbers in [list(group)]
    ]
    stretches = Counter(key for key, _ in runs)
    for key, members in runs:
        if key and stretches[key] == 1:
            found.append(Sequence(key, grouped(members, key)))
        else:
            found += [_within(item) for item in members]
    return tuple(found)


def home(item: Item) -> Path:
    """The innermost module that holds all of an item."""
    if isinstance(item, Layer):
        return item.path[:-1]
    homes = [home(inner) for items in inside(item) for inner in items]
    if isinstance(item, Join):
        homes.append(item.layer.path[:-1])
    return _common(homes)


def _within(item: Item) -> Item:
    if isinstance(item, Join):
        above = home(item), item.layer.path[:-1]
        branches = tuple(_branch(branch, above) for branch in item.branches)
        return _told_apart(item._replace(branches=branches), len(above[0]))
    if isinstance(item, Side):
        base = home(item)
        names = [part for part in base if not part.isdigit()]
        return item._replace(items=grouped(item.items), name=names[-1] if names else "")
    return item


def _branch(branch: Branch, above: tuple[Path, Path]) -> Branch:
    """A branch, by the outermost module that is all of it; those `above` hold the join too."""
    if not branch.items:
        return branch
    own = _common([home(item) for item in branch.items])
    own = own[max(len(path) for path in above if path == own[: len(path)]) :]
    named = [part for part in own if not part.isdigit()]
    return branch._replace(items=grouped(branch.items), name=named[0] if named else "")


def _told_apart(join: Join, depth: int) -> Join:
    """Branches side by side, by what their layers are called below a module, where that tells them
    apart."""
    if join.layer.kind != "concat" or not all(branch.items for branch in join.branches):
        return join
    names = [branch.name or _own_name(branch.items, depth) for branch in join.branches]
    count = Counter(names)
    branches = [
        branch._replace(name=name if count[name] == 1 else branch.name)
        for branch, name in zip(join.branches, names, strict=True)
    ]
    return join._replace(branches=tuple(branches))


def _own_name(items: Items[Item], depth: int) -> str:
    """What the names of layers that learn begin with, or that of the last one."""
    learning = [layer for layer in layers(tuple(items)) if layer.kind in LEARNING]
    names = [layer.path[depth] for layer in learning if len(layer.path) > depth]
    if not names:
        pools = all(isinstance(item, Layer) and item.kind.endswith("_pool") for item in items)
        return "pool" if pools else ""
    if len(names) < len(learning) or any(map(says_nothing, names, (one.kind for one in learning))):
        return ""
    alike = [len(set(letters)) == 1 for letters in zip(*names, strict=False)]
    begun = names[0][: (*alike, False).index(False)].rstrip("._-")
    return begun if len(begun) >= SHORTEST else names[-1]


def _common(paths: Items[Path]) -> Path:
    if not paths:
        return ()
    low, high = min(paths), max(paths)
    length = next((n for n, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]),
                  min(len(low), len(high)))  # fmt: skip
    return low[:length]
