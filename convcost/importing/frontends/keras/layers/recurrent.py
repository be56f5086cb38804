"""Recurrent layers of Keras, and cells in the layer `RNN`."""

from typing import Any

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.classes import require_own
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor

KINDS = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "SimpleRNN": ("rnn", 1)}

# The outputs of both directions are concatenated first; the division in an average is free.
MERGED = {"concat": "", "sum": "add", "ave": "add", "mul": "multiply"}


@layer(*KINDS)
def recurrent(call: LayerCall) -> Tensor:
    return _recurrent(call, call.kind, call.config, both=False)


@layer("Bidirectional")
def bidirectional(call: LayerCall) -> Tensor:
    inner, back = call.config["layer"], call.config.get("backward_layer")
    merged = call.config.get("merge_mode", "concat")
    for cell in (inner, back or inner):
        require_own(cell, call.kind)
    if inner["class_name"] not in KINDS or merged not in MERGED or not _mirrored(call.config):
        raise unsupported(f"Bidirectional of {inner['class_name']}, {merged}")
    both = _recurrent(call, inner["class_name"], inner["config"], both=True)
    if not (kind := MERGED[merged]):
        return both
    h, path = both.dims[-1] // 2, (*call.path[:-1], kind)
    named = call._replace(path=(*call.path[:-1], "slice"))
    halves = (range(h), range(h, 2 * h))
    sides = [named.lower("slice", both, axis=-1, kept=half) for half in halves]
    return call.lower(kind, *sides, path=path)


@layer("RNN")
def rnn(call: LayerCall) -> Tensor:
    """The layer `RNN`, which runs one cell, or several stacked cells one after the other."""
    cell = call.config["cell"]
    require_own(cell, call.kind)
    stacked = cell["class_name"] == "StackedRNNCells"
    cells = cell["config"]["cells"] if stacked else [cell]
    names = []
    for cell in cells:
        require_own(cell, call.kind)
        name = str(cell["class_name"])
        names.append(name.removesuffix("Cell"))
        if not name.endswith("Cell") or names[-1] not in KINDS:
            raise unsupported(f"RNN of {name}")
    for number, (cell, name) in enumerate(zip(cells, names, strict=True)):
        last = number == len(cells) - 1
        sequences = bool(call.config.get("return_sequences")) or not last
        config = {**cell["config"], "return_sequences": sequences}
        inner = call._replace(key=f"{call.key}/cell_{number}")
        call = call._replace(values=(_recurrent(inner, name, config, both=False),))
    return call.x


def _mirrored(config: dict[str, Any]) -> bool:
    """Whether the backward layer has the configuration of the forward layer. Keras 3 always writes
    both layers."""
    forth, back = config["layer"], config.get("backward_layer")
    if not back:
        return True
    same = ("units", "use_bias", "reset_after", "return_sequences", "activation")
    return (
        back["class_name"] == forth["class_name"]
        and all(back["config"].get(key) == forth["config"].get(key) for key in same)
        and bool(back["config"].get("go_backwards")) != bool(forth["config"].get("go_backwards"))
    )


def _recurrent(call: LayerCall, name: str, config: dict[str, Any], *, both: bool) -> Tensor:
    """A layer with h units: gates × h × (c + h) weights, each used once a step. Each gate has one
    bias; a GRU with `reset_after` has two. A GRU without it multiplies the state by the third
    gate's weights later, but also only once. Source: Keras' GRUCell."""
    kind, gates = KINDS[name]
    x, h = call.x, int(config["units"])
    bias, last = bool(config.get("use_bias", True)), not config.get("return_sequences")
    two = name == "GRU" and bool(config.get("reset_after", True))
    times = 2 if both else 1
    tensors = call.tensor("kernel", times, x.dims[-1], gates, h)
    tensors |= call.tensor("recurrent_kernel", times, h, gates, h)
    if bias:
        tensors |= call.tensor("bias", times, 2 if two else 1, gates, h)
    options: dict[str, Any] = {
        "hidden": h,
        "bidirectional": both,
        "bias": bias,
        "one_bias": bias and not two,
        "last": last,
    }
    return call.lower(kind, weights=tensors, **options)
