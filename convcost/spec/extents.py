"""Where the values of a spec begin and end in its text, and the comments among them.

The reader keeps where a node starts; where it ends follows from the text, for libyaml ends what
stands in lines only at the next token.
"""

import re

from convcost.errors import Refusal
from convcost.spec.document import Mapping, Node, Scalar, Sequence

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
ALIAS = re.compile(r"\s*:?\s*\*[^\s,\]}]+")
MERGE = re.compile(r"""^[\s-]*["']?<<["']?\s*:""", re.MULTILINE)
# A quote begins a text only where a value can begin: the one in `don't` does not.
COMMENT = re.compile(r"""(?<![^\s\[{,:])(?:'(?:[^'\n]|'')*'|"(?:[^"\\]|\\.)*")|(?<!\S)(#[^\n]*)""")


class Extents:
    """Offsets in one text. Raises Refusal where an end cannot be told."""

    def __init__(self, source: str) -> None:
        self.source = source

    def begin(self, node: Node) -> int:
        """Where a value begins, behind its anchor or tag."""
        found = PROPERTIES.match(self.source, node.start.index)
        return found.end() if found else int(node.start.index)

    def flows(self, node: Node) -> bool:
        """Whether a list or mapping stands in brackets."""
        return self.source[self.begin(node)] in "[{"

    def end(self, node: Node) -> int:
        """Where a value ends, without the white space and comments behind it."""
        if isinstance(node, Scalar):
            return self._end_of_text(node)
        if self.flows(node):
            return int(node.end.index)
        if isinstance(node, Sequence):
            return self.end_behind(node.items[-1], node.start.index)
        if MERGE.search(self.source, self.line(node.start.index), node.end.index):
            raise Refusal("CC004", f"the mapping at line {node.place.line} is merged by `<<`")
        return self.last(node)

    def last(self, node: Mapping) -> int:
        """Where the last value of a mapping ends; what `<<` brought in stands elsewhere."""
        own = [
            (key, value)
            for key, value in node.entries.values()
            if node.start.index <= key.start.index < node.end.index
        ]
        if not own:
            raise Refusal("CC004", f"the mapping at line {node.place.line} has no key of its own")
        key, value = max(own, key=lambda entry: entry[0].start.index)
        return self.end_behind(value, self.end(key))

    def end_behind(self, node: Node, behind: int) -> int:
        """The end of a value that stands behind an offset; an alias stands where its anchor does
        not."""
        if isinstance(node, Scalar) and node.null and not node.text:
            return behind
        if node.start.index >= behind:
            return self.end(node)
        alias = ALIAS.match(self.source, behind)
        if alias is None:
            raise Refusal("CC004", f"the value at line {node.place.line} is an alias")
        return alias.end()

    def _end_of_text(self, node: Scalar) -> int:
        begin = self.begin(node)
        if node.end is not None:
            end = int(node.end.index)
            folded = self.source[begin : begin + 1] in ("|", ">")
            return begin + len(self.source[begin:end].rstrip()) if folded else end
        if self.source.startswith(node.text, begin):
            return begin + len(node.text)
        # A plain text over several lines: its line breaks were read as spaces.
        words = re.compile(r"\s+".join(map(re.escape, node.text.split())))
        found = words.match(self.source, begin)
        if found is None:
            raise Refusal("CC004", f"where the text at line {node.place.line} ends is not clear")
        return found.end()

    def comments(self, start: int, end: int) -> list[str]:
        found = COMMENT.finditer(self.source, start, end)
        return [match[1].rstrip() for match in found if match[1]]

    def line(self, index: int) -> int:
        """Where the line begins that an offset is in."""
        return self.source.rfind("\n", 0, index) + 1

    def next_line(self, index: int) -> int:
        found = self.source.find("\n", index)
        return len(self.source) if found < 0 else found + 1
