"""The inputs of each layer in the form that suits a spec best: a series of growing concats becomes
concats of two inputs. Also finds the tables that several modules use."""

from collections.abc import Sequence

from convcost.importing.ir.layer_graph import GraphLayer, Path

Inputs = tuple[tuple[int, ...], ...]


def shortened_inputs(layers: Sequence[GraphLayer]) -> Inputs:
    """The inputs of every layer. A concat whose first inputs are all those of an earlier concat
    uses the earlier concat's output instead: [a, b, c] becomes [[a, b], c]."""
    nodes: dict[tuple[object, int], int] = {}  # a trie: a node and the next input to the next node
    concats: dict[int, int] = {}  # the concat whose inputs end at a node
    result = []
    for index, layer in enumerate(layers):
        inputs = layer.inputs
        if layer.kind == "concat" and len(inputs) > 1:
            inputs = _with_earlier_concat(index, layer, nodes, concats)
        result.append(inputs)
    return tuple(result)


def shared_tables(layers: Sequence[GraphLayer], inputs: Sequence[Sequence[int]]) -> set[int]:
    """The values that do not depend on an input of the network, except on its size, and have users
    in several modules, such as rotary tables, and the values that they are computed from."""
    tables: set[int] = set()
    read = [sources[layer.sized_by_input :] for layer, sources in zip(layers, inputs, strict=True)]
    for index, layer in enumerate(layers):
        if layer.is_input_free or tables.issuperset(read[index]):
            tables.add(index)
    modules: dict[int, set[Path]] = {}
    for index, layer in enumerate(layers):
        for source in tables.intersection(() if layer.is_input_free else read[index]):
            modules.setdefault(source, set()).add(layer.path[:-1])
    values = {index for index, users in modules.items() if len(users) > 1}
    for index in sorted(tables, reverse=True):
        if index in values and not layers[index].is_input_free:
            values.update(read[index])
    return values


def _with_earlier_concat(
    index: int, layer: GraphLayer, nodes: dict[tuple[object, int], int], concats: dict[int, int]
) -> tuple[int, ...]:
    """The inputs of a concat, with the longest earlier concat in place of its first inputs. Adds
    the concat to the trie."""
    node: object = layer.options
    inputs = layer.inputs
    for length, source in enumerate(layer.inputs, 1):
        node = nodes.setdefault((node, source), len(nodes))
        if 1 < length < len(layer.inputs) and node in concats:
            inputs = (concats[node], *layer.inputs[length:])
    assert isinstance(node, int)
    concats.setdefault(node, index)
    return inputs
