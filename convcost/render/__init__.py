"""The formats, one a file. Every module here is found and imported by the registry."""
