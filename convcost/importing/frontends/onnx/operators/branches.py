"""Loops and conditionals. Which operators in them run depends on the data."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.constants import stored_constant
from convcost.importing.frontends.onnx.data_dependent_shapes import inner_ops
from convcost.importing.frontends.onnx.registry import has, operator
from convcost.importing.frontends.onnx.unknown import uncounted
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError


@operator("If", "Loop", "Scan")
def branch(call: OnnxCall) -> tuple[Tensor, ...]:
    """A `custom` layer without a count. Raises ConstraintError if layers with weights are
    inside."""
    for op in inner_ops(call.node):
        if has(op, Trait.CONTRACTS, Trait.NORMALIZES):
            raise ConstraintError(
                "CC401",
                f"the number of times that it runs a {op} depends on the data",
                "export the model with loops and branches resolved",
            )
    for tensor in (tensor for graph in call.node.graphs for tensor in graph.initializer):
        key = f"{tensor.name} in {call.node.label}"  # no layer has it, so a note lists it
        call.context.constants[key] = stored_constant(tensor, key, learned=True)
    return uncounted(call) if call.has_known_shapes else ()
