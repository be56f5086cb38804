"""The JSON Schemas: of the spec language, made from the kinds there are, and of the reports."""
