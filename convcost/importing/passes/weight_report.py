"""Notes about the stored tensors of a file: each is counted, or in a note."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Any

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import StoredTensor
from convcost.importing.ir.shared_weights import COPY_IN, original
from convcost.importing.ir.tensor_views import TensorView, elements_outside, whole_view
from convcost.importing.passes.operator_calls import GraphContext
from convcost.model.number_format import counted
from convcost.reports.notes import first_texts


def numbers_note(reason: str, tensors: Mapping[str, int]) -> list[str]:
    """A note about tensors, each with its number of elements."""
    if not tensors:
        return []
    total = sum(tensors.values())
    subject = "1 number of the file is" if total == 1 else f"{total:,} numbers of the file are"
    listed = first_texts([f"`{key}` ({n:,})" for key, n in tensors.items()])
    return [f"{subject} {reason}: {listed}"]


def excluded_notes(reasons: Mapping[str, str], elements: Mapping[str, int]) -> list[str]:
    """Notes about tensors that are not counted, one for each reason."""
    groups: dict[str, dict[str, int]] = {}
    for key, reason in reasons.items():
        groups.setdefault(reason, {})[key] = elements[key]
    return [note for reason, tensors in groups.items() for note in numbers_note(reason, tensors)]


def copies_note(builder: GraphBuilder, elements: Mapping[str, int]) -> list[str]:
    """A note about stored tensors that are counted for each of several layers. `elements` are those
    of the tensors that layers use unchanged."""
    copied = sorted({original(key) for key in builder.used if COPY_IN in key} & elements.keys())
    reason = "counted for each of several layers, since equal tensors are stored once"
    return numbers_note(reason, {key: elements[key] for key in copied})


def verify_balance(builder: GraphBuilder, stored: int) -> None:
    """Adds a note if the layers have more or fewer numbers than the file stores for them: then a
    count is wrong."""
    in_layers = sum(layer.params + layer.buffers for layer in builder.layers)
    if in_layers != stored:
        message = f"the layers have {in_layers:,} numbers, but the file stores {stored:,} for them"
        builder.note_gap(f"counts differ: {message}")


def storage_note(tensors: Iterable[StoredTensor]) -> list[str]:
    """A note with the numbers and the bytes of the layers' tensors by type, unless all are
    float32."""
    numbers: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for tensor in tensors:
        numbers[tensor.dtype] += tensor.elements
        sizes[tensor.dtype] += tensor.bytes
    if not set(numbers) - {"float32"}:
        return []
    listed = (
        f"{numbers[dtype]:,} as {dtype} ({sizes[dtype]:,} bytes)" for dtype in sorted(numbers)
    )
    return [f"stored numbers of layers: {', '.join(listed)}"]


LOST = "in no layer, but an operator reads them"
INDICES = ("int32", "int64", "bool", "string")  # types of shapes, indices and masks
MAX_OPTION_NUMBERS = 16  # numbers of an option of a layer, such as a scale for each axis


def report_weights(
    context: GraphContext[Any], computed: int = 0, derived: Collection[str] = ()
) -> None:
    """Adds the notes about tensors to the finished layer graph. The weights of `computed` layers
    are computed, and `derived` are the keys of those weights."""
    notes, used = context.builder.notes, context.builder.used
    for key in sorted(context.read_as_options - used.keys()):
        constant = context.constants.get(key)
        if constant is not None and constant.is_float and constant.elements > MAX_OPTION_NUMBERS:
            context.excluded.setdefault(key, "used to compute weights, and not counted as params")
    unused = _unused_elements(context)
    lost = {
        key
        for key in unused.keys() & _operands(context)
        if unused[key] > 1
        and context.constants[key].learned
        and not (key in context.stored and context.stored[key].dtype in INDICES)
    }
    notes += numbers_note("in no layer", {k: n for k, n in unused.items() if k not in lost})
    for note in numbers_note(LOST, {key: unused[key] for key in sorted(lost)}):
        context.builder.note_gap(f"left out: {note}")
    elements = {key: constant.elements for key, constant in context.constants.items()}
    excluded = {key: reason for key, reason in context.excluded.items() if key not in used}
    notes += excluded_notes(excluded, elements)
    if computed:
        notes.append(
            f"the weights of {counted(computed, 'layer')} are computed from stored tensors; "
            "convcost counts the stored tensors, and no macs for the computation"
        )
    stored = {key: n for key, n in elements.items() if key not in derived}
    notes += copies_note(context.builder, stored)
    notes += storage_note(_storage(context))
    verify_balance(context.builder, stored_numbers(context))


def stored_numbers(context: GraphContext[Any]) -> int:
    """The numbers that the file stores for the layers.

    Params and buffers are elements of stored tensors, each counted once; tensors that the file
    stores once for several layers are counted for each, as a note says. All other elements are in
    the notes, or are numbers of the code.
    """
    parts: dict[str, list[TensorView]] = {}
    copied_elements = 0
    for key in context.builder.used:
        name, _, repeated = key.partition(COPY_IN)
        constant = context.constants.get(name)
        if constant is None or constant.view is None:
            copied_elements += _sparse(context, name)
        elif repeated:
            copied_elements += constant.elements
        else:
            parts.setdefault(constant.view.root, []).append(constant.view)
    return sum(_count_covered(views) for views in parts.values()) + copied_elements


def _count_covered(views: Sequence[TensorView]) -> int:
    """The number of elements of a tensor that the views contain together."""
    whole = whole_view(views[0].root, (views[0].total,))
    parts = {view.key: view for view in views}
    if len(parts) == 1:
        return prod(views[0].dims)
    outside = elements_outside(whole, parts.values())
    if outside < whole.total:
        return whole.total - outside
    # There are too many parts to compare: assume that they do not overlap.
    return min(whole.total, sum(prod(view.dims) for view in parts.values()))


def _sparse(context: GraphContext[Any], name: str) -> int:
    """The elements of a tensor without a view, if the tensor itself is stored."""
    constant = context.constants.get(name)
    itself = constant is not None and constant.sources == ((name, constant.elements),)
    return constant.elements if itself and constant is not None else 0


def _unused_elements(context: GraphContext[Any]) -> dict[str, int]:
    """The tensors of the file that no layer uses, each with its unused elements."""
    read = {*context.builder.used, *context.excluded, *context.read_as_options}
    pieces: dict[str, list[TensorView]] = {}
    for key in read:
        view = _view(context, key)
        if view is not None:
            pieces.setdefault(view.root, []).append(view)
    elements_by_name = {}
    for name, constant in context.constants.items():
        itself = constant.sources == ((name, constant.elements),)
        view = constant.view
        if not itself or name in read or not context.may_be_weights(name):
            continue
        if view is None:
            elements_by_name[name] = constant.elements
        elif view.root == name:
            elements_by_name[name] = elements_outside(view, pieces.get(name, []))
    return {name: elements for name, elements in elements_by_name.items() if elements}


def _operands(context: GraphContext[Any]) -> set[str]:
    """The tensors of the file that operators read, perhaps in another form."""
    names, pending = set[str](), [*context.operands]
    while pending:
        name = pending.pop()
        constant = context.constants.get(name)
        if constant is not None and name not in names:
            names.add(name)
            pending += (key for key, _ in constant.sources)
            if constant.producer is not None and constant.view is None:
                pending += constant.producer.inputs
    return names


def _view(context: GraphContext[Any], name: str) -> TensorView | None:
    constant = context.constants.get(name)
    return None if constant is None else constant.view


def _storage(context: GraphContext[Any]) -> Iterator[StoredTensor]:
    """The tensors of the file, or the parts of them, that the layers have."""
    for name in context.builder.used:
        view = _view(context, name)
        root = name if view is None else view.root
        if root in context.stored:
            dtype, elements, size = context.stored[root]
            part = elements if view is None else prod(view.dims)
            yield StoredTensor(dtype, part, size * part // max(elements, 1))
