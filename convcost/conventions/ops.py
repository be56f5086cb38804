from convcost.conventions import MACS, MACS_64, convention, if_binary

convention(
    "ops",
    word="OPs",
    meaning="""The operations of binary networks: 64 multiply-adds of 1-bit weights and 1-bit inputs
    count as 1, rounded up for each layer, and every other multiply-add counts as 1. The section
    `dtype` of the spec says which layers are binary.""",
    source="Liu et al., Bi-Real Net, arXiv:1808.00278; ReActNet, arXiv:2003.03488",
    rules={"*": if_binary(MACS_64, MACS)},
)
