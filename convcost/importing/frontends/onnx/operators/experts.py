"""Mixtures of experts, in which each row uses only a few experts."""

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.tensor import Tensor

EXPERT_INPUTS = range(1, 7)  # positions of the weights and biases of three products
EXPERT_WEIGHTS_RANK = 3  # axes of a tensor with the weights of all experts


@operator("Experts", op="experts")
def experts(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """The products of the experts that each row uses. `macs` count all rows."""
    tables = {place: one for place in EXPERT_INPUTS if (one := call.constant(place)) is not None}
    weights = [one for one in tables.values() if len(one.dims) == EXPERT_WEIGHTS_RANK]
    if not weights or not call.depends_on_input(0):
        return call.uncounted()
    x = call.value()
    rows = x.elements // x.dims[-1] * call.node.attributes["chosen"]
    macs = sum(rows * one.elements // one.dims[0] for one in weights)
    tensors = call.tensors(*tables)
    return call.lower("custom", x, what="experts", dims=x.dims, macs=macs, weights=tensors)
