from convcost.conventions import (
    BIASES,
    C_IN,
    MACS,
    POOLED,
    POSITIONS_IN,
    STATES,
    ZERO,
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

convention(
    "ultralytics_thop",
    word="MACs",
    meaning="""`profile` of the thop of Ultralytics: the rules of thop, with corrections for
    transposed convolutions and average pools.""",
    version="2.2",
    source="thop/profile.py, thop/vision/basic_hooks.py, thop/vision/calc_func.py",
    rules={
        "conv transposed_conv linear": MACS,
        "matmul": fault(ZERO, "torch.matmul is a function, and functions count 0"),
        "attention": UNKNOWN_ATTENTION,
        "rnn": MACS + STATES + BIASES * POSITIONS_IN,
        "gru": MACS + 7 * STATES + BIASES * POSITIONS_IN,
        "lstm": MACS + 8 * STATES + BIASES * POSITIONS_IN,
        "batch_norm layer_norm rms_norm group_norm instance_norm": if_affine(4 * X, 2 * X),
        "prelu": X,
        "softmax": depends(3 * X - X // C_IN, "assumes nn.Softmax over the channels"),
        "log_softmax": depends(3 * X, "assumes nn.LogSoftmax over the channels"),
        "avg_pool": POOLED + Y,
        "adaptive_avg_pool global_avg_pool": depends(
            POOLED + Y, "assumes nn.AdaptiveAvgPool2d; the mean over axes counts 0"
        ),
        "resize": by_mode(nearest=ZERO, linear=by_axes(5, 11, 31), cubic=259 * Y),
        "join": depends(ZERO, "assumes `+` and `*`, which have no hooks and count 0"),
    },
    rest=ZERO,
    variants={
        "functional_pools": {
            "assumption": "if it calls its last pool as a function",
            "meaning": """As ultralytics_thop, for a network that calls its last pool as a function,
            which counts 0.""",
            "rules": {"adaptive_avg_pool global_avg_pool": ZERO},
        },
        "yolo": {
            "word": "FLOPs",
            "factor": 2,
            "meaning": """What YOLO prints as GFLOPs: 2 × MACs. YOLO counts with an input as large
            as its largest stride, and scales the number to the size. The result is the same for
            every size that is a multiple of the stride.""",
            "source": "ultralytics/utils/torch_utils.py",
        },
    },
)
