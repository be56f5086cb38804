from math import prod

from convcost.conventions import (
    BIAS,
    BRANCHES,
    C_OUT,
    GROUPS,
    MACS,
    UNKNOWN,
    ZERO,
    CountingRule,
    Formula,
    K,
    LayerUse,
    X,
    Y,
    by_mode,
    choose,
    convention,
    depends,
    fault,
    if_axes,
    quantity,
)
from convcost.conventions._rules import UNKNOWN_ATTENTION, UNKNOWN_RECURRENT


def _folded(use: LayerUse) -> bool:
    return use.before is not None and use.before.operation == "conv"


def _first_side(use: LayerUse) -> int:
    return use.windows[0].f if use.windows else use.inputs[0].size[0] // use.output.size[0]


WINDOWS = if_axes(2, Y * K, Y * quantity("k", "the first side of the window", _first_side))
FIRST_SIDE = "for a 3D pool, counts the first side of the window in place of its elements"
NEW_BIAS = Formula(
    "Y if the convolution had no bias",
    lambda use: 0 if getattr(use.before, "bias", False) else Y.evaluate(use),
)

convention(
    "onnx_tool",
    word="MACs",
    meaning="""The profile of onnx-tool: instructions by a table of costs; a division costs 4, a
    root 24 and an exponential 32. convcost assumes a file from `torch.onnx.export`, which folds a
    batch norm into the convolution before it.""",
    version="1.0.1",
    source="onnx_tool/node.py",
    rules={
        "conv linear": MACS + BIAS,
        "transposed_conv": fault(
            Y * (C_OUT // GROUPS) * K + BIAS,
            "uses the outputs of a group in place of the input channels, at the output size",
        ),
        "matmul": MACS,
        "attention": UNKNOWN_ATTENTION,
        "recurrent": UNKNOWN_RECURRENT,
        "batch_norm": depends(
            choose(_folded, "not after a convolution", NEW_BIAS, 31 * Y),
            "the export folds a norm into the convolution before it, which then has a bias",
        ),
        "group_norm": depends(9 * Y, "assumes an export with opset 13, and with scale and shift"),
        "instance_norm": 7 * Y,
        "norm scale": CountingRule(
            UNKNOWN, depends="the operators depend on the opset of the export"
        ),
        "relu": Y,
        "relu6 leaky_relu prelu": 2 * Y,
        "elu": 35 * Y,
        "gelu": depends(7 * Y, "assumes the exact GELU, exported with opset 13"),
        "silu": 33 * Y,
        "sigmoid": 32 * Y,
        "tanh": fault(76 * Y, "the tool counts it twice"),
        "hard_swish": 5 * Y,
        "hard_sigmoid": 4 * Y,
        "softmax": 36 * Y,
        "log_softmax": 80 * Y,
        "softplus": 76 * Y,
        "max_pool avg_pool": fault(WINDOWS, FIRST_SIDE),
        "adaptive_avg_pool": fault(
            choose(lambda use: prod(use.output.size) == 1, "to a larger size", X + 4 * Y, WINDOWS),
            FIRST_SIDE,
        ),
        "global_avg_pool": X + 4 * Y,
        "mean sum max min": X,
        "add subtract multiply maximum minimum": (BRANCHES - 1) * Y,
        "divide": 4 * (BRANCHES - 1) * Y,
        "resize": by_mode(nearest=ZERO, linear=4 * Y, cubic=8 * Y),
        "move lookup": ZERO,
    },
)
