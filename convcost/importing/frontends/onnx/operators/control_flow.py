"""Loops and conditionals that `inlining.py` could not resolve."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.constants import stored_constant
from convcost.importing.frontends.onnx.graph import stored_tensors
from convcost.importing.frontends.onnx.inlining import MAX_ADDED_NODES
from convcost.importing.frontends.onnx.registry import has, operator
from convcost.importing.frontends.onnx.skipped import inner_ops
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

LOOPS = (
    "and convcost imports only the steps of a Loop with a known number of steps and at most "
    f"{MAX_ADDED_NODES:,} operators"
)


@operator("If", "Loop", "Scan")
def control_flow(call: OnnxCall) -> tuple[Tensor, ...]:
    """A `custom` layer without a count. Raises ConstraintError if layers with weights are
    inside."""
    for op in inner_ops(call.node):
        if has(op, Trait.CONTRACTS, Trait.NORMALIZES):
            reason = f"whether it runs a {op} depends on the data"
            if call.op != "If":
                reason = f"it runs a {op} in each step, {LOOPS}"
            hint = "export the model with loops and branches resolved"
            raise ConstraintError("CC401", reason, hint)
    for name, tensor in (entry for graph in call.node.graphs for entry in stored_tensors(graph)):
        key = f"{name} in {call.node.label}"  # no layer has it, so a note lists it
        call.context.constants[key] = stored_constant(tensor, key, learned=True)
    return call.add_uncounted() if call.has_known_shapes else ()
