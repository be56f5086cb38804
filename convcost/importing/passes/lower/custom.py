"""Layers that state their costs, for operators without a kind."""

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, output_tensor
from convcost.importing.passes.lowering import lowering
from convcost.model.shape import Shape


@lowering("custom")
def custom(builder: GraphBuilder, node: Node) -> Tensor:
    """Adds a `custom` layer that is a `what`, with the output `dims` and `macs`; None means unknown
    macs. Its params and buffers are the stored tensors that no earlier layer has, or copies of them
    if the file stores equal tensors once. Other attributes become options of the layer.

    The output has the layout of an input with the same dims or rank, otherwise channels last;
    `channel` is the channel axis of `dims` if it is known.
    """
    options = dict(node.attributes)
    dims, macs, channel = options.pop("dims"), options.pop("macs", 0), options.pop("channel", None)
    weights, buffers = (
        {copy: n for key, n in tensors.items() if (copy := builder.copy(key)) not in builder.used}
        for tensors in (node.weights, node.buffers or {})
    )
    if len(weights) < len(node.weights):
        options.pop("biases", None)
    options |= {"params": sum(weights.values()), "buffers": sum(buffers.values())}
    options["macs"] = "uncounted" if macs is None else macs
    rank, largest = len(dims), sorted(node.inputs, key=lambda x: -x.elements)
    candidates = [x for x in largest if x.axes is not None]
    same = next((x for x in candidates if x.dims == dims), None) if channel is None else None
    batch = 0 if rank > 1 and dims[0] == 1 else None
    if channel is None:
        like = next((x.channel for x in candidates if len(x.dims) == rank), rank - 1)
        channel = like if like != batch else rank - 1
    size = tuple(n for axis, n in enumerate(dims) if axis not in (channel, batch))
    shape = same.shape if same is not None else Shape(dims[channel], size) if dims else Shape(1)
    sources = list(dict.fromkeys(x.source for x in node.inputs))
    sources, shape_options = builder.inputs_and_shape_options(sources, shape, macs or 0)
    index = builder.emit(
        "custom", node.path, sources, options | shape_options, tensors=weights, buffers=buffers
    )
    if same is not None:  # its elements have the positions of that input's elements
        return same._replace(source=index)
    return output_tensor(index, shape, rank, channel, batch)
