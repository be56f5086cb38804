"""Passes over the layer graph, and the rules that lower operators to layers."""
