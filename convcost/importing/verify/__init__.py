"""Checks that the text of a spec describes a model."""
