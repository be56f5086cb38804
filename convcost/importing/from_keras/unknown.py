"""Layers of classes that are not known: what comes out of them, as the configuration tells it."""

from collections.abc import Iterable
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made
from convcost.shapes import Shape

EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"
Told = list[int | None]


def unknown(
    easel: Easel, one: dict[str, Any], path: Path, values: tuple[Value, ...],
    told: Told | None, stored: int | None, key: str,
) -> Value:  # fmt: skip
    """A `custom` layer, uncounted. Raises Refusal where its shape or its params are not known."""
    dims = None if told is None or not values else _dims(one, values[0], told)
    if dims is None or stored is None:
        raise Refusal(
            "CC401", f"layer `{'/'.join(path)}`: the class `{one['class_name']}` is not read",
            EXPORTED,
        )  # fmt: skip
    x, last = values[0], len(dims) - 1
    channel = x.channel if len(x.dims) == len(dims) else last
    sources = [easel.demand(value, value.channel, path) for value in values]
    size = tuple(n for axis, n in enumerate(dims) if axis not in (0, channel))
    shape = Shape(dims[channel], size)
    inputs, bound = bounded(easel, sources, shape)
    options = {"what": one["class_name"], "params": stored, "macs": "uncounted", **bound}
    tensors = {key: stored} if stored else {}
    index = easel.emit("custom", path, inputs, options, tensors=tensors)
    return made(index, shape, len(dims), channel)


def _dims(one: dict[str, Any], x: Value, told: Told) -> tuple[int, ...] | None:
    """Those of the output; open ones are those of what comes in, if it is open there, too."""
    built = (one.get("build_config") or {}).get("input_shape")
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
