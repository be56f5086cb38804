r"""Finds the sizes at which a model's spec is valid, by reading the model again at other sizes.

model at several sizes ─ size_expressions ─▶ options that depend on the size ─ spec ─▶ text
text ─ verify_at_size ─▶ sizes that the spec allows
"""
