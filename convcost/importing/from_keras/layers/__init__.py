"""How the layers of Keras are drawn: one file a family."""
