"""The operators of TensorFlow Lite, by their names in the schema. Channels are the last axis."""

from collections.abc import Sequence
from math import prod
from struct import Struct
from typing import Any

from convcost.importing.frontends.tflite.call import FIXED, TfliteCall
from convcost.importing.frontends.tflite.shape_numbers import slice_index
from convcost.importing.ir.operator_table import OperatorTable
from convcost.importing.ir.tensor import MATRIX_RANK, Tensor, reshaped, transposed, with_rank
from convcost.importing.passes.fourier import real_macs
from convcost.importing.passes.lower.slices import split_axis
from convcost.importing.passes.lower.stored_tensors import LEARNED, join_with_learned
from convcost.importing.passes.lower.windows import SlidingWindow
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast

OPERATORS = OperatorTable("convcost.importing.frontends.tflite")
operator = OPERATORS.operator
PADDING = {0: "same", 1: "valid"}
# Values of the option FusedActivationFunction; "" costs nothing and has no kind.
FUSED = {0: "", 1: "relu", 2: "hard_tanh", 3: "relu6", 4: "tanh", 5: ""}
CUSTOM = Struct("<3i")  # the options of MediaPipe's transposed convolution
# The axes of the filters and of the input channels, in weights.
WEIGHTS = {"CONV_2D": (0, -1), "DEPTHWISE_CONV_2D": (-1, 0), "CONV_3D": (-1, -2),
           "TRANSPOSE_CONV": (0, -1), "CONV_3D_TRANSPOSE": (-2, -1)}  # fmt: skip
PAIR = 2
NUMBER = "treated as a number of the code, and not counted as params"


def row(op: str, *names: str, **attributes: Any) -> None:
    """Registers operators by their names in the schema, by default that of the canonical one."""
    OPERATORS.row(op, *(names or (op.upper(),)), **attributes)


for _name in ("relu", "relu6", "softmax", "log_softmax", "tanh", "gelu", "hard_swish", "elu", "abs",
              "exp", "log", "sqrt", "rsqrt", "square", "floor", "ceil", "round", "sin", "cos",
              "sign"):  # fmt: skip
    row(_name)
row("sigmoid", "LOGISTIC")
row("negate", "NEG")
row("hard_tanh", "RELU_N1_TO_1")
row("clip", "RELU_0_TO_1", low=0, high=1)
row("leaky_relu", "LEAKY_RELU", number="Alpha")
row("prelu", "PRELU", weights=lambda call: call.weights(1), dims=lambda call: call.input_dims(1))
row("l2_norm", "L2_NORMALIZATION", axes=[-1])
row("local_response_norm", "LOCAL_RESPONSE_NORMALIZATION", axis=-1,
    neighbours=lambda call: 2 * call.option("Radius") + 1)  # fmt: skip
row("pad", "PAD", "PADV2", "MIRROR_PAD", begins=lambda call: call.numbers(1)[::2],
    ends=lambda call: call.numbers(1)[1::2])  # fmt: skip
row("upsample", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", channel=3,
    mode=lambda call: "linear" if call.op == "RESIZE_BILINEAR" else "nearest",
    dims=lambda call: (1, *call.numbers(1), call.value().dims[-1]))  # fmt: skip
for _op, _name in {"mean": "MEAN", "sum": "SUM", "max": "REDUCE_MAX", "min": "REDUCE_MIN"}.items():
    row(_op, _name, axes=lambda call: call.numbers(1), keep="KeepDims")


def add_activation(call: TfliteCall, x: Tensor) -> Tensor:
    """The tensor after the activation that the operator has as an option."""
    op = FUSED[call.option("FusedActivationFunction")]
    return lower(call.builder, op, (*call.path()[:-1], op), x) if op else x


@operator("QUANTIZE", "DEQUANTIZE", "CAST", "FAKE_QUANT", "DENSIFY", op="identity")
def identity(call: TfliteCall) -> Tensor:
    return call.free(call.value())


# Convolutions and pools


def _window(call: TfliteCall, kernel: Sequence[int]) -> SlidingWindow:
    letters = "DHW"[-len(kernel) :]
    stride = [call.option(f"Stride{letter}", 1) for letter in letters]
    dilation = [call.option(f"Dilation{letter}Factor", 1) for letter in letters]
    padding = PADDING[call.option("Padding")] if set(kernel) != {1} else "valid"
    return SlidingWindow(kernel, stride, padding, (), dilation)


