"""The section `variants`: networks that differ from their document in variables and size.

A variant is the document with some of its values replaced. Everything after this file reads it as a
document of its own.
"""

from collections.abc import Iterator

from convcost.language.fields import SET_EXAMPLE, Sections
from convcost.language.problems import Problems
from convcost.language.values import Entries
from convcost.language.yaml_nodes import Mapping, Node, Scalar, count_values
from convcost.model.suggestions import did_you_mean

MAX_VARIANTS = 1_000
MAX_VALUES = 500_000  # values of all variants together; each has all values of the document
REPLACED = ("source", "note", "published", "budget")
KEYS = ("set", "size", *REPLACED)
SIGNS = "a name has letters, digits, `_`, `-` and `.`"


def expand_variants(
    name: str, node: Mapping, problems: Problems
) -> Iterator[tuple[Scalar, Mapping]]:
    """The variants of the document `name`: the key of each, and its document."""
    sections = Sections(node, problems)
    if figures := node.get("published"):
        message = "a spec with variants cannot have `published` of its own"
        problems.add("CC104", message, figures, "move the figures to the variants")
    shared = {
        section: entry
        for section, entry in node.entries.items()
        if section not in ("variants", "published")
    }
    variants = sections.mapping("variants")
    if type(node.get("variants")) is Mapping and not variants:
        problems.add("CC103", "`variants` is empty", node.get("variants"), "leave it out")
    if len(variants) > MAX_VARIANTS:
        message = f"a document has at most {MAX_VARIANTS:,} variants, not {len(variants):,}"
        hint = "give values of variables with `--set` or `convcost search`"
        problems.add("CC110", message, node.get("variants"), hint)
        return
    read = [value for section, (_, value) in shared.items() if not section.startswith("x-")]
    if len(variants) * count_values(read, MAX_VALUES) > MAX_VALUES:
        message = f"the variants of a document have more than {MAX_VALUES:,} values in total"
        hint = (
            "each variant has all values of the document; move some of them to a file of their own"
        )
        problems.add("CC110", message, node.get("variants"), hint)
        return
    for text, (key, body) in variants.items():
        if not text.replace("_", "").replace("-", "").replace(".", "").isalnum():
            problems.add("CC107", f"`{text}` cannot be the name of a variant", key, SIGNS)
        elif type(body) is Mapping or (type(body) is Scalar and body.null):
            changes = body.entries if type(body) is Mapping else {}
            sections.check_keys("a variant", changes, KEYS)
            replaced = {section: changes[section] for section in REPLACED if section in changes}
            entries = {**shared, **replaced, "name": (key, key._replace(text=f"{name}-{text}"))}
            if "set" in changes:
                _replace_variables(entries, changes["set"][1], problems)
            if "size" in changes:
                _replace_size(entries, changes["size"], problems)
            yield key, node._replace(entries=entries)
        else:
            hint = "write {set: {width: 2}, size: 256}, or {} for the document as it is"
            problems.add("CC104", f"variant `{text}` must be a mapping", body, hint)


def _replace_variables(entries: Entries, settings: Node, problems: Problems) -> None:
    if type(settings) is not Mapping:
        problems.add("CC104", "`set` must be a mapping of variables", settings, SET_EXAMPLE)
        return
    key, variables = entries.get("vars", (None, None))
    variable_entries = dict(variables.entries) if type(variables) is Mapping else {}
    for name, (word, value) in settings.entries.items():
        if name in variable_entries:
            variable_entries[name] = variable_entries[name][0], value
        else:
            hint = did_you_mean(name, variable_entries)
            problems.add("CC113", f"there is no variable `{name}`", word, hint)
    if key is not None and type(variables) is Mapping:
        entries["vars"] = key, variables._replace(entries=variable_entries)


def _replace_size(entries: Entries, size: tuple[Scalar, Node], problems: Problems) -> None:
    key, shape = entries.get("input", (None, None))
    if key is None or type(shape) is not Mapping:
        problems.add("CC104", "`size` of a variant needs `input: {channels: …, size: …}`", size[0])
        return
    entries["input"] = key, shape._replace(entries={**shape.entries, "size": size})
