"""Loops and conditionals. Which operators in them run depends on the data."""

from collections.abc import Iterator

from onnx import TensorProto

from convcost.importing.frontends.onnx.call import OperatorCall
from convcost.importing.frontends.onnx.constants import stored_constant
from convcost.importing.frontends.onnx.data_dependent_shapes import inside
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import has, operator
from convcost.importing.frontends.onnx.unknown import uncounted
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

BODIES = ("then_branch", "else_branch", "body")


def inner_tensors(node: OnnxNode) -> Iterator[TensorProto]:
    """The tensors of the graphs nested in a node, at any depth."""
    waiting = [node.attributes.get(name) for name in BODIES]
    while waiting:
        graph = waiting.pop()
        if graph is not None:
            yield from graph.initializer
            waiting += [
                one.g for inner in graph.node for one in inner.attribute if one.name in BODIES
            ]


@operator("If", "Loop", "Scan")
def branch(call: OperatorCall) -> tuple[Tensor, ...]:
    """A `custom` layer without a count. Raises ConstraintError if layers with weights are
    inside."""
    for name in BODIES:
        for op in inside(call.node.attributes.get(name)):
            if has(op, Trait.CONTRACTS, Trait.NORMALIZES):
                raise ConstraintError(
                    "CC401",
                    f"the number of times that it runs a {op} depends on the data",
                    "export the model with loops and branches resolved",
                )
    for tensor in inner_tensors(call.node):
        key = f"{tensor.name} in {call.node.label}"  # for a note, as no layer has it
        call.context.constants[key] = stored_constant(tensor, key, learned=True)
    wanted = [at for at in range(len(call.outputs)) if call.is_output_used(at)]
    if any(call.dims(at) is None for at in wanted):
        return ()
    return uncounted(call)
