from convcost.conventions import (
    BIAS,
    C_IN,
    C_OUT,
    MACS,
    POSITIONS_OUT,
    STRIDES,
    ZERO,
    K,
    X,
    Y,
    convention,
    depends,
    fault,
)

convention(
    "convnet_burden",
    word="FLOPs",
    meaning="""`burden` of convnet-burden, for MatConvNet: fused multiply-adds of convolutions and
    their biases; 2 for each output of a ReLU; 2 times the strides for each output of a pool. It
    assumes that batch norms are merged into convolutions.""",
    source="core/burden.m",
    rules={
        "conv linear": MACS + BIAS,
        "transposed_conv": fault(
            X * K * C_IN + BIAS, "uses the number of input channels in place of the filters"
        ),
        "relu leaky_relu": 2 * Y,
        "max_pool avg_pool": 2 * Y * STRIDES,
        "global_avg_pool global_max_pool": depends(
            2 * Y, "assumes a pool of the whole size with stride 1"
        ),
        "add": Y,
        "l2_norm local_response_norm": Y + (2 * C_OUT + 2) * POSITIONS_OUT,
        "max": X,
        "softmax batch_norm dropout concat flatten reshape crop": ZERO,
    },
    variants={
        "exp": {
            "meaning": """As convnet_burden, with its option includeExp: softmax counts 11 per
            output.""",
            "rules": {"softmax": 11 * Y},
        },
    },
)
