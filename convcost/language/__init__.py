"""The spec language: parses a text to documents, and builds networks from documents."""
