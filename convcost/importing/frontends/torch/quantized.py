"""Replaces modules with weights packed as integers by the floating-point modules that they were
converted from. The counts are the same, and PyTorch can only trace the floating-point modules."""

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
    "Linear": ("in_features", "out_features"),
    "Embedding": ("num_embeddings", "embedding_dim"),
    **dict.fromkeys(("BatchNorm2d", "BatchNorm3d"), ("num_features",)),
    "LayerNorm": ("normalized_shape",),
    "GroupNorm": ("num_groups", "num_channels"),
    **dict.fromkeys(("Hardswish", "ReLU6", "ELU", "Sigmoid", "Dropout", "Softmax"), ()),
}  # fmt: skip


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
    return module, replaced


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
    plain = name.removesuffix("ReLU")
    if plain not in ARGUMENTS:
        return None
    given = {key: getattr(module, key) for key in ARGUMENTS[plain] if hasattr(module, key)}
    if plain.startswith(("Conv", "Linear")):
        given["bias"] = module.bias() is not None
    made = getattr(nn, plain)(**given, **({"device": "meta"} if given else {})).eval()
    return nn.Sequential(made, nn.ReLU()) if name != plain else made
