"""ConvLSTM layers: convolutions replace the products of an LSTM. No kind exists for them, so they
become `custom` layers with their costs."""

from math import prod
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

GATES = 4


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(call: LayerCall) -> Tensor:
    """For each step, a convolution of the input and a convolution of the state with stride 1, each
    for four gates. Source: Keras' ConvLSTMCell."""
    x, first = call.x, call.config.get("data_format") == "channels_first"
    steps, *rest = x.dims[1:]
    axis = 0 if first else len(rest) - 1
    c, size = rest[axis], rest[:axis] + rest[axis + 1 :]
    step = call._replace(values=(x._replace(dims=(1, *rest)),))
    kernel, f = step.numbers("kernel_size"), int(call.config["filters"])
    out = _size(step, size, kernel)
    k, bias = prod(kernel), bool(call.config.get("use_bias", True))
    tensors = call.tensor("kernel", k, c, GATES, f) | call.tensor("recurrent", k, f, GATES, f)
    tensors |= call.tensor("bias", GATES, f) if bias else {}
    macs = steps * prod(out) * k * (c + f) * GATES * f
    sequences = bool(call.config.get("return_sequences"))
    dims = (1, steps, *out) if sequences else (1, *out)
    channel = 1 + sequences if first else len(dims)
    options: dict[str, Any] = {"biases": GATES * f} if bias else {}
    return call.lower(
        "custom", what=call.kind, dims=(*dims[:channel], f, *dims[channel:]), macs=macs,
        channel=channel, weights=tensors, **options,
    )  # fmt: skip


def _size(call: LayerCall, size: list[int], kernel: tuple[int, ...]) -> tuple[int, ...]:
    word = str(call.config.get("padding", "valid")).lower()
    if word not in ("same", "valid"):
        raise ConstraintError(
            "CC401", f"convcost does not support the padding `{word}` of {call.kind}"
        )
    found = []
    for n, k, s, d in zip(
        size, kernel, call.numbers("strides"), call.numbers("dilation_rate"), strict=True
    ):
        spread = 1 if word == "same" else d * (k - 1) + 1
        if spread > n:
            spans = f"kernel {k} at dilation {d} spans {spread} and" if d > 1 else f"kernel {k}"
            raise ConstraintError("CC301", f"{spans} is larger than the input {n}")
        found.append((n - spread) // s + 1)
    return tuple(found)
