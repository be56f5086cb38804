"""Writes a tree as YAML, in the layout that a person would use."""
