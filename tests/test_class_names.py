"""A search for the name of a class finds one class."""

import ast
from collections import Counter
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "convcost"


def test_no_class_name_is_used_twice():
    names = Counter(
        node.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.ClassDef)
    )
    assert names
    assert [name for name, times in names.items() if times > 1] == []
