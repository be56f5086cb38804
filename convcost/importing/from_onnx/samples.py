"""A model exported for several samples and read for one: its constants must not be for several."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from convcost.errors import Refusal
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph, Node
from convcost.importing.from_onnx.inference import inferred
from convcost.importing.from_onnx.shapes import Dims, Input

if TYPE_CHECKING:
    from onnx import ModelProto

# Operators that stretch one tensor to another, all axes of it or all but two.
STRETCHING = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean", "Where", "Pow", "MatMul")


def for_one_sample(
    model: "ModelProto",
    inputs: tuple[Input, ...],
    graph: Graph,
    constants: Mapping[str, Constant],
    shapes: Mapping[str, Dims],
) -> None:
    """Raises Refusal CC405 where a constant would stretch one sample to as many as the model was
    exported for: its numbers are not those of one sample."""
    own = {
        entry.name: [dim.dim_value for dim in entry.type.tensor_type.shape.dim]
        for entry in model.graph.input
    }
    before = tuple(
        one._replace(
            dims=tuple(was or now for was, now in zip(own[one.name], one.dims, strict=True))
        )
        for one in inputs
    )
    if before == inputs:
        return
    try:
        full = inferred(model, before)
    except Refusal:
        return  # of a size that the model itself does not take
    for node in graph.nodes:
        for extent, name in _stretched(node, constants, shapes, full):
            raise Refusal(
                "CC405",
                f"{node.label}: `{name}` is for {extent} samples, the model is read for one",
                "export the model with a batch of 1",
            )


def _stretched(
    node: Node,
    constants: Mapping[str, Constant],
    shapes: Mapping[str, Dims],
    full: Mapping[str, Dims],
) -> list[tuple[int, str]]:
    """Constants, with their extent along an axis of several samples that is 1 now."""
    if node.op not in STRETCHING:
        return []
    fixed = [(name, constants[name].dims) for name in node.inputs if name in constants]
    found = []
    for x in node.inputs:
        if x in constants or x not in shapes or len(full.get(x, ())) != len(shapes[x]):
            continue
        for name, dims in fixed:
            pairs = zip(reversed(dims), reversed(shapes[x]), reversed(full[x]), strict=False)
            axes = list(pairs)[2 if node.op == "MatMul" else 0 :]
            found += [(n, name) for n, now, was in axes if now == 1 < was == n]
    return found
