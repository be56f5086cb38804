"""A document's sections by name, and what is wrong with them."""

from convcost.errors import Problem
from convcost.spec.document import Mapping, Node, Scalar
from convcost.spec.values import Entries, Values

NAMES = "letters, digits and _; `in_` and the common keys are the language's own"
WORDS = ("and", "or", "not", "if", "else", "true", "false", "True", "False", "TRUE", "FALSE")


class Sections:
    """Gives a section in the form it must have; otherwise says so in `problems`."""

    def __init__(self, node: Mapping, values: Values) -> None:
        self.node = node
        self.values = values
        self.problems = values.problems

    def get(self, section: str) -> Node | None:
        return self.node.get(section)

    def problem(self, code: str, message: str, node: Node, help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(code, message, node.place, help=help))

    def head(self) -> Node:
        """Where a missing section is missed: the first key."""
        first = next(iter(self.node.entries.values()), None)
        return first[0] if first is not None else self.node

    def text(self, section: str) -> str:
        node = self.node.get(section)
        if node is None or (type(node) is Scalar and node.null):
            return ""
        if type(node) is not Scalar:
            self.problem("CC104", f"`{section}` must be text", node)
            return ""
        return node.text

    def mapping(self, section: str) -> Entries:
        node = self.node.get(section)
        if node is None or (type(node) is Scalar and node.null):
            return {}
        if type(node) is not Mapping:
            self.problem("CC104", f"`{section}` must be a mapping", node)
            return {}
        return node.entries


def is_name(name: str) -> bool:
    """Whether a variable or option can be called so: what an expression can ask for."""
    return (
        name.isascii() and name.isidentifier() and not name.startswith("in_") and name not in WORDS
    )


def authored(entries: Entries) -> Entries:
    """Without the keys that begin with `x-`: those are the author's own."""
    return {name: entry for name, entry in entries.items() if not name.startswith("x-")}
