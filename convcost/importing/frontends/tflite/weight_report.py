"""Notes about the stored tensors of a model: each is counted, or in a note."""

from collections import Counter
from collections.abc import Iterable
from math import prod

from convcost.importing.frontends.tflite.call import COPY_IN, LoweringContext
from convcost.importing.ir.layer_graph import UNBALANCED

LEFT_OUT = "left out: "
SHOWN = 3


def report_weights(context: LoweringContext) -> None:
    """Adds the notes. The stored tensors are those of layers, those that are read as options, those
    that are constants of the code, and those in no layer."""
    builder, stored, notes = context.builder, context.stored, context.builder.notes
    elements = {key: prod(one.dims) for key, one in stored.items()}
    used = Counter(key.partition(COPY_IN)[0] for key in builder.used)
    counted = sum(layer.params + layer.buffers for layer in builder.layers)
    held = sum(elements[key] * times for key, times in used.items())

    def note(why: str, keys: Iterable[str]) -> None:
        names = sorted(keys)
        if names:
            total = sum(elements[key] for key in names)
            listed = ", ".join(f"`{key}` ({elements[key]:,})" for key in names[:SHOWN])
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            subject = "1 number of the file is" if total == 1 else f"{total:,} numbers are"
            notes.append(f"{subject} {why}: {listed}{more}")

    if counted != held:
        own = f"the layers have {counted:,} numbers, but the file stores {held:,} for them"
        notes.append(f"{UNBALANCED}{own}")
    for first, number in Counter(context.lost.values()).items():
        notes.append(f"{LEFT_OUT}{number} tensors from {first} on; their shape depends on the data")
    if others := context.graph.others:
        names = ", ".join(f"`{name}`" for name in others[:SHOWN])
        notes.append(f"{LEFT_OUT}{len(others)} more subgraphs of the file, such as {names}")
    for why in dict.fromkeys(context.excluded.values()):
        keys = [key for key, own in context.excluded.items() if own == why and key not in used]
        note(why, keys)
    note("in no layer", stored.keys() - used.keys() - context.options - context.excluded.keys())
    note("counted for each of several layers, since equal tensors are stored once",
         [key for key, times in used.items() if times > 1])  # fmt: skip
    sparse = sum(elements[key] for key in used if stored[key].sparse)
    if sparse:
        notes.append(f"{sparse:,} weights are stored as sparse tensors; their zeros count too")
    types = sorted({stored[key].dtype for key in used})
    if types not in ([], ["FLOAT32"]):
        of = {dtype: [key for key in used if stored[key].dtype == dtype] for dtype in types}
        listed = ", ".join(
            f"{sum(elements[key] for key in of[dtype]):,} as {dtype.lower()} "
            f"({sum(len(stored[key].data) for key in of[dtype]):,} bytes)"
            for dtype in types
        )
        notes.append(f"stored numbers of layers: {listed}")
