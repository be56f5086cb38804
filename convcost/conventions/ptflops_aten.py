from convcost.conventions import BIAS, MACS, ZERO, convention
from convcost.conventions._rules import UNKNOWN_ATTENTION, UNKNOWN_RECURRENT

convention(
    "ptflops_aten",
    word="MACs",
    meaning="""`get_model_complexity_info` with `backend="aten"`: multiply-adds of convolutions and
    matrix products, and their biases. The number is for the whole batch.""",
    version="0.7.5",
    source="ptflops/aten_ops.py",
    rules={
        "conv transposed_conv linear": MACS + BIAS,
        "matmul": MACS,
        "attention": UNKNOWN_ATTENTION,
        "recurrent": UNKNOWN_RECURRENT,
    },
    rest=ZERO,
)
