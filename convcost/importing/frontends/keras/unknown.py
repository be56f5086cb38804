"""Layers of unknown classes, with the shape that the configuration states."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from convcost.importing.frontends.keras.call import LAYERS
from convcost.importing.frontends.keras.classes import (
    LayerConfig,
    is_of_keras,
    is_operation,
    stated_origin,
)
from convcost.importing.frontends.keras.nodes import KerasCall
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError

EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"
SAVED = (
    "save the model with its weights, as model.keras: the layer becomes `custom`, "
    "its macs uncounted; or as ONNX, model.export('model.onnx', format='onnx')"
)
INSTALL = "pip install 'convcost[keras]'"
# Keras' own layers without params: functions, and layers that prepare data.
LEARNS_NOTHING = (
    "Lambda", "CategoryEncoding", "Discretization", "Hashing", "HashedCrossing", "IntegerLookup",
    "StringLookup", "TextVectorization", "RandomCrop",
)  # fmt: skip
OpenDims = list[int | None]


class LayerFacts(NamedTuple):
    """The facts that a file states about a layer: its output dims, its input dims and the number of
    its stored elements; each is None if the file does not state it. If the file has no weights,
    `lack` is the reason."""

    output: OpenDims | None
    input: OpenDims | None
    stored: int | None
    lack: str = ""


def add_uncounted(
    builder: GraphBuilder, use: KerasCall, facts: LayerFacts, reason: str = ""
) -> Tensor:
    """Adds a `custom` layer whose macs are not counted. Raises ConstraintError if its shape or its
    params are not known; the message begins with the `reason` why the layer has no kind."""
    layer, kind, values, path = use.layer, use.kind, use.feed.values, "/".join(use.path)
    reason, is_keras_class = reason or _reason(layer), is_of_keras(layer)
    dims = None if facts.output is None or not values else _dims(layer, values[0], facts)
    free = is_keras_class and (kind in LEARNS_NOTHING or is_operation(layer))
    stored = 0 if free else facts.stored
    if dims is None or stored is None:
        lack, help_ = _missing_fact(facts, counted=stored is not None)
        raise ConstraintError("CC401", f"layer `{path}`: {reason}, and {lack}", help_)
    if reason and LAYERS.get(kind) is not None:
        builder.notes.append(f"{path}: {reason}; it becomes `custom`, and its macs are not counted")
    more: dict[str, Any] = {"macs": None, "weights": {use.key: stored} if stored else {}}
    return lower(builder, "custom", use.path, *values, what=kind, dims=dims, **more)


def _reason(layer: LayerConfig) -> str:
    kind = str(layer["class_name"])
    if is_of_keras(layer) or LAYERS.get(kind) is None:
        return f"convcost does not know the class `{kind}`"
    return f"the class `{kind}` is not part of Keras: {stated_origin(layer)}"


def help_text(facts: LayerFacts) -> str:
    """The help text for a layer without a kind."""
    if facts.lack == INSTALL:
        return INSTALL
    return SAVED if facts.lack and facts.output is not None else EXPORTED


def _missing_fact(facts: LayerFacts, *, counted: bool) -> tuple[str, str]:
    """The fact that a `custom` layer needs and the file does not state, and the help text."""
    if counted:
        return "the file does not give its output shape", EXPORTED
    if facts.lack == INSTALL:
        return "its params are in the stored weights, which need h5py", INSTALL
    return facts.lack or "the file stores no weights under its name", help_text(facts)


def _dims(layer: LayerConfig, x: Tensor, facts: LayerFacts) -> tuple[int, ...] | None:
    """The dims of the output; None if they are not known. If the file states the same dims for the
    output and for the input, with open dims in the same places, they are those of `x`. If the layer
    was built for the dims of `x`, they are the stated dims of the output. At other dims of `x`, the
    output is not known."""
    declared = facts.output or []
    built = (layer.get("build_config") or {}).get("input_shape") or facts.input
    if len(declared) > 1 and declared == built and len(declared) == len(x.dims):
        return x.dims
    dims = (1, *(n or 0 for n in declared[1:]))
    built_for_x = built is not None and list(x.dims[1:]) == built[1:]
    return dims if built_for_x and len(dims) > 1 and all(dims) else None


def next_input_shape(following: Iterable[LayerConfig]) -> OpenDims | None:
    """The input shape of the next layer in a sequential model, if that layer states it; layers
    without params may not state it."""
    for layer in following:
        shape = (layer.get("build_config") or {}).get("input_shape")
        return list(shape) if isinstance(shape, list) else None
    return None
