"""Layers of classes that are not known: what comes out of them, as the configuration tells it."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from convcost.errors import Refusal
from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import LAYERS
from convcost.importing.from_keras.classes import is_operation, is_own, whose
from convcost.importing.from_keras.once import stated
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made
from convcost.shapes import Shape

EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"
SAVED = (
    "saved with its weights, as model.keras, the layer is `custom` with its macs uncounted; "
    "or as ONNX, model.export('model.onnx', format='onnx')"
)
INSTALL = "pip install 'convcost[keras]'"
# Keras' own without anything learned: functions, and what prepares data.
LEARNS_NOTHING = (
    "Lambda", "CategoryEncoding", "Discretization", "Hashing", "HashedCrossing", "IntegerLookup",
    "StringLookup", "TextVectorization", "RandomCrop",
)  # fmt: skip
Told = list[int | None]


class Known(NamedTuple):
    """What a file tells of a layer: the dims that come out of it and go into it, and the elements
    of its tensors; None where it does not. Without weights in it, `lack` says why."""

    output: Told | None
    input: Told | None
    stored: int | None
    lack: str = ""


def unknown(
    easel: Easel, one: dict[str, Any], path: Path, values: tuple[Value, ...], known: Known,
    key: str, reason: str = "",
) -> Value:  # fmt: skip
    """A `custom` layer, uncounted. Raises Refusal where its shape or its params are not known, for
    the `reason` that it is none of a kind."""
    kind, own = str(one["class_name"]), is_own(one)
    reason = reason or _reason(one)
    dims = None if known.output is None or not values else _dims(one, values[0], known)
    free = own and (kind in LEARNS_NOTHING or is_operation(one))
    stored = 0 if free else known.stored
    if dims is None or stored is None:
        lack, help_ = _lacking(known, counted=stored is not None)
        raise Refusal("CC401", f"layer `{'/'.join(path)}`: {reason}, and {lack}", help_)
    if reason and LAYERS.get(kind) is not None:
        easel.notes.append(f"{'/'.join(path)}: {reason}; taken as custom, its macs uncounted")
    x, last = values[0], len(dims) - 1
    channel = x.channel if len(x.dims) == len(dims) else last
    sources = [easel.demand(value, value.channel, path) for value in values]
    size = tuple(n for axis, n in enumerate(dims) if axis not in (0, channel))
    shape = Shape(dims[channel], size)
    inputs, bound = bounded(easel, sources, shape)
    options = {"what": kind, "macs": "uncounted", **bound}
    tensors = {key: stored} if stored else {}
    index = stated(easel, path, inputs, options, tensors)
    return made(index, shape, len(dims), channel)


def _reason(one: dict[str, Any]) -> str:
    kind = str(one["class_name"])
    if is_own(one) or LAYERS.get(kind) is None:
        return f"the class `{kind}` is not read"
    return f"the class `{kind}` is not that of keras: {whose(one)}"


def helping(known: Known) -> str:
    """What to do about a layer that is of no kind."""
    if known.lack == INSTALL:
        return INSTALL
    return SAVED if known.lack and known.output is not None else EXPORTED


def _lacking(known: Known, *, counted: bool) -> tuple[str, str]:
    """What a `custom` layer would have to state and the file does not tell, and what helps."""
    if counted:
        return "the file does not tell the shape that comes out of it", EXPORTED
    if known.lack == INSTALL:
        return "its params are in the stored weights, which need h5py", INSTALL
    return known.lack or "the file stores no weights under its name", helping(known)


def _dims(one: dict[str, Any], x: Value, known: Known) -> tuple[int, ...] | None:
    """Those of the output; open ones are those of what comes in, if it is open there, too."""
    told = known.output or []
    built = (one.get("build_config") or {}).get("input_shape") or known.input
    if len(told) > 1 and told == built and len(told) == len(x.dims):
        return x.dims
    dims = (1, *(n or 0 for n in told[1:]))
    whole = built is not None and list(x.dims[1:]) == built[1:]
    return dims if whole and len(dims) > 1 and all(dims) else None


def of_sequence(following: Iterable[dict[str, Any]]) -> Told | None:
    """What the layer behind was built for; layers that learn nothing may not say it."""
    for one in following:
        shape = (one.get("build_config") or {}).get("input_shape")
        return list(shape) if isinstance(shape, list) else None
    return None
