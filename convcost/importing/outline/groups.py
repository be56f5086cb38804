"""Makes a sequence, with the module's name, of consecutive layers of one module."""

from collections import Counter
from itertools import groupby
from operator import itemgetter

from convcost.importing.ir.layer_graph import Path, common_prefix
from convcost.importing.outline.canonicalize import repeats_kind
from convcost.importing.outline.tree import Item, ItemBranch, Items, layers, rebuild, sequence
from convcost.model.kind import KINDS

MAX_NESTING = 24  # of modules
MIN_PREFIX_LENGTH = 3  # characters of a common prefix that is a name


def group_modules(items: Items, base: Path = ()) -> Items:
    """The items, with a sequence for every module below `base`."""
    modules = [module_of(item) for item in items]
    base = common_prefix(modules) if items else base
    if len(base) > MAX_NESTING:
        return items
    keys = [path[: len(base) + 1] if len(path) > len(base) else () for path in modules]
    runs = [
        (key, tuple(item for _, item in group))
        for key, group in groupby(zip(keys, items, strict=True), key=itemgetter(0))
    ]
    number_of_runs = Counter(key for key, _ in runs)
    new_items: list[Item] = []
    for key, members in runs:
        if key and number_of_runs[key] == 1:
            new_items.append(sequence(key, group_modules(members, key)))
        else:
            new_items += map(_group_inside, members)
    return tuple(new_items)


def module_of(item: Item) -> Path:
    """The innermost module that contains a whole item."""
    modules = [module_of(inner) for branch in item.branches for inner in branch.items]
    if item.number is not None:
        modules.append(item.path[:-1])
    return common_prefix(modules or [()])


def _group_inside(item: Item) -> Item:
    module = module_of(item)
    if item.is_join:
        above = module, item.path[:-1]
        branches = tuple(_named_branch(branch, above) for branch in item.branches)
        return _name_branches(item._replace(branches=branches), len(module))
    if item.is_side:
        names = [part for part in module if not part.isdigit()]
        return rebuild(item, group_modules)._replace(name=names[-1] if names else "")
    return item


def _named_branch(branch: ItemBranch, above: tuple[Path, Path]) -> ItemBranch:
    """A branch, named after the outermost module that contains exactly the branch. The modules
    `above` contain the join too."""
    if not branch.items:
        return branch
    module = common_prefix([module_of(item) for item in branch.items])
    module = module[max(len(path) for path in above if path == module[: len(path)]) :]
    named = [part for part in module if not part.isdigit()]
    return branch._replace(items=group_modules(branch.items), name=named[0] if named else "")


def _name_branches(join: Item, depth: int) -> Item:
    """Names the branches of a join by their layers' names in the module, if these differ."""
    if join.kind != "concat" or not all(branch.items for branch in join.branches):
        return join
    names = [branch.name or _own_name(branch.items, depth) for branch in join.branches]
    count = Counter(names)
    branches = [
        branch._replace(name=name if count[name] == 1 else branch.name)
        for branch, name in zip(join.branches, names, strict=True)
    ]
    return join._replace(branches=tuple(branches))


def _own_name(items: Items, depth: int) -> str:
    """The common prefix of the names of the layers that norms can be folded into, or the name of
    the last of them; empty if one of these names is missing or repeats its kind. Without such
    layers, `pool` if all items are pools."""
    learning = [layer for layer in layers(items) if KINDS[layer.kind].folds_norms]
    names = [layer.path[depth] for layer in learning if len(layer.path) > depth]
    if not names:
        pools = all(item.kind.endswith("_pool") for item in items)
        return "pool" if pools else ""
    if len(names) < len(learning) or any(
        map(repeats_kind, names, (layer.kind for layer in learning))
    ):
        return ""
    prefix = common_prefix(names).rstrip("._-")
    return prefix if len(prefix) >= MIN_PREFIX_LENGTH else names[-1]
