from convcost.conventions import ZERO, Y, convention
from convcost.conventions._rules import UNKNOWN_ATTENTION

convention(
    "timm_activations",
    word="activations",
    meaning="""The activations in the tables of timm, from `ActivationCountAnalysis` of fvcore:
    outputs of convolutions and matrix products only. The outputs of norms, activations, pools and
    joins count 0.""",
    version="fvcore 0.1.5",
    source="fvcore/nn/activation_count.py",
    rules={"conv transposed_conv linear matmul": Y, "attention": UNKNOWN_ATTENTION},
    rest=ZERO,
)
