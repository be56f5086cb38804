"""LSTM, GRU and RNN, whose gates of a direction are in one tensor."""

from typing import Any

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, permuted, reshaped
from convcost.model.errors import ConstraintError

LENGTHS = 4  # the position of the lengths; the initial states follow
PROJECTED = (
    "PyTorch's exporter writes such a file of an LSTM with `proj_size`, without the projection: "
    "import the module itself, package.module:callable"
)


@operator(LSTM="lstm", GRU="gru", RNN="rnn")
def recurrent(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """Inputs: x, weights, recurrent weights, biases, lengths, initial states, peepholes. Outputs:
    all states, [steps, directions, batch, hidden] or batch first, then the last ones."""
    weights, states = call.constant(1), call.constant(2)
    if weights is None or states is None or call.node.input(7) or not call.depends_on_input(0):
        return call.add_uncounted()
    x = call.value()
    batch, time = (0, 1) if call.get("layout", 0) else (1, 0)
    if x.dims[batch] != 1 and (call.is_output_used(1) or call.is_output_used(2)):
        raise unsupported("the last states of several sequences")
    directions, hidden = weights.dims[0], states.dims[2]
    _read_states(call, hidden)
    biased = call.constant(3) is not None
    options: dict[str, Any] = {
        "steps_first": batch == 1,
        "hidden": hidden,
        "bidirectional": directions == 2,  # noqa: PLR2004
        "bias": biased,
    }
    tensors = call.tensors(1, 2, *((3,) if biased else ()))
    y = call.lower(call.canonical, x, weights=tensors, **options)
    by_direction = reshaped(y, (*y.dims[:2], directions, hidden))
    results = [permuted(by_direction, (0, 2, 1, 3)) if batch == 1 else by_direction]
    # The last state of the backward direction is at the first step; its cost is the same.
    steps = y.dims[time]
    ends: dict[str, Any] = {"axis": time, "entries": range(steps - 1, steps), "path": ("last",)}
    state = (directions, 1, hidden) if batch == 1 else (1, directions, hidden)
    if x.dims[batch] == 1:
        results += [reshaped(call.lower("slice", y, **ends), state) for _ in call.outputs[1:3]]
    return tuple(results)


def _read_states(call: OnnxCall, hidden: int) -> None:
    """Adds layers for learned initial states. Lengths, and states that are all zero, have none.
    Raises ConstraintError if a state has another width than the recurrent weights."""
    for position in (4, 5, 6):  # the lengths, and the initial states
        constant = call.constant(position)
        if constant is None:
            continue
        if position > LENGTHS and constant.dims[-1] != hidden:
            message = (
                f"its initial states have {constant.dims[-1]:,} numbers, "
                f"but its recurrent weights are for {hidden:,}"
            )
            raise ConstraintError("CC404", message, PROJECTED)
        if constant.number is not None or any(
            call.builder.has_equal_numbers(key) for key, _ in constant.sources
        ):
            call.context.exclude(constant)
        elif constant.is_weight and position > LENGTHS:
            call.value(position)
