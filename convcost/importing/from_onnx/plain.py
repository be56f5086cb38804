"""Whether a graph says the same at every size: its operators slide, join, or leave shapes alone."""

from typing import TYPE_CHECKING

from convcost.importing.drawing import Drawing

if TYPE_CHECKING:
    from onnx import ModelProto

# One that takes all there is at its own size, a Slice or a Reshape, may be another at others.
PLAIN = frozenset(
    ("Add", "AveragePool", "BatchNormalization", "Cast", "Ceil", "Clip", "Concat", "Constant",
     "ConstantOfShape", "Conv", "DequantizeLinear", "Div", "Dropout", "Elu", "Erf", "Exp",
     "Flatten", "Gelu", "Gemm", "GlobalAveragePool", "GlobalMaxPool", "HardSigmoid", "HardSwish",
     "Identity", "LRN", "LeakyRelu", "LogSoftmax", "MaxPool", "Mish", "Mul", "PRelu",
     "QuantizeLinear", "Relu", "Selu", "Sigmoid", "Softmax", "Softplus", "Sqrt", "Sub", "Sum",
     "Swish", "Tanh", "Unsqueeze")
)  # fmt: skip
# What learns of every element that comes in, behind a flatten, is another at another size.
SLIDING = ("conv", "depthwise", "linear")


def is_plain(model: "ModelProto", drawing: Drawing) -> bool:
    if not PLAIN.issuperset(node.op_type for node in model.graph.node):
        return False
    return not any(
        (layer.params or layer.buffers)
        and layer.kind not in SLIDING
        and (layer.kind == "learned" or not layer.output.size)
        for layer in drawing.layers
    )
