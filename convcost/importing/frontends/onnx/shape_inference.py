"""ONNX's own shape inference, on a copy of the model without its large weights: their dims are
enough. The integers that it computes are limited: a damaged file of few bytes can make it use all
memory, for example with a list that is concatenated with itself thirty times."""

from collections.abc import Collection, Iterable, Mapping
from math import prod

from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    TypeProto,
    ValueInfoProto,
    checker,
    helper,
    numpy_helper,
    shape_inference,
)

from convcost.importing.frontends.onnx.constants import MAX_ELEMENTS
from convcost.importing.frontends.onnx.graph import (
    MAX_SMALL_TENSOR,
    STANDARD,
    captured,
    stored_integers,
    subgraphs,
)
from convcost.importing.frontends.onnx.open_dims import Dims, ModelInput
from convcost.importing.ir.constant import Constant
from convcost.model.errors import ConstraintError

MAX_REASON_CHARACTERS = 300  # characters of an error of `onnx` in a message
MAX_AXES = 64  # axes of a tensor in NumPy
# Operators with a shape as input, and the position of that input.
SHAPE_INPUT = {"Expand": 1, "Reshape": 1, "Tile": 1, "ConstantOfShape": 0}


def inferred_dims(
    model: ModelProto,
    inputs: tuple[ModelInput, ...],
    known: Mapping[str, Constant] = {},
    produced: Collection[str] | None = None,
    *,
    stated_shapes: bool = True,
) -> dict[str, Dims]:
    """The dims of all tensors that shape inference knows, by name. `known` are constants that were
    computed, `produced` the tensors that operators still produce. With `stated_shapes`,
    operators that inference does not know have the shapes in the file, which are valid at its own
    size only. Raises ConstraintError CC404."""
    slim = _without_large_weights(model, inputs, known, produced)
    _add_outputs(model.graph, slim.graph, stated_shapes=stated_shapes)
    check_list_sizes(slim.graph)
    try:
        result = shape_inference.infer_shapes(slim)
        if not has_long_lists(result.graph):
            result = shape_inference.infer_shapes(slim, data_prop=True)
    except (shape_inference.InferenceError, checker.ValidationError, RuntimeError) as error:
        text = str(error).strip().splitlines() or ["no reason given"]
        raise ConstraintError(
            "CC404", f"ONNX's shape inference refuses the model: {text[-1][:MAX_REASON_CHARACTERS]}"
        ) from None
    found = {}
    for entry in (*result.graph.value_info, *result.graph.output, *result.graph.input):
        dims = _all_known(entry.type)
        if dims is not None:
            found[entry.name] = dims
    return found


def _all_known(kind: TypeProto) -> Dims | None:
    if kind.WhichOneof("value") != "tensor_type" or not kind.tensor_type.HasField("shape"):
        return None
    dims = [d.dim_value if d.HasField("dim_value") else -1 for d in kind.tensor_type.shape.dim]
    return None if any(extent < 0 for extent in dims) else tuple(dims)


def _without_large_weights(
    model: ModelProto,
    inputs: tuple[ModelInput, ...],
    known: Mapping[str, Constant],
    produced: Collection[str] | None,
) -> ModelProto:
    """The model with fixed input shapes, and with large weights as inputs."""
    slim = ModelProto(ir_version=max(model.ir_version, 4))
    slim.opset_import.extend(model.opset_import)
    slim.graph.name = "slim"
    types = {entry.name: entry.type.tensor_type.elem_type for entry in model.graph.input}
    for name, dims, _ in inputs:
        slim.graph.input.append(helper.make_tensor_value_info(name, types[name], dims))
    nodes = [
        node
        for node in model.graph.node
        if produced is None or any(name in produced for name in node.output)
    ]
    read = {name for node in nodes for name in (*node.input, *captured(node))}
    for tensor in model.graph.initializer:
        if tensor.name in read:
            _add_stored(slim.graph, tensor.name, tensor)
    stored = {tensor.name for tensor in model.graph.initializer}
    for name in read.intersection(known) - stored:
        _add_computed(slim.graph, name, known[name])
    shapes = {entry.name: entry.dims for entry in inputs}
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    shapes |= {name: constant.dims for name, constant in known.items()}
    for node in nodes:
        _check_axes(node, shapes)
        _check_parts(node)
    elements = _elements_by_shape(model, known)
    for node in nodes:
        value = [entry.t for entry in node.attribute if entry.name == "value"]
        if node.op_type == "Constant" and value and node.output:
            if node.output[0] not in known:
                _add_stored(slim.graph, node.output[0], value[0])
        elif not _replace_filled_tensor(slim.graph, node, elements):
            slim.graph.node.append(node)
    return slim


