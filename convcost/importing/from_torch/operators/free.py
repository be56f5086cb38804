"""What costs nothing and leaves no layer, and what costs nothing and has no kind."""

from typing import Any

from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.pointwise import pointwise


@operator("aten.contiguous", "aten.clone", "aten.detach", "aten.alias", "aten.to", "aten._to_copy",
          "aten.type_as", "aten.lift_fresh_copy", "aten.positive", "aten.real", "aten.float",
          "aten.nan_to_num")  # fmt: skip
def as_it_is(call: Call) -> Any:
    x = call.given.get("self", call.given.get("input"))
    return flowing(call.easel, x)


@operator("aten.dropout", "aten.alpha_dropout", "aten.feature_dropout", "aten.native_dropout")
def dropout(call: Call) -> Any:
    several = bool(call.dims) and isinstance(call.dims[0], tuple)
    x = call.given.get("input", call.given.get("self"))
    y = pointwise(call.easel, "dropout", flowing(call.easel, x), call.path)
    return (y, None) if several else y


@operator("aten.index_select", "aten.gather", "aten.take_along_dim", "aten.flip", "aten.tril",
          "aten.triu", "aten.unfold", "aten.im2col", "aten.col2im", "aten.argmax", "aten.argmin",
          "aten.topk", "aten.sort", "aten.cumsum", "aten.one_hot", "aten.std", "aten.var",
          "aten.var_mean", "aten.std_mean", "aten.eq", "aten.ne", "aten.gt", "aten.ge", "aten.lt",
          "aten.le", "aten.where", "aten.grid_sampler", "aten.repeat", "aten.repeat_interleave",
          "aten.tile", "aten.bernoulli", "aten.isnan", "aten.bitwise_not", "aten.logical_not",
          "aten.argsort", "aten.scatter", "aten.prod", "aten.cumprod", "aten.logsumexp",
          "aten.affine_grid_generator", "aten.cosine_similarity", "aten.pairwise_distance",
          "aten.fractional_max_pool2d", "aten.fractional_max_pool3d", "aten.max_unpool2d",
          "aten.max_unpool3d", "aten.rot90",
    "aten.slice_scatter",
    "aten.select_scatter",
    "aten.index_put",
    "aten.copy",
    "aten.fill",
    "aten.zero")  # fmt: skip
def moved(call: Call) -> Any:
    """No multiply-adds, by their kind; what they do to the shape is stated."""
    return stated(call, call.name.removeprefix("aten.").removesuffix("_"))
