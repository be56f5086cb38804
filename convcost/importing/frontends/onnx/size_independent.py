"""Whether a graph is the same at every input size: its operators slide windows, join tensors or
keep shapes."""

from onnx import ModelProto

from convcost.importing.frontends.onnx.registry import has
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.ops import Trait

# A linear layer after a flatten has other weights at another size.
SLIDING = ("conv", "depthwise", "linear")


def is_plain(model: ModelProto, layer_graph: LayerGraph) -> bool:
    if not all(has(node.op_type, Trait.ANY_SIZE) for node in model.graph.node):
        return False
    return not any(
        (layer.params or layer.buffers)
        and layer.kind not in SLIDING
        and (layer.kind == "learned" or not layer.output.size)
        for layer in layer_graph.layers
    )