def _add_stored(graph: GraphProto, name: str, tensor: TensorProto) -> None:
    """Adds a stored tensor: with its numbers if it is small, otherwise as an input."""
    if prod(tensor.dims) <= MAX_SMALL_TENSOR and tensor.data_location != tensor.EXTERNAL:
        graph.initializer.append(tensor)
        graph.initializer[-1].name = name
    else:
        entry = helper.make_tensor_value_info(name, tensor.data_type, tuple(tensor.dims))
        graph.input.append(entry)


def _elements_by_shape(model: ModelProto, known: Mapping[str, Constant]) -> dict[str, int]:
    """For each list of integers that can be a shape, by its name: the number of elements of a
    tensor with that shape."""
    lists = {
        name: constant.data.reshape(-1).tolist()
        for name, constant in known.items()
        if constant.data is not None
        and constant.data.dtype.kind == "i"
        and constant.data.size <= MAX_AXES
    }
    lists |= stored_integers(model)
    return {name: prod(dims) for name, dims in lists.items() if len(dims) <= MAX_AXES}


def _check_axes(node: NodeProto, shapes: Mapping[str, Dims]) -> None:
    """Raises ConstraintError if a tensor would have more axes than NumPy allows: a damaged file of
    few bytes can demand so many axes that inference runs out of memory."""
    if node.op_type not in SHAPE_INPUT or len(node.input) <= SHAPE_INPUT[node.op_type]:
        return
    dims = shapes.get(node.input[SHAPE_INPUT[node.op_type]], ())
    if len(dims) == 1 and dims[0] > MAX_AXES:
        raise ConstraintError(
            "CC404",
            f"{node.op_type} `{node.name or node.output[0]}` has an output of {dims[0]:,} axes, "
            f"more than {MAX_AXES}",
        )


def _check_parts(node: NodeProto) -> None:
    """Raises ConstraintError if the outputs of a `Split` do not match its number of parts:
    inference would crash, or list the sizes of all parts."""
    for inner in (inner for body in subgraphs(node) for inner in body.node):
        _check_parts(inner)
    parts = [entry.i for entry in node.attribute if entry.name == "num_outputs"]
    if node.op_type == "Split" and parts and parts[0] != len(node.output):
        raise ConstraintError(
            "CC404",
            f"Split `{node.name or node.output[0]}` has {len(node.output)} outputs for "
            f"{parts[0]:,} parts",
        )


def _replace_filled_tensor(graph: GraphProto, node: NodeProto, elements: Mapping[str, int]) -> bool:
    """Whether a `ConstantOfShape` was replaced by an input. Inference would compute its numbers one
    by one, and a damaged file can demand any number of them. If its shape is not known yet, a later
    round replaces it."""
    if node.op_type != "ConstantOfShape" or not node.input:
        return False
    if elements.get(node.input[0], MAX_SMALL_TENSOR + 1) <= MAX_SMALL_TENSOR:
        return False
    dtypes = [entry.t.data_type for entry in node.attribute if entry.name == "value"]
    dtype = dtypes[0] if dtypes else TensorProto.FLOAT
    graph.input.append(helper.make_tensor_value_info(node.output[0], dtype, None))
    return True


