"""Notes about the tensors of a model that belong to no layer: every tensor is either counted or in
a note."""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import prod

from convcost.importing.frontends.onnx.context import LoweringContext, is_packed
from convcost.importing.frontends.onnx.data_dependent_shapes import skipped_notes
from convcost.importing.frontends.onnx.derived_weights import COPY_IN
from convcost.importing.frontends.onnx.graph import OnnxGraph
from convcost.importing.frontends.onnx.strided_aliases import (
    TensorView,
    elements_outside,
    whole_view,
)
from convcost.importing.ir.layer_graph import UNBALANCED

SHOWN = 3
OPTIONS = 16  # the most numbers of an option of a layer, such as a scale for each axis


def report_weights(context: LoweringContext, graph: OnnxGraph, lost: Mapping[str, str]) -> None:
    """Adds the notes about tensors to the finished layer graph."""
    notes = context.builder.notes
    notes += skipped_notes(graph, lost)
    for key in sorted(context.read_as_options - context.builder.used.keys()):
        constant = context.constants.get(key)
        if constant is not None and constant.real and constant.elements > OPTIONS:
            context.excluded.setdefault(key, "used to compute weights, and not counted as params")
    notes += _unused(context)
    for why, names in _grouped(context.excluded).items():
        notes.append(f"{_tensors(names)} {_are(names)} {why}: {_listed(names)}")
    if context.derived.computed:
        layers = (
            "1 layer" if context.derived.computed == 1 else f"{context.derived.computed} layers"
        )
        notes.append(
            f"the weights of {layers} are computed from stored tensors; convcost counts the stored "
            "tensors, and no macs for the computation"
        )
    if context.repeated:
        names = sorted(context.repeated)
        belong = "belongs" if len(names) == 1 else "belong"
        notes.append(
            f"{_tensors(names)} {belong} to several layers that share nothing else, "
            f"and {_are(names)} counted for each: {_listed(names)}"
        )
    _stored(context, notes)
    notes += balance(context)


def balance(context: LoweringContext) -> list[str]:
    """A note if the layers do not have as many numbers as the file stores for them: then a count is
    wrong.

    Params and buffers are elements of stored tensors, each counted once; tensors that the file
    stores once for several layers are counted for each, as a note says. All other elements are in
    the notes, or are numbers of the code.
    """
    counted = sum(layer.params + layer.buffers for layer in context.builder.layers)
    parts: dict[str, list[TensorView]] = {}
    again = 0
    for key in context.builder.used:
        name, _, repeated = key.partition(COPY_IN)
        constant = context.constants.get(name)
        if constant is None or constant.view is None:
            again += _sparse(context, name)
        elif repeated:
            again += constant.elements
        else:
            parts.setdefault(constant.view.root, []).append(constant.view)
    held = sum(_covered(views) for views in parts.values()) + again
    if held == counted:
        return []
    return [
        f"{UNBALANCED}the layers have {counted:,} numbers, but the file stores {held:,} for them"
    ]


def _covered(views: Sequence[TensorView]) -> int:
    """The number of elements of a tensor that the views contain together."""
    whole = whole_view(views[0].root, (views[0].total,))
    parts = {view.key: view for view in views}
    if len(parts) == 1:
        return prod(views[0].dims)
    left = elements_outside(whole, parts.values())
    if left < whole.total:
        return whole.total - left
    # There are too many parts to compare: assume that they do not overlap.
    return min(whole.total, sum(prod(view.dims) for view in parts.values()))


def _sparse(context: LoweringContext, name: str) -> int:
    """The elements of a tensor without a view, if the tensor itself is stored."""
    constant = context.constants.get(name)
    itself = constant is not None and constant.roots == ((name, constant.elements),)
    return constant.elements if itself and constant is not None else 0


def _tensors(names: Sequence[str]) -> str:
    return "1 tensor" if len(names) == 1 else f"{len(names)} tensors"


def _are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def _unused(context: LoweringContext) -> list[str]:
    """The tensors of the file that no layer uses."""
    spent = {*context.builder.used, *context.excluded, *context.read_as_options}
    pieces: dict[str, list[TensorView]] = {}
    for key in spent:
        view = _view(context, key)
        if view is not None:
            pieces.setdefault(view.root, []).append(view)
    found = []
    for name, constant in context.constants.items():
        itself = constant.roots == ((name, constant.elements),)
        view = _view(context, name)
        alone = constant.elements == 1 and not constant.learned
        if not itself or not _may_be_weights(context, name) or alone or name in spent:
            continue
        if view is None or view.root == name:
            left = (
                elements_outside(view, pieces.get(name, []))
                if view is not None
                else constant.elements
            )
            found += [(name, left)] if left else []
    if not found:
        return []
    total = sum(elements for _, elements in found)
    shown = ", ".join(f"`{name}` ({elements:,})" for name, elements in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    numbers = "1 number of the file is" if total == 1 else f"{total:,} numbers of the file are"
    return [f"{numbers} in no layer: {shown}{more}"]


def _may_be_weights(context: LoweringContext, name: str) -> bool:
    """Whether a tensor has a floating-point type, or is a quantized weight."""
    constant = context.constants[name]
    return constant.real or is_packed(context.stored, name, constant.dims)


def _view(context: LoweringContext, name: str) -> TensorView | None:
    constant = context.constants.get(name)
    return None if constant is None else constant.view


def _grouped(reasons: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, why in reasons.items():
        found.setdefault(why, []).append(name)
    return found


def _stored(context: LoweringContext, notes: list[str]) -> None:
    """Adds a note with the bytes of the layers' tensors by type, unless all are float32."""
    kinds: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for name in context.builder.used:
        view = _view(context, name)
        root = name if view is None else view.root
        if root in context.stored:
            kind, elements, size = context.stored[root]
            here = elements if view is None else prod(view.dims)
            kinds[kind] += here
            sizes[kind] += size * here // max(elements, 1)
    if set(kinds) - {"float32"}:
        listed = ", ".join(
            f"{kinds[kind]:,} as {kind} ({sizes[kind]:,} bytes)" for kind in sorted(kinds)
        )
        notes.append(f"stored numbers of layers: {listed}")
