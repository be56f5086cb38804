"""Notes about the stored tensors of a file: each is counted, or in a note."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.shared_weights import COPY_IN, original

MAX_SHOWN = 3  # texts of a note


def first_of(texts: Sequence[str]) -> str:
    """The first texts, and how many more there are."""
    more = f" and {len(texts) - MAX_SHOWN} more" if len(texts) > MAX_SHOWN else ""
    return ", ".join(texts[:MAX_SHOWN]) + more


def numbers_note(why: str, tensors: Mapping[str, int]) -> list[str]:
    """A note about tensors, each with its number of elements."""
    if not tensors:
        return []
    total = sum(tensors.values())
    subject = "1 number of the file is" if total == 1 else f"{total:,} numbers of the file are"
    return [f"{subject} {why}: {first_of([f'`{key}` ({n:,})' for key, n in tensors.items()])}"]


def excluded_notes(reasons: Mapping[str, str], elements: Mapping[str, int]) -> list[str]:
    """Notes about tensors that are not counted, one for each reason."""
    found: dict[str, dict[str, int]] = {}
    for key, why in reasons.items():
        found.setdefault(why, {})[key] = elements[key]
    return [note for why, tensors in found.items() for note in numbers_note(why, tensors)]


def copies_note(builder: GraphBuilder, elements: Mapping[str, int]) -> list[str]:
    """A note about stored tensors that are counted for each of several layers. `elements` are those
    of the tensors that layers use unchanged."""
    copied = sorted({original(key) for key in builder.used if COPY_IN in key} & elements.keys())
    why = "counted for each of several layers, since equal tensors are stored once"
    return numbers_note(why, {key: elements[key] for key in copied})


def verify_balance(builder: GraphBuilder, stored: int) -> None:
    """Adds a note if the layers have more or fewer numbers than the file stores for them: then a
    count is wrong."""
    counted = sum(layer.params + layer.buffers for layer in builder.layers)
    if counted != stored:
        own = f"the layers have {counted:,} numbers, but the file stores {stored:,} for them"
        builder.gap(f"counts differ: {own}")


def storage_note(tensors: Iterable[tuple[str, int, int]]) -> list[str]:
    """A note with the numbers and the bytes of the layers' tensors by type, unless all are float32.
    A tensor has a type, elements and bytes."""
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for kind, elements, size in tensors:
        numbers[kind] += elements
        sizes[kind] += size
    if not set(numbers) - {"float32"}:
        return []
    listed = (f"{numbers[kind]:,} as {kind} ({sizes[kind]:,} bytes)" for kind in sorted(numbers))
    return [f"stored numbers of layers: {', '.join(listed)}"]
