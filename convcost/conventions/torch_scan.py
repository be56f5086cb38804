from math import prod

from convcost.conventions import (
    AXES,
    BIAS,
    C_IN,
    GROUPS,
    K_INT,
    MACS,
    SCALE,
    ZERO,
    K,
    LayerUse,
    X,
    Y,
    convention,
    depends,
    fault,
    if_affine,
    quantity,
)


def _ratio(use: LayerUse) -> int:
    sizes = zip(use.inputs[0].size, use.output.size, strict=True)
    return prod(n % o + 1 if n % o else n // o for n, o in sizes)


def _means(use: LayerUse) -> int:
    all_at_once = use.option("over") == "all"
    return use.batch if all_at_once else X.evaluate(use) // use.inputs[0].channels


MEANS = quantity("R", "means of the norm", _means)
K_RATIO = quantity("K'", "input size divided by output size, multiplied over all axes", _ratio)
OUTPUTS = Y * (C_IN // GROUPS) * K
AS_CONV = "counts as a convolution, with the positions of the output and with its padding"
INT_KERNEL = "for a kernel given as an int, counts one side, not the area; a tuple counts correctly"
UNSEEN = "assumes functions in `forward`, which have no hooks and count 0"

convention(
    "torch_scan",
    word="MACs",
    meaning="""`summary` of torch-scan: multiply-adds of convolutions and linear layers, and
    operations of batch norms and pools. Modules without a formula are missing in its sum; convcost
    names them. Its FLOPs are `torch_scan:flops`.""",
    version="0.2.0",
    source="torchscan/modules/macs.py, torchscan/modules/flops.py",
    rules={
        "conv linear": MACS,
        "transposed_conv": fault(OUTPUTS + 4 * AXES, AS_CONV),
        "batch_norm": if_affine(2 * X, X),
        "relu relu6 leaky_relu elu tanh sigmoid dropout": ZERO,
        "max_pool": fault(Y * (K_INT - 1), INT_KERNEL),
        "avg_pool": fault(Y * (K_INT - 1 + AXES), INT_KERNEL),
        "adaptive_max_pool global_max_pool": Y * (K_RATIO - 1),
        "adaptive_avg_pool global_avg_pool": Y * (K_RATIO - 1 + AXES),
        "flatten identity": ZERO,
        "join move": depends(ZERO, UNSEEN),
    },
    variants={
        "functional_pools": {
            "assumption": "if it calls its last pool as a function",
            "meaning": """As torch_scan, for a network that calls its last pool as a function, which
            counts 0.""",
            "rules": {"adaptive_avg_pool global_avg_pool": ZERO},
        },
        "flops": {
            "word": "FLOPs",
            "meaning": """The second number of torch-scan: multiplications and additions. A sum of n
            products counts n multiplications and n − 1 additions.""",
            "rules": {
                "conv linear": 2 * MACS - Y + BIAS,
                "transposed_conv": fault(2 * OUTPUTS - Y + BIAS + 8 * AXES, AS_CONV),
                "batch_norm": 2 * C_IN + if_affine(4 * X, 2 * X),
                "layer_norm": 6 * X + 2 * MEANS + SCALE + BIAS,
                "relu": X,
                "dropout": X,
                "relu6": 2 * X,
                "leaky_relu sigmoid": 4 * X,
                "elu tanh": 6 * X,
            },
        },
    },
)
