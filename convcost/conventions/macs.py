from convcost.conventions import MACS, UNKNOWN, ZERO, CountingRule, convention, depends
from convcost.conventions._rules import MACS_WITH_BIASES

UNDECLARED = CountingRule(UNKNOWN, depends="the kind declares no operation")

convention(
    "macs",
    word="macs",
    meaning="""One multiply and one add count as 1, in convolutions, linear layers and matrix
    products. Biases, norms, activations, pools and joins count 0. This is the default.""",
    source="convcost",
    pruned=True,
    rules={"*": MACS},
    variants={
        "biases": {
            "meaning": """As macs, and each addition of a bias counts 1. Norms count 0, also their
            shift.""",
            "rules": {
                **MACS_WITH_BIASES,
                "stated": depends(MACS, "stated biases count 0: how often they are added is open"),
                "*": UNDECLARED,
            },
            "rest": MACS,
        },
        "convolutions": {
            "meaning": "The macs of convolutions only.",
            "rules": {
                "conv transposed_conv deformable_conv locally_connected": MACS,
                "contraction": ZERO,
                "stated": depends(MACS, "assumes that a layer with stated costs is a convolution"),
                "*": UNDECLARED,
            },
            "rest": ZERO,
        },
    },
)
