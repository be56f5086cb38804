"""Recurrent layers of Keras, and cells in its RNN."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.classes import owned
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pieces import split
from convcost.importing.value import Value, made

KINDS = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "SimpleRNN": ("rnn", 1)}

# What the two ways give lies side by side first; a division by two is free.
MERGED = {"concat": "", "sum": "add", "ave": "add", "mul": "multiply"}


@layer(*KINDS)
def recurrent(easel: Easel, call: Call) -> Value:
    return _drawn(easel, call, call.kind, call.config, both=False)


@layer("Bidirectional")
def bidirectional(easel: Easel, call: Call) -> Value:
    inner, back = call.config["layer"], call.config.get("backward_layer")
    merged = call.config.get("merge_mode", "concat")
    for one in (inner, back or inner):
        owned(one, call.kind)
    if inner["class_name"] not in KINDS or merged not in MERGED or not _mirrored(call.config):
        raise Refusal("CC401", f"Bidirectional of {inner['class_name']}, {merged}, is not read")
    both = _drawn(easel, call, inner["class_name"], inner["config"], both=True)
    if not (kind := MERGED[merged]):
        return both
    h, path = both.dims[-1] // 2, (*call.path[:-1], kind)
    sides = split(easel, both, -1, (h, h), (*call.path[:-1], "slice"))
    return elementwise(easel, kind, sides, path)


@layer("RNN")
def rnn(easel: Easel, call: Call) -> Value:
    """Of a cell, or of several on top of each other."""
    cell = call.config["cell"]
    owned(cell, call.kind)
    stacked = cell["class_name"] == "StackedRNNCells"
    cells = cell["config"]["cells"] if stacked else [cell]
    names = []
    for one in cells:
        owned(one, call.kind)
        name = str(one["class_name"])
        names.append(name.removesuffix("Cell"))
        if not name.endswith("Cell") or names[-1] not in KINDS:
            raise Refusal("CC401", f"RNN of {name} is not read")
    for number, (one, name) in enumerate(zip(cells, names, strict=True)):
        last = number == len(cells) - 1
        sequences = bool(call.config.get("return_sequences")) or not last
        config = {**one["config"], "return_sequences": sequences}
        value = _drawn(easel, _of_cell(call, number), name, config, both=False)
        call = call._replace(values=(value,))
    return call.x


def _of_cell(call: Call, number: int) -> Call:
    return call._replace(key=f"{call.key}/cell_{number}")


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
    """h units: gates × h × (c + h) weights, each used once a step; one bias a gate, two in a GRU
    that resets after. One that resets before multiplies the state with the third gate's weights
    later, not twice. Source: Keras' GRUCell."""
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
    rank = len(x.dims) - last
    return made(index, easel.shape(index), rank, rank - 1)
