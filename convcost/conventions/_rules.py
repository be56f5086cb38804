"""Rules that several tools share."""

from math import floor, prod

from convcost.conventions import UNKNOWN, CountingRule, LayerUse, choose, depends, fault, quantity
from convcost.conventions._formula import (
    BIAS,
    BIASES,
    C_IN,
    C_OUT,
    GROUPS,
    HAS_BIAS,
    MACS,
    NEIGHBOURS,
    POSITIONS_IN,
    PROJECTIONS,
    STATES,
    WEIGHTS,
    ZERO,
    Formula,
    K,
    X,
    if_affine,
)
from convcost.model.window import AxisWindow

UNKNOWN_ATTENTION = CountingRule(
    UNKNOWN, depends="the number depends on whether attention is a module, a function or products"
)
UNKNOWN_RECURRENT = CountingRule(
    UNKNOWN, depends="the number depends on how the framework splits a recurrent layer"
)
# Every kind that adds biases, except norms: their shift is a part of the norm.
MACS_WITH_BIASES: dict[str, Formula] = {
    "conv transposed_conv deformable_conv locally_connected linear": MACS + BIAS,
    "recurrent": MACS + BIASES * POSITIONS_IN,
    "scale": BIAS,
    "contraction": MACS,
}


def _size_with_half_padding(window: AxisWindow) -> int:
    """The output size if `padding: same` adds ⌊d·(f − 1)/2⌋ zeros on both sides."""
    if window.padding is not None:
        return window.output
    span = window.d * (window.f - 1)
    return (window.n + 2 * (span // 2) - span - 1) // window.s + 1


def _size_as_of_a_conv(window: AxisWindow) -> int:
    begin, _ = window.padding or (0, 0)
    return (window.n + 2 * begin - window.d * (window.f - 1) - 1) // window.s + 1


CONV_POSITIONS = quantity(
    "P'",
    "positions of the output if `same` adds ⌊d·(f − 1)/2⌋ zeros on both sides",
    lambda use: use.batch * prod(map(_size_with_half_padding, use.windows)),
)
WRONG_POSITIONS = quantity(
    "P''",
    "positions of the output if the layer were a plain convolution",
    lambda use: use.batch * prod(map(_size_as_of_a_conv, use.windows)),
)
SAMPLE_POSITIONS = quantity(
    "P_1", "positions of the output, in one sample", lambda use: prod(use.output.size)
)


def _scaled(use: LayerUse) -> int:
    axes, scale = len(use.output.size), use.option("scale")
    factor = prod(scale) if isinstance(scale, tuple) else scale**axes
    return floor(X.evaluate(use) * factor)


SCALED = quantity("Z", "elements of the input times the scale of each axis, rounded down", _scaled)


def if_scale(then: Formula, otherwise: Formula) -> Formula:
    """`then` for a resize by a scale, `otherwise` for one to a size."""
    return choose(lambda use: use.option("scale", None) is not None, "with a size", then, otherwise)


# DeepSpeed and calflops have these rules: `PROFILED_MACS` for MACs, `PROFILED_FLOPS` for FLOPs.
PROFILED_CONV = WEIGHTS * CONV_POSITIONS
PROFILED_TRANSPOSED = POSITIONS_IN * C_IN * (C_OUT // GROUPS // GROUPS) * K
SAME_SIZE = "computes the size as if `padding: same` added ⌊d·(f − 1)/2⌋ zeros on both sides"
GROUPS_TWICE = "divides by the groups twice, so a depthwise one counts 0"
SIZE_AS_TUPLE = "assumes `size` as a tuple; with an integer, the tool counts that integer"
NO_MACS = "the tool counts FLOPs of recurrent layers, but no MACs"
PROFILED_MACS: dict[str, Formula | CountingRule] = {
    "conv": fault(PROFILED_CONV, SAME_SIZE),
    "transposed_conv": fault(PROFILED_TRANSPOSED, GROUPS_TWICE),
    "linear": MACS,
    "matmul": depends(MACS, "assumes torch.matmul; the operator @ and bmm count 0"),
    "attention": UNKNOWN_ATTENTION,
    "recurrent": fault(ZERO, NO_MACS),
}
PROFILED_FLOPS: dict[str, Formula | CountingRule] = {
    "conv": fault(2 * PROFILED_CONV + HAS_BIAS * C_OUT * CONV_POSITIONS, SAME_SIZE),
    "transposed_conv": fault(
        2 * PROFILED_TRANSPOSED + HAS_BIAS * (C_OUT // GROUPS) * WRONG_POSITIONS,
        f"{GROUPS_TWICE}; counts biases at the output size of a plain convolution",
    ),
    "linear": 2 * MACS,
    "matmul": depends(2 * MACS, "assumes torch.matmul; the operator @ and bmm count 0"),
    "rnn": 2 * MACS - STATES + BIASES * POSITIONS_IN,
    "gru": 2 * MACS + STATES + BIASES * POSITIONS_IN,
    "lstm": 2 * (MACS - PROJECTIONS) + 2 * STATES + BIASES * POSITIONS_IN,
    "batch_norm": if_affine(2 * X, X),
    "group_norm layer_norm instance_norm": if_affine(5 * X, 4 * X),
    "local_response_norm": 4 * X + (NEIGHBOURS - 1) * POSITIONS_IN,
    "relu prelu elu leaky_relu silu gelu softmax pool": X,
    "log_softmax": ZERO,
    "resize": depends(if_scale(X, SAMPLE_POSITIONS), SIZE_AS_TUPLE),
    "relu6": depends(ZERO, "assumes nn.ReLU6; F.relu6 counts X"),
    "join": depends(ZERO, "assumes `+` and `*`; torch.add and torch.mul count Y"),
}
