from convcost.conventions import ZERO, convention
from convcost.conventions._rules import PROFILED_FLOPS, PROFILED_MACS

convention(
    "calflops",
    word="MACs",
    meaning="""`calculate_flops`: multiply-adds of convolutions, linear layers and matrix products,
    without biases. Its FLOPs are `calflops:flops`.""",
    version="0.3.2",
    source="calflops/pytorch_ops.py",
    rules=PROFILED_MACS,
    rest=ZERO,
    variants={
        "flops": {
            "word": "FLOPs",
            "meaning": """The second number of calflops: two operations per multiply-add, the biases
            of convolutions, and norms, activations and pools. Biases of linear layers count 0.""",
            "rules": PROFILED_FLOPS,
        },
    },
)
