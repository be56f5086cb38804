"""Removes the sizes from the configuration of a model with a fixed input size. Convolutions work at
any size, whatever size the model was built with."""

from typing import Any

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.passes.model_inputs import channels_first
from convcost.model.errors import ConstraintError

SHAPE_KEYS = ("batch_shape", "batch_input_shape")
# keys with sizes; the last one is for tensors in calls
KEYS_WITH_SIZES = ("build_config", "build_input_shape", "shape")


def open_sizes(config: Any) -> Any:
    """A copy of a configuration whose inputs are open except for their channels."""
    if isinstance(config, list):
        return [open_sizes(value) for value in config]
    if not isinstance(config, dict):
        return config
    tensor = "keras_history" in config
    return {
        name: _with_open_size(value) if name in SHAPE_KEYS else open_sizes(value)
        for name, value in config.items()
        if name not in KEYS_WITH_SIZES or (name == "shape" and not tensor)
    }


def same_weights(graph: LayerGraph, own_graph: LayerGraph) -> LayerGraph:
    """The graph, if each layer has as many params as in `own_graph`, the graph at the model's own
    size. Raises ConstraintError."""
    for layer, own_layer in zip(graph.layers, own_graph.layers, strict=False):
        if (layer.params, layer.buffers) != (own_layer.params, own_layer.buffers):
            where = "/".join(layer.path)
            raise ConstraintError(
                "CC403", f"layer `{where}`: the number of its weights depends on the size"
            )
    return graph


def _with_open_size(shape: Any) -> Any:
    if not isinstance(shape, list) or len(shape) < 3:  # noqa: PLR2004  samples, size, channels
        return shape
    batch, *dims = shape
    numbers = all(type(n) is int for n in dims)
    channel = 0 if numbers and channels_first((1, *dims)) else len(dims) - 1
    return [batch, *(n if axis == channel else None for axis, n in enumerate(dims))]
