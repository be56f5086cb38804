from convcost.conventions import (
    ALL_PAIRS,
    BRANCHES,
    C_IN,
    GROUPS,
    MACS,
    NARROW,
    SCALE,
    ZERO,
    K,
    Y,
    by_mode,
    choose,
    convention,
    fault,
    if_affine,
    if_axes,
    if_words_as_padding,
)

convention(
    "torchprofile",
    word="MACs",
    meaning="""`profile_macs`: multiply-adds of convolutions and matrix products without biases, and
    one for each output of norms, average pools, means and products of tensors.""",
    version="0.1.0",
    source="torchprofile/handlers.py",
    rules={
        "conv": fault(
            if_words_as_padding(ZERO, MACS),
            "with `padding: same` or `valid`, PyTorch calls another operator, which counts 0",
        ),
        "transposed_conv": fault(
            choose(
                lambda use: use.output.channels == use.inputs[0].channels,
                "if C_in and C_out differ",
                Y * (C_IN // GROUPS) * K,
                Y * C_IN * K,
            ),
            "counts as a convolution, and reads the channels from the wrong axis of the weights",
        ),
        "linear matmul": MACS,
        "lstm": NARROW,
        "attention": ALL_PAIRS,
        "batch_norm layer_norm group_norm instance_norm": if_affine(Y, ZERO),
        "local_response_norm": 3 * Y,
        "avg_pool adaptive_avg_pool global_avg_pool mean leaky_relu": Y,
        "quick_gelu": 2 * Y,
        "scale": SCALE,
        "multiply": (BRANCHES - 1) * Y,
        "resize": if_axes(2, by_mode(linear=4 * Y), ZERO),
        "sampling": by_mode(nearest=ZERO, linear=4 * Y, cubic=16 * Y),
    },
    rest=ZERO,
    variants={
        "padding_numbers": {
            "assumption": "if its paddings are numbers, not words",
            "meaning": """As torchprofile, for a network in PyTorch that has numbers as paddings
            where the spec has `same`.""",
            "rules": {"conv": MACS},
        },
    },
)
