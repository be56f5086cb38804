"""The lowering rules of canonical operators, shared by all front ends. A rule reads tensors, adds
layers and returns a tensor."""