def _add_computed(graph: GraphProto, name: str, constant: Constant) -> None:
    """Adds a tensor that was computed: with its numbers if it is small, otherwise as an input."""
    if constant.data is not None and constant.data.size <= MAX_SMALL_TENSOR:
        graph.initializer.append(numpy_helper.from_array(constant.data, name))
        return
    if not constant.real and len(constant.dims) == 1 and constant.elements > MAX_ELEMENTS:
        # Inference may use the list as a shape, and would create a tensor with as many axes.
        raise ConstraintError(
            "CC404",
            f"`{name}` is a list of {constant.elements:,} integers, more than any shape has",
        )
    dtype = TensorProto.FLOAT if constant.real else TensorProto.INT64
    graph.input.append(helper.make_tensor_value_info(name, dtype, constant.dims))


def _add_outputs(full: GraphProto, slim: GraphProto, *, stated_shapes: bool) -> None:
    """Adds the outputs without the shapes in the file, because shape inference may find others.
    With `stated_shapes`, outputs of operators that it does not know keep theirs."""
    foreign = {
        n for node in full.node if node.domain not in STANDARD for n in node.output if stated_shapes
    }
    outputs = {entry.name for entry in full.output}
    for entry in full.value_info:
        if entry.name in foreign and entry.name not in outputs:
            slim.value_info.append(entry)
    for entry in full.output:
        stated = entry.name in foreign
        slim.output.append(entry if stated else helper.make_empty_tensor_value_info(entry.name))


MAX_LIST_LENGTH = 1 << 20  # numbers of a list of integers, such as a shape
MAX_READ = 1 << 22  # numbers that operators read from lists, such as the biases of a large model
# Operators that inference computes for lists. The output of `Concat` has all numbers of its
# inputs; the outputs of the others have as many as one input.
COMPUTED_ON_LISTS = frozenset(
    ("Add", "Cast", "Concat", "Gather", "Identity", "Mul", "Slice", "Squeeze", "Sub", "Unsqueeze")
)
MAX_SHAPE_LENGTH = 64  # numbers of the output of `Shape`


def check_list_sizes(graph: GraphProto) -> None:
    """Raises ConstraintError if a list is longer than any shape could need."""
    _check_graph(graph, {})


def _check_graph(graph: GraphProto, lengths: dict[str, int]) -> None:
    """Checks one graph. `lengths` includes the lists of the graph around it, which the inner graph
    can read by name."""
    for tensor in graph.initializer:
        if tensor.data_type in (tensor.INT64, tensor.INT32):
            lengths[tensor.name] = prod(tensor.dims)
    for node in graph.node:
        length = _length(node, lengths)
        if length > MAX_LIST_LENGTH:
            raise ConstraintError(
                "CC404",
                f"{node.op_type} `{node.name or node.output[0]}` makes a list of up to {length:,} "
                "whole numbers, which shape inference would compute one by one",
                "is the file damaged? no valid model has a list like this",
            )
        for name in node.output:
            lengths[name] = length
        for body in subgraphs(node):
            _check_graph(body, dict(lengths))


def has_long_lists(graph: GraphProto) -> bool:
    """Whether the lists of a graph have too many numbers for shape inference, which allocates
    memory for each number, known or not."""
    return (
        _numbers((*graph.value_info, *graph.output)) > MAX_LIST_LENGTH
        or _read_numbers(graph) > MAX_READ
    )


def _numbers(entries: Iterable[ValueInfoProto]) -> int:
    """The numbers of all tensors with one axis."""
    shapes = [entry.type.tensor_type.shape.dim for entry in entries]
    return sum(dims[0].dim_value for dims in shapes if len(dims) == 1)


def _read_numbers(graph: GraphProto) -> int:
    """The number of integers that operators read from the lists of other operators, such as
    biases."""
    lengths = {entry.name: _numbers((entry,)) for entry in graph.input}
    nodes = [node for node in graph.node if node.op_type in COMPUTED_ON_LISTS]
    return sum(lengths.get(name, 0) for node in nodes for name in node.input)


def _length(node: NodeProto, lengths: dict[str, int]) -> int:
    """The largest possible number of integers in an output of an operator, from the numbers of its
    inputs; 0 if inference does not compute its output."""
    inputs = [lengths.get(name, 0) for name in node.input]
    if node.op_type not in COMPUTED_ON_LISTS or not inputs:
        return MAX_SHAPE_LENGTH if node.op_type == "Shape" else 0
    return sum(inputs) if node.op_type == "Concat" else max(inputs)
