"""Norms and their params."""

from collections.abc import Container
from typing import Any

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import free_row, operator, row
from convcost.importing.ir.shared_weights import COPY_IN
from convcost.importing.ir.tensor import Tensor

row("local_response_norm", "LRN", neighbours="size")
free_row("MeanVarianceNormalization", what="mean and variance normalization", like_input=True)


def learns(call: OnnxCall, position: int, neutral: float) -> bool:
    """Whether an input is learned: it is present, and not a constant without effect, such as a
    scale of 1."""
    constant = call.constant(position)
    return constant is not None and (constant.learned or constant.number != neutral)


def affine(call: OnnxCall, scale: int, shift: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The options and tensors of a learned scale and shift."""
    scaled, shifted = learns(call, scale, 1), learns(call, shift, 0)
    positions = (*([scale] if scaled else []), *([shift] if shifted else []))
    return {"scale": scaled, "shift": shifted}, own_tensors(call, *positions)


def own_tensors(call: OnnxCall, *positions: int, others: Container[str] = ()) -> dict[str, int]:
    """The tensors of a layer at these positions. Exporters store equal tensors once, such as the
    shift and the running mean of a new norm. The layer has a copy of a tensor that is also at an
    earlier position or among the `others`."""
    tensors: dict[str, int] = {}
    for position in positions:
        for key, n in call.tensors(position).items():
            is_repeated = key in tensors or key in others
            tensors[f"{key}{COPY_IN}input {position}" if is_repeated else key] = n
    return tensors


@operator("BatchNormalization", op="batch_norm")
def batch_norm(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    x = call.value()
    parts = [call.constant(position) for position in range(1, 5)]
    channels = x.dims[1] if len(x.dims) > 1 else x.dims[0]
    if any(part is None or part.elements != channels for part in parts):
        return call.add_uncounted()  # params for each element, or computed params
    options, tensors = affine(call, 1, 2)
    buffers = own_tensors(call, 3, 4, others=tensors)
    axis = min(1, len(x.dims) - 1)
    statistics = buffers if len(buffers) == 2 else None  # noqa: PLR2004  computed from others
    return call.lower("batch_norm", x, axis=axis, weights=tensors, buffers=statistics, **options)


@operator("InstanceNormalization", op="instance_norm")
def instance_norm(call: OnnxCall) -> Tensor:
    """An exporter writes a group norm as an instance norm of groups, with constants for its params,
    and the params after it."""
    options, tensors = affine(call, 1, 2)
    numbers = [constant for constant in map(call.constant, (1, 2)) if constant is not None]
    if call.value().origin is not None and [part.number for part in numbers] == [1, 0]:
        options, tensors = {"scale": False, "shift": False}, {}
        for part in numbers:
            call.context.exclude(part)
    return call.lower("instance_norm", weights=tensors, **options)


@operator("GroupNormalization", "GroupNorm", op="group_norm")
def group_norm(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    x = call.value()
    channels_last = call.node.domain == "com.microsoft" and call.get("channels_last", 1)
    axis = len(x.dims) - 1 if channels_last else 1
    scale = call.constant(1)
    groups = call.get("num_groups", call.get("groups", 1))
    if scale is not None and scale.elements == groups != x.dims[axis]:
        return _by_group(call, x, groups)
    if scale is None or scale.elements != x.dims[axis]:
        return call.add_uncounted()
    options, tensors = affine(call, 1, 2)
    more = {"axis": axis, "groups": groups, **options}
    y = call.lower("group_norm", x, weights=tensors, **more)
    if call.node.domain == "com.microsoft" and call.get("activation", 0):
        y = call.lower("silu", y, path=("silu",))
    return y


def _by_group(call: OnnxCall, x: Tensor, groups: int) -> Tensor:
    """A group norm of opset 18, with one scale and one shift for each group."""
    y = call.lower("group_norm", x, groups=groups, scale=False, shift=False)
    _, tensors = affine(call, 1, 2)
    if not tensors:
        return y
    what = "scale and shift of groups"
    return call.lower("custom", y, path=("affine",), what=what, dims=y.dims, weights=tensors)


@operator(LayerNormalization="layer_norm", RMSNormalization="rms_norm",
          SimplifiedLayerNormalization="rms_norm")  # fmt: skip
def layer_norm(call: OnnxCall) -> Tensor:
    rank = len(call.value().dims)
    options, tensors = affine(call, 1, 2 if call.op == "LayerNormalization" else len(call.inputs))
    axes = range(call.get("axis", -1) % rank, rank)
    return call.lower(call.canonical, axes=axes, weights=tensors, **options)


@operator("LpNormalization")
def unit_norm(call: OnnxCall) -> Tensor:
    x, euclidean = call.value(), 2
    if call.get("p", euclidean) != euclidean:
        return call.custom(x.dims, "norm")
    return call.lower("l2_norm", x, axes=[call.axis(-1, len(x.dims))])
