from convcost.conventions import MACS, POOLED, convention
from convcost.conventions._rules import MACS_WITH_BIASES

convention(
    "connections",
    word="connections",
    meaning="""Every use of a weight or a bias by an output is one connection, and so is every
    element that a pool sums, as in the paper on LeNet-5. The output of a pool and its bias are
    `avg_pool` and `scale` with `shift`. As in the paper, a factor that multiplies one element
    counts 0, and so do norms and activations.""",
    source="LeCun et al., Gradient-Based Learning Applied to Document Recognition, 1998, II.B",
    rules={**MACS_WITH_BIASES, "avg_pool": POOLED},
    rest=MACS,
)
