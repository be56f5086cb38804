"""Rolls: two slices of a tensor, concatenated in exchanged order."""

from convcost.importing.frontends.onnx.evaluate import np_flat
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement


@pattern("Concat")
def rolled(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """concat(x[k:], x[:k]) along one axis. Two of them, along two axes, become one roll."""
    if len(node.inputs) != 2:  # noqa: PLR2004
        return None
    tail, head = (net.producer(name, "Slice") for name in node.inputs)
    x = tail.inputs[0] if tail is not None else ""
    shape = net.shapes.get(x)
    if tail is None or head is None or head.inputs[0] != x or shape is None:
        return None
    axis = node.attributes.get("axis", 0) % len(shape)
    kept = _span(net, tail, axis, len(shape), shape[axis])
    moved = _span(net, head, axis, len(shape), shape[axis])
    if kept is None or moved is None:
        return None
    (start, end), (first, last) = kept, moved
    if first != 0 or start != last or end != shape[axis]:
        return None
    inner = net.producer(x, "Roll")
    within = inner is not None and inner.attributes["axes"] != (axis,)
    source = inner.inputs[0] if inner is not None and within else x
    places = -start if start <= shape[axis] // 2 else shape[axis] - start
    return replacement(node, "Roll", (source,), axes=(axis,), places=places)


def _span(
    net: PatternGraph, node: OnnxNode, axis: int, rank: int, extent: int
) -> tuple[int, int] | None:
    """The first entry of an axis that a slice takes, and the entry after its last."""
    found = []
    for at, name in ((1, "starts"), (2, "ends"), (3, "axes"), (4, "steps")):
        constant = net.constants.get(node.input(at))
        if name in node.attributes:
            found.append(tuple(node.attributes[name]))
        elif constant is not None and constant.data is not None:
            found.append(tuple(np_flat(constant.data)))
        else:
            found.append(())
    starts, ends, axes, steps = found
    if len(starts) != 1 or len(ends) != 1 or steps not in ((), (1,)):
        return None
    if (axes[0] if axes else 0) % rank != axis:
        return None
    kept = range(extent)[slice(starts[0], ends[0])]
    return (kept.start, kept.stop) if kept else None
