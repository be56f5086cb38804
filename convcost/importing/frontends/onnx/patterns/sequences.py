"""Sequences of parts: PyTorch's newer exporter writes a split as a sequence. Each element taken
from it is a part of the tensor."""

from convcost.importing.frontends.onnx.evaluate import np_flat
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.patterns import PatternGraph, pattern, replacement


@pattern("SequenceAt")
def taken(net: PatternGraph, node: OnnxNode) -> OnnxNode | None:
    """The n-th part of a tensor along an axis."""
    whole = net.producer(node.inputs[0], "SplitToSequence")
    number = net.number(node.inputs[1])
    if whole is None or number is None:
        return None
    stored = net.constants.get(whole.inputs[0])
    dims = net.shapes.get(whole.inputs[0]) if stored is None else stored.dims
    if dims is None:
        return None
    axis = whole.attributes.get("axis", 0) % len(dims)
    constant = net.constants.get(whole.input(1))
    if whole.input(1) and (constant is None or constant.data is None):
        return None
    given = np_flat(constant.data) if constant is not None else [1]
    if constant is None or not constant.dims:  # parts of equal length; the last part has the rest
        share = int(given[0])
        given = [min(share, dims[axis] - start) for start in range(0, dims[axis], share)]
    place = int(number) % len(given)
    start = int(sum(given[:place]))
    keep = bool(whole.attributes.get("keepdims", 1)) or constant is not None
    return replacement(
        node,
        "Piece",
        (whole.inputs[0],),
        axis=axis,
        start=start,
        length=int(given[place]),
        keep=keep,
    )
