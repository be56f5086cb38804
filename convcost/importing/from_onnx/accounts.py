"""What a model holds that no layer does, told in notes: nothing is left out without a word."""

from collections import Counter
from collections.abc import Mapping

from convcost.importing.from_onnx.graph import Graph
from convcost.importing.from_onnx.sheet import Sheet

SHOWN = 5


def settled(sheet: Sheet, graph: Graph, lost: Mapping[str, str]) -> None:
    """Adds the notes of a drawing that is done."""
    notes = sheet.easel.notes
    notes += _undrawn(graph, lost)
    notes += _unused(sheet)
    for why, names in _grouped(sheet.told).items():
        shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
        notes.append(f"{len(names)} {why}: {shown}{' …' if len(names) > SHOWN else ''}")
    if sheet.repeated:
        shown = ", ".join(f"`{name}`" for name in sorted(sheet.repeated)[:SHOWN])
        notes.append(
            f"{len(sheet.repeated)} tensors belong to several layers that share nothing else, "
            f"and are counted for each: {shown}{' …' if len(sheet.repeated) > SHOWN else ''}"
        )
    _stored(sheet, notes)


def _undrawn(graph: Graph, lost: Mapping[str, str]) -> list[str]:
    """What follows from data: by the operator where that begins."""
    gone = Counter(lost[node.outputs[0]] for node in graph.nodes if node.outputs[0] in lost)
    return [
        f"the shape of what {why} gives follows from data: it and {number - 1} operators "
        "after it, none with weights, are not drawn"
        for why, number in gone.items()
    ]


def _unused(sheet: Sheet) -> list[str]:
    """Tensors of the file that nothing came of."""
    spent = {*sheet.easel.used, *sheet.told, *sheet.read}
    found = [
        (name, constant.elements)
        for name, constant in sheet.constants.items()
        if constant.roots == ((name, constant.elements),)
        and constant.real
        and constant.elements > 1
        and name not in spent
    ]
    if not found:
        return []
    total = sum(elements for _, elements in found)
    shown = ", ".join(f"`{name}` ({elements:,})" for name, elements in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return [f"{total:,} numbers of the file are in no layer: {shown}{more}"]


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
        if name in sheet.stored:
            kind, elements, size = sheet.stored[name]
            kinds[kind] += elements
            sizes[kind] += size
    if set(kinds) - {"float32"}:
        listed = ", ".join(
            f"{kinds[kind]:,} as {kind} ({sizes[kind]:,} bytes)" for kind in sorted(kinds)
        )
        notes.append(f"numbers of layers are stored {listed}")
