"""The spec language: text to document to network."""
