"""The names of layers: `net/conv1/Relu;net/conv1/Conv2D` is net, conv1."""

import re

from convcost.importing.frontends.tflite.file import TfliteGraph
from convcost.importing.ir.layer_graph import Path, shared_depth
from convcost.importing.ir.operator_graph import OperatorNode

# What the last part of the names of an operator's tensors contains.
LAST_PARTS = {"CONV_2D": "conv2d", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "matmul",
       "TRANSPOSE_CONV": "conv2d_transpose", "BATCH_MATMUL": "matmul"}  # fmt: skip
TAIL = re.compile(
    r"(Conv[123]D|depthwise|(Batch)?MatMul(V2)?|conv2d_transpose|BiasAdd|FusedBatchNormV3|Relu6?|"
    r"Kernel|Bias|Weights|Alpha|Add(V2)?|Mul|Sub|(Max|Avg)Pool|Mean|Pad|concat|Sigmoid|Softmax|"
    r"Reshape|Tanh|ReadVariableOp|Resize\w+|add|mul|sub)(_?\d+)*$"
)
NO_MODULE = re.compile(r"(\w*PartitionedCall|Identity|main|(tfl|arith)\..*)?(_?\d+)?$")
COPY = re.compile(r"((_dequantize|_quantized?|__xeno_compat_)[_\d]*|:\d+)$")


def paths(graph: TfliteGraph) -> dict[str, Path]:
    """The path of each operator by its first output, without the names that all paths begin with;
    its type if the tensors of the operator have no name of a module."""
    nodes = [node for node in graph.nodes if node.outputs]
    node_paths = [_path(graph, node) for node in nodes]
    shared = shared_depth(node_paths)
    named = zip(nodes, node_paths, strict=True)
    return {node.outputs[0]: path[shared:] or (node.op.lower(),) for node, path in named}


def _path(graph: TfliteGraph, node: OperatorNode) -> Path:
    """The path of an operator, from the first of its names that has a module; empty if none has."""
    for name in _names(graph, node):
        parts = [COPY.sub("", part) for part in name.split(";")[0].split("/")]
        parts = [part for part in parts if not NO_MODULE.match(part)]
        if parts[1:] and TAIL.match(parts[-1]):
            parts.pop()
        if parts:
            return tuple(parts)
    return ()


def _names(graph: TfliteGraph, node: OperatorNode) -> list[str]:
    """The name of an operator's output, and, if it has weights, of its weights. A converter that
    fuses operators joins their names with `;`; the name of this operator among them is the
    first."""
    names, last_part = [graph.tensors[node.outputs[0]].name], LAST_PARTS.get(node.op)
    if last_part is None or not node.input(1):
        return names
    names.append(graph.tensors[node.inputs[1]].name)
    single = [single for name in names for single in name.split(";")]
    operator_names = [name for name in single if last_part in name.rpartition("/")[2].lower()]
    return [*operator_names[-1:], *names]
