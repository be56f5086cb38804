"""What a model holds that no layer does, told in notes: nothing is left out without a word."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod

from convcost.importing.from_onnx.graph import Graph
from convcost.importing.from_onnx.lost import undrawn
from convcost.importing.from_onnx.sheet import Sheet
from convcost.importing.from_onnx.views import View, fresh

SHOWN = 3


def settled(sheet: Sheet, graph: Graph, lost: Mapping[str, str]) -> None:
    """Adds the notes of a drawing that is done."""
    notes = sheet.easel.notes
    notes += undrawn(graph, lost)
    notes += _unused(sheet)
    for why, names in _grouped(sheet.told).items():
        notes.append(f"{_tensors(names)} {_are(names)} {why}: {_listed(names)}")
    if sheet.books.worked:
        layers = "1 layer" if sheet.books.worked == 1 else f"{sheet.books.worked} layers"
        notes.append(
            f"weights of {layers} are worked out of stored ones, which are what is counted; "
            "working them out is no cost of a sample"
        )
    if sheet.repeated:
        names = sorted(sheet.repeated)
        belong = "belongs" if len(names) == 1 else "belong"
        notes.append(
            f"{_tensors(names)} {belong} to several layers that share nothing else, "
            f"and {_are(names)} counted for each: {_listed(names)}"
        )
    _stored(sheet, notes)


def _tensors(names: Sequence[str]) -> str:
    return "1 tensor" if len(names) == 1 else f"{len(names)} tensors"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _unused(sheet: Sheet) -> list[str]:
    """Tensors of the file that nothing came of."""
    spent = {*sheet.easel.used, *sheet.told, *sheet.read}
    pieces: dict[str, list[View]] = {}
    for key in spent:
        view = _view(sheet, key)
        if view is not None:
            pieces.setdefault(view.root, []).append(view)
    found = []
    for name, constant in sheet.constants.items():
        itself = constant.roots == ((name, constant.elements),)
        view = _view(sheet, name)
        alone = constant.elements == 1 and not constant.learned
        if not itself or not constant.real or alone or name in spent:
            continue
        if view is None or view.root == name:
            left = fresh(view, pieces.get(name, [])) if view is not None else constant.elements
            found += [(name, left)] if left else []
    if not found:
        return []
    total = sum(elements for _, elements in found)
    shown = ", ".join(f"`{name}` ({elements:,})" for name, elements in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    numbers = "1 number of the file is" if total == 1 else f"{total:,} numbers of the file are"
    return [f"{numbers} in no layer: {shown}{more}"]


def _view(sheet: Sheet, name: str) -> View | None:
    constant = sheet.constants.get(name)
    return None if constant is None else constant.view


def _grouped(told: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, why in told.items():
        found.setdefault(why, []).append(name)
    return found


def _stored(sheet: Sheet, notes: list[str]) -> None:
    """Bytes by type of what layers hold, where it is not all float32."""
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name in sheet.easel.used:
        view = _view(sheet, name)
        root = name if view is None else view.root
        if root in sheet.stored:
            kind, elements, size = sheet.stored[root]
            here = elements if view is None else prod(view.dims)
            kinds[kind] += here
            sizes[kind] += size * here // max(elements, 1)
    if set(kinds) - {"float32"}:
        listed = ", ".join(
            f"{kinds[kind]:,} as {kind} ({sizes[kind]:,} bytes)" for kind in sorted(kinds)
        )
        notes.append(f"numbers of layers are stored {listed}")
