"""Fuses an elementwise product and a sum into a contraction, however a model writes it.

Correlation, involution and attention by hand multiply two tensors element by element and sum over
an axis. That is an einsum, and costs one multiply-add for each product. If a branch has extent 1
along the axis, like a channel gate, the product only scales the other branch and is not a
contraction.
"""

from collections import Counter

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, without_layers
from convcost.model.axes import reduced_axes
from convcost.model.kind import KINDS
from convcost.model.shape import Shape

SUMS = ("sum", "mean")


def fuse_contractions(graph: LayerGraph) -> LayerGraph:
    """The layers with one `contract` in place of a `multiply` that only a sum or a mean reads."""
    layers = graph.layers
    readers = Counter(source for layer in layers for source in layer.inputs)
    readers.update(graph.outputs)
    gone: set[int] = set()
    found = list(layers)
    for index, layer in enumerate(layers):
        source = layer.inputs[0] if layer.inputs else -1
        if layer.kind not in SUMS or source < 0 or readers[source] != 1:
            continue
        product = layers[source]
        shapes = [graph.shape(one) for one in product.inputs]
        over = dict(layer.options)["over"]
        if product.kind == "multiply" and _sums(over, product.output, shapes):
            found[index] = _contraction(layer, product, shapes)
            gone.add(source)
    return without_layers(graph._replace(layers=tuple(found)), gone)


def _sums(over: int | str | tuple[int, ...], product: Shape, shapes: list[Shape]) -> bool:
    """Whether at least two branches have the full extent of an axis that is summed."""
    if over in ("channels", "all") and product.channels > 1:
        return [shape.channels for shape in shapes].count(product.channels) > 1
    rank = len(product.size)
    # A branch with fewer axes has the innermost ones.
    sizes = [(1,) * (rank - len(shape.size)) + shape.size for shape in shapes]
    return any(
        [size[axis - 1] for size in sizes].count(product.size[axis - 1]) > 1
        for axis in reduced_axes(over, product.size, "sum")
        if product.size[axis - 1] > 1
    )


def _contraction(layer: GraphLayer, product: GraphLayer, shapes: list[Shape]) -> GraphLayer:
    macs = KINDS["contract"](**dict(layer.options)).macs(tuple(shapes)).value
    return layer._replace(kind="contract", inputs=product.inputs, macs=macs)
