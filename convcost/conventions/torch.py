from convcost.conventions import ALL_PAIRS, MACS, ZERO, convention, depends
from convcost.conventions._rules import UNKNOWN_RECURRENT

convention(
    "torch",
    word="FLOPs",
    meaning="""`FlopCounterMode`, the counter of PyTorch: two operations per multiply-add of
    convolutions and matrix products. Everything else counts 0, also biases.""",
    version="2.6 to 2.14",
    source="torch/utils/flop_counter.py",
    rules={
        "conv transposed_conv linear matmul": 2 * MACS,
        "attention": depends(
            2 * ALL_PAIRS, "assumes a kernel with a formula; other kernels count 0"
        ),
        "recurrent": UNKNOWN_RECURRENT,
    },
    rest=ZERO,
)
