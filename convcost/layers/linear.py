"""Fully connected layers, [c] to [features], or [c, *n] to [features, *n]."""

from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.errors import ConstraintError
from convcost.model.kind import Example, Layer, kind, option
from convcost.model.options import MAX_WINDOW_AXES, Flag, PositiveInt
from convcost.model.shape import Shape


@kind("linear", principal="features")
class Linear(Layer):
    """Fully connected layer on a flat input, or the same layer at every position."""

    operation = "linear"
    mixes_channels = True
    folds_norms = True
    features: PositiveInt = option("output features")
    bias: Flag = option("one number added for each feature", True)
    inputs: PositiveInt | None = option(
        "features that the input must have; by default any number", None
    )
    each_position: Flag = option("apply it to the channels of every position of the input", False)

    examples = (
        Example(
            "{linear: 1000}", Shape(1024), Shape(1000), params=1000 * 1024 + 1000, macs=1000 * 1024
        ),
        Example(
            "{linear: 4096, inputs: 7*7*512, bias: false}",
            Shape(7 * 7 * 512),
            Shape(4096),
            params=4096 * 7 * 7 * 512,
            macs=4096 * 7 * 7 * 512,
        ),
        Example(
            "{linear: 3072, each_position: true}",
            Shape(768, (197,)),
            Shape(3072, (197,)),
            params=3072 * 768 + 3072,
            macs=3072 * 768 * 197,
        ),
    )

    def output(self, x: Shape) -> Shape:
        if x.size and not self.each_position:
            raise ConstraintError(
                "CC304", f"linear needs a flat input, not {x.text}", self._alternatives(x)
            )
        if self.inputs not in (None, x.channels):
            raise ConstraintError(
                "CC304",
                f"linear needs {self.inputs} inputs, not {x.channels}",
                "the weights of linear fit one input size only; a convolution accepts any size",
            )
        return Shape(self.features, x.size)

    def weights(self, x: Shape) -> CostProduct:
        """[features, c], for an input [c] or [c, *n]."""
        return product(features=self.features, inputs=x.channels)

    def biases(self, x: Shape) -> CostProduct:
        return product(features=self.features) if self.bias else NOTHING

    def macs(self, x: Shape) -> CostProduct:
        return self.weights(x).times(positions=x.size)

    def _alternatives(self, x: Shape) -> str:
        if len(x.size) > MAX_WINDOW_AXES:
            return (
                "put `flatten` before it, or apply it at every position with `each_position: true`"
            )
        kernel = x.size[0] if len(set(x.size)) == 1 else list(x.size)
        bias = "true" if self.bias else "false"
        return (
            "put `flatten` before it; or use a convolution with the same costs, "
            f"{{conv: {self.features}, kernel: {kernel}, bias: {bias}}}; or, for an output at "
            "every position, add `each_position: true`"
        )
