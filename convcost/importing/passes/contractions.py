"""Fuses an elementwise product and a sum into a contraction, however a model writes it.

Correlation, involution and attention by hand multiply two tensors element by element and sum over
an axis. That is an einsum, and costs one multiply-add for each product. A `scale` is such a product
with a learned tensor. If a branch has extent 1 along the axis, like a channel gate, the product
only scales the other branch and is not a contraction.
"""

from collections import Counter

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph, without_layers
from convcost.model.axes import reduced_axes
from convcost.model.kind import KINDS
from convcost.model.shape import Shape

SUMS = ("sum", "mean")


def fuse_contractions(graph: LayerGraph) -> LayerGraph:
    """The layers with one `contract` in place of a `multiply` or `scale` that only a sum or a mean
    reads."""
    layers = graph.layers
    readers = Counter(source for layer in layers for source in layer.inputs)
    readers.update(graph.outputs)
    shared = {n for index, layer in enumerate(layers) if layer.shares is not None
              for n in (index, layer.shares)}  # fmt: skip
    removed: set[int] = set()
    found = list(layers)
    for index, layer in enumerate(layers):
        source = layer.inputs[0] if layer.inputs else -1
        if layer.kind not in SUMS or source < 0 or readers[source] != 1:
            continue
        product = layers[source]
        over = dict(layer.options)["over"]
        if product.kind == "multiply":
            shapes = [graph.shape(source) for source in product.inputs]
            if _sums(over, product.output, shapes):
                found[index] = _contraction(layer, product.inputs, shapes)
                removed.add(source)
        elif product.kind == "scale" and product.option("factor") and not product.option("shift"):
            learned = _factors(product)
            shapes = [product.output, learned]
            if source not in shared and _sums(over, product.output, shapes):
                found[source] = product._replace(
                    kind="learned", options=(("shape", learned),), output=learned
                )
                found[index] = _contraction(layer, (*product.inputs, source), shapes)
    return without_layers(graph._replace(layers=tuple(found)), removed)


def _factors(scale: GraphLayer) -> Shape:
    """The shape of the factors of a scale; axes of size 1 broadcast."""
    if scale.option("over") == "all":
        return scale.output
    channels = 1 if scale.option("shared") else scale.output.channels
    return Shape(channels, (1,) * len(scale.output.size))


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


def _contraction(layer: GraphLayer, inputs: tuple[int, ...], shapes: list[Shape]) -> GraphLayer:
    macs = KINDS["contract"](**dict(layer.options)).macs(tuple(shapes)).value
    return layer._replace(kind="contract", inputs=inputs, macs=macs)
