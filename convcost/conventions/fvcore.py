from convcost.conventions import (
    MACS,
    ZERO,
    X,
    Y,
    by_mode,
    convention,
    depends,
    fault,
    if_affine,
    if_axes,
    if_words_as_padding,
)
from convcost.conventions._rules import UNKNOWN_ATTENTION

convention(
    "fvcore",
    word="flops",
    meaning="""`FlopCountAnalysis`: a multiply-add is one flop, and norms, adaptive average pools
    and resizes count too. Other operators count 0, and a warning names them.""",
    version="0.1.5",
    source="fvcore/nn/flop_count.py, fvcore/nn/jit_handles.py",
    rules={
        "conv": fault(
            if_words_as_padding(ZERO, MACS),
            "with `padding: same` or `valid`, PyTorch calls another operator, which counts 0",
        ),
        "transposed_conv linear matmul": MACS,
        "attention": UNKNOWN_ATTENTION,
        "batch_norm": if_affine(2 * X, X),
        "group_norm layer_norm instance_norm": if_affine(5 * X, 4 * X),
        "adaptive_avg_pool global_avg_pool": depends(
            if_axes(2, X, ZERO), "assumes nn.AdaptiveAvgPool2d; the mean over axes counts 0"
        ),
        "resize": if_axes(2, by_mode(nearest=Y, linear=4 * Y), ZERO),
        "sampling": fault(4 * Y, "counts every mode as linear"),
    },
    rest=ZERO,
    variants={
        "padding_numbers": {
            "assumption": "if its paddings are numbers, not words",
            "meaning": """As fvcore, for a network in PyTorch that has numbers as paddings where
            the spec has `same`.""",
            "rules": {"conv": MACS},
        },
        "mean_pools": {
            "assumption": "if its last pool is x.mean([2, 3])",
            "meaning": """As fvcore, for a network that writes its last pool as x.mean([2, 3]),
            which counts 0.""",
            "rules": {"adaptive_avg_pool global_avg_pool": ZERO},
        },
    },
)
