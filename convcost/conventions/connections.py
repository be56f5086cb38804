from convcost.conventions import BIAS, MACS, POOLED, ZERO, convention

convention(
    "connections",
    word="connections",
    meaning="""Every use of a weight or a bias by an output is one connection, and so is every
    element that a pool sums, as in the paper on LeNet-5. The output of a pool and its bias are
    `avg_pool` and `scale` with `shift`.""",
    source="LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, II.B",
    rules={
        "conv transposed_conv locally_connected linear": MACS + BIAS,
        "avg_pool": POOLED,
        "scale": BIAS,
        "matmul attention recurrent deformable_conv": MACS,
    },
    rest=ZERO,
)
