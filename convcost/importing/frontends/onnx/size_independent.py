"""Whether a graph is the same at every input size: its operators slide windows, join tensors or
keep shapes."""

from onnx import ModelProto

from convcost.importing.frontends.onnx.registry import has
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.ops import Trait
from convcost.model.kind import KINDS


def is_plain(model: ModelProto, layer_graph: LayerGraph) -> bool:
    if not all(has(node.op_type, Trait.ANY_SIZE) for node in model.graph.node):
        return False
    return not any(
        (layer.params or layer.buffers)
        and not KINDS[layer.kind].folds_norms
        and (layer.kind == "learned" or not layer.output.size)
        for layer in layer_graph.layers
    )
