"""How much a spec comes to, told before it is laid out: a few lines can double forty times."""

from typing import NamedTuple

from convcost.spec.document import DEEPEST
from convcost.spec.recipes import Recipe


class Bounds(NamedTuple):
    """Layers at least; layers and groups at most, if every `when` is true and every repeat by
    expression is 1; and how deep they stand in each other."""

    least: int
    most: int
    height: int


def counted(items: tuple[Recipe, ...], known: dict[int, Bounds], depth: int = 0) -> Bounds:
    """Bounds for what recipes come to, without laying them out.

    Equal recipes are counted once and multiplied, so that doubling ones are told at once.
    """
    least = most = height = 0
    if depth > DEEPEST:
        return Bounds(0, 0, 1)
    for recipe in items:
        if recipe.plain:
            least += 1
            most += 1
            continue
        count = known.get(id(recipe))
        if count is None:
            count = known[id(recipe)] = _count(recipe, known, depth)
        least += count.least
        most += count.most
        height = max(height, count.height)
    return Bounds(least, most, height)


def _count(recipe: Recipe, known: dict[int, Bounds], depth: int) -> Bounds:
    insides = [recipe.block.items if recipe.block is not None else recipe.items]
    insides += [branch.items for branch in recipe.branches]
    bounds = [counted(inside, known, depth + 1) for inside in insides]
    own = recipe.kind is not None and recipe.kind.role in ("layer", "join")
    least = own + sum(bound.least for bound in bounds)
    most = 1 + sum(bound.most for bound in bounds)
    if recipe.repeat is not None:
        copies = recipe.repeat.constant
        times = copies if type(copies) is int else None
        least, most = least * (times or 0), most * (1 if times is None else times)
    if recipe.when is not None and recipe.when.constant is not True:
        least = 0
    return Bounds(least, most, 1 + max(bound.height for bound in bounds))
