"""Does the spec of a model hold at other sizes? A second drawing of the model tells.

model at two sizes ─ follow ─▶ options that go with the size ─ spec ─▶ text ─ hold ─▶ sizes it takes
"""
