from math import prod

from convcost.conventions import (
    AXES,
    BIAS,
    BIASES,
    BRANCHES,
    MACS,
    NEIGHBOURS,
    POOLED,
    POSITIONS_IN,
    SCALE,
    SCORES,
    STATES,
    ZERO,
    Formula,
    LayerUse,
    X,
    Y,
    by_mode,
    choose,
    convention,
    depends,
    quantity,
)

LINEAR = Formula(
    "(2^(d + 1) − 1)", lambda use: 2 ** (len(use.output.size) + 1) - 1, AXES.quantities
)
CUBIC = Formula("(2·4^d − 1)", lambda use: 2 * 4 ** len(use.output.size) - 1, AXES.quantities)


# As many multiplications as experts are taken, and one addition less.
TAKEN = Formula(
    "(2·k − 1)", lambda use: int(2 * use.option("take", 1) - 1), {"k": "experts that are taken"}
)


HALVES = Formula("⌈5/2·macs⌉", lambda use: -(-5 * MACS.evaluate(use) // 2), MACS.quantities)


def _scan_terms(use: LayerUse, term: int) -> int:
    """The multiply-adds of a scan: those of the states are its term 0, those of the skip term 1."""
    terms = use.layer.macs(use.x).terms
    return use.batch * prod(factor.value for factor in terms[term]) if term < len(terms) else 0


SCANNED = quantity("S", "channels × states × steps", lambda use: _scan_terms(use, 0) // 3)
SKIPPED = quantity(
    "D", "operations of the skip: 2 for each element", lambda use: 2 * _scan_terms(use, 1)
)


convention(
    "flops",
    word="FLOPs",
    meaning="""Two operations per multiply-add, and one for each other operation, such as the
    addition of a bias. An operation is an addition, subtraction, multiplication, division,
    comparison, root or power, or an exponential or trigonometric function. A batch norm is one
    multiplication and one addition per element, as at inference. Operations on one number per
    channel or per position, such as the root of a variance, count 0. Moving elements counts 0.""",
    source="convcost",
    pruned=True,
    rules={
        "conv transposed_conv locally_connected linear": 2 * MACS + BIAS,
        "deformable_conv": depends(
            2 * MACS + BIAS, "sampling at the offsets and multiplying by the mask count 0"
        ),
        "matmul contraction": 2 * MACS,
        "stated": depends(2 * MACS, "stated biases count 0: how often they are added is open"),
        "attention": 2 * MACS + 6 * SCORES,
        "rnn": 2 * MACS + BIASES * POSITIONS_IN + 2 * STATES,
        "gru": 2 * MACS + BIASES * POSITIONS_IN + 17 * STATES,
        "lstm": 2 * MACS + BIASES * POSITIONS_IN + 22 * STATES,
        "batch_norm": 2 * X,
        "group_norm layer_norm instance_norm": 5 * X + SCALE + BIAS,
        "rms_norm": 3 * X + SCALE + BIAS,
        "l2_norm": 3 * X,
        "global_response_norm": 4 * X + SCALE + BIAS,
        "local_response_norm": NEIGHBOURS * X + 5 * X,
        "scale": SCALE + BIAS,
        "relu sign tanh threshold": Y,
        "relu6 hard_tanh leaky_relu prelu hard_shrink tanh_shrink": 2 * Y,
        "soft_shrink softsign softplus": 3 * Y,
        "sigmoid hard_sigmoid elu": 4 * Y,
        "silu hard_swish gelu mish selu celu log_sigmoid": 5 * Y,
        "quick_gelu": 6 * Y,
        "glu": depends(5 * Y, "assumes that the function of GLU is a sigmoid"),
        "elementwise": choose(
            lambda use: use.option("function") == "affine", "other functions", 2 * Y, Y
        ),
        "softmax": 5 * Y,
        "max_pool adaptive_max_pool global_max_pool": POOLED - Y,
        "avg_pool adaptive_avg_pool global_avg_pool": POOLED,
        "mean": X,
        "sum max min": X - Y,
        "join": (BRANCHES - 1) * Y,
        "fft": depends(HALVES, "as FFTW counts: 5·N·log2 N of N complex points, half of real ones"),
        "selective_scan": depends(
            9 * SCANNED + SKIPPED, "9 for each state and step, as the authors of Mamba count"
        ),
        "experts": depends(
            TAKEN * Y + (BRANCHES - 2) * Y, "the function of the gate and the choice count 0"
        ),
        "resize sampling": by_mode(nearest=ZERO, linear=LINEAR * Y, cubic=CUBIC * Y),
        "move lookup": ZERO,
    },
)
