from convcost.errors import Refusal
from convcost.kind import Example, Layer, kind, option
from convcost.options import MAX_AXES, Count, Flag
from convcost.shapes import Shape
from convcost.work import NOTHING, Work, product


@kind("linear", principal="features")
class Linear(Layer):
    """Fully connected layer on a flat input, or the same one at every position of another."""

    features: Count = option("output features")
    bias: Flag = option("one number added for each feature", True)
    inputs: Count | None = option("features that must come in; any number if left out", None)
    each_position: Flag = option("the input may have a size: its channels are the inputs", False)

    examples = (
        Example(
            "{linear: 1000}",
            Shape(1024),
            Shape(1000),
            params=1000 * 1024 + 1000,
            macs=1000 * 1024,
        ),
        Example(
            "{linear: 4096, inputs: 7*7*512}",
            Shape(7 * 7 * 512),
            Shape(4096),
            params=4096 * 7 * 7 * 512 + 4096,
            macs=4096 * 7 * 7 * 512,
        ),
        Example("{linear: 10, bias: false}", Shape(64), Shape(10), params=10 * 64, macs=10 * 64),
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
            raise Refusal("CC304", f"linear takes a flat input, not {x.text}", self._way_out(x))
        if self.inputs not in (None, x.channels):
            raise Refusal(
                "CC304",
                f"linear was made for {self.inputs} inputs, not {x.channels}",
                "its weights are bound to one input size; a convolution's are not",
            )
        return Shape(self.features, x.size)

    # [f] from [n]
    def weights(self, x: Shape) -> Work:
        return product(features=self.features, inputs=x.channels)

    def biases(self, x: Shape) -> Work:
        return product(features=self.features) if self.bias else NOTHING

    def macs(self, x: Shape) -> Work:
        return self.weights(x).times(positions=x.size)

    def _way_out(self, x: Shape) -> str:
        everywhere = "`each_position: true` for one at every position"
        if len(x.size) > MAX_AXES:
            return f"put `flatten` before it, or add {everywhere}"
        kernel = x.size[0] if len(set(x.size)) == 1 else list(x.size)
        return (
            f"put `flatten` before it; or, fully convolutional, {{conv: {self.features}, "
            f"kernel: {kernel}}} for the same count, {{conv: {self.features}, kernel: 1}} or "
            f"{everywhere}"
        )
