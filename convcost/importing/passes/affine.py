"""Merges learned factors and summands into the layer before them, however a model writes them.

A sum with a learned vector is the bias of a convolution or linear layer. A product and a sum are
the scale and the shift of a norm. Layers that share weights are merged together, or not at all.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from convcost.importing.ir.layer_graph import (
    GraphLayer,
    LayerGraph,
    stated_options,
    weights_owner,
    without_layers,
)
from convcost.model.kind import KINDS

PAIR = 2  # inputs of a join with a table


class _Merge(NamedTuple):
    """The layer `target` gets new `options` and the params of the layer `source`; the layer `end`,
    which computes the result, is removed."""

    target: int
    source: int
    end: int
    options: dict[str, Any]


def merge_affine(graph: LayerGraph) -> LayerGraph:
    """The graph with learned factors and summands as options of other layers."""
    while merges := _merges(graph):
        graph = _apply_merges(graph, merges)
    return graph


def _merges(graph: LayerGraph) -> list[_Merge]:
    """The merges that do not depend on each other."""
    layers = graph.layers
    readers = Counter(n for layer in layers if layer.kind != "learned" for n in layer.inputs)
    readers.update(graph.outputs)
    merges = {}
    for index in range(len(layers)):
        merge = _merge_of(graph, readers, index)
        if merge is not None:
            merges[merge.target] = merge
    owners = [weights_owner(layers, index) for index in range(len(layers))]
    sharing = Counter(owners)
    pairs = Counter((owners[merge.target], owners[merge.source]) for merge in merges.values())

    def complete(merge: _Merge) -> bool:
        """Whether all layers that share weights with this one are merged in the same way."""
        pair = target, source = owners[merge.target], owners[merge.source]
        return sharing[target] == sharing[source] == pairs[pair]

    ends = {merge.end for merge in merges.values()}
    return [merge for merge in merges.values() if merge.target not in ends and complete(merge)]


def _merge_of(graph: LayerGraph, readers: Mapping[int, int], index: int) -> _Merge | None:
    """The merge of a layer into the layer before it: a `scale`, or a sum or product with a tensor
    of learned numbers. None if the layer before it has another reader, or has no such options."""
    layer = graph.layers[index]
    if layer.kind == "scale":
        learned, data = [index], layer.inputs
        affine = {"factor": True, "shift": False, **dict(layer.options)}
    elif layer.kind in ("add", "multiply") and len(layer.inputs) == PAIR:
        learned = [n for n in layer.inputs if n >= 0 and _is_learned(graph, readers, n, layer)]
        data = tuple(n for n in layer.inputs if n not in learned)
        affine = {"factor": layer.kind == "multiply", "shift": layer.kind == "add", "over": "all"}
    else:
        return None
    if len(data) != 1 or data[0] < 0 or readers[data[0]] != 1:
        return None
    options = _with_affine(graph, data[0], learned[0], affine)
    return None if options is None else _Merge(data[0], learned[0], index, options)


def _is_learned(
    graph: LayerGraph, readers: Mapping[int, int], index: int, join: GraphLayer
) -> bool:
    """Whether a layer only provides one learned number for each element of a join's output."""
    layer = graph.layers[index]
    whole = layer.kind == "learned" and layer.output == join.output
    return whole and readers[index] == 1 and not dict(layer.options).get("buffer")


def _with_affine(
    graph: LayerGraph, index: int, source: int, affine: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The options of a layer with the factor or summand of the layer `source` in addition; None if
    its kind does not have them. `affine` are options like those of a `scale`."""
    layer = graph.layers[index]
    kind = KINDS[layer.kind]
    options = {name: option.default for name, option in kind.options.items()} | dict(layer.options)
    factor, shift = affine["factor"], affine["shift"]
    whole = options.get("over") == "all"
    shared = options.get("shared", False) or layer.output.channels == 1
    if whole != (affine.get("over") == "all") or (affine.get("shared", False) and not shared):
        return None
    if kind.folds_norms:
        biased = kind(**dict(layer.options) | {"bias": True})
        biases = biased.biases(biased.select_inputs(tuple(map(graph.shape, layer.inputs)))).value
        stored = graph.layers[weights_owner(graph.layers, source)].params
        is_bias = not factor and not options["bias"] and biases == stored
        return {**options, "bias": True} if is_bias else None
    if layer.kind == "scale":
        return None if factor or options["shift"] else {**options, "shift": True}
    both = {"scale", "shift"} <= options.keys()
    if not both or options["shift"] or (factor and options["scale"]):
        return None
    return {**options, "scale": factor or options["scale"], "shift": shift}


def _apply_merges(graph: LayerGraph, merges: list[_Merge]) -> LayerGraph:
    """The graph after all merges. The layers that were merged are removed."""
    layers, aliases, removed = list(graph.layers), dict[int, int](), set[int]()
    for target, source, end, options in merges:
        old, new = layers[target], layers[weights_owner(layers, source)]
        frozen, has_own_weights = new.frozen, old.shares is None
        if (old.params or not has_own_weights) and old.frozen != new.frozen:
            frozen = "weights" if old.frozen else "biases"
        layers[target] = old._replace(
            options=stated_options(KINDS[old.kind], options),
            params=old.params + (new.params if has_own_weights else 0),
            frozen=frozen,
            frozen_params=old.frozen_params + (new.frozen_params if has_own_weights else 0),
        )
        aliases |= {source: layers[source].inputs[0], end: target}
        removed |= {source, end}
    return without_layers(graph._replace(layers=tuple(layers)), removed, aliases)
