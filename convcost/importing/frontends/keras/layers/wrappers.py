"""Wrappers of layers: TimeDistributed and SpectralNormalization."""

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.classes import LayerConfig, require_own
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.pointwise import pointwise
from convcost.importing.passes.rewrite import rewrite
from convcost.model.errors import ConstraintError

# Layers whose rules take each step as a sample of its own.
PER_SAMPLE = frozenset((
    "Dense", "Activation", "Dropout", "ReLU", "LeakyReLU", "ELU", "Rescaling", "Identity",
    "BatchNormalization", "LayerNormalization", "RMSNormalization", "Softmax", "Flatten",
    *(f"{kind}{n}D" for kind in ("Conv", "DepthwiseConv", "MaxPooling", "AveragePooling",
                                 "UpSampling") for n in (1, 2)),
    *(f"Global{kind}Pooling{n}D" for kind in ("Average", "Max") for n in (1, 2, 3)),
))  # fmt: skip


@layer("TimeDistributed")
def time_distributed(call: LayerCall) -> Tensor:
    """Applies a layer to each step of the first axis."""
    inner = call.config["layer"]
    require_own(inner, call.kind)
    if len(call.x.dims) < 3:  # noqa: PLR2004  batch, steps, features
        dims = "×".join(map(str, call.x.dims[1:]))
        raise ConstraintError("CC401", f"TimeDistributed needs an input with steps, not {dims}")
    if inner["class_name"] not in PER_SAMPLE:
        return _repeat_for_steps(call, inner)
    steps = reshaped(call.x, call.x.dims[1:])._replace(batch=None)
    y = _call_inner(call, inner, steps)
    return reshaped(y, (1, *y.dims))


def _call_inner(
    call: LayerCall, inner: LayerConfig, x: Tensor, builder: GraphBuilder | None = None
) -> Tensor:
    """The output of a layer inside this layer."""
    assert call.inner is not None
    return call.inner(builder or call.builder, inner, x, call.path, f"{call.key}/layer")


def _repeat_for_steps(call: LayerCall, inner: LayerConfig) -> Tensor:
    """Any layer or model: its costs for one step, from a builder of its own, times the number of
    steps."""
    steps, *rest = call.x.dims[1:]
    step_builder = GraphBuilder(call.builder.name, call.builder.source)
    x = step_builder.input("step", [1, *rest], len(rest))
    value = _call_inner(call, inner, x, step_builder)
    graph = rewrite(step_builder.graph([value]))
    call.builder.free.update(step_builder.free)
    uncounted = any(inner.uncounted for inner in graph.layers)
    params, frozen, buffers = (
        sum(getattr(inner, count) for inner in graph.layers)
        for count in ("params", "frozen_params", "buffers")
    )
    name = f"{call.key}/layer"
    call.builder.frozen.add(f"{name}/frozen")
    weights = {name: params - frozen, f"{name}/frozen": frozen}
    return call.lower(
        "custom",
        what=f"{inner['class_name']} a step",
        dims=(1, steps, *value.dims[1:]),
        macs=None if uncounted else steps * sum(inner.macs for inner in graph.layers),
        weights={key: elements for key, elements in weights.items() if elements},
        buffers={f"{name}/kept": buffers} if buffers else {},
    )


@layer("SpectralNormalization")
def spectral_normalization(call: LayerCall) -> Tensor:
    """The layer without changes, because its weights are normalized only in training. The buffer is
    a vector with one number for each entry of the kernel's last axis."""
    inner = call.config["layer"]
    require_own(inner, call.kind)
    n = _last(inner, call.x)
    if f"{call.key}/vector_u" in call.builder.used:  # a second call uses the same vector
        return _call_inner(call, inner, call.x)
    options = {"what": "spectral vector", "params": 0, "macs": 0, "buffers": n}
    x = pointwise(
        call.builder, "custom", call.x, (*call.path, "vector_u"), options,
        buffers=call.tensor("vector_u", n),
    )  # fmt: skip
    return _call_inner(call, inner, x)


def _last(inner: LayerConfig, x: Tensor) -> int:
    kind, config = str(inner["class_name"]), inner["config"]
    if kind == "Dense":
        return int(config["units"])
    if kind in ("Conv1D", "Conv2D", "Conv3D"):
        return int(config["filters"])
    if kind in ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"):
        return x.dims[1 if config.get("data_format") == "channels_first" else -1]
    if kind in ("DepthwiseConv1D", "DepthwiseConv2D"):
        return int(config.get("depth_multiplier", 1))
    if kind == "Embedding":
        return int(config["output_dim"])
    raise unsupported(f"SpectralNormalization of {kind}")
