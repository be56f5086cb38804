"""Indexing such as `x[:, 0]`, which Keras 3 stores as a function of the index."""

from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

ALL = {"start": None, "stop": None, "step": None}
WHOLE = {"class_name": "__slice__", "config": ALL}


@layer("ops.GetItem")
def get_item(call: LayerCall) -> Tensor:
    entries = _entries(call)
    if len(call.values) != 1 or entries[0] != WHOLE:
        raise unsupported("indexing the batch")
    return call.lower("index", index=list(map(_entry, entries)))


def _entries(call: LayerCall) -> list[Any]:
    """One entry for each axis, and None for new axes. An ellipsis selects all remaining axes."""
    key = call.keywords.get("key")
    given = list(key) if isinstance(key, list | tuple) else [key]
    rank = len(call.x.dims)
    dots = [place for place, entry in enumerate(given) if _is(entry, "__ellipsis__")]
    count = sum(entry is not None for entry in given) - len(dots)
    if len(dots) > 1 or count > rank:
        raise ConstraintError("CC401", f"{call.kind} has {count} entries for {rank} axes")
    rest = [WHOLE] * (rank - count)
    place = dots[0] if dots else len(given)
    return [*given[:place], *rest, *given[place + 1 :]]


def _is(entry: Any, kind: str) -> bool:
    return isinstance(entry, dict) and entry.get("class_name") == kind


def _entry(entry: Any) -> int | slice | None:
    """An entry as in Python. Raises ConstraintError."""
    if entry is None or type(entry) is int:
        return entry
    bounds: list[Any] = [""]
    if _is(entry, "__slice__"):
        bounds = [entry["config"].get(name) for name in ALL]
    if not all(n is None or type(n) is int for n in bounds) or bounds[2] == 0:
        raise ConstraintError("CC401", "convcost supports only integers and ranges as an index")
    return slice(*bounds)
