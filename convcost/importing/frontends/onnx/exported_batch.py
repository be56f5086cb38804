"""A model that was exported for several samples and is imported for one. Its constants must not
have the old batch size."""

from collections.abc import Mapping

from onnx import ModelProto

from convcost.importing.frontends.onnx.constants import OnnxConstant
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims, ModelInput
from convcost.importing.frontends.onnx.registry import has
from convcost.importing.frontends.onnx.shape_inference import inferred
from convcost.importing.ir.ops import Trait
from convcost.model.errors import ConstraintError


def for_one_sample(
    model: ModelProto,
    inputs: tuple[ModelInput, ...],
    graph: OnnxGraph,
    constants: Mapping[str, OnnxConstant],
    shapes: Mapping[str, Dims],
) -> None:
    """Raises ConstraintError CC405 if a constant would broadcast one sample to the batch that the
    model was exported for."""
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
    except ConstraintError:
        return  # the model itself does not accept this size
    for node in graph.nodes:
        for extent, name in _stretched(node, constants, shapes, full):
            raise ConstraintError(
                "CC405",
                f"{node.label}: `{name}` is for {extent} samples, but the import is for one",
                "export the model with a batch of 1",
            )


def _stretched(
    node: OnnxNode,
    constants: Mapping[str, OnnxConstant],
    shapes: Mapping[str, Dims],
    full: Mapping[str, Dims],
) -> list[tuple[int, str]]:
    """The constants whose batch axis has more than one entry where the output is now for one
    sample, each with that extent."""
    if not has(node.op, Trait.JOINS, Trait.CHOOSES) and node.op not in ("Pow", "MatMul"):
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
