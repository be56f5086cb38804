"""A drawing becomes a tree: runs of layers, joins with branches, sequences, blocks."""
