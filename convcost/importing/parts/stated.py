"""Layers that only state what they give: true for the shape that the model was read at."""

from collections.abc import Sequence
from typing import Any

from convcost.importing.easel import Easel
from convcost.shapes import Shape


def bounded(
    easel: Easel, sources: Sequence[int], shape: Shape, macs: int = 0
) -> tuple[list[int], dict[str, Any]]:
    """The inputs of a `custom` layer that gives `shape`, and what it says of shapes.

    Where all that comes in has that shape, it follows the size of the input; a stated shape or a
    stated number of macs does not, and then the layer is bound to what comes in first.
    """
    if not macs and all(easel.shape(source) == shape for source in sources):
        return list(sources), {}
    inputs = sorted(sources, key=lambda source: not any(easel.varies(source)))
    first = easel.shape(inputs[0])
    options: dict[str, Any] = {}
    if any(easel.varies(inputs[0])):
        options["input"] = first
    if shape != first:
        options["output"] = shape
    return inputs, options
