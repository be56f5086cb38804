"""LSTM, GRU and RNN, whose gates of a direction are in one tensor."""

from typing import Any

from convcost.importing.frontends.onnx.call import OnnxCall
from convcost.importing.frontends.onnx.registry import operator
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, permuted, reshaped


@operator(LSTM="lstm", GRU="gru", RNN="rnn")
def recurrent(call: OnnxCall) -> Tensor | tuple[Tensor, ...]:
    """Inputs: x, weights, recurrent weights, biases, lengths, initial states, peepholes. Outputs:
    all states, [steps, directions, batch, hidden] or batch first, then the last ones."""
    weights, states = call.constant(1), call.constant(2)
    if weights is None or states is None or call.node.input(7) or not call.depends_on_input(0):
        return call.uncounted()
    for position in (4, 5, 6):  # lengths, and initial states that are all zero: no layer has them
        constant = call.constant(position)
        if constant is not None and constant.number is not None:
            call.context.read_as_options.update(key for key, _ in constant.roots)
    x = call.value()
    batch, time = (0, 1) if call.get("layout", 0) else (1, 0)
    if x.dims[batch] != 1 and (call.is_output_used(1) or call.is_output_used(2)):
        raise unsupported("the last states of several sequences")
    directions, hidden = weights.dims[0], states.dims[2]
    biased = call.constant(3) is not None
    options: dict[str, Any] = {
        "steps_first": batch == 1,
        "hidden": hidden,
        "bidirectional": directions == 2,  # noqa: PLR2004
        "bias": biased,
    }
    tensors = call.tensors(1, 2, *((3,) if biased else ()))
    made = call.lower(call.canonical, x, weights=tensors, **options)
    by_direction = reshaped(made, (*made.dims[:2], directions, hidden))
    results = [permuted(by_direction, (0, 2, 1, 3)) if batch == 1 else by_direction]
    # The last state of the backward direction is at the first step; its cost is the same.
    steps = made.dims[time]
    ends: dict[str, Any] = {"axis": time, "kept": range(steps - 1, steps), "path": ("last",)}
    state = (directions, 1, hidden) if batch == 1 else (1, directions, hidden)
    for position in (1, 2):
        if call.is_output_used(position):
            results.append(reshaped(call.lower("slice", made, **ends), state))
        elif position < len(call.outputs):
            results.append(results[0]._replace(dims=call.dims(position) or results[0].dims))
    return tuple(results)
