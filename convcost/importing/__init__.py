"""Models become specs: a front end reads a model and draws its layers on an easel, one by one; the
drawing is put in order, written as a spec, read back, and held against the model.

    model ─ front end (onnx, torch, keras) ─▶ Easel ─▶ Drawing ─ structure ─▶ text ─ proof ─▶ spec
"""
