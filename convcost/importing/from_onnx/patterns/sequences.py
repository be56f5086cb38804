"""Sequences of pieces, as PyTorch's newer exporter writes a split: each taken is a piece."""

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.patterns import Net, one, pattern
from convcost.importing.from_onnx.work import np_flat


@pattern("SequenceAt")
def taken(net: Net, node: Node) -> Node | None:
    """The n-th of a tensor's pieces along an axis."""
    whole = net.maker(node.inputs[0], "SplitToSequence")
    at = net.number(node.inputs[1])
    if whole is None or at is None:
        return None
    held = net.constants.get(whole.inputs[0])
    dims = net.shapes.get(whole.inputs[0]) if held is None else held.dims
    if dims is None:
        return None
    axis = whole.attributes.get("axis", 0) % len(dims)
    constant = net.constants.get(whole.input(1))
    if whole.input(1) and (constant is None or constant.data is None):
        return None
    given = np_flat(constant.data) if constant is not None else [1]
    if constant is None or not constant.dims:  # pieces of one length, the last one what is left
        share = int(given[0])
        given = [min(share, dims[axis] - start) for start in range(0, dims[axis], share)]
    place = int(at) % len(given)
    start = int(sum(given[:place]))
    keep = bool(whole.attributes.get("keepdims", 1)) or constant is not None
    return one(
        node,
        "Piece",
        (whole.inputs[0],),
        axis=axis,
        start=start,
        length=int(given[place]),
        keep=keep,
    )
