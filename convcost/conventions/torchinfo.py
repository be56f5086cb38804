from convcost.conventions import (
    BIAS,
    MACS,
    PARAMS,
    POSITIONS_IN,
    POSITIONS_OUT,
    UNKNOWN,
    WEIGHTS,
    ZERO,
    CountingRule,
    N,
    convention,
    fault,
)

PER_PARAM = "each param counts once per sample, not once for each element or position"

convention(
    "torchinfo",
    word="mult-adds",
    meaning="""`summary`: each param of a module counts once for each position that the module
    computes. Functions, and modules without params, count 0.""",
    version="1.8.0",
    source="torchinfo/layer_info.py",
    rules={
        "conv deformable_conv": MACS + BIAS,
        "transposed_conv": fault(
            WEIGHTS * POSITIONS_OUT + BIAS,
            "counts positions of the output, not of the input: s² times too many",
        ),
        "linear": fault(N * PARAMS, PER_PARAM),
        "matmul attention": fault(ZERO, "the tool counts modules only; functions count 0"),
        "recurrent": PARAMS * POSITIONS_IN,
        "norm prelu lookup": fault(N * PARAMS, PER_PARAM),
        "scale": CountingRule(UNKNOWN, depends="the number depends on the name of the parameter"),
    },
    rest=ZERO,
)
