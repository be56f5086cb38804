from convcost.conventions import (
    BIAS,
    BIASES,
    BRANCHES,
    MACS,
    NEIGHBOURS,
    POSITIONS_IN,
    POSITIONS_OUT,
    PROJECTIONS,
    STATES,
    ZERO,
    K,
    N,
    X,
    Y,
    convention,
    depends,
    fault,
    if_affine,
)
from convcost.conventions._rules import SCALED, UNKNOWN_ATTENTION, if_scale

TWICE = "assumes a module, which counts twice: in its hook and in the function that it calls"

convention(
    "ptflops_pytorch",
    word="MACs",
    meaning="""`get_model_complexity_info` with `backend="pytorch"`, the default of 0.7:
    multiply-adds, biases, norms, activations and pools. It counts modules with hooks, for one
    sample, and replaces functions with counting ones, for the whole batch.""",
    version="0.7.5",
    source="ptflops/pytorch_ops.py",
    rules={
        "conv transposed_conv linear": (MACS + BIAS) // N,
        "deformable_conv": (MACS + BIAS + (BRANCHES + 22) * K * POSITIONS_OUT) // N,
        "matmul": depends(MACS, "torch.matmul; the operator @ counts 0"),
        "attention": UNKNOWN_ATTENTION,
        "rnn": (MACS + STATES + BIASES * POSITIONS_IN) // N,
        "gru": (MACS + 7 * STATES + BIASES * POSITIONS_IN) // N,
        "lstm": (MACS - PROJECTIONS + 10 * STATES + BIASES * POSITIONS_IN) // N,
        "batch_norm group_norm instance_norm": if_affine(2 * X // N, X // N),
        "layer_norm": fault(X // N, "looks for an attribute that a layer norm names otherwise"),
        "local_response_norm": 4 * X + (NEIGHBOURS - 1) * POSITIONS_IN,
        "relu prelu elu gelu": depends(X // N + X, TWICE),
        "relu6 leaky_relu": depends(X // N, "assumes a module; F.leaky_relu counts 0"),
        "silu softmax": X,
        "log_softmax": ZERO,
        "pool": depends(X // N + X, TWICE),
        "resize": depends(if_scale(Y // (N * N) + SCALED, Y // (N * N) + Y), TWICE),
        "join": depends(ZERO, "assumes `+` and `*`; torch.add and torch.mul count Y"),
    },
    rest=ZERO,
    variants={
        "once": {
            "meaning": """As ptflops_pytorch before 0.7.1, which did not replace functions: each
            module counts once.""",
            "version": "before 0.7.1",
            "rules": {
                "matmul local_response_norm silu softmax": ZERO,
                "relu prelu elu gelu pool": X // N,
                "resize": Y // (N * N),
            },
        },
        "functional_activations": {
            "assumption": "if it calls its activations as functions",
            "meaning": """As ptflops_pytorch, for a network that calls its activations as functions:
            F.relu(x) counts once, nn.ReLU twice.""",
            "rules": {"relu prelu elu gelu": X, "leaky_relu": ZERO},
        },
        "functional_pools": {
            "assumption": "if it calls its last pool as a function",
            "meaning": """As ptflops_pytorch, for a network that calls its last pool as a function:
            F.adaptive_avg_pool2d(x, 1) counts once, nn.AdaptiveAvgPool2d twice.""",
            "rules": {"adaptive_avg_pool global_avg_pool": X},
        },
        "mean_pools": {
            "assumption": "if its last pool is x.mean([2, 3])",
            "meaning": """As ptflops_pytorch, for a network that writes its last pool as
            x.mean([2, 3]), which counts 0.""",
            "rules": {"adaptive_avg_pool global_avg_pool": ZERO},
        },
    },
)
