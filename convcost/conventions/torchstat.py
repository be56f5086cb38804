from convcost.conventions import (
    BIAS,
    C_IN,
    C_OUT,
    GROUPS,
    HAS_BIAS,
    MACS,
    POSITIONS_IN,
    POSITIONS_OUT,
    ZERO,
    Formula,
    K,
    X,
    Y,
    convention,
    depends,
    fault,
    if_affine,
    if_axes,
)

SWAPPED = "the names are swapped: Flops are multiply-adds, MAdd counts both operations"
NO_FORMULA = "the tool has no formula, counts 0 and prints a message"


def in_2d(formula: Formula) -> Formula:
    """The formula of a module that the tool has for images only."""
    return if_axes(2, formula, ZERO)


convention(
    "torchstat",
    word="Flops",
    meaning="""The column Flops of `stat`: multiply-adds with the biases of convolutions, and norms,
    activations and pools. Its MAdd is `torchstat:madd`.""",
    version="0.0.7",
    source="torchstat/compute_flops.py, torchstat/compute_madd.py",
    rules={
        "conv": fault(in_2d(MACS + BIAS), SWAPPED),
        "linear": fault(MACS, SWAPPED),
        "transposed_conv": fault(ZERO, NO_FORMULA),
        "batch_norm": in_2d(if_affine(2 * X, X)),
        "relu relu6 prelu elu leaky_relu": X,
        "max_pool avg_pool": in_2d(X),
        "resize": fault(POSITIONS_OUT, "leaves out the channels"),
        "join move": depends(ZERO, "assumes functions; the tool counts modules only"),
    },
    rest=fault(ZERO, NO_FORMULA),
    variants={
        "madd": {
            "word": "MAdd",
            "meaning": "The column MAdd of `stat`: multiplications and additions of one sample.",
            "per_sample": True,
            "rules": {
                "conv": fault(in_2d(2 * MACS - Y + BIAS), SWAPPED),
                "linear": fault(2 * MACS - Y, SWAPPED),
                "transposed_conv": in_2d(
                    POSITIONS_IN * C_OUT * (2 * K * (C_IN // GROUPS) - 1 + HAS_BIAS)
                ),
                "batch_norm": in_2d(4 * X),
                "relu relu6": X,
                "prelu elu leaky_relu resize": fault(ZERO, NO_FORMULA),
                "softmax": 3 * X - 1,
                "log_softmax": fault(ZERO, NO_FORMULA),
                "max_pool": in_2d((K - 1) * Y),
                "avg_pool": in_2d(K * Y),
            },
        },
    },
)
