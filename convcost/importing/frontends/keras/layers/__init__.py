"""The lowering rules for the layers of Keras, one file for each family."""
