"""Recurrent layers of Keras, and cells in the layer `RNN`."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.classes import LayerConfig, require_own
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor

KINDS = {"LSTM": ("lstm", 4), "GRU": ("gru", 3), "SimpleRNN": ("rnn", 1),
         "CuDNNLSTM": ("lstm", 4), "CuDNNGRU": ("gru", 3)}  # fmt: skip

# How Bidirectional merges the outputs of both directions; the division in an average is free.
MERGED = {"concat": "concat", "sum": "add", "ave": "add", "mul": "multiply"}


class Direction(NamedTuple):
    """One direction of a recurrent layer with the class `name`, its options and its output `y`,
    perhaps only the `half` of the channels."""

    name: str
    config: dict[str, Any]
    y: Tensor
    half: range | None = None


@layer(*KINDS)
def recurrent(call: LayerCall) -> Tensor | tuple[Tensor, ...]:
    y = _recurrent(call, call.kind, call.config, bidirectional=False)
    return _with_states(call, [y], [Direction(call.kind, call.config, y)])


@layer("Bidirectional")
def bidirectional(call: LayerCall) -> Tensor | tuple[Tensor, ...]:
    """One layer for both directions if their layers are equal, otherwise two layers. So only one
    direction can be frozen."""
    backward, merged = call.config.get("backward_layer"), call.config.get("merge_mode", "concat")
    name, config = _single(call, call.config["layer"])
    other, back = _single(call, backward) if backward else (name, config)
    if merged is not None and merged not in MERGED:
        raise unsupported(f"the merge mode {merged} of {call.kind}")
    _verify_directions(call, config, back)
    same = ("units", "use_bias", "reset_after", "activation", "trainable")
    if name == other and all(config.get(key) == back.get(key) for key in same):
        both = _recurrent(call, name, config, bidirectional=True)
        h = both.dims[-1] // 2
        directions = [Direction(name, config, both, half) for half in (range(h), range(h, 2 * h))]
        if merged == "concat":
            return _with_states(call, [both], directions)
    else:
        directions = []
        for key, kind, options in (("forward", name, config), ("backward", other, back)):
            inner_call = call._replace(key=f"{call.key}/{key}", path=(*call.path, key))
            y = _recurrent(inner_call, kind, options, bidirectional=False)
            directions.append(Direction(kind, options, y))
    sides = [_half(call, direction, direction.y) for direction in directions]
    if merged is None:
        return _with_states(call, sides, directions)
    kind = MERGED[merged]
    axis = {"axis": -1} if kind == "concat" else {}
    y = call.lower(kind, *sides, path=(*call.path[:-1], kind), **axis)
    return _with_states(call, [y], directions)


@layer("RNN")
def rnn(call: LayerCall) -> Tensor | tuple[Tensor, ...]:
    """The layer `RNN`, which runs one cell, or several stacked cells one after the other."""
    cell = call.config["cell"]
    require_own(cell, call.kind)
    stacked = cell["class_name"] == "StackedRNNCells"
    cells = cell["config"]["cells"] if stacked else [cell]
    names = []
    for cell in cells:
        require_own(cell, call.kind)
        names.append(_cell_name(cell, call.kind))
    y = call.x
    for number, (cell, name) in enumerate(zip(cells, names, strict=True)):
        last = number == len(cells) - 1
        sequences = bool(call.config.get("return_sequences")) or not last
        config = {**cell["config"], "return_sequences": sequences}
        inner = call._replace(key=f"{call.key}/cell_{number}", values=(y,))
        y = _recurrent(inner, name, config, bidirectional=False)
    return _with_states(call, [y], [] if stacked else [Direction(names[0], call.config, y)])


def _single(call: LayerCall, layer: LayerConfig) -> tuple[str, dict[str, Any]]:
    """The class and the options of a recurrent layer in the layer of the call; also of an `RNN`
    with one cell."""
    require_own(layer, call.kind)
    kind, config = str(layer["class_name"]), layer["config"]
    if kind == "RNN":
        cell = config["cell"]
        require_own(cell, kind)
        kind, config = _cell_name(cell, f"{call.kind} of RNN"), {**config, **cell["config"]}
    if kind not in KINDS:
        raise unsupported(f"{call.kind} of {kind}")
    return kind, config


def _cell_name(cell: LayerConfig, where: str) -> str:
    """The class of a cell without `Cell`."""
    kind = str(cell["class_name"])
    if not kind.endswith("Cell") or kind.removesuffix("Cell") not in KINDS:
        raise unsupported(f"{where} of {kind}")
    return kind.removesuffix("Cell")


def _verify_directions(call: LayerCall, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Raises ConstraintError unless the layers of both directions fit. Keras 3 always writes both
    layers; without a second one, both are the same."""
    if bool(first.get("return_sequences")) != bool(second.get("return_sequences")):
        raise unsupported(f"{call.kind} of a sequence and its last step")
    backwards = [bool(layer.get("go_backwards")) for layer in (first, second)]
    if first is not second and len({*backwards}) == 1:
        raise unsupported(f"{call.kind} of two layers with the same direction")


def _half(call: LayerCall, direction: Direction, x: Tensor) -> Tensor:
    """The channels of a direction."""
    if direction.half is None:
        return x
    path = (*call.path[:-1], "slice")
    return call.lower("slice", x, axis=-1, entries=direction.half, path=path)


def _with_states(
    call: LayerCall, outputs: Sequence[Tensor], directions: Sequence[Direction]
) -> tuple[Tensor, ...]:
    """The outputs, and the last states of each direction. A state is the last step of the output;
    an LSTM has a second one with the same dims."""
    tensors = [*outputs]
    for direction in directions:
        if direction.config.get("return_state"):
            states = 2 if KINDS[direction.name][0] == "lstm" else 1
            tensors += [_state(call, direction) for _ in range(states)]
    return tuple(tensors)


def _state(call: LayerCall, direction: Direction) -> Tensor:
    y, path = direction.y, (*call.path[:-1], "last")
    if direction.config.get("return_sequences"):
        steps = y.dims[1]
        y = call.lower(
            "slice", y, axis=1, entries=range(steps - 1, steps), remove_axis=True, path=path
        )
    return _half(call, direction, y)


def _recurrent(
    call: LayerCall, name: str, config: dict[str, Any], *, bidirectional: bool
) -> Tensor:
    """A layer with h units: gates × h × (c + h) weights, each used once a step. Each gate has one
    bias; a GRU with `reset_after`, an option that older files do not have, has two, and so have the
    layers of cuDNN. A GRU without it multiplies the state by the third gate's weights later, but
    also only once. Source: Keras' GRUCell."""
    kind, gates = KINDS[name]
    x, h = call.x, int(config["units"])
    bias, last = bool(config.get("use_bias", True)), not config.get("return_sequences")
    two = name.startswith("CuDNN") or (name == "GRU" and bool(config.get("reset_after")))
    times = 2 if bidirectional else 1
    tensors = call.tensor("kernel", times, x.dims[-1], gates, h)
    tensors |= call.tensor("recurrent_kernel", times, h, gates, h)
    if bias:
        tensors |= call.tensor("bias", times, 2 if two else 1, gates, h)
    options: dict[str, Any] = {
        "hidden": h,
        "bidirectional": bidirectional,
        "bias": bias,
        "one_bias": bias and not two,
        "last": last,
    }
    first = len(call.builder.layers)
    y = call.lower(kind, weights=tensors, **options)
    if config.get("trainable") is False:  # a cell or a direction can be frozen by itself
        call.builder.freeze(first)
    return y
