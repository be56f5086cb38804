"""The names of layers: `net/conv1/Relu;net/conv1/Conv2D` is net, conv1."""

import re

from convcost.importing.frontends.tflite.file import OperatorEntry, TfliteGraph
from convcost.importing.ir.layer_graph import Path, shared_depth

# The last part of the names of an operator's tensors.
OWN = {"CONV_2D": "conv2d", "DEPTHWISE_CONV_2D": "depthwise", "FULLY_CONNECTED": "matmul",
       "TRANSPOSE_CONV": "conv2d_transpose", "BATCH_MATMUL": "matmul"}  # fmt: skip
TAIL = re.compile(
    r"(Conv[123]D|depthwise|(Batch)?MatMul(V2)?|conv2d_transpose|BiasAdd|FusedBatchNormV3|Relu6?|"
    r"Kernel|Bias|Weights|Alpha|Add(V2)?|Mul|Sub|(Max|Avg)Pool|Mean|Pad|concat|Sigmoid|Softmax|"
    r"Reshape|Tanh|ReadVariableOp|Resize\w+|add|mul|sub)(_?\d+)*$"
)
NO_MODULE = re.compile(r"(\w*PartitionedCall|Identity|main|(tfl|arith)\..*)?(_?\d+)?$")
COPY = re.compile(r"((_dequantize|_quantized?|__xeno_compat_)[_\d]*|:\d+)$")


def paths(graph: TfliteGraph) -> list[Path]:
    """The path of each operator, without the names that all paths begin with; () if the tensors of
    an operator have no name of a module."""
    found = [_path(graph, one) for one in graph.operators]
    shared = shared_depth(found)
    return [path[shared:] for path in found]


def _path(graph: TfliteGraph, entry: OperatorEntry) -> Path:
    names, own = [graph.tensors[n].name for n in entry.outputs[:1]], OWN.get(entry.op)
    if own and entry.inputs[1:] and entry.inputs[1] >= 0:
        # Tensors are joined to one, and so are their names; the operator's own is among them.
        names.append(graph.tensors[entry.inputs[1]].name)
        parts = [part for name in names for part in name.split(";")]
        ours = [part for part in parts if own in part.rpartition("/")[2].lower()]
        names = [*ours[-1:], *names]
    for name in names:
        parts = [COPY.sub("", part) for part in name.split(";")[0].split("/")]
        parts = [part for part in parts if not NO_MODULE.match(part)]
        if parts[1:] and TAIL.match(parts[-1]):
            parts.pop()
        if parts:
            return tuple(parts)
    return ()
