"""The layer graph of a model, and the builder that creates it."""
