"""The layout of YAML. A node that fits on one line is written in brackets; a longer node goes on
the lines below its key. A node is a scalar as text, a list of nodes, or a dict of nodes."""

from typing import TypeAlias

Node: TypeAlias = "str | list[Node] | dict[str, Node]"

WIDTH = 100
STEP = 2
MOST_LINES = 3  # the most lines of a list in brackets


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
    return _lines_after(head, node, indent + STEP)


def _lines_after(head: str, node: Node, below: int) -> list[str]:
    """A node after `head`, or on the lines below it."""
    short = flow_text(node)
    if (
        isinstance(node, str)
        or not node
        or (len(head) + len(short) <= WIDTH and not _is_nested_deeper(node))
    ):
        return [(head + short).rstrip()]
    filled = _wrapped_lines(head, node)
    if filled:
        return filled
    return [head.rstrip(), *block(node, below)]


def block(node: Node, indent: int) -> list[str]:
    """A list or dict with one entry on each line."""
    if isinstance(node, dict):
        return [line for key, value in node.items() for line in entry(key, value, indent)]
    assert isinstance(node, list)
    lines: list[str] = []
    for item in node:
        head = " " * indent + "- "
        short = flow_text(item)
        if isinstance(item, str) or (
            len(head) + len(short) <= WIDTH and not _is_nested_deeper(item)
        ):
            lines.append(head + short)
            continue
        inner = block(item, indent + STEP)
        lines += [head + inner[0].lstrip(), *inner[1:]]
    return lines


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
    fits = len(lines) <= MOST_LINES and all(len(one) <= WIDTH for one in lines)
    return lines if fits else []


def _contains_layers(node: Node) -> bool:
    """Whether a layer contains other layers or a mapping, not only numbers."""
    values = list(node.values()) if isinstance(node, dict) else []
    lists = [value for value in values if isinstance(value, list)]
    return any(isinstance(value, dict) for value in (*values, *(v for one in lists for v in one)))


def _is_nested_deeper(node: Node, most: int = 4) -> bool:
    """Whether brackets are nested deeper than a reader can follow on one line. A shape or a list of
    numbers counts as one value."""
    if isinstance(node, str) or not node or _is_plain(node):
        return False
    if most == 0:
        return True
    return any(_is_nested_deeper(value, most - 1) for value in _values(node))


def _is_plain(node: "list[Node] | dict[str, Node]") -> bool:
    """Whether a list or dict contains only scalars and lists of scalars."""
    inner = [value for value in _values(node) if not isinstance(value, str)]
    lists = [value for value in inner if isinstance(value, list)]
    return lists == inner and all(isinstance(entry, str) for one in lists for entry in one)


def _values(node: "list[Node] | dict[str, Node]") -> "list[Node]":
    return list(node.values()) if isinstance(node, dict) else node
