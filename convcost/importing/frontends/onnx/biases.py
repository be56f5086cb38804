"""Finds the biases of layers, and layers that share their weights but not their biases."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from convcost.importing.frontends.onnx.constants import Constant
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.registry import row_of
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower import biases

if TYPE_CHECKING:
    from convcost.importing.frontends.onnx.call import OperatorCall
    from convcost.importing.frontends.onnx.context import LoweringContext


def weights_with_several_biases(
    graph: OnnxGraph, constants: Mapping[str, Constant], readers: Mapping[str, list[OnnxNode]]
) -> set[str]:
    """The weights that several layers share with different biases. Each bias then becomes a layer
    of its own. Weights whose elements are all equal do not count as shared, because exporters store
    equal tensors once."""
    found: list[biases.Use] = []
    for node in graph.nodes:
        row = row_of(node.op)
        reads = row.weights is not None and node.known
        constant = constants.get(node.input(row.weights or 0)) if reads else None
        if constant is None or not (constant.learned and constant.real and constant.whole):
            continue
        if constant.elements > 1 and constant.number is None:
            name = (
                node.input(row.bias)
                if row.bias
                else added(node, constant.dims[-1], constants, readers)
            )
            own = constants.get(name)
            key = own.roots[0][0] if own is not None and own.whole else name
            found.append(biases.Use(constant.roots[0][0], row.family, key))
    return biases.weights_with_several_biases(found)


def added(
    node: OnnxNode,
    features: int,
    constants: Mapping[str, Constant],
    readers: Mapping[str, list[OnnxNode]],
) -> str:
    """The bias that an `Add` adds to a product, if the `Add` is the only user of the product;
    otherwise ""."""
    after = readers.get(node.outputs[0], [])
    if node.op == "Gather" or len(after) != 1 or after[0].op != "Add":
        return ""
    name = next((one for one in after[0].inputs if one != node.outputs[0]), "")
    bias = constants.get(name)
    if bias is None or not (bias.learned and bias.real and bias.whole):
        return ""
    fits = bias.elements == features and bias.dims[-1:] == (features,) and features > 1
    return name if fits else ""


def shifted(call: "OperatorCall", x: Tensor, position: int, channel: int) -> Tensor:
    """Adds the bias as a layer of its own, after the layer with the weights."""
    tensors = call.tensors(position, kinds=("scale",))
    return biases.shifted(call.builder, x, call.path("bias"), channel, tensors)


def bare(context: "LoweringContext", index: int) -> bool:
    """Whether a layer has no bias because other layers share its weights."""
    owner = context.builder.layers[index].shares
    index = index if owner is None else owner
    return any(context.builder.used.get(key) == index for key in context.shared_with_several_biases)
