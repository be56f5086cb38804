"""Lowers the first subgraph operator by operator, and compares each tensor with the shape in the
file. Each stored tensor is counted, or in a note."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from math import prod
from pathlib import Path

from convcost.importing.frontends.tflite.call import (
    NotComputedError,
    TfliteCall,
    TfliteContext,
    constant_of,
)
from convcost.importing.frontends.tflite.file import TensorEntry, TfliteGraph, conforming_to_schema
from convcost.importing.frontends.tflite.operators import OPERATORS, add_activation, without_macs
from convcost.importing.frontends.tflite.shape_numbers import compute_integers
from convcost.importing.ir.layer_graph import LayerGraph
from convcost.importing.ir.operator_graph import OperatorNode
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.refusals import prefix_errors
from convcost.importing.ir.shared_weights import original
from convcost.importing.ir.tensor import MAPS_RANK, Tensor
from convcost.importing.passes.model_inputs import (
    MIN_SIZED_RANK,
    at_other_dims,
    channels_first,
    dims_text,
    fill_size,
)
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.passes.weight_report import report_weights
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted
from convcost.reports.notes import first_texts

MAX_OPERATORS = 20_000


def lower_model(
    graph: TfliteGraph, path: Path, size: tuple[int, ...] | None, *, resized: bool = False
) -> LayerGraph:
    """The layers of the model in the file `path`. Raises ConstraintError; its message begins with
    the operator's name if a layer is the cause."""
    context = TfliteContext(graph, path)
    moved = [text for name in graph.inputs if (text := add_input(context, name, size))]
    with at_other_dims(moved, size, resized=resized):
        if len(graph.nodes) > MAX_OPERATORS:
            raise ConstraintError("CC401", f"the model has more than {MAX_OPERATORS:,} operators")
        for node in graph.nodes:
            _lower_node(context, node)
        ends = [context.values[name] for name in graph.outputs if name in context.values]
        _report(context)
        return rewrite(context.builder.graph(ends))


def _lower_node(context: TfliteContext, node: OperatorNode) -> None:
    """Adds the layers of an operator and records its outputs. An operator on constants has
    constants as outputs and no layers. One whose output shapes depend on the data is lost."""
    call, rule = TfliteCall(context, node), OPERATORS.row_of(node.op).rule
    outputs = [context.graph.tensors[name] for name in node.outputs]
    lost = [context.lost[name] for name in node.inputs if name in context.lost]
    if rule is None and any(True in tensor.open[1:] or 0 in tensor.dims for tensor in outputs):
        lost.append(node.op)  # the shapes of its outputs depend on the data
    if lost or not outputs:
        context.lost.update(dict.fromkeys(node.outputs, lost[0] if lost else ""))
        return
    place = f"{node.op} `{'/'.join(call.path())}`"
    with prefix_errors(place), conforming_to_schema("its inputs or options"):
        for name in filter(None, node.inputs):
            if name not in context.values and name not in context.constants:
                tensor_name = context.graph.tensors[name].name
                raise ConstraintError("CC404", f"`{tensor_name}` is read before it is computed")
        if node.op == "SHAPE" or context.values.keys().isdisjoint(node.inputs):
            _add_constants(call, outputs)
        else:
            _add_values(call, outputs)


def _add_constants(call: TfliteCall, outputs: list[TensorEntry]) -> None:
    """Records the outputs of an operator that depends on no input of the model. If it has weights,
    its integers are options, such as the order of a TRANSPOSE."""
    constants = [*call.constants.values()]
    if weights := [constant for constant in constants if constant.is_float]:
        call.exclude("", *(at for at, constant in call.constants.items() if not constant.is_float))
        constants = weights
    sources = tuple(dict(entry for constant in constants for entry in constant.sources).items())
    for name, tensor, numbers in zip_longest(call.outputs, outputs, compute_integers(call)):
        call.context.constants[name] = constant_of(tensor, numbers, sources)


