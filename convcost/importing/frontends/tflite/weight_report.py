"""Notes about the stored tensors of a model: each is counted, or in a note."""

from collections import Counter
from math import prod

from convcost.importing.frontends.tflite.call import TfliteContext
from convcost.importing.ir.shared_weights import original
from convcost.importing.passes.weight_notes import (
    copies_note,
    excluded_notes,
    first_of,
    numbers_note,
    storage_note,
    verify_balance,
)
from convcost.model.number_format import counted


def report_weights(context: TfliteContext) -> None:
    """Adds the notes. The stored tensors are those of layers, those that are read as options, those
    that are constants of the code, and those in no layer."""
    builder, stored, notes = context.builder, context.stored, context.builder.notes
    elements = {key: prod(one.dims) for key, one in stored.items()}
    used = Counter(map(original, builder.used))

    verify_balance(builder, sum(elements[key] * times for key, times in used.items()))
    for first, number in Counter(context.lost.values()).items():
        what = f"{counted(number, 'tensor')} from {first} on"
        builder.gap(f"left out: {what}, because the shape depends on the data")
    if others := context.graph.others:
        names = first_of([f"`{name}`" for name in others])
        builder.gap(f"left out: {counted(len(others), 'other subgraph')} of the file: {names}")
    reasons = {key: why for key, why in sorted(context.excluded.items()) if key not in used}
    notes += excluded_notes(reasons, elements)
    unused = stored.keys() - used.keys() - context.options - context.excluded.keys()
    notes += numbers_note("in no layer", {key: elements[key] for key in sorted(unused)})
    notes += copies_note(builder, elements)
    sparse = sum(elements[key] for key in used if stored[key].sparse)
    if sparse:
        notes.append(f"{sparse:,} weights are stored as sparse tensors; their zeros count too")
    notes += storage_note(
        (stored[key].dtype.lower(), elements[key], len(stored[key].data)) for key in used
    )
