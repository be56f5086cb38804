"""`x[:, 0]`, as Keras 3 keeps it: a function of what stands in the brackets."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.parts.pieces import piece
from convcost.importing.value import Value, reshaped

ALL = {"start": None, "stop": None, "step": None}
WHOLE = {"class_name": "__slice__", "config": ALL}


@layer("ops.GetItem")
def get_item(easel: Easel, call: Call) -> Value:
    """A piece of each axis that has a range, an axis less for a number, one more for None."""
    x, dims, axis = call.x, list[int](), 0
    entries = _entries(call)
    if len(call.values) != 1 or entries[0] != WHOLE:
        raise Refusal("CC401", "a choice of samples is not read")
    for one in entries:
        if one is None:
            dims.append(1)
            continue
        there = _range(one, x.dims[axis])
        first, step = (there[0], there.step) if there.step > 0 else (there[-1], -there.step)
        x = piece(easel, x, axis, first, len(there), call.path, step)
        dims += [] if type(one) is int else [len(there)]
        axis += 1
    return reshaped(x, dims)


def _entries(call: Call) -> list[Any]:
    """One for each axis, and None for new ones: an ellipsis is as many as there are left."""
    key = call.keywords.get("key")
    given = list(key) if isinstance(key, list | tuple) else [key]
    rank = len(call.x.dims)
    dots = [at for at, one in enumerate(given) if _is(one, "__ellipsis__")]
    taken = sum(one is not None for one in given) - len(dots)
    if len(dots) > 1 or taken > rank:
        raise Refusal("CC401", f"{call.kind} of {taken} entries for {rank} axes is not read")
    rest = [WHOLE] * (rank - taken)
    at = dots[0] if dots else len(given)
    return [*given[:at], *rest, *given[at + 1 :]]


def _is(one: Any, kind: str) -> bool:
    return isinstance(one, dict) and one.get("class_name") == kind


def _range(one: Any, extent: int) -> range:
    """The entries of an axis that are kept. Raises Refusal."""
    if type(one) is int and -extent <= one < extent:
        return range(one % extent, one % extent + 1)
    bounds: list[Any] = [""]
    if _is(one, "__slice__"):
        bounds = [one["config"].get(name) for name in ALL]
    if not all(n is None or type(n) is int for n in bounds) or bounds[2] == 0:
        raise Refusal("CC401", "a tensor is taken apart by other than numbers and ranges")
    found = range(extent)[slice(*bounds)]
    if not found:
        raise Refusal("CC401", f"a range keeps nothing of an axis of {extent}")
    return found
