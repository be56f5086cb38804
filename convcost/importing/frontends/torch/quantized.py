"""Replaces modules with weights packed as integers by the floating-point modules that they were
converted from. The counts are the same, and PyTorch can only trace the floating-point modules."""

import re
from typing import Any

from convcost.importing.frontends.torch.load import framework

QUANTIZED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized")
WINDOW = (
    *("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"),
    "padding_mode",
)
RECURRENT = (
    *("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout"),
    "bidirectional",
)
# Constructor arguments of the floating-point class, which the quantized module has as attributes.
ARGUMENTS = {
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv3d"), WINDOW),
    **dict.fromkeys(("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"),
                    (*WINDOW, "output_padding")),
    **dict.fromkeys(("LSTM", "GRU"), RECURRENT),
    **dict.fromkeys(("RNNCell", "LSTMCell", "GRUCell"), ("input_size", "hidden_size", "bias")),
    "Linear": ("in_features", "out_features"),
    "Embedding": ("num_embeddings", "embedding_dim"),
    "EmbeddingBag": ("num_embeddings", "embedding_dim", "mode", "include_last_offset"),
    **dict.fromkeys(("BatchNorm2d", "BatchNorm3d"), ("num_features",)),
    **dict.fromkeys(("InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"),
                    ("num_features", "affine")),
    "LayerNorm": ("normalized_shape",),
    "GroupNorm": ("num_groups", "num_channels"),
    "PReLU": ("num_parameters",),
    "LeakyReLU": ("negative_slope",),
    **dict.fromkeys(("Hardswish", "ReLU6", "ELU", "Sigmoid", "Dropout", "Softmax"), ()),
}  # fmt: skip
QUANTIZERS = (
    *("quantize_per_tensor", "quantize_per_tensor_dynamic", "quantize_per_channel"),
    "dequantize",
)
FUNCTIONS = ("add", "add_relu", "mul", "mul_relu")  # of torch.ops.quantized
# The names of layers with an activation, such as ConvReLU2d: the layer, the activation, the rank.
FUSED = re.compile(r"(Conv|Linear|BN)(ReLU|LeakyReLU|Tanh)(\dd|)")


def with_float_weights(module: Any) -> tuple[Any, int]:
    """The module with floating-point modules instead of quantized ones, and the number of modules
    replaced."""
    own = _float_module(module)
    if own is not None:
        return own, 1
    replaced = 0
    for name, child in module.named_children():
        new, inside = with_float_weights(child)
        if inside:
            setattr(module, name, new)
        replaced += inside
    if isinstance(module, framework().fx.GraphModule):
        _remove_quantizers(module)
    return module, replaced


def _remove_quantizers(module: Any) -> None:
    """Computes a graph of `convert_fx` with floating-point numbers."""
    torch, graph = framework(), module.graph
    for node in graph.nodes:
        name = getattr(node.target, "__name__", node.target)
        if name in QUANTIZERS:
            node.replace_all_uses_with(node.args[0])
        elif str(node.target).startswith("quantized.") and name in FUNCTIONS:
            function, _, activation = name.partition("_")
            node.target, node.args = getattr(torch, function), node.args[:2]
            if activation:
                with graph.inserting_after(node):
                    after = graph.call_function(torch.relu, (node,))
                node.replace_all_uses_with(after, lambda user, own=after: user is not own)
    graph.eliminate_dead_code()
    module.recompile()


def _float_module(module: Any) -> Any:
    """The floating-point module that a quantized module was converted from; None for other
    modules."""
    if not type(module).__module__.startswith(QUANTIZED):
        return None
    nn = framework().nn
    name = type(module).__name__
    if name in ("Quantize", "DeQuantize"):
        return nn.Identity()
    if name == "QFunctional":
        return framework().ao.nn.quantized.FloatFunctional()
    fused = FUSED.fullmatch(name)
    plain = fused[1].replace("BN", "BatchNorm") + fused[3] if fused else name
    if plain not in ARGUMENTS:
        return None
    given = {key: getattr(module, key) for key in ARGUMENTS[plain] if hasattr(module, key)}
    if plain.startswith(("Conv", "Linear")):
        given["bias"] = module.bias() is not None
    made = getattr(nn, plain)(**given, **({"device": "meta"} if given else {})).eval()
    return nn.Sequential(made, getattr(nn, fused[2])()) if fused else made
