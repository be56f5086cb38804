"""LSTM, GRU and RNN, with all gates of a direction in one tensor."""

from typing import Any

from convcost.errors import Refusal
from convcost.importing.from_onnx.graph import Node
from convcost.importing.from_onnx.operators import operator
from convcost.importing.from_onnx.sheet import Sheet, get
from convcost.importing.from_onnx.unknown import uncounted
from convcost.importing.parts.pieces import piece
from convcost.importing.value import Value, made, permuted, reshaped
from convcost.shapes import Shape

KINDS = {"LSTM": "lstm", "GRU": "gru", "RNN": "rnn"}


@operator(*KINDS)
def recurrent(sheet: Sheet, node: Node) -> Value | tuple[Value, ...]:
    weights, states = sheet.constant(node, 1), sheet.constant(node, 2)
    if weights is None or states is None or node.input(7) or not sheet.flows(node, 0):
        return uncounted(sheet, node)
    x = sheet.value(node)
    batch, time = (0, 1) if get(node, "layout", 0) else (1, 0)
    rows = x.dims[batch]
    # Sequences of their own stand outside of the steps; a single one is the sample.
    x = x._replace(batch=batch) if rows == 1 else permuted(x, (batch, time, 2))._replace(batch=None)
    directions, hidden = weights.dims[0], states.dims[2]
    biased = sheet.constant(node, 3) is not None
    options: dict[str, Any] = {
        "hidden": hidden,
        "bidirectional": directions == 2,  # noqa: PLR2004
        "bias": biased,
    }
    steps = x.dims[time if rows == 1 else 1]
    source = sheet.easel.demand(x, 2, sheet.path(node))
    tensors = sheet.tensors(node, 1, 2, *((3,) if biased else ()), kinds=(KINDS[node.op],))
    index = sheet.easel.emit(KINDS[node.op], sheet.path(node), [source], options, tensors=tensors)
    if rows != 1:
        if sheet.wanted(node, 1) or sheet.wanted(node, 2):
            raise Refusal("CC401", "its last states are used, of several sequences at once")
        y = made(index, Shape(directions * hidden, (rows, steps)), 3, 2, None)
        apart = reshaped(y, (rows, steps, directions, hidden))
        return (permuted(apart, (1, 2, 0, 3) if batch == 1 else (0, 1, 2, 3)),)
    y = made(index, Shape(directions * hidden, (steps,)), 3, 2, batch)
    apart = reshaped(y, (*y.dims[:2], directions, hidden))
    order = (0, 2, 1, 3) if batch == 1 else (0, 1, 2, 3)
    results = [permuted(apart, order)]
    for at in (1, 2):
        if sheet.wanted(node, at):
            results.append(_last(sheet, node, y, time, directions, hidden, batch))
        elif at < len(node.outputs):
            results.append(results[0]._replace(dims=sheet.dims(node, at) or results[0].dims))
    return tuple(results)


def _last(
    sheet: Sheet, node: Node, y: Value, time: int, directions: int, hidden: int, batch: int
) -> Value:
    """The state at the end. Of the way back that is the first step's; it costs the same."""
    last = piece(sheet.easel, y, time, y.dims[time] - 1, 1, (*sheet.path(node), "last"))
    apart = reshaped(last, (1, 1, directions, hidden))
    if batch == 1:
        return reshaped(permuted(apart, (2, 0, 1, 3)), (directions, 1, hidden))
    return reshaped(apart, (1, directions, hidden))
