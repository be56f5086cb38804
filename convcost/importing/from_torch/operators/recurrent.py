"""Recurrent layers over whole sequences."""

from math import prod
from typing import Any

from convcost.importing.from_torch.materials import flowing, weights
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.unknown import stated
from convcost.importing.value import Value, made, permuted

KINDS = {"lstm": "lstm", "gru": "gru", "rnn_tanh": "rnn", "rnn_relu": "rnn"}
GATES = {"lstm": 4, "gru": 3, "rnn": 1}
ROWS = 3


@operator(*(f"aten.{name}" for name in KINDS))
def recurrent(call: Call) -> Any:
    """`params` are of every layer and direction: of the input, of the state, two biases, and in
    an LSTM perhaps a projection."""
    given, kind = call.given, KINDS[call.name.removeprefix("aten.")]
    x = flowing(call.easel, given["input"])
    if len(x.dims) != ROWS or "batch_first" not in given:
        return stated(call, kind, None)
    first = bool(given["batch_first"])
    # [n, t, c]: samples that are many are sequences of their own.
    rows = x if first else permuted(x._replace(batch=None), (1, 0, 2))
    rows = rows._replace(batch=0 if rows.dims[0] == 1 else None)
    params = given["params"]
    hidden = params[0].dims[0] // GATES[kind]
    options: dict[str, Any] = {
        "hidden": hidden,
        "layers": given["num_layers"],
        "bidirectional": given["bidirectional"],
        "bias": given["has_biases"],
    }
    width = params[1].dims[1]
    if width != hidden:
        options["projection"] = width
    source = call.easel.demand(rows, -1, call.path)
    index = call.easel.emit(kind, call.path, [source], options, tensors=weights(*params))
    y = made(index, call.easel.shape(index), ROWS, ROWS - 1, rows.batch)
    return (y if first else permuted(y, (1, 0, 2)), *_states(call, y))


@operator(*(f"aten.{name}_cell" for name in KINDS))
def cell(call: Call) -> Any:
    """One step: every weight of the input and of the state once a sample."""
    given = call.given
    kinds = (given["w_ih"], given["w_hh"])
    # Of an LSTM the states are two, [n, hidden] each.
    output = call.dims[0] if isinstance(call.dims[0], tuple) else call.dims
    macs = output[0] * sum(prod(one.dims) for one in kinds)
    return stated(call, call.name.removeprefix("aten."), macs)


def _states(call: Call, y: Value) -> list[Any]:
    """The last states, where someone takes them."""
    found: list[Any] = []
    for number, dims in enumerate(call.dims[1:], start=1):
        taken = f"getitem:{number}" in call.users
        alone = call._replace(given={"self": y}, dims=dims)
        found.append(stated(alone, "last state") if taken else None)
    return found
