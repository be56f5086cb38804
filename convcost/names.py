"""The nearest name, for messages that help."""

from collections.abc import Iterable

# What other tools call a thing, and what it is called here.
SYNONYMS = {
    "kernel_size": "kernel",
    "kernel_shape": "kernel",
    "ksize": "kernel",
    "k": "kernel",
    "filter_size": "kernel",
    "pool_size": "kernel",
    "out_channels": "filters",
    "channels_out": "filters",
    "num_output": "filters",
    "num_filters": "filters",
    "n_filters": "filters",
    "strides": "stride",
    "s": "stride",
    "pad": "padding",
    "pads": "padding",
    "p": "padding",
    "dilations": "dilation",
    "rate": "dilation",
    "group": "groups",
    "use_bias": "bias",
    "bias_term": "bias",
    "ceil_mode": "ceil",
    "out_features": "features",
    "units": "features",
    "depth_multiplier": "multiplier",
    "scale_factor": "scale",
    "affine": "scale",
    "center": "shift",
    "conv1d": "conv",
    "conv2d": "conv",
    "conv3d": "conv",
    "convolution": "conv",
    "depthwise_conv": "depthwise",
    "conv_transpose": "transposed_conv",
    "conv_transpose2d": "transposed_conv",
    "convtranspose2d": "transposed_conv",
    "deconv": "transposed_conv",
    "deconvolution": "transposed_conv",
    "dense": "linear",
    "fc": "linear",
    "fully_connected": "linear",
    "inner_product": "linear",
    "maxpool": "max_pool",
    "maxpool2d": "max_pool",
    "max_pooling": "max_pool",
    "avgpool": "avg_pool",
    "avgpool2d": "avg_pool",
    "average_pool": "avg_pool",
    "gap": "global_avg_pool",
    "global_average_pool": "global_avg_pool",
    "adaptive_average_pool": "adaptive_avg_pool",
    "bn": "batch_norm",
    "batchnorm": "batch_norm",
    "batchnorm2d": "batch_norm",
    "batch_normalization": "batch_norm",
    "layernorm": "layer_norm",
    "groupnorm": "group_norm",
    "instancenorm": "instance_norm",
    "lrn": "local_response_norm",
    "swish": "silu",
    "hardswish": "hard_swish",
    "hswish": "hard_swish",
    "hardsigmoid": "hard_sigmoid",
    "leakyrelu": "leaky_relu",
    "concatenate": "concat",
    "cat": "concat",
    "eltwise": "add",
    "residual": "add",
    "mul": "multiply",
    "view": "reshape",
    "permute": "reshape",
    "bmm": "matmul",
    "dot": "matmul",
    "self_attention": "attention",
    "multi_head_attention": "attention",
    "num_heads": "heads",
    "parameter": "learned",
    "rmsnorm": "rms_norm",
    "hidden_size": "hidden",
    "num_layers": "layers",
    "proj_size": "projection",
    "num_embeddings": "rows",
    "axis": "along",
    "dim": "along",
    "keepdim": "keep",
    "keepdims": "keep",
    "sub": "subtract",
    "div": "divide",
    "interpolate": "upsample",
    "resize": "upsample",
    "depth_to_space": "pixel_shuffle",
    "space_to_depth": "pixel_unshuffle",
    "zero_pad": "pad",
    "split": "slice",
    "sequential": "sequence",
    "inputs_from": "from",
    "params": "params",
    "parameters": "params",
    "flops": "macs",
    "madds": "macs",
    "mult_adds": "macs",
    "ops": "macs",
}


SHORT = 4  # a letter more or less weighs more in a short name


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that was most likely meant, or None.

    A synonym of the field comes first, then the one most alike.
    """
    known = list(dict.fromkeys(names))
    folded = name.lower().replace("-", "_").strip()
    meant = SYNONYMS.get(folded)
    if meant in known:
        return meant
    for other in known:
        if other.lower() == folded:
            return other
    from difflib import get_close_matches

    alike = 0.6 if len(folded) < SHORT else 0.7
    close = get_close_matches(folded[:60], [other.lower() for other in known], n=1, cutoff=alike)
    return next((other for other in known if close and other.lower() == close[0]), None)


def did_you_mean(name: str, names: Iterable[str], listed: int = 12) -> str:
    """Help for a name that is not known: the nearest one, or all of them if they are few."""
    known = list(dict.fromkeys(names))
    meant = nearest(name, known)
    begun = [other for other in known if name and other.startswith(name)]
    if 1 < len(begun) <= listed:
        return f"did you mean {' or '.join(f'`{other}`' for other in begun)}?"
    if meant is not None:
        return f"did you mean `{meant}`?"
    if not known:
        return ""
    if len(known) <= listed:
        return "known here: " + ", ".join(f"`{other}`" for other in known)
    return ""
