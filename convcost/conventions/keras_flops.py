from convcost.conventions import (
    BIAS,
    BRANCHES,
    C_IN,
    MACS,
    STRIDES,
    ZERO,
    K,
    X,
    Y,
    convention,
    depends,
    fault,
    if_axes,
)

NO_3D = "the profiler has no statistics of a 3D"

convention(
    "keras_flops",
    word="FLOPs",
    meaning="""`get_flops` of keras-flops: the profiler of TensorFlow, with two operations per
    multiply-add, and biases, batch norms, pools and joins. Operators without statistics count 0,
    and no warning says so.""",
    version="0.1.2",
    source="keras_flops/flops_registory.py, tensorflow/python/profiler/internal/flops_registry.py",
    rules={
        "conv linear": 2 * MACS + BIAS,
        "transposed_conv": fault(
            if_axes(3, BIAS, 2 * Y * C_IN * K // STRIDES + BIAS), f"{NO_3D} transposed convolution"
        ),
        "matmul": fault(ZERO, "the operator BatchMatMul has no statistics"),
        "batch_norm": 2 * X + 6 * C_IN,
        "softmax": 5 * X,
        "log_softmax": fault(ZERO, "the operator LogSoftmax has no statistics"),
        "max_pool avg_pool": fault(if_axes(3, ZERO, K * Y), f"{NO_3D} pool"),
        "global_avg_pool mean": X,
        "global_max_pool sum max": X - Y,
        "add subtract multiply divide maximum minimum": (BRANCHES - 1) * Y,
        "relu relu6 elu selu sigmoid tanh softplus softsign leaky_relu": depends(
            ZERO, "assumes an operator of its own, which has no statistics"
        ),
        "resize move lookup": ZERO,
    },
)
