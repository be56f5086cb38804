"""A model of a fixed size as one of an open size: what its configuration says of sizes is left
out. Convolutions take any, whatever size a model was built at."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.from_keras.entry import FEW

ENTRIES = ("batch_shape", "batch_input_shape")
IMAGE = 3  # height, width, channels
TELL = ("build_config", "build_input_shape", "shape")  # the last of tensors in calls


def loosened(config: Any) -> Any:
    """A copy of a configuration in which inputs are open but for their channels."""
    if isinstance(config, list):
        return [loosened(one) for one in config]
    if not isinstance(config, dict):
        return config
    tensor = "keras_history" in config
    return {
        name: _opened(value) if name in ENTRIES else loosened(value)
        for name, value in config.items()
        if name not in TELL or (name == "shape" and not tensor)
    }


def same_weights(drawing: Drawing, own: Drawing) -> Drawing:
    """The drawing, if each layer has as many params as at the size of its own. Raises Refusal."""
    for one, other in zip(drawing.layers, own.layers, strict=False):
        if (one.params, one.buffers) != (other.params, other.buffers):
            where = "/".join(one.path)
            raise Refusal("CC403", f"layer `{where}`: its weights are of another size")
    return drawing


def _opened(shape: Any) -> Any:
    if not isinstance(shape, list) or len(shape) < 3:  # noqa: PLR2004  samples, size, channels
        return shape
    batch, *dims = shape
    numbers = all(type(n) is int for n in dims)
    first = numbers and len(dims) == IMAGE and dims[0] <= FEW < dims[-1]
    channel = 0 if first else len(dims) - 1
    return [batch, *(n if axis == channel else None for axis, n in enumerate(dims))]
