"""Reads the sections of a document, and the fields of mappings."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from convcost.language.problems import Problems
from convcost.language.values import Entries
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError
from convcost.model.suggestions import did_you_mean

T = TypeVar("T")

A_CONVENTION = "the name of a convention"
A_DTYPE = "a dtype"
EXAMPLES = {  # examples of the sections that are mappings
    "vars": "{width: 1}",
    "inputs": "{left: {channels: 3, size: 224}, right: {channels: 3, size: 224}}",
    "blocks": "{twice: {layers: [{conv: 8, kernel: 3}, {conv: 8, kernel: 3}]}}",
    "defaults": "{conv: {bias: true}}",
    "variants": "{small: {set: {width: 0.5}}, large: {set: {width: 2}, size: 256}}",
}
SET_EXAMPLE = "write set: {width: 2}"
NAMES = "letters, digits and _; `in_` and the common keys are reserved"
WORDS = ("and", "or", "not", "if", "else", "true", "false", "True", "False", "TRUE", "FALSE")


class FieldReader:
    """Reads fields, and adds a problem for each wrong one."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def parse_text(
        self, node: Node, subject: str, parse: Callable[[str], T], requirement: str = "a number"
    ) -> T | None:
        """The value that `parse` reads from the text of a field. If the text is wrong, adds a
        problem and returns None. `requirement` is what the text must be."""
        if type(node) is not Scalar:
            self.problems.add("CC112", f"{subject} must be {requirement}", node)
        elif node.null:
            self.problems.add("CC112", f"{subject} has no value", node)
        else:
            try:
                return parse(node.text)
            except ConstraintError as error:
                self.problems.refuse(node, error, f"{subject}:")
        return None

    def text(self, node: Node | None, key: str, code: str = "CC112") -> str:
        """The text of a field; empty if the field is missing. Adds a problem if it is not text."""
        if type(node) is Scalar:
            return node.text
        if node is not None:
            self.problems.add(code, f"`{key}` must be text", node)
        return ""

    def items(
        self, node: Node | None, key: str, read: Callable[[Node], T | None], help_: str = ""
    ) -> tuple[T, ...]:
        """The results of `read` for the items of a list, without those that are None."""
        if type(node) is Sequence:
            return tuple([item for item in map(read, node.items) if item is not None])
        if node is not None:
            self.problems.add("CC112", f"`{key}` must be a list", node, help_)
        return ()

    def check_keys(
        self, subject: str, entries: Entries, keys: Iterable[str], noun: str = "key"
    ) -> None:
        """Adds a problem for each unknown key. Keys that begin with `x-` are not checked."""
        for name, (key, _) in entries.items():
            if name not in keys and not name.startswith("x-"):
                hint = did_you_mean(name, keys)
                self.problems.add("CC101", f"{subject} has no {noun} `{name}`", key, hint)


class Sections(FieldReader):
    """Reads the sections of a document; adds a problem for a section of the wrong type."""

    def __init__(self, node: Mapping, problems: Problems) -> None:
        super().__init__(problems)
        self.node = node

    def head(self) -> Node:
        """The place of a problem about a missing section: the first key."""
        first = next(iter(self.node.entries.values()), None)
        return first[0] if first is not None else self.node

    def mapping(self, section: str, *, x_keys: bool = False) -> Entries:
        """The entries of a section, without `x-` keys. With `x_keys`, those are entries like all
        others."""
        node = self.node.get(section)
        if type(node) is Mapping:
            entries = node.entries.items()
            return {name: entry for name, entry in entries if x_keys or name[:2] != "x-"}
        if node is not None:
            hint = f"write {section}: {EXAMPLES[section]}"
            self.problems.add("CC104", f"`{section}` must be a mapping", node, hint)
        return {}


def is_name(name: str) -> bool:
    """Whether a variable or option can have this name."""
    return (
        name.isascii() and name.isidentifier() and not name.startswith("in_") and name not in WORDS
    )
