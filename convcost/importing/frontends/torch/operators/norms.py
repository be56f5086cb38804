"""Norms."""

from typing import Any

from convcost.importing.frontends.torch.constant_value import buffers, weights
from convcost.importing.frontends.torch.registry import TorchCall, operator, row

AFFINE: dict[str, Any] = {
    "scale": lambda call: call.given.get("weight") is not None,
    "shift": lambda call: call.given.get("bias") is not None,
    "weights": lambda call: weights(call.given.get("weight"), call.given.get("bias")),
}


def _axes(call: TorchCall) -> range:
    return range(-len(call.given["normalized_shape"]), 0)


row("instance_norm", **AFFINE)
row("group_norm", **AFFINE, groups="num_groups")
row("layer_norm", **AFFINE, axes=_axes)
row("rms_norm", **AFFINE, axes=_axes)


@operator("batch_norm", "_native_batch_norm_legit_no_training", op="batch_norm")
def batch_norm(call: TorchCall) -> Any:
    """Without running statistics, the norm uses the statistics of the sample."""
    statistics = buffers(call.given["running_mean"], call.given["running_var"])
    options = {name: value(call) for name, value in AFFINE.items()}
    y = call.lower(
        "batch_norm" if statistics else "instance_norm", buffers=statistics or None, **options
    )
    return (y, None, None) if call.has_several_outputs else y
