from convcost.conventions import BIAS, MACS, ZERO, convention

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
            "meaning": "As macs, and each addition of a bias counts 1.",
            "rules": {"conv transposed_conv linear": MACS + BIAS},
        },
        "convolutions": {
            "meaning": "The macs of convolutions only.",
            "rules": {"linear matmul attention recurrent": ZERO},
        },
    },
)
