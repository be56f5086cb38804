"""Norms."""

from typing import Any

from convcost.importing.frontends.torch.constant_value import buffers, weights
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import Tensor


def _lower_norm(call: TorchCall, op: str, **more: Any) -> Tensor:
    weight, bias = call.given.get("weight"), call.given.get("bias")
    own = {"scale": weight is not None, "shift": bias is not None}
    return call.lower(op, weights=weights(weight, bias), **own, **more)


@operator("batch_norm", "_native_batch_norm_legit_no_training", op="batch_norm")
def batch_norm(call: TorchCall) -> Any:
    """Without running statistics, the norm uses the statistics of the sample."""
    kept = buffers(call.given["running_mean"], call.given["running_var"])
    own = (
        _lower_norm(call, "batch_norm", buffers=kept)
        if kept
        else _lower_norm(call, "instance_norm")
    )
    return (own, None, None) if call.several else own


@operator("instance_norm", op="instance_norm")
def instance_norm(call: TorchCall) -> Tensor:
    return _lower_norm(call, "instance_norm")


@operator("group_norm", op="group_norm")
def group_norm(call: TorchCall) -> Tensor:
    return _lower_norm(call, "group_norm", groups=call.given["num_groups"])


@operator("layer_norm", op="layer_norm")
@operator("rms_norm", op="rms_norm")
def layer_norm(call: TorchCall) -> Tensor:
    """A norm over the last axes."""
    axes = range(-len(call.given["normalized_shape"]), 0)
    return _lower_norm(call, call.canonical, axes=axes)
