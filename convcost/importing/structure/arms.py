"""What the branches of a join are called."""

from string import ascii_lowercase

from convcost.importing.structure.tree import Branch, Join, refs

_STRAIGHT = {
    "add": ("shortcut", "main"),
    "multiply": ("x", "gate"),
    "concat": ("before", "new"),
}
_ROLES = {"attention": ("query", "key", "value"), "matmul": ("left", "right")}


def arm_names(join: Join) -> list[str]:
    """Branches by their modules; where these say nothing by what they are to the join."""
    roles = _ROLES.get(join.layer.kind, ())
    if len(roles) == len(join.branches):
        return list(roles)
    two = len(join.branches) == 2  # noqa: PLR2004  one of them goes straight on
    late = [branch for branch in join.branches if _from_elsewhere(branch)]
    straight = [branch for branch in join.branches if not branch.items or branch.when]
    named = any(branch.name for branch in join.branches)
    shortcut, main = _STRAIGHT.get(join.layer.kind, ("x", "y"))
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


def _from_elsewhere(branch: Branch) -> bool:
    return branch.ref is not None or bool(branch.items and refs(branch.items[0]))
