from convcost.conventions import (
    BIAS,
    BIASES,
    C_IN,
    MACS,
    POSITIONS_IN,
    POSITIONS_OUT,
    STATES,
    UNPROJECTED,
    WEIGHTS,
    ZERO,
    K,
    X,
    Y,
    by_axes,
    by_mode,
    convention,
    depends,
    fault,
    if_affine,
)
from convcost.conventions._rules import UNKNOWN_ATTENTION

UNSEEN = "functions such as F.relu, torch.matmul and `+` have no hooks and count 0"

convention(
    "thop",
    word="MACs",
    meaning="""`profile` of pytorch-OpCounter: multiply-adds of convolutions and linear layers
    without biases, and operations of norms, average pools and softmax, in one sum.""",
    version="0.1.1",
    source="thop/profile.py, thop/vision/basic_hooks.py, thop/vision/calc_func.py",
    rules={
        "conv linear": MACS,
        "transposed_conv": fault(
            WEIGHTS * POSITIONS_OUT,
            "counts positions of the output, not of the input: s² times too many",
        ),
        "matmul": fault(ZERO, UNSEEN),
        "attention": UNKNOWN_ATTENTION,
        "rnn": MACS + STATES + BIASES * POSITIONS_IN,
        "gru": MACS + 7 * STATES + BIASES * POSITIONS_IN,
        "lstm": UNPROJECTED + 8 * STATES + BIASES * POSITIONS_IN,
        "batch_norm layer_norm instance_norm": if_affine(4 * X, 2 * X),
        "prelu": X,
        "softmax": depends(3 * X - X // C_IN, "assumes nn.Softmax over the channels"),
        "log_softmax": fault(ZERO, "has no hook"),
        "avg_pool": fault(Y, "ignores the size of the window"),
        "adaptive_avg_pool global_avg_pool": depends(
            X + Y, "assumes nn.AdaptiveAvgPool2d; the mean over axes counts 0"
        ),
        "resize": by_mode(nearest=Y, linear=by_axes(5, 11, 0), cubic=259 * Y),
        "join": depends(ZERO, "assumes `+` and `*`, which have no hooks and count 0"),
    },
    rest=ZERO,
    variants={
        "functional_pools": {
            "assumption": "if it calls its last pool as a function",
            "meaning": """As thop, for a network that calls its last pool as a function:
            F.adaptive_avg_pool2d(x, 1) counts 0.""",
            "rules": {"adaptive_avg_pool global_avg_pool": ZERO},
        },
        "before_0_1": {
            "version": "0.0.31",
            "meaning": """As thop before version 0.1: a batch norm counts two operations for each
            element, and the biases of convolutions count. Other norms and softmax have no hooks.
            """,
            "rules": {
                "conv": MACS + BIAS,
                "transposed_conv": fault(
                    WEIGHTS * POSITIONS_OUT + BIAS,
                    "counts positions of the output, not of the input: s² times too many",
                ),
                "batch_norm": 2 * X,
                "layer_norm instance_norm prelu softmax": fault(ZERO, "has no hook"),
                "leaky_relu": X,
                "adaptive_avg_pool global_avg_pool": depends(
                    Y * (K + 1), "assumes nn.AdaptiveAvgPool2d; the mean over axes counts 0"
                ),
                "resize": by_mode(nearest=ZERO, linear=by_axes(5, 11, 0), cubic=259 * Y),
            },
        },
    },
)
