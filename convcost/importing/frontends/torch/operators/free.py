"""Operators without costs: those that add no layer, and those that have no kind."""

from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, operator

# The name of an operator in ONNX, if it differs.
ONNX = {
    "gt": "greater",
    "ge": "greaterorequal",
    "lt": "less",
    "le": "lessorequal",
    "eq": "equal",
    "repeat": "tile",
    "index_select": "gather",
    "take_along_dim": "gather",
    "logical_not": "not",
}


@operator(
    "contiguous", "clone", "detach", "alias", "to", "_to_copy", "type_as", "lift_fresh_copy",
    "positive", "real", "float", "nan_to_num", "fake_quantize_per_tensor_affine",
    "fake_quantize_per_channel_affine", "fused_moving_avg_obs_fake_quant",
    "quantized_decomposed.quantize_per_tensor", "quantized_decomposed.dequantize_per_tensor",
    "quantized_decomposed.quantize_per_channel", "quantized_decomposed.dequantize_per_channel",
)  # fmt: skip
def pass_through(call: TorchCall) -> Any:
    x = call.given.get("self", call.given.get("input"))
    return call.tensor(x)


@operator(
    "index_select", "gather", "take_along_dim", "flip", "tril", "triu", "unfold", "im2col",
    "col2im", "argmax", "argmin", "topk", "sort", "cumsum", "one_hot", "eq", "ne", "gt", "ge",
    "lt", "le", "where", "repeat", "repeat_interleave", "tile", "bernoulli", "isnan",
    "bitwise_not", "logical_not", "argsort", "scatter", "prod", "cumprod", "pairwise_distance",
    "fractional_max_pool2d", "fractional_max_pool3d", "rot90", "slice_scatter", "select_scatter",
    "index_put", "copy", "fill", "zero", "remainder", "fmod", "trunc", "histc", "bincount",
    "cummax", "cummin", "searchsorted", "bucketize", "kthvalue", "median", "nanmedian", "mode",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift",
    "__lshift__", "__rshift__", "logical_and", "logical_or", "logical_xor", "isinf", "any",
    "scatter_add", "scatter_reduce", "masked_scatter", "diagonal", "diagonal_scatter", "log1p",
    "expm1", "exp2", "log2", "log10", "asin", "acos", "atan", "atan2", "sinh", "cosh", "asinh",
    "acosh", "atanh", "erfc", "erfinv", "copysign", "signbit", "imag", "complex",
    "view_as_complex", "view_as_real", "polar", "angle", "conj", "_conj", "resolve_conj",
    "_conj_physical", "fft_fftshift", "fft_ifftshift",
)  # fmt: skip
def without_macs(call: TorchCall) -> Any:
    """Operators without multiply-adds. Their layers state the output shape."""
    name = call.own_name.removesuffix("_")
    return call.custom(ONNX.get(name, name))
