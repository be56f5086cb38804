"""The validators of reports, and the forms of the records in a report."""

from functools import cache

from jsonschema import Draft202012Validator

from convcost.reports.schema.named import named_schema


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of a schema of convcost by name, such as `convcost.check/1`.

    It does not check the schema itself, which tests/reports/schema/ does once.
    """
    return Draft202012Validator(named_schema(name))


def distinct(value):
    """A report with the first record of each form in its lists, and its own form: the types of all
    values, and each word. A schema accepts all records of a form or none."""
    if isinstance(value, dict):
        parts = {key: distinct(item) for key, item in value.items()}
        whole = {key: part for key, (part, _) in parts.items()}
        return whole, tuple((key, form) for key, (_, form) in parts.items())
    if isinstance(value, list) and value and isinstance(value[0], dict):
        forms = {}
        for item in value:
            part, form = distinct(item)
            forms.setdefault(form, part)
        return list(forms.values()), tuple(forms)
    if isinstance(value, list):
        return value, tuple(map(type, value))
    return value, value if isinstance(value, str) and value.isalpha() else type(value)
