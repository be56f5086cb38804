"""Recurrent layers and embeddings of Keras."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.value import Value, made

KINDS = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "SimpleRNN": ("rnn", 1)}


@layer(*KINDS)
def recurrent(easel: Easel, call: Call) -> Value:
    return _drawn(easel, call, call.kind, call.config, both=False)


@layer("Bidirectional")
def bidirectional(easel: Easel, call: Call) -> Value:
    inner = call.config["layer"]
    merged = call.config.get("merge_mode", "concat")
    if inner["class_name"] not in KINDS or merged != "concat" or not _mirrored(call.config):
        raise Refusal("CC401", f"Bidirectional of {inner['class_name']}, {merged}, is not read")
    return _drawn(easel, call, inner["class_name"], inner["config"], both=True)


def _mirrored(config: dict[str, Any]) -> bool:
    """Whether the layer that goes back is the one that goes forth; Keras 3 always writes both."""
    forth, back = config["layer"], config.get("backward_layer")
    if not back:
        return True
    same = ("units", "use_bias", "reset_after", "return_sequences", "activation")
    return (
        back["class_name"] == forth["class_name"]
        and all(back["config"].get(key) == forth["config"].get(key) for key in same)
        and bool(back["config"].get("go_backwards")) != bool(forth["config"].get("go_backwards"))
    )


def _drawn(easel: Easel, call: Call, name: str, config: dict[str, Any], *, both: bool) -> Value:
    """h units: gates × h × (c + h) weights; one bias a gate, two in a GRU that resets after."""
    kind, gates = KINDS[name]
    x, h = call.x, int(config["units"])
    bias, last = bool(config.get("use_bias", True)), not config.get("return_sequences")
    two = name == "GRU" and bool(config.get("reset_after", True))
    times = 2 if both else 1
    tensors = call.tensor("kernel", times, x.dims[-1], gates, h)
    tensors |= call.tensor("recurrent_kernel", times, h, gates, h)
    if bias:
        tensors |= call.tensor("bias", times, 2 if two else 1, gates, h)
    options = {
        "hidden": h,
        "bidirectional": both,
        "bias": bias,
        "one_bias": bias and not two,
        "last": last,
    }
    index = easel.emit(kind, call.path, [easel.demand(x, -1, call.path)], options, tensors=tensors)
    rank = 2 if last else 3
    return made(index, easel.shape(index), rank, rank - 1)


@layer("Embedding")
def embedding(easel: Easel, call: Call) -> Value:
    rows, channels = int(call.config["input_dim"]), int(call.config["output_dim"])
    tensors = call.tensor("embeddings", rows, channels)
    options = {"channels": channels, "rows": rows}
    source = easel.demand(call.x, len(call.x.dims) - 1, call.path)
    index = easel.emit("embedding", call.path, [source], options, tensors=tensors)
    return made(index, easel.shape(index), len(call.x.dims) + 1, len(call.x.dims))
