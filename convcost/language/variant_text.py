"""The text of a variant as a document of its own: an edit of it does not change other variants."""

import json
from collections.abc import Iterator
from typing import TypeAlias

from convcost.language.load import Documents
from convcost.language.problems import Problems
from convcost.language.variants import expand_variants
from convcost.language.yaml_nodes import Mapping, Node, parse_documents
from convcost.model.costs import costs
from convcost.model.errors import ConstraintError, Source
from convcost.model.network import Network

Edit: TypeAlias = tuple[int, int, str]  # from one offset to another, and the new text


def as_document(source: Source, pick: str) -> tuple[Source, str]:
    """The source with the variant `pick` in place of the document of all variants, and the name of
    its network. If `pick` is a document, both are returned as they are.

    Raises SpecError, and ConstraintError if a value cannot be moved in the text.
    """
    documents = Documents(source)
    names = documents.variants
    name = names.get(pick, pick)
    if name not in names.values():
        return source, pick
    (before,) = documents.load(pick=name)
    key = next(key for key, network in names.items() if network == name)
    text = source.text
    for start, end, new in sorted(_edits(text, key, name), reverse=True):
        text = text[:start] + new + text[end:]
    changed = Source(source.name, text)
    (after,) = Documents(changed).load(pick=name)
    if _layers(before) != _layers(after):
        message = f"the variant `{key}` cannot be written as a spec of its own"
        raise ConstraintError("CC004", message, "copy its values to `vars` by hand")
    return changed, name


def _edits(text: str, key: str, name: str) -> Iterator[Edit]:
    for node in parse_documents(text)[0]:
        if type(node) is Mapping and node.get("variants") is not None:
            for word, variant in expand_variants("", node, Problems()):
                if word.text == key:
                    yield from _differences(text, node, variant, name)


def _differences(text: str, document: Mapping, variant: Mapping, name: str) -> Iterator[Edit]:
    """The edits that make a variant of its document. The two share all nodes that are equal."""
    word, section = document.entries["variants"]
    start, end = word.start.index, _span(text, section)[1]
    added = []
    for title in ("name", "budget"):
        old, variant_node = document.get(title), variant.get(title)
        if variant_node is None or variant_node is old:
            continue
        quoted = json.dumps(name, ensure_ascii=False)
        new = quoted if title == "name" else text[slice(*_span(text, variant_node))]
        if old is None:
            added.append(f"{title}: {new}\n")
        else:
            yield *_span(text, old), new
    yield start, end + text[end:].startswith("\n"), "".join(added)
    for title in ("vars", "input"):
        old, variant_node = document.get(title), variant.get(title)
        if type(old) is Mapping and type(variant_node) is Mapping:
            for entry, (_, value) in variant_node.entries.items():
                before = old.entries[entry][1]
                if before is not value:
                    yield *_span(text, before), text[slice(*_span(text, value))]


def _span(text: str, node: Node) -> tuple[int, int]:
    """The offsets of a value. PyYAML ends a value without brackets at the next one."""
    start = node.start.index
    end = node.end.index if node.end is not None else start + len(node.text)  # type: ignore[union-attr]
    return start, start + len(text[start:end].rstrip())


def _layers(network: Network) -> list[object]:
    counted = zip(costs(network).layers, network.steps, strict=True)
    return [(layer, step.inputs) for layer, step in counted]
