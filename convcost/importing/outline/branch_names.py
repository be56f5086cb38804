"""Names the branches of a join."""

from string import ascii_lowercase

from convcost.importing.outline.tree import Item, ItemBranch
from convcost.model.kind import KINDS, SizeLike

_STRAIGHT = {"add": ("shortcut", "main"), "multiply": ("x", "gate"), "concat": ("before", "new")}
# The name of a learned tensor, by the join that uses it.
_OWN = {"add": "bias", "multiply": "factor"}
_ROLES = {
    "attention": ("query", "key", "value"),
    "grid_sample": ("features", "grid"),
    "deformable_conv": ("features", "offsets", "mask"),
    "matmul": ("left", "right"),
}


def branch_names(join: Item) -> list[str]:
    """The branches, named after their modules, or after their role in the join if these names have
    no information."""
    takes_size = issubclass(KINDS[join.kind], SizeLike)
    roles = ("x", "like") if takes_size else declared_names(join) or _ROLES.get(join.kind, ())
    if len(roles) >= len(join.branches):
        return list(roles[: len(join.branches)])
    two = len(join.branches) == 2  # noqa: PLR2004  one of them is a shortcut
    late = [branch for branch in join.branches if _has_other_input(branch)]
    straight = [branch for branch in join.branches if not branch.items or branch.when]
    named = any(branch.name for branch in join.branches)
    shortcut, main = _STRAIGHT.get(join.kind, ("x", "y"))
    if two and straight and any(map(begins_with_learned, join.branches)):
        shortcut, main = "x", _OWN.get(join.kind, main)
    names = []
    for number, branch in enumerate(join.branches):
        if branch.name:
            names.append(branch.name)
        elif two and late:
            names.append("skip" if branch in late else "main")
        elif two and (straight or named):
            names.append(shortcut if branch in straight else main)
        else:
            letters = len(join.branches) <= len(ascii_lowercase)
            names.append(ascii_lowercase[number] if letters else f"branch_{number + 1}")
    return names


def declared_names(join: Item) -> tuple[str, ...]:
    """The names that the kind requires for its branches. A spec must state them."""
    return tuple(name.removesuffix("?") for name in KINDS[join.kind].branch_names)


def begins_with_learned(branch: ItemBranch) -> bool:
    """Whether a branch begins with a learned tensor, so that it has no input."""
    return bool(branch.items) and _has_no_input(branch.items[0])


def _has_no_input(item: Item) -> bool:
    if item.is_join:
        return all(map(begins_with_learned, item.branches))
    if item.is_layer:
        return item.is_input_free
    return _has_no_input((item.unwritten or item.items)[0])


def _has_other_input(branch: ItemBranch) -> bool:
    return branch.ref is not None or bool(branch.items and branch.items[0].refs)
