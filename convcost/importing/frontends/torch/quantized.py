"""Replaces modules with weights packed as integers by the floating-point modules that they were
converted from. The counts are the same, and PyTorch can only trace the floating-point modules."""

import re
from inspect import signature
from typing import Any

from convcost.importing.frontends.torch.load import framework

QUANTIZED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized")
# Types of the arguments of a floating-point class that a quantized module has as attributes. Its
# attributes of other types, such as its tensors and methods, are not arguments.
ARGUMENT_TYPES = (bool, int, float, str, tuple)
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
    float_module = _float_module(module)
    if float_module is not None:
        return float_module, 1
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
    torch, name = framework(), type(module).__name__
    nn = torch.nn
    if name in ("Quantize", "DeQuantize"):
        return nn.Identity()
    if name == "QFunctional":
        return torch.ao.nn.quantized.FloatFunctional()
    fused = FUSED.fullmatch(name)
    plain = getattr(nn, fused[1].replace("BN", "BatchNorm") + fused[3] if fused else name, None)
    if plain is None or plain is nn.MultiheadAttention:  # its children are quantized
        return None
    # nn.LSTM and nn.GRU have the arguments of their base class after its first one, the mode.
    recurrent = issubclass(plain, nn.RNNBase)
    arguments = [*signature(nn.RNNBase if recurrent else plain).parameters][recurrent:]
    values = {key: getattr(module, key) for key in arguments if hasattr(module, key)}
    values = {key: value for key, value in values.items() if isinstance(value, ARGUMENT_TYPES)}
    if plain.__name__.startswith(("Conv", "Linear")):
        values["bias"] = module.bias() is not None
    # The attribute `affine` of a quantized norm can differ from its weights.
    if issubclass(plain, (nn.GroupNorm, nn.modules.instancenorm._InstanceNorm)):  # noqa: SLF001
        values["affine"] = module.weight is not None
    if plain is nn.LayerNorm:
        values |= {"elementwise_affine": module.weight is not None, "bias": module.bias is not None}
    with torch.device("meta"):
        float_module = plain(**values).eval()
    return nn.Sequential(float_module, getattr(nn, fused[2])()) if fused else float_module
