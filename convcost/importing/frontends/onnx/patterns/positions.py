"""Max unpooling and sliding windows that exporters write with lists of positions."""

from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement

BETWEEN = ("Reshape", "Transpose", "Expand", "Unsqueeze", "Concat", "Identity", "Cast")
FARTHEST = 8
MATRIX = 2
IM2COL = (0, 1, 2, 4, 3, 5)


@pattern("Reshape")
def unpooled(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The elements of a max pool that are scattered into zeros by the indices of that pool."""
    scatter = net.producer(_back(net, node.inputs[0]), "ScatterND")
    if scatter is None or net.number(scatter.inputs[0]) != 0:
        return None
    indices, pool = _indices(net, scatter.inputs[1])
    x, size = _back(net, scatter.inputs[2]), net.shapes.get(node.outputs[0])
    if pool is None or size is None or net.shapes.get(x) != net.shapes.get(pool.outputs[0]):
        return None
    window = {
        name: pool.attributes[name]
        for name in ("kernel_shape", "strides", "pads")
        if name in pool.attributes
    }
    return replacement(node, "MaxUnpool", (x, indices), size=size, **window)


def _back(net: PatternGraph, name: str) -> str:
    """The tensor before operators that only reshape it."""
    for _ in range(FARTHEST):
        producer = net.producer(name, *BETWEEN)
        if producer is None:
            break
        name = producer.inputs[0]
    return name


def _indices(net: PatternGraph, name: str) -> tuple[str, OnnxNode | None]:
    """The second output of the max pool that the positions are computed from, and the node of that
    pool."""
    for _ in range(FARTHEST):
        name = _back(net, name)
        producer = net.producer(name, "Add", "Sub", "MaxPool")
        if producer is None or producer.op == "MaxPool":
            return name, producer
        name = producer.inputs[0]
    return name, None


@pattern("Reshape")
def windows(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The elements of each sliding window, gathered by a table of positions: first along the rows,
    then along the columns."""
    turned = net.producer(node.inputs[0], "Transpose")
    columns = net.producer(turned.inputs[0], "Gather") if turned is not None else None
    rows = net.producer(columns.inputs[0], "Gather") if columns is not None else None
    if turned is None or columns is None or rows is None or turned.attributes["perm"] != IM2COL:
        return None
    if (rows.attributes.get("axis"), columns.attributes.get("axis")) != (2, 4):
        return None
    tables = [net.constants.get(gather.inputs[1]) for gather in (rows, columns)]
    if any(table is None or len(table.dims) != MATRIX for table in tables):
        return None
    pad = net.producer(rows.inputs[0], "Pad")
    return replacement(node, "Im2Col", (rows.inputs[0] if pad is None else pad.inputs[0],))
