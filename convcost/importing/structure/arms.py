"""What the branches of a join are called."""

from string import ascii_lowercase

from convcost.importing.structure.tree import Branch, Item, Join, Layer, inside, refs
from convcost.kind import KINDS, Like

_STRAIGHT = {
    "add": ("shortcut", "main"),
    "multiply": ("x", "gate"),
    "concat": ("before", "new"),
}
_OWN = {"add": "bias", "multiply": "factor"}  # what the model has of its own, by what it does
_ROLES = {"attention": ("query", "key", "value"), "matmul": ("left", "right")}


def arm_names(join: Join) -> list[str]:
    """Branches by their modules; where these say nothing by what they are to the join."""
    kind = KINDS.get(join.layer.kind)
    lends = kind is not None and issubclass(kind, Like)
    roles = ("x", "like") if lends else _ROLES.get(join.layer.kind, ())
    if len(roles) == len(join.branches):
        return list(roles)
    two = len(join.branches) == 2  # noqa: PLR2004  one of them goes straight on
    late = [branch for branch in join.branches if _from_elsewhere(branch)]
    straight = [branch for branch in join.branches if not branch.items or branch.when]
    named = any(branch.name for branch in join.branches)
    shortcut, main = _STRAIGHT.get(join.layer.kind, ("x", "y"))
    if two and straight and any(map(of_its_own, join.branches)):
        shortcut, main = "x", _OWN.get(join.layer.kind, main)
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


def of_its_own(branch: Branch) -> bool:
    """Whether a branch begins with a tensor of the model's own: nothing comes in there."""
    return bool(branch.items) and _begins(branch.items[0])


def _begins(item: Item) -> bool:
    if isinstance(item, Layer):
        return item.kind == "learned"
    if isinstance(item, Join):
        return all(map(of_its_own, item.branches))
    return _begins(inside(item)[0][0])


def _from_elsewhere(branch: Branch) -> bool:
    return branch.ref is not None or bool(branch.items and refs(branch.items[0]))
