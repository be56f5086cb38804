"""Normalizations, with what they learn."""

from typing import Any

from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import stated, uncounted
from convcost.importing.from_onnx.worked import AGAIN
from convcost.importing.parts.pointwise import by_channel, pointwise
from convcost.importing.value import Value

NORMS = ("batch_norm", "instance_norm", "group_norm", "layer_norm")


def learns(sheet: Sheet, node: Node, at: int, neutral: float) -> bool:
    """Whether an input is learned: not left out, and no constant of what changes nothing."""
    constant = sheet.constant(node, at)
    return constant is not None and (constant.learned or constant.number != neutral)


def affine(
    sheet: Sheet, node: Node, scale: int, shift: int
) -> tuple[dict[str, Any], dict[str, int]]:
    """The options and tensors of a learned scale and shift."""
    scaled, shifted = learns(sheet, node, scale, 1), learns(sheet, node, shift, 0)
    at = [*([scale] if scaled else []), *([shift] if shifted else [])]
    if scaled and shifted and node.input(scale) == node.input(shift):
        # An exporter keeps one of two equal tensors: a norm that begins at zero.
        (key, n), *_ = sheet.tensors(node, scale).items()
        sheet.repeated.add(key.split(AGAIN, 1)[0])
        again = f"{key}{AGAIN}{len(sheet.easel.layers)}, shift"
        return {"scale": scaled, "shift": shifted}, {sheet.again(key): n, again: n}
    return {"scale": scaled, "shift": shifted}, sheet.tensors(node, *at, kinds=NORMS)


@operator("BatchNormalization")
def batch_norm(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    x = sheet.value(node)
    parts = [sheet.constant(node, at) for at in range(1, 5)]
    channels = x.dims[1] if len(x.dims) > 1 else x.dims[0]
    if any(part is None or part.elements != channels for part in parts):
        return uncounted(sheet, node)  # of every element by itself, or worked out
    options, tensors = affine(sheet, node, 1, 2)
    buffers = sheet.tensors(node, 3, 4, kinds=NORMS)
    axis = min(1, len(x.dims) - 1)
    return by_channel(
        sheet.easel,
        "batch_norm",
        x,
        sheet.path(node),
        axis,
        options,
        tensors=tensors,
        buffers=buffers if len(buffers) == 2 else None,  # noqa: PLR2004  an exporter may share them
    )


@operator("InstanceNormalization")
def instance_norm(sheet: Sheet, node: Node) -> Value:
    options, tensors = affine(sheet, node, 1, 2)
    x = sheet.value(node)
    return by_channel(
        sheet.easel, "instance_norm", x, sheet.path(node), 1, options, tensors=tensors
    )


@operator("GroupNormalization", "GroupNorm")
def group_norm(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    x = sheet.value(node)
    channels_last = node.domain == "com.microsoft" and get(node, "channels_last", 1)
    axis = len(x.dims) - 1 if channels_last else 1
    scale = sheet.constant(node, 1)
    groups = get(node, "num_groups", get(node, "groups", 1))
    if scale is not None and scale.elements == groups != x.dims[axis]:
        return _by_group(sheet, node, x, groups)
    if scale is None or scale.elements != x.dims[axis]:
        return uncounted(sheet, node)
    options, tensors = affine(sheet, node, 1, 2)
    options["groups"] = groups
    y = by_channel(sheet.easel, "group_norm", x, sheet.path(node), axis, options, tensors=tensors)
    if node.domain == "com.microsoft" and get(node, "activation", 0):
        y = pointwise(sheet.easel, "silu", y, (*sheet.path(node), "silu"))
    return y


def _by_group(sheet: Sheet, node: Node, x: Value, groups: int) -> Value:
    """Of opset 18, which learns one scale and one shift a group."""
    options = {"groups": groups, "scale": False, "shift": False}
    path = sheet.path(node)
    y = by_channel(sheet.easel, "group_norm", x, path, 1, options)
    at = [at for at, neutral in ((1, 1), (2, 0)) if learns(sheet, node, at, neutral)]
    tensors = sheet.tensors(node, *at, kinds=NORMS)
    if not tensors:
        return y
    what = {"what": "scale and shift of groups", "params": sum(tensors.values()), "macs": 0}
    return pointwise(sheet.easel, "custom", y, (*path, "affine"), what, tensors)


@operator("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def layer_norm(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    shift = 2 if node.op == "LayerNormalization" else len(node.inputs)
    axis = get(node, "axis", -1)
    return _over(sheet, node, sheet.value(node), axis, shift)


@operator("SkipLayerNormalization")
def skip_layer_norm(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    from convcost.importing.parts.joins import elementwise

    if sheet.constant(node, 4) is not None or not sheet.flows(node, 1):
        return uncounted(sheet, node)
    path = (*sheet.path(node), "add")
    x = elementwise(sheet.easel, "add", [sheet.value(node), sheet.value(node, 1)], path)
    made = _over(sheet, node._replace(inputs=(node.inputs[0], *node.inputs[2:])), x, -1, 2)
    return (made, x, x, x) if isinstance(made, Value) else made


def _over(sheet: Sheet, node: Node, x: Value, axis: int, shift: int) -> Value | tuple[Value, ...]:
    rank = len(x.dims)
    axes = tuple(range(axis % rank, rank))
    options, tensors = affine(sheet, node, 1, shift)
    long = [one for one in axes if x.dims[one] != 1]
    if len(long) <= 1:
        channel = long[0] if long else rank - 1
        return by_channel(
            sheet.easel, "layer_norm", x, sheet.path(node), channel, options, tensors=tensors
        )
    if all(one in axes or x.dims[one] == 1 for one in range(rank)):
        options["over"] = "all"
        return by_channel(
            sheet.easel, "layer_norm", x, sheet.path(node), x.channel, options, tensors=tensors
        )
    return uncounted(sheet, node)


@operator("NormalizedOver")
def normalized(sheet: Sheet, node: Node) -> Value:
    """What a pattern found: nothing learned yet, a scale or a shift may follow."""
    x = sheet.value(node)
    options: dict[str, Any] = {"scale": False, "shift": False}
    axes = sorted(axis % len(x.dims) for axis in node.attributes["axes"])
    long = [axis for axis in axes if x.dims[axis] != 1] or axes[-1:]
    channel = long[0] if len(long) == 1 else x.channel
    whole = all(axis in axes or x.dims[axis] == 1 for axis in range(len(x.dims)))
    if len(long) > 1 and whole:
        options["over"] = "all"
    elif len(long) > 1 and channel not in axes:
        return by_channel(sheet.easel, "instance_norm", x, sheet.path(node), channel, options)
    return by_channel(sheet.easel, "layer_norm", x, sheet.path(node), channel, options)


@operator("NormalizedGroups")
def normalized_groups(sheet: Sheet, node: Node) -> Value:
    options = {"groups": node.attributes["groups"], "scale": False, "shift": False}
    return by_channel(sheet.easel, "group_norm", sheet.value(node), sheet.path(node), 1, options)


@operator("LRN")
def lrn(sheet: Sheet, node: Node) -> Value:
    options = {"neighbours": node.attributes["size"]}
    x = sheet.value(node)
    return by_channel(sheet.easel, "local_response_norm", x, sheet.path(node), 1, options)


@operator("LpNormalization", "MeanVarianceNormalization", "UnitLength")
def plain_norm(sheet: Sheet, node: Node) -> Value:
    what = {"UnitLength": "L2 normalization", "LpNormalization": "L2 normalization"}
    dims = sheet.value(node).dims
    return stated(sheet, node, dims, what.get(node.op, "mean and variance normalization"))