def _add_values(call: TfliteCall, outputs: list[TensorEntry]) -> None:
    """Adds the layers of an operator. Raises ConstraintError if an output has another shape than in
    the file."""
    context, row = call.context, OPERATORS.row_of(call.op)
    try:
        lowered = call.add_uncounted() if row.rule is None else row.rule(call)
    except NotComputedError:
        lowered = call.add_uncounted() if Trait.CONTRACTS in row.traits else without_macs(call)
    results = [lowered] if isinstance(lowered, Tensor) else [*lowered]
    if row.rule is not None and row.op != "lstm":
        results[0] = add_activation(call, results[0])
    # Only an operator without a rule has no layers for the last outputs that nothing uses.
    has_all_outputs = row.rule is not None
    for name, tensor, value in zip(call.outputs, outputs, results, strict=has_all_outputs):
        context.values[name] = value
        context.constants.pop(name, None)
        file_dims = [m if any_ else n for n, m, any_ in zip(tensor.dims, value.dims, tensor.open)]  # noqa: B905
        has_file_dims = context.uses[name] and not context.resized and tensor.dims
        if has_file_dims and (*file_dims,) != value.dims:
            shape, file_shape = dims_text(value.dims), dims_text(tensor.dims)
            raise ConstraintError("CC402", f"has the shape {shape}, but the file has {file_shape}")


def _report(context: TfliteContext) -> None:
    """Adds the notes about what is left out, and about the stored tensors."""
    builder, tensors = context.builder, context.graph.tensors
    for first, number in Counter(context.lost.values()).items():
        tensors_text = f"{counted(number, 'tensor')} from {first} on"
        builder.note_gap(f"left out: {tensors_text}, because the shape depends on the data")
    if others := context.graph.others:
        names = first_texts([f"`{name}`" for name in others])
        builder.note_gap(f"left out: {counted(len(others), 'other subgraph')} of the file: {names}")
    used = (tensors[key] for key in {*map(original, builder.used)})
    if sparse := sum(prod(tensor.dims) for tensor in used if tensor.sparse):
        note = f"{sparse:,} weights are stored as sparse tensors; their zeros count too"
        builder.notes.append(note)
    report_weights(context)


def add_input(context: TfliteContext, name: str, size: tuple[int, ...] | None) -> str:
    """Adds an input. `size` fills its open dims; if no input has an open dim, it replaces all of
    them except the channels. Returns how the file differs then. Raises ConstraintError."""
    graph, builder, tensor = context.graph, context.builder, context.graph.tensors[name]
    file_dims = [None if open_ else n for n, open_ in zip(tensor.dims, tensor.open, strict=True)]
    # Two or three axes that do not begin with 1 have no batch.
    batched = len(file_dims) > 1 and (file_dims[0] in (1, None) or len(file_dims) >= MAPS_RANK)
    channel = _channel(context, name, file_dims) % max(len(file_dims), 1)
    extents = [1, *file_dims[1:]] if batched else [*file_dims]
    sized = None in extents or (len(extents) >= MIN_SIZED_RANK and not context.is_open)
    if size is not None and (sized or len(graph.inputs) == 1):
        fill_size(tensor.name, extents, size, last=channel != 1)
    dims = [n for n in extents if n is not None]
    if len(dims) < len(file_dims):
        hint = "give the size, --size 224 or --size 48x320"
        raise ConstraintError(
            "CC405", f"the input `{tensor.name}` is open: {dims_text(file_dims)}", hint
        )
    if min(dims, default=1) < 1:
        message = f"the input `{tensor.name}` is empty: {dims_text(file_dims)}"
        raise ConstraintError("CC404", message)
    context.values[name] = builder.input(tensor.name, dims, channel, 0 if batched else None)
    if all(n in (None, m) for n, m in zip(file_dims, dims, strict=True)):
        return ""
    context.resized = True
    text = f"`{tensor.name}` is {dims_text(file_dims)} in the file"
    builder.notes.append(f"{text}, and is imported as {dims_text(dims)}")
    return text


def _channel(context: TfliteContext, name: str, dims: Sequence[int | None]) -> int:
    """The axis of the channels: the last one, unless the model moves another to the end."""
    tensors, same, seen = context.graph.tensors, [name], {name}
    for tensor in same:  # it grows
        for node in context.readers.get(tensor, ()):
            op = OPERATORS.row_of(node.op).op if node.inputs[0] == tensor else ""
            if op == "identity":
                same += [output for output in node.outputs if output not in seen]
                seen.update(node.outputs)
            elif op == "permute" and len(order := tensors[node.inputs[1]].data):
                return 1 if order.view("int32").tolist()[1:] == [*range(2, len(dims)), 1] else -1
    return 1 if channels_first(dims) else -1
