"""A document as a validator of JSON sees it: the values that YAML's core schema gives."""

import re
from typing import Any

from convcost.language.scalars import BOOLS, parse_number
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError

# The core schema has numbers like these; `number` takes an exponent of any length, and no `+0x1`.
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+|0x[0-9a-fA-F]+")


def plain(node: Node) -> Any:
    """A node as mappings, lists, text, numbers, true, false and null; a fraction as a float, for
    JSON has no other."""
    if type(node) is Mapping:
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if type(node) is Sequence:
        return [plain(item) for item in node.items]
    assert type(node) is Scalar
    return _scalar(node)


def _scalar(node: Scalar) -> Any:
    if not node.plain:
        return node.text
    if node.null:
        return None
    if node.text in BOOLS:
        return BOOLS[node.text]
    if NUMBER.fullmatch(node.text) is None:
        return node.text
    try:
        value = parse_number(node.text)
    except ConstraintError:  # beyond what is counted, yet a number
        return float(node.text)
    return value if type(value) is int else float(value)
