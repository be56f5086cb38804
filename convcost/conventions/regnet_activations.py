from convcost.conventions import ZERO, Y, convention

convention(
    "regnet_activations",
    word="acts",
    meaning="""The activations in the tables of RegNet, from pycls: outputs of convolutions and of
    the last linear layer only.""",
    source="Radosavovic et al., arXiv:2003.13678; pycls/models/blocks.py",
    per_sample=True,
    rules={"conv linear": Y},
    rest=ZERO,
)
