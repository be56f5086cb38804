"""Shapes, kinds of layers, networks, measures and costs."""
