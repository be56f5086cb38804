"""Norms and their params."""

from typing import Any

from convcost.importing.frontends.onnx.context import LoweringContext, axis_of, get
from convcost.importing.frontends.onnx.derived_weights import COPY_IN
from convcost.importing.frontends.onnx.graph import OnnxNode
from convcost.importing.frontends.onnx.registry import known, operator, row
from convcost.importing.frontends.onnx.unknown import custom_layer, uncounted
from convcost.importing.ir.tensor import Tensor

NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm", "rms_norm")
row("local_response_norm", "LRN", neighbours="size")


def learns(context: LoweringContext, node: OnnxNode, at: int, neutral: float) -> bool:
    """Whether an input is learned: it is present, and not a constant without effect, such as a
    scale of 1."""
    constant = context.constant(node, at)
    return constant is not None and (constant.learned or constant.number != neutral)


def affine(
    context: LoweringContext, node: OnnxNode, scale: int, shift: int
) -> tuple[dict[str, Any], dict[str, int]]:
    """The options and tensors of a learned scale and shift."""
    scaled, shifted = learns(context, node, scale, 1), learns(context, node, shift, 0)
    at = [*([scale] if scaled else []), *([shift] if shifted else [])]
    if scaled and shifted and node.input(scale) == node.input(shift):
        # Exporters store equal tensors once, such as a scale and shift that both start at zero.
        (key, n), *_ = context.tensors(node, scale).items()
        context.repeated.add(key.split(COPY_IN, 1)[0])
        again = f"{key}{COPY_IN}{len(context.builder.layers)}, shift"
        return {"scale": scaled, "shift": shifted}, {context.new_key(key): n, again: n}
    return {"scale": scaled, "shift": shifted}, context.tensors(node, *at, kinds=NORMS)


@operator("BatchNormalization", op="batch_norm")
def batch_norm(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    x = context.value(node)
    parts = [context.constant(node, at) for at in range(1, 5)]
    channels = x.dims[1] if len(x.dims) > 1 else x.dims[0]
    if any(part is None or part.elements != channels for part in parts):
        return uncounted(context, node)  # params for each element, or computed params
    options, tensors = affine(context, node, 1, 2)
    tensors, buffers = context.share_together(tensors, context.tensors(node, 3, 4, kinds=NORMS))
    axis = min(1, len(x.dims) - 1)
    kept = buffers if len(buffers) == 2 else None  # noqa: PLR2004  an exporter may store both as one
    return context.lower(node, "batch_norm", x, axis=axis, weights=tensors, buffers=kept, **options)


@operator("InstanceNormalization", op="instance_norm")
def instance_norm(context: LoweringContext, node: OnnxNode) -> Tensor:
    options, tensors = affine(context, node, 1, 2)
    return context.lower(node, "instance_norm", weights=tensors, **options)


@operator("GroupNormalization", "GroupNorm", op="group_norm")
def group_norm(context: LoweringContext, node: OnnxNode) -> Tensor | tuple[Tensor, ...]:
    x = context.value(node)
    channels_last = node.domain == "com.microsoft" and get(node, "channels_last", 1)
    axis = len(x.dims) - 1 if channels_last else 1
    scale = context.constant(node, 1)
    groups = get(node, "num_groups", get(node, "groups", 1))
    if scale is not None and scale.elements == groups != x.dims[axis]:
        return _by_group(context, node, x, groups)
    if scale is None or scale.elements != x.dims[axis]:
        return uncounted(context, node)
    options, tensors = affine(context, node, 1, 2)
    more = {"axis": axis, "groups": groups, **options}
    y = context.lower(node, "group_norm", x, weights=tensors, **more)
    if node.domain == "com.microsoft" and get(node, "activation", 0):
        y = context.lower(node, "silu", y, path=("silu",))
    return y


def _by_group(context: LoweringContext, node: OnnxNode, x: Tensor, groups: int) -> Tensor:
    """A group norm of opset 18, with one scale and one shift for each group."""
    y = context.lower(node, "group_norm", x, groups=groups, scale=False, shift=False)
    at = [at for at, neutral in ((1, 1), (2, 0)) if learns(context, node, at, neutral)]
    tensors = context.tensors(node, *at, kinds=NORMS)
    if not tensors:
        return y
    what = "scale and shift of groups"
    return context.lower(
        node, "custom", y, path=("affine",), what=what, dims=y.dims, weights=tensors
    )


@operator(LayerNormalization="layer_norm", RMSNormalization="rms_norm",
          SimplifiedLayerNormalization="rms_norm")  # fmt: skip
def layer_norm(context: LoweringContext, node: OnnxNode) -> Tensor:
    shift = 2 if node.op == "LayerNormalization" else len(node.inputs)
    axis = get(node, "axis", -1)
    return _over(context, node, context.value(node), axis, shift)


def _over(context: LoweringContext, node: OnnxNode, x: Tensor, axis: int, shift: int) -> Tensor:
    options, tensors = affine(context, node, 1, shift)
    axes = range(axis % len(x.dims), len(x.dims))
    return context.lower(node, known(node.op).op, x, axes=axes, weights=tensors, **options)


@operator("NormalizedOver", op="layer_norm")
def normalized_over(context: LoweringContext, node: OnnxNode) -> Tensor:
    """A norm found as a pattern. It has no params yet; a scale or a shift may follow."""
    op, axes = node.attributes["kind"], node.attributes["axes"]
    return context.lower(node, op, axes=axes, scale=False, shift=False)


@operator("NormalizedGroups")
def normalized_groups(context: LoweringContext, node: OnnxNode) -> Tensor:
    groups = node.attributes["groups"]
    return context.lower(node, "group_norm", groups=groups, scale=False, shift=False)


@operator("LpNormalization")
def unit_norm(context: LoweringContext, node: OnnxNode) -> Tensor:
    x, euclidean = context.value(node), 2
    if get(node, "p", euclidean) != euclidean:
        return custom_layer(context, node, x.dims, "norm")
    return context.lower(node, "l2_norm", x, axes=[axis_of(node, -1, len(x.dims))])


@operator("MeanVarianceNormalization")
def plain_norm(context: LoweringContext, node: OnnxNode) -> Tensor:
    return custom_layer(context, node, context.value(node).dims, "mean and variance normalization")
