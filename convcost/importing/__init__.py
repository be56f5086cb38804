r"""Converts models to specs. A front end reads a model and lowers its operators to layers with a
GraphBuilder; passes rewrite the layer graph; the outline finds its structure; the text is written
and compared with the model.

    model ─ frontends (onnx, tflite, torch, keras) ─▶ GraphBuilder ─ passes ─▶ LayerGraph
      ─ outline ─ emit ─▶ text ─ verify, generalize ─▶ spec
"""
