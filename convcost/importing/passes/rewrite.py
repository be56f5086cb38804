"""The passes over the layer graph of a model, in order."""

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.passes.affine import merge_affine
from convcost.importing.passes.fusions import CONTRACTIONS, fuse_patterns
from convcost.importing.passes.unread import remove_unread


def rewrite(graph: LayerGraph) -> LayerGraph:
    """The graph with one layer for each pattern. No pass changes the params or buffers."""
    fused = merge_affine(fuse_patterns(remove_unread(graph)))
    rewritten = fuse_patterns(fused, CONTRACTIONS)
    assert _stored_counts(rewritten) == _stored_counts(graph), "a pass lost weights"
    return rewritten


def _stored_counts(graph: LayerGraph) -> tuple[int, int]:
    """The numbers of params, of buffers and of frozen params."""
    stored = sum(layer.params + layer.buffers for layer in graph.layers)
    return stored, sum(layer.frozen_params for layer in graph.layers)
