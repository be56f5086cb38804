"""The layout of YAML. A node that fits on one line is written in brackets; a longer node goes on
the lines below its key. A node is a scalar as text, a list of nodes, or a dict of nodes."""

from typing import TypeAlias

Node: TypeAlias = "str | list[Node] | dict[str, Node]"

WIDTH = 100  # characters of a line
INDENT = 2  # characters
MAX_LINES = 3  # lines of a list in brackets
MAX_NESTING = 4  # of brackets on one line


def flow_text(node: Node) -> str:
    """A node on one line."""
    if isinstance(node, dict):
        return "{" + ", ".join(f"{key}: {flow_text(value)}" for key, value in node.items()) + "}"
    if isinstance(node, list):
        return "[" + ", ".join(map(flow_text, node)) + "]"
    return node


def entry(key: str, node: Node, indent: int) -> list[str]:
    """`key: …` at an indent, on one line or more."""
    head = " " * indent + f"{key}: "
    if _fits(head, node):
        return [(head + flow_text(node)).rstrip()]
    return _wrapped_lines(head, node) or [head.rstrip(), *block(node, indent + INDENT)]


def block(node: Node, indent: int) -> list[str]:
    """A list or dict with one entry on each line."""
    if isinstance(node, dict):
        return [line for key, value in node.items() for line in entry(key, value, indent)]
    lines: list[str] = []
    for item in node:
        head = " " * indent + "- "
        if _fits(head, item):
            lines.append(head + flow_text(item))
        else:
            first, *others = block(item, indent + INDENT)
            lines += [head + first.lstrip(), *others]
    return lines


def _fits(head: str, node: Node) -> bool:
    """Whether a node is on the line of `head`: a scalar, or brackets that a reader can follow."""
    short = len(head) + len(flow_text(node)) <= WIDTH and _depth(node) <= MAX_NESTING
    return isinstance(node, str) or not node or short


def _wrapped_lines(head: str, node: Node) -> list[str]:
    """A list or dict in brackets over several lines. Its entries must be scalars, or layers that
    each fit on one line."""
    if isinstance(node, dict):
        if not all(isinstance(value, str) for value in node.values()):
            return []
        parts, (left, right) = [f"{key}: {flow_text(value)}" for key, value in node.items()], "{}"
    else:
        if isinstance(node, str) or any(_contains_layers(item) for item in node):
            return []
        parts, (left, right) = list(map(flow_text, node)), "[]"
    margin = " " * (len(head) + 1)
    lines, line = [], head + left
    for number, item in enumerate(parts):
        part = item + ("," if number < len(parts) - 1 else right)
        if len(line) + len(part) > WIDTH and line.strip() not in ("", head.strip() + " " + left):
            lines.append(line.rstrip())
            line = margin
        line += part + " "
    lines.append(line.rstrip())
    fits = len(lines) <= MAX_LINES and all(len(line) <= WIDTH for line in lines)
    return lines if fits else []


def _contains_layers(node: Node) -> bool:
    """Whether a layer contains other layers or a mapping, not only numbers."""
    values = list(node.values()) if isinstance(node, dict) else []
    lists = [value for value in values if isinstance(value, list)]
    return any(
        isinstance(value, dict)
        for value in (*values, *(entry for entries in lists for entry in entries))
    )


def _depth(node: Node) -> int:
    """How deep brackets are nested. A shape or a list of numbers counts as one value."""
    if isinstance(node, str):
        return 0
    inner = list(node.values()) if isinstance(node, dict) else node
    plain = all(isinstance(entry, str) or _is_row(entry) for entry in inner)
    return 0 if plain else 1 + max(map(_depth, inner))


def _is_row(node: Node) -> bool:
    """Whether a node is a list of scalars."""
    return isinstance(node, list) and all(isinstance(entry, str) for entry in node)
