"""The strokes that all front ends draw with: tensors in, a tensor out, layers put down between."""
