"""Recurrent layers over whole sequences."""

from math import prod
from typing import Any

from convcost.importing.frontends.torch.constant_value import ConstantValue, tensors, weights
from convcost.importing.frontends.torch.registry import TorchCall, operator
from convcost.importing.ir.tensor import SEQUENCE_RANK, Tensor

GATES = {"lstm": 4, "gru": 3, "rnn": 1}


@operator("lstm", op="lstm")
@operator("gru", op="gru")
@operator("rnn_tanh", "rnn_relu", op="rnn")
def recurrent(call: TorchCall) -> Any:
    """`params` has the tensors of every layer and direction: weights of the input, weights of the
    state, two biases, and for an LSTM optionally a projection."""
    arguments, kind = call.given, call.canonical
    x = call.x
    if len(x.dims) != SEQUENCE_RANK or "batch_first" not in arguments:
        return call.custom(kind, None)
    params = arguments["params"]
    hidden = params[0].dims[0] // GATES[kind]
    options: dict[str, Any] = {
        "steps_first": not arguments["batch_first"],
        "hidden": hidden,
        "layers": arguments["num_layers"],
        "bidirectional": arguments["bidirectional"],
        "bias": arguments["has_biases"],
    }
    width = params[1].dims[1]
    if width != hidden:
        options["projection"] = width
    for state in tensors(arguments["hx"]):
        if isinstance(state, ConstantValue) and state.leaves:
            call.tensor(state)  # a learned initial state
    y = call.lower(kind, x, weights=weights(*params), **options)
    return (y, *_states(call, y))


@operator(*(f"{name}_cell" for name in ("lstm", "gru", "rnn_tanh", "rnn_relu")))
def cell(call: TorchCall) -> Any:
    """One step, which uses each weight of the input and of the state once."""
    arguments = call.given
    matrices = (arguments["w_ih"], arguments["w_hh"])
    # An LSTM has two states, each [n, hidden].
    macs = call.first_dims[0] * sum(prod(matrix.dims) for matrix in matrices)
    return call.custom(macs=macs)


def _states(call: TorchCall, y: Tensor) -> list[Any]:
    """Adds the last states, if something reads them."""
    states: list[Any] = []
    for number, dims in enumerate(call.dims[1:], start=1):
        is_read = f"getitem:{number}" in call.users
        state_call = call._replace(given={"self": y}, dims=dims)
        states.append(state_call.custom("last state") if is_read else None)
    return states
