"""Convolutions in place of a recurrent layer's products. No kind is like it: it states its cost."""

from math import prod

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.once import stated
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made
from convcost.shapes import Shape

GATES = 4


@layer("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
def conv_lstm(easel: Easel, call: Call) -> Value:
    """For each step a convolution of the input and one, of stride 1, of the state; four gates
    each. Source: Keras' ConvLSTMCell."""
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
    shape = Shape(f, ((steps, *out) if sequences else out))
    source = easel.demand(x, 2 if first else len(x.dims) - 1, call.path)
    inputs, bound = bounded(easel, [source], shape, macs)
    options = {"what": call.kind, "macs": macs, **bound}
    if bias:
        options["biases"] = GATES * f
    index = stated(easel, call.path, inputs, options, tensors)
    rank = len(x.dims) - (not sequences)
    channel = (1 + sequences) if first else rank - 1
    return made(index, shape, rank, channel)


def _size(call: Call, size: list[int], kernel: tuple[int, ...]) -> tuple[int, ...]:
    word = str(call.config.get("padding", "valid")).lower()
    if word not in ("same", "valid"):
        raise Refusal("CC401", f"padding `{word}` of {call.kind} is not read")
    found = []
    for n, k, s, d in zip(
        size, kernel, call.numbers("strides"), call.numbers("dilation_rate"), strict=True
    ):
        spread = 1 if word == "same" else d * (k - 1) + 1
        if spread > n:
            raise Refusal("CC301", f"kernel {spread} is larger than the input {n}")
        found.append((n - spread) // s + 1)
    return tuple(found)
