"""Joins of Keras, and functions in a graph. Functions of keras.ops have the prefix `ops.` before
the name of their class; functions of TensorFlow, as Keras 2 wrote them, have the prefix `tf.`
before the last part of their name."""

from convcost.importing.frontends.keras.call import LAYERS, LayerCall, layer, row
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor
from convcost.model.errors import ConstraintError

MIN_MATRIX_RANK = 3  # axes of a matrix with a batch

# The division in an average is free.
row("add", "Add", "Average", "CustomScaleLayer", "Custom>CustomScaleLayer", "ops.Add", "tf.add")
row("subtract", "Subtract", "ops.Subtract", "tf.sub", "tf.subtract")
row("multiply", "Multiply", "ops.Multiply", "tf.mul", "tf.multiply")
row("divide", "ops.Divide", "ops.TrueDivide", "tf.divide", "tf.truediv")
row("maximum", "Maximum", "ops.Maximum", "tf.maximum")
row("minimum", "Minimum", "ops.Minimum", "tf.minimum")
row("permute", "ops.Transpose", order="axes")


@layer("Concatenate", "ops.Concatenate")
def concatenate(call: LayerCall) -> Tensor:
    """A layer always states its axis; the default of the function is the batch."""
    axis = int(call.config.get("axis", 0))
    if axis % len(call.x.dims) == 0:
        raise unsupported("Concatenate along the batch")
    return call.lower("concat", *call.values, axis=axis)


@layer("ops.Mean", "ops.Sum", "ops.Max", "ops.Min")
def reduction(call: LayerCall) -> Tensor:
    axes = call.config.get("axis")
    if axes is None:
        raise unsupported(f"{call.kind} over all axes, including the batch")
    axes = axes if isinstance(axes, list | tuple) else [axes]
    return call.lower(call.kind.lower(), axes=axes, keep=call.config.get("keepdims"))


@layer("ops.Matmul")
def matmul(call: LayerCall) -> Tensor:
    if len(call.values) != 2 or min(len(x.dims) for x in call.values) < MIN_MATRIX_RANK:  # noqa: PLR2004
        raise ConstraintError("CC401", "convcost supports Matmul only for two tensors of matrices")
    return call.lower("matmul", *call.values)


@layer("TFOpLambda")
def tensorflow_function(call: LayerCall) -> Tensor:
    """A function of TensorFlow, such as `math.multiply`, `__operators__.add` or `nn.relu`."""
    function = str(call.config.get("function"))
    rule = LAYERS.row_of(f"tf.{function.rpartition('.')[2]}").rule
    if rule is None:
        raise ConstraintError(
            "CC401", f"convcost does not know the function `{function}` of TensorFlow"
        )
    y: Tensor = rule(call)
    return y
