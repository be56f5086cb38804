"""Loops and conditionals that `inlining.py` could not resolve."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.constants import stored_constant
from convcost.importing.frontends.onnx.inlining import MAX_ADDED_NODES, loop_steps
from convcost.importing.frontends.onnx.registry import has, operator
from convcost.importing.frontends.onnx.skipped import inner_ops
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted


@operator("If", "Loop", "Scan")
def control_flow(call: OnnxCall) -> tuple[Tensor, ...]:
    """A `custom` layer without a count. Raises ConstraintError if layers with weights are
    inside."""
    for op in inner_ops(call.node):
        if has(op, Trait.CONTRACTS, Trait.NORMALIZES):
            raise ConstraintError(
                "CC401", _reason(call, op), "export the model with loops and branches resolved"
            )
    for tensor in (tensor for graph in call.node.graphs for tensor in graph.initializer):
        key = f"{tensor.name} in {call.node.label}"  # no layer has it, so a note lists it
        call.context.constants[key] = stored_constant(tensor, key, learned=True)
    return call.uncounted() if call.has_known_shapes else ()


def _reason(call: OnnxCall, op: str) -> str:
    """Why the macs of an operator in a nested graph are not known."""
    if call.op == "If":
        return f"whether it runs a {op} depends on the data"
    if call.op == "Scan":
        return f"it runs a {op} for each step of a sequence, and convcost does not unroll a Scan"
    body = call.node.attributes["body"]
    steps = loop_steps(call.node.inputs, body, call.context.constants)
    if steps:
        most = counted(MAX_ADDED_NODES, "operator")
        many = f"{counted(steps, 'step')} of {counted(len(body.node), 'operator')}"
        return f"it runs a {op} in {many}, and convcost unrolls a loop to at most {most}"
    return f"the number of times that it runs a {op} depends on the data"
