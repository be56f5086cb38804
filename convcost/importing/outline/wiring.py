"""The inputs of each layer in the form that suits a spec best: a series of growing concats becomes
concats of two inputs."""

from collections.abc import Sequence

from convcost.importing.ir.layer_graph import GraphLayer

Inputs = tuple[tuple[int, ...], ...]


def shortened_inputs(layers: Sequence[GraphLayer]) -> Inputs:
    """The inputs of every layer. A concat whose first inputs are all those of an earlier concat
    uses the earlier concat's output instead: [a, b, c] becomes [[a, b], c]."""
    known: dict[tuple[object, int], int] = {}  # trie of inputs: (node, next input) to the next node
    whole: dict[int, int] = {}  # the concat whose inputs are the path to a node
    result = []
    for index, layer in enumerate(layers):
        inputs = layer.inputs
        if layer.kind == "concat" and len(inputs) > 1:
            inputs = _with_earlier_concat(index, layer, known, whole)
        result.append(inputs)
    return tuple(result)


def _with_earlier_concat(
    index: int, layer: GraphLayer, known: dict[tuple[object, int], int], whole: dict[int, int]
) -> tuple[int, ...]:
    node: object = layer.options
    found = layer.inputs
    for length, source in enumerate(layer.inputs, 1):
        node = known.setdefault((node, source), len(known))
        if 1 < length < len(layer.inputs) and node in whole:
            found = (whole[node], *layer.inputs[length:])
    assert isinstance(node, int)
    whole.setdefault(node, index)
    return found
