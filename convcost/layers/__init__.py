"""The kinds, one family a file. Every module here is found and imported by the registry."""
