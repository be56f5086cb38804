"""Operators without costs: those that add no layer, and those that have no kind."""

from typing import Any

from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.frontends.torch.unknown import custom_layer
from convcost.importing.frontends.torch.weights import as_tensor

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


@operator("aten.contiguous", "aten.clone", "aten.detach", "aten.alias", "aten.to", "aten._to_copy",
          "aten.type_as", "aten.lift_fresh_copy", "aten.positive", "aten.real", "aten.float",
          "aten.nan_to_num", "aten.fake_quantize_per_tensor_affine",
          "aten.fake_quantize_per_channel_affine", "aten.fused_moving_avg_obs_fake_quant",
          "quantized_decomposed.quantize_per_tensor", "quantized_decomposed.dequantize_per_tensor",
          "quantized_decomposed.quantize_per_channel",
          "quantized_decomposed.dequantize_per_channel")  # fmt: skip
def pass_through(call: TorchCall) -> Any:
    x = call.given.get("self", call.given.get("input"))
    return as_tensor(call.builder, x)


@operator("aten.index_select", "aten.gather", "aten.take_along_dim", "aten.flip", "aten.tril",
          "aten.triu", "aten.unfold", "aten.im2col", "aten.col2im", "aten.argmax", "aten.argmin",
          "aten.topk", "aten.sort", "aten.cumsum", "aten.one_hot", "aten.eq", "aten.ne",
          "aten.gt", "aten.ge", "aten.lt",
          "aten.le", "aten.where", "aten.repeat", "aten.repeat_interleave",
          "aten.tile", "aten.bernoulli", "aten.isnan", "aten.bitwise_not", "aten.logical_not",
          "aten.argsort", "aten.scatter", "aten.prod", "aten.cumprod",
          "aten.pairwise_distance",
          "aten.fractional_max_pool2d", "aten.fractional_max_pool3d",
          "aten.rot90",
    "aten.slice_scatter",
    "aten.select_scatter",
    "aten.index_put",
    "aten.copy",
    "aten.fill",
    "aten.zero")  # fmt: skip
def without_macs(call: TorchCall) -> Any:
    """Operators without multiply-adds. Their layers state the output shape."""
    name = call.name.removeprefix("aten.").removesuffix("_")
    return custom_layer(call, ONNX.get(name, name))
