"""Lowers the first subgraph operator by operator, and compares each tensor with the shape in the
file."""

from itertools import zip_longest
from pathlib import Path

import numpy as np

from convcost.importing.frontends.tflite.call import (
    NotComputedError,
    TfliteCall,
    TfliteConstant,
    TfliteContext,
)
from convcost.importing.frontends.tflite.file import TensorEntry, TfliteGraph, conforming_to_schema
from convcost.importing.frontends.tflite.inputs import add_input
from convcost.importing.frontends.tflite.names import paths
from convcost.importing.frontends.tflite.operators import OPERATORS, activated, without_macs
from convcost.importing.frontends.tflite.shape_numbers import computed
from convcost.importing.frontends.tflite.weight_report import report_weights
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.refusals import named
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.model_inputs import at_other_dims, dims_text
from convcost.importing.passes.rewrite import rewrite
from convcost.model.errors import ConstraintError

MOST = 20_000  # the most operators


def lower_model(
    graph: TfliteGraph, path: Path, size: tuple[int, ...] | None, *, again: bool = False
) -> LayerGraph:
    """The layers of the model in the file `path`. Raises ConstraintError; its message begins with
    the operator's name if a layer is the cause."""
    context = TfliteContext(graph, path.stem, path.name)
    moved = [text for index in graph.inputs if (text := add_input(context, index, size))]
    with at_other_dims(moved, size, again=again):
        return _lower(context)


def _lower(context: TfliteContext) -> LayerGraph:
    graph, builder = context.graph, context.builder
    if len(graph.operators) > MOST:
        raise ConstraintError("CC401", f"the model has more than {MOST:,} operators")
    for entry, path in zip(graph.operators, paths(graph), strict=True):
        call = TfliteCall(context, entry, path or (entry.op.lower(),))
        place = f"{entry.op} `{'/'.join(call.path)}`"
        with named(place), conforming_to_schema("its inputs or options"):
            _step(call)
    ends = [context.values[index] for index in graph.outputs if index in context.values]
    if not builder.layers or not ends:
        raise ConstraintError("CC401", "the model has no layers: no output depends on an input")
    report_weights(context)
    return rewrite(builder.graph(ends))


def _step(call: TfliteCall) -> None:
    context, entry = call.context, call.entry
    row = OPERATORS.of(entry.op)
    outputs = [context.graph.tensors[index] for index in entry.outputs]
    open_ = row.rule is None and any(True in one.open[1:] or 0 in one.dims for one in outputs)
    lost = [context.lost[index] for index in entry.inputs if index in context.lost]
    if lost or open_ or not outputs:  # the shapes of its outputs depend on the data
        context.lost.update(dict.fromkeys(entry.outputs, lost[0] if lost else entry.op))
        return
    known = [*call.constants.values()]
    if entry.op == "SHAPE" and not known:
        shape = np.array(call.x.dims, np.int64)
        context.constants[entry.outputs[0]] = TfliteConstant(shape.shape, "INT32", {}, shape)
    elif context.values.keys().isdisjoint(entry.inputs):
        data = computed(entry.op, call.option, known)
        sources = known[:1] if Trait.SAME in row.traits else known
        stored = {key: n for one in sources for key, n in one.stored.items()}
        for index, tensor, made in zip_longest(entry.outputs, outputs, data):
            dims = tensor.dims if made is None else made.shape
            context.constants[index] = TfliteConstant(dims, tensor.dtype, stored, made)
    else:
        try:
            made = call.uncounted() if row.rule is None else row.rule(call)
        except NotComputedError:
            made = call.uncounted() if Trait.CONTRACTS in row.traits else without_macs(call)
        results = [made] if isinstance(made, Tensor) else made
        if row.rule is not None and row.op != "lstm":
            results[0] = activated(call, results[0])
        for index, tensor, value in zip(entry.outputs, outputs, results, strict=True):
            context.values[index] = value
            if context.uses[index] and not context.resized:
                _verify(tensor, value)


def _verify(tensor: TensorEntry, value: Tensor) -> None:
    """Compares the dims of a tensor with those in the file that are not open."""
    known = [m if open_ else n for n, m, open_ in zip(tensor.dims, value.dims, tensor.open)]  # noqa: B905
    if (*known,) != value.dims and tensor.dims:
        shape, stated = dims_text(value.dims), dims_text(tensor.dims)
        raise ConstraintError("CC402", f"has the shape {shape}, but the file has {stated}")
