from convcost.conventions import UNKNOWN, ZERO, CountingRule, Y, convention

convention(
    "regnet_activations",
    word="acts",
    meaning="""The activations in the tables of RegNet, from pycls: outputs of convolutions and of
    the last linear layer only.""",
    source="Radosavovic et al., arXiv:2003.13678; pycls/models/blocks.py",
    per_sample=True,
    rules={
        "conv linear": Y,
        "transposed_conv deformable_conv matmul attention recurrent": CountingRule(
            UNKNOWN, depends="the blocks of RegNet have no such layer"
        ),
    },
    rest=ZERO,
    variants={
        "max_pools": {
            "meaning": """As newer versions of pycls: outputs of convolutions, of max pools and of
            the last linear layer.""",
            "rules": {"max_pool": Y},
        },
    },
)
