"""A tree becomes YAML as a person would lay it out."""
