"""Notes about the stored tensors of a model: each is counted, or in a note."""

from collections import Counter
from collections.abc import Iterable
from math import prod

from convcost.importing.frontends.tflite.call import LoweringContext
from convcost.importing.ir.shared_weights import original
from convcost.importing.passes.weight_notes import (
    balance_note,
    first_of,
    numbers_note,
    storage_note,
)

LEFT_OUT = "left out: "


def report_weights(context: LoweringContext) -> None:
    """Adds the notes. The stored tensors are those of layers, those that are read as options, those
    that are constants of the code, and those in no layer."""
    builder, stored, notes = context.builder, context.stored, context.builder.notes
    elements = {key: prod(one.dims) for key, one in stored.items()}
    used = Counter(map(original, builder.used))

    def add(why: str, keys: Iterable[str]) -> None:
        notes.extend(numbers_note(why, {key: elements[key] for key in sorted(keys)}))

    notes += balance_note(builder, sum(elements[key] * times for key, times in used.items()))
    for first, number in Counter(context.lost.values()).items():
        notes.append(f"{LEFT_OUT}{number} tensors from {first} on; their shape depends on the data")
    if others := context.graph.others:
        names = first_of([f"`{name}`" for name in others])
        notes.append(f"{LEFT_OUT}{len(others)} more subgraphs of the file, such as {names}")
    for why in dict.fromkeys(context.excluded.values()):
        keys = [key for key, own in context.excluded.items() if own == why and key not in used]
        add(why, keys)
    add("in no layer", stored.keys() - used.keys() - context.options - context.excluded.keys())
    add("counted for each of several layers, since equal tensors are stored once",
        [key for key, times in used.items() if times > 1])  # fmt: skip
    sparse = sum(elements[key] for key in used if stored[key].sparse)
    if sparse:
        notes.append(f"{sparse:,} weights are stored as sparse tensors; their zeros count too")
    notes += storage_note(
        (stored[key].dtype.lower(), elements[key], len(stored[key].data)) for key in used
    )
