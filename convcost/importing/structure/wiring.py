"""Who feeds whom, as a spec says it best: joins of many that grow one by one are joins of two."""

from collections.abc import Sequence

from convcost.importing.drawing import Drawn

Inputs = tuple[tuple[int, ...], ...]


def wired(layers: Sequence[Drawn]) -> Inputs:
    """The inputs of every layer. A concat whose first inputs are all those of an earlier concat
    takes that one's output instead: [a, b, c] is [[a, b], c]."""
    known: dict[tuple[object, int], int] = {}  # a node of a trie, one more input, the next node
    whole: dict[int, int] = {}  # a node, the concat that has just the inputs that lead there
    result = []
    for index, layer in enumerate(layers):
        inputs = layer.inputs
        if layer.kind == "concat" and len(inputs) > 1:
            inputs = _shortened(index, layer, known, whole)
        result.append(inputs)
    return tuple(result)


def _shortened(
    index: int, layer: Drawn, known: dict[tuple[object, int], int], whole: dict[int, int]
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
