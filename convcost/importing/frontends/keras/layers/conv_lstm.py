"""ConvLSTM layers: convolutions replace the products of an LSTM. No kind exists for them, so they
become `custom` layers with their costs."""

from math import prod
from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.layers.windows import window_of
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.windows import SlidingWindow
from convcost.importing.passes.lowering import lower

GATES = 4  # input, forget, cell, output


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(call: LayerCall) -> Tensor:
    """For each step, a convolution of the input and a convolution of the state with stride 1, each
    for four gates. Source: Keras' ConvLSTMCell."""
    steps, f = call.x.dims[1], int(call.config["filters"])
    step = call._replace(values=(call.x._replace(dims=(1, *call.x.dims[2:])),))
    window, channel = window_of(step), step.channel
    k, c = prod(window.kernel), step.x.dims[channel]
    out = _output(step.x.dims, channel, f, window)
    bias = call.bias(GATES, f)
    weights = call.tensor("kernel", k, c, GATES, f) | call.tensor("recurrent", k, f, GATES, f)
    sequences = bool(call.config.get("return_sequences"))
    options: dict[str, Any] = {"biases": GATES * f} if bias else {}
    return call.lower(
        "custom", what=call.kind, dims=(1, steps, *out[1:]) if sequences else out,
        macs=steps * prod(out) * k * (c + f) * GATES, channel=channel + sequences,
        weights=weights | bias, **options,
    )  # fmt: skip


def _output(dims: tuple[int, ...], channel: int, filters: int, window: SlidingWindow) -> Any:
    """The dims of one step after the convolution of the input."""
    own = GraphBuilder("step", "")
    kernel = {"kernel": prod(window.kernel) * dims[channel] * filters}
    x = own.input("step", dims, channel)
    more: dict[str, Any] = {"filters": filters, "window": window, "channel": channel}
    return lower(own, "conv", (), x, weights=kernel, **more).dims
