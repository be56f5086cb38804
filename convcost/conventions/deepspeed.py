from convcost.conventions import ZERO, convention, depends
from convcost.conventions._rules import (
    PROFILED_FLOPS,
    PROFILED_MACS,
    SAMPLE_POSITIONS,
    SCALED,
    SIZE_AS_TUPLE,
    if_scale,
)

convention(
    "deepspeed",
    word="MACs",
    meaning="""`get_model_profile` of the FLOPs profiler of DeepSpeed: multiply-adds of
    convolutions, linear layers and matrix products, without biases. Its FLOPs are
    `deepspeed:flops`.""",
    version="before August 2026",
    source="deepspeed/profiling/flops_profiler/profiler.py",
    rules=PROFILED_MACS,
    rest=ZERO,
    variants={
        "flops": {
            "word": "FLOPs",
            "meaning": """The second number of deepspeed: two operations per multiply-add, the
            biases of convolutions, and norms, activations and pools. Biases of linear layers
            count 0.""",
            "rules": {
                **PROFILED_FLOPS,
                "resize": depends(if_scale(SCALED, SAMPLE_POSITIONS), SIZE_AS_TUPLE),
            },
        },
    },
)