@operator("CONV_2D", "DEPTHWISE_CONV_2D", "CONV_3D", op="conv")
@operator("TRANSPOSE_CONV", "CONV_3D_TRANSPOSE", op="transposed_conv")
def convolution(call: TfliteCall) -> Any:
    """Inputs: x, weights and perhaps a bias; of a transposed one, x is after the output shape and
    the weights."""
    weights, op = call.constant(1), OPERATORS.row_of(call.op).op
    if weights is None:
        return call.add_uncounted()
    (axis, inner), transposes = WEIGHTS[call.op], op == "transposed_conv"
    x, filters = call.value(2 if transposes else 0), weights.dims[axis]
    channel_axes = {axis % len(weights.dims), inner % len(weights.dims)}
    window = _window(call, [n for axis, n in enumerate(weights.dims) if axis not in channel_axes])
    more: dict[str, Any] = {"groups": x.dims[-1] // weights.dims[inner]}
    if transposes:
        more = {"size": call.numbers(0)[1:-1]}
    bias = 3 if transposes else 2
    return _with_bias(call, op, x, bias, filters=filters, window=window, channel=-1, **more)


def _with_bias(call: TfliteCall, op: str, x: Tensor, bias: int, **more: Any) -> Tensor:
    """A layer with weights and perhaps a bias, at the position `bias`. The bias is a layer if the
    model computes it, or if layers that share their weights have biases of their own, as the
    quantizer writes them."""
    constant = call.constant(bias)
    is_stored = constant is not None and constant.has_whole_source
    if not call.has(bias) or (is_stored and not call.shares_weights(1, bias)):
        return call.lower(op, x, bias=is_stored, weights=call.weights(1, bias), **more)
    y = call.lower(op, x, bias=False, weights=call.weights(1), **more)
    if not is_stored:
        return call.lower("add", y, call.value(bias), path=("bias",))
    ((key, elements),) = call.weights(bias).items()
    return join_with_learned(call.builder, "add", y, key, (elements,), call.path("bias"))


@operator("custom Convolution2DTransposeBias", op="transposed_conv")
def transposed_conv_with_bias(call: TfliteCall) -> Any:
    """The custom operator of MediaPipe. Inputs: x, weights [filters, h, w, c], bias. The options
    are three integers: the padding, which is `same` if it is 1, and the stride along the width and
    the height. Source: transpose_conv_bias.cc of MediaPipe."""
    weights, options = call.constant(1), call.node.attributes
    if weights is None or options is None or len(options) < CUSTOM.size:
        return call.add_uncounted()
    same, *stride = CUSTOM.unpack_from(options)
    (filters, *kernel, _), stride = weights.dims, stride[::-1]
    size = []
    for n, s, k in zip(call.value().dims[1:-1], stride, kernel, strict=True):
        padding = max(k - (n - 1) % s - 1, 0) if same == 1 else 0
        size.append((n - 1) * s + k - padding)
    window = SlidingWindow(kernel, stride, dilation=(1, 1))
    more: dict[str, Any] = {"filters": filters, "window": window, "size": size, "channel": -1}
    return _with_bias(call, "transposed_conv", call.value(), 2, **more)


def _pool_window(call: TfliteCall) -> SlidingWindow:
    kernel = [call.option("FilterHeight", 1), call.option("FilterWidth", 1)]
    return _window(call, kernel)._replace(dilation=())


for _op, _name in {"avg_pool": "AVERAGE_POOL_2D", "max_pool": "MAX_POOL_2D"}.items():
    row(_op, _name, channel=-1, window=_pool_window)
for _op, _name in {"pixel_shuffle": "DEPTH_TO_SPACE", "pixel_unshuffle": "SPACE_TO_DEPTH"}.items():
    row(_op, _name, channel=-1, factor="BlockSize")


# Joins and products


@operator(ADD="add", SUB="subtract", MUL="multiply", DIV="divide", MAXIMUM="maximum",
          MINIMUM="minimum", ADD_N="add")  # fmt: skip
def join(call: TfliteCall) -> Tensor:
    op, constants = OPERATORS.row_of(call.op).op, call.constants
    if not constants or len(call.inputs) > PAIR:
        return call.lower(op, *call.values)
    position, constant = next(iter(constants.items()))
    x = with_rank(call.value(1 - position), len(constant.dims))
    extents, learned = [n for n in constant.dims if n != 1], constant.learned
    standardizes = x.source < 0 and len(extents) <= 1  # with a mean and a deviation of each channel
    if broadcast(x.dims, constant.dims) == x.dims and (not learned or not extents or standardizes):
        call.exclude(FIXED if extents else NUMBER, position)
        return call.free(x)
    if not learned:
        return call.lower(op, x, call.value(position))
    ((key, _),) = constant.sources
    return join_with_learned(call.builder, LEARNED.get(op, op), x, key, constant.dims, call.path())


@operator("SQUARED_DIFFERENCE", op="subtract")
def squared_difference(call: TfliteCall) -> Tensor:
    return call.lower("square", join(call))


SELECTIONS = ("SELECT", "SELECT_V2")


@operator(*SELECTIONS, "EQUAL", "NOT_EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "POW",
          "LESS_EQUAL", "LOGICAL_AND", "LOGICAL_OR", "LOGICAL_NOT", "FLOOR_DIV", "FLOOR_MOD",
          op="choose")  # fmt: skip
def comparison(call: TfliteCall) -> Tensor:
    """Comparisons, selections and elementwise functions without multiply-adds. Their constants are
    masks, bounds and exponents, except for a table that is selected in the place of the input."""
    if call.op in SELECTIONS:
        _learn(call, 1, 2)
    call.exclude(FIXED, *call.constants)
    return call.custom(call.broadcast_dims)


def _learn(call: TfliteCall, *positions: int) -> None:
    """Adds the layers of learned tables among the inputs. A tensor of equal numbers is of the
    code."""
    for position in positions:
        constant = call.constant(position)
        if constant is None or not constant.learned or constant.elements == 1:
            continue
        if not any(map(call.builder.has_equal_numbers, call.weights(position))):
            call.value(position)


@operator("CONCATENATION", "PACK", op="concat")
def concat(call: TfliteCall) -> Tensor:
    new = call.op == "PACK"
    return call.lower("concat", *call.values, axis=call.option("Axis"), new=new)


@operator("FULLY_CONNECTED", op="linear")
def fully_connected(call: TfliteCall) -> Tensor:
    """Weights are [features, inputs]. Without KeepNumDims, x becomes a matrix first."""
    x, (features, inputs) = call.value(), call.input_dims(1)
    if x.elements % inputs:
        raise ConstraintError(
            "CC402", f"{x.elements:,} elements cannot be split into rows of {inputs:,}"
        )
    if not call.option("KeepNumDims") and len(x.dims) != MATRIX_RANK:
        x = reshaped(x, (x.elements // inputs, inputs))
    if call.constant(1) is not None:
        return _with_bias(call, "linear", x, 2, features=features)
    y = call.lower("matmul", x, transposed(call.value(1)))
    return call.lower("add", y, call.value(2)) if call.has(2) else y


@operator("BATCH_MATMUL", op="matmul")
def matmul(call: TfliteCall) -> Tensor:
    weights, turned = call.constant(1), bool(call.option("AdjY"))
    x = transposed(call.value()) if call.option("AdjX") else call.value()
    if weights is not None and weights.learned and prod(weights.dims[:-MATRIX_RANK]) == 1:
        features = weights.dims[-2 if turned else -1]
        return call.lower("linear", x, features=features, weights=call.weights(1))
    other = call.value(1)
    return call.lower("matmul", x, transposed(other) if turned else other)


@operator("UNIDIRECTIONAL_SEQUENCE_LSTM", op="lstm")
def lstm(call: TfliteCall) -> Any:
    """Inputs: x, weights of the input and of the state for four gates, peepholes, biases, a
    projection, states and norms. Only weights and biases have a kind."""
    positions, state = (*range(1, 9), *range(12, 16)), call.constant(5)
    if state is None or set(filter(call.has, range(24))) - {18, 19} != {0, *positions}:
        return call.add_uncounted()
    call.exclude(FIXED, 18, 19)
    return call.lower("lstm", weights=call.weights(*positions), hidden=state.dims[0], bias=True,
                      one_bias=True, steps_first=call.option("TimeMajor"))  # fmt: skip


# Views and slices


@operator("RESHAPE", op="reshape")
def reshape(call: TfliteCall) -> Tensor:
    """The dims are an input, otherwise an option, otherwise those of the output."""
    has_input = call.constant(1) is not None
    to = call.numbers(1) if has_input else call.option("NewShapeAsNumpy") or call.require_dims()
    return call.lower("reshape", to=to)


row("squeeze", "SQUEEZE", axes=lambda call: call.option("SqueezeDimsAsNumpy") or ())
row("unsqueeze", "EXPAND_DIMS", axes=lambda call: call.numbers(1))
row("permute", "TRANSPOSE", order=lambda call: call.numbers(1))


@operator("SLICE", op="index")
def slice_(call: TfliteCall) -> Tensor:
    pairs = zip(call.numbers(1), call.numbers(2), strict=True)
    ends = [slice(begin, begin + n if n >= 0 else None) for begin, n in pairs]
    return call.lower("index", index=ends)


row("index", "STRIDED_SLICE", index=lambda call: slice_index(
    call.option, len(call.value().dims), *map(call.numbers, (1, 2, 3))))  # fmt: skip


@operator("SPLIT", "SPLIT_V", "UNPACK", op="split")
def split(call: TfliteCall) -> list[Tensor]:
    """Parts of an axis. The parts of UNPACK have one entry, and their axis is removed."""
    op, is_read = call.op, [call.is_output_used(position) for position in range(len(call.outputs))]
    x, remove_axis = call.value(1 if op == "SPLIT" else 0), op == "UNPACK"
    axis = call.option("Axis") if remove_axis else call.numbers(2 if op == "SPLIT_V" else 0)[0]
    lengths = [1 if remove_axis else x.dims[axis] // len(is_read)] * len(is_read)
    if op == "SPLIT_V":
        lengths = list(call.numbers(1))
        lengths = [n if n >= 0 else x.dims[axis] - sum(lengths) + n for n in lengths]
    path = call.path()
    return split_axis(
        call.builder, x, axis, lengths, path, is_read=is_read, remove_axis=remove_axis
    )


@operator("GATHER", "EMBEDDING_LOOKUP", op="embedding")
def gather(call: TfliteCall) -> Tensor:
    """Rows of a learned table; any other use only states its shape."""
    rows_at, indices_at = (1, 0) if call.op == "EMBEDDING_LOOKUP" else (0, 1)
    table, axis = call.constant(rows_at), call.option("Axis")
    learned = table is not None and table.learned
    if table is not None and learned and len(table.dims) == MATRIX_RANK and not axis:
        (rows, channels), x = table.dims, call.value(indices_at)
        weights = call.weights(rows_at)
        y = call.lower("embedding", x, rows=rows, channels=channels, weights=weights)
        return y._replace(batch=x.batch)
    call.exclude(FIXED, indices_at)
    dims, index_dims = call.input_dims(rows_at), call.input_dims(indices_at)
    axis %= len(dims)
    output_dims = (*dims[:axis], *index_dims[call.option("BatchDims") :], *dims[axis + 1 :])
    return call.custom(output_dims, weights=call.weights(rows_at) if learned else {})


@operator("RFFT2D")
def fourier(call: TfliteCall) -> Tensor:
    rows, columns = call.numbers(1)
    half = (*call.value().dims[:-2], rows, columns // 2 + 1)
    axes = (len(half) - 2, len(half) - 1)
    return call.custom(half, "RFFT2D", macs=real_macs(half, axes, columns))


@operator("REVERSE_V2", "REVERSE_SEQUENCE", "CUMSUM", "ZEROS_LIKE", "DYNAMIC_UPDATE_SLICE")
def same_shape_without_macs(call: TfliteCall) -> Tensor:
    call.exclude(FIXED, *call.constants)
    return call.custom(call.value().dims)


@operator("SPACE_TO_BATCH_ND", "BATCH_TO_SPACE_ND")
def blocks_and_samples(call: TfliteCall) -> Tensor:
    """Padded blocks of the size become samples, or samples become blocks that are cropped. Only
    their sizes say how many samples there are, if the batch is open."""
    (samples, *dims), block, borders = call.value().dims, call.numbers(1), call.numbers(2)
    is_inverse = call.op == "BATCH_TO_SPACE_ND"
    for axis, (n, k, first, last) in enumerate(zip(dims, block, borders[::2], borders[1::2])):  # noqa: B905  the channels have no block
        dims[axis] = n * k - first - last if is_inverse else (n + first + last) // k
    number = samples // prod(block) if is_inverse else samples * prod(block)
    return call.custom((number, *dims))


@operator("TILE", "BROADCAST_TO", "GATHER_ND", "SCATTER_ND",
          "ARG_MAX", "ARG_MIN", "ONE_HOT", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL",
          "FILL", "L2_POOL_2D", "TOPK_V2",
          "MATRIX_DIAG", "MATRIX_SET_DIAG")  # fmt: skip
def without_macs(call: TfliteCall) -> list[Tensor]:
    """Operators without multiply-adds. Their layers state the output shape."""
    if call.op == "GATHER_ND":
        _learn(call, 0)
    call.exclude(FIXED, *call.constants)
    return [call.custom(call.require_dims(position)) for position in range(len(call.outputs))]
