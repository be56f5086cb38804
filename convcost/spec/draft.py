"""Changes to a spec's text that leave everything else as its author wrote it.

Items of lists are found by the place of their word; every change is a stretch of the text and what
comes in its stead. Comments are never dropped: those of a removed item stay, on lines of their own.
"""

import re
from typing import NamedTuple

from convcost.errors import Place, Refusal
from convcost.spec.document import Mapping, Node, Scalar, Sequence, read

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
ALIAS = re.compile(r"\s*:?\s*\*[^\s,\]}]+")
COMMENT = re.compile(r"""'[^'\n]*'|"(?:[^"\\]|\\.)*"|(?<!\S)(#[^\n]*)""")
DIVIDER = re.compile(r"^---(?=\s|$)", re.MULTILINE)


class Item(NamedTuple):
    """Where a layer stands: the list, and its number in it."""

    list: Sequence
    number: int

    @property
    def node(self) -> Node:
        return self.list.items[self.number]


class _Edit(NamedTuple):
    start: int
    end: int
    text: str


class Draft:
    """A text that is being changed. Raises Refusal where a change cannot be written."""

    def __init__(self, text: str) -> None:
        self.source = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self.documents = [node for node in read(text)[0] if type(node) is Mapping]
        self._items: dict[tuple[int, int], Item] = {}
        self._words: dict[tuple[int, int], Scalar] = {}
        for document in self.documents:
            self._index(document)
        self._edits: list[_Edit] = []
        self._gone: dict[int, tuple[Sequence, set[int]]] = {}

    def _index(self, node: Node) -> None:
        waiting: list[Node] = [node]
        seen: set[int] = set()
        while waiting:
            node = waiting.pop()
            if type(node) is Scalar or id(node) in seen:
                continue
            seen.add(id(node))
            if type(node) is Mapping:
                waiting += [value for _, value in node.entries.values()]
                continue
            assert type(node) is Sequence
            waiting += node.items
            for number, item in enumerate(node.items):
                if item.start.index < node.start.index:
                    continue  # an alias: it is an item of the list that its anchor stands in
                words = [key for key, _ in item.entries.values()] if type(item) is Mapping else []
                for word in [item] if type(item) is Scalar else words:
                    place = word.start.line + 1, word.start.column + 1
                    self._items.setdefault(place, Item(node, number))
                    self._words.setdefault(place, word)

    # Looking

    def item(self, place: Place) -> Item:
        """The item of a list whose word stands at a place."""
        found = self._items.get((place.line, place.column))
        if found is None:
            raise Refusal("CC004", f"the layer at line {place.line} is no item of a list")
        return found

    def word(self, place: Place) -> str:
        return self._words[place.line, place.column].text

    def document(self, place: Place) -> Mapping:
        """The document that a place is in."""
        before = [d for d in self.documents if d.start.line < place.line]
        return before[-1]

    def block(self, place: Place) -> dict[str, Node] | None:
        """The options of the block that an item calls, and what they are if they are not given."""
        blocks = self.document(place).get("blocks")
        found = blocks.get(self.word(place)) if type(blocks) is Mapping else None
        options = found.get("options") if type(found) is Mapping else None
        if type(options) is not Mapping:
            return None
        return {name: value for name, (_, value) in options.entries.items()}

    def option(self, place: Place, name: str, order: tuple[str, ...]) -> Node | None:
        """The value of a layer's option as written, whichever way it is; `order` names those that
        its own value, or a list of values, gives."""
        node = self.item(place).node
        if type(node) is not Mapping:
            return None
        word = self.word(place)
        own = node.get(word)
        if name != word and name in node.entries:
            return node.get(name)
        if type(own) is Mapping:
            return own.get(name)
        position = order.index(name) if name in order else -1
        if type(own) is Sequence and len(order) > 1:
            return own.items[position] if 0 <= position < len(own.items) else None
        filled = own is not None and not (type(own) is Scalar and own.null)
        return own if position == 0 and filled else None

    def written(self, node: Node) -> str:
        """A value as it stands in the text."""
        return self.source[node.start.index : self._end(node)]

    # Changing

    def insert(self, place: Place, layer: str, *, after: bool = False) -> None:
        """A layer, written as a flow mapping, before an item or after it."""
        item = self.item(place)
        start, end = item.node.start.index, self._end(item.node)
        if self._flows(item.list):
            where, text = (end, f", {layer}") if after else (start, f"{layer}, ")
        else:
            dash = self._dash(item)
            where, text = self._line(dash), f"{self._indent(dash)}- {layer}{self._newline}"
            if after:
                where = self._next_line(end)
                if self.source[where - 1 : where] != "\n":
                    text = f"{self._newline}{text}"
        self._edits.append(_Edit(where, where, text))

    def add(self, place: Place, option: str, text: str) -> None:
        """One more key to a layer."""
        node = self.item(place).node
        if type(node) is Scalar:
            self.replace(node, f"{{{node.text}: , {option}: {text}}}")
            return
        end = self._end(node)
        if self._flows(node):
            self._edits.append(_Edit(end - 1, end - 1, f", {option}: {text}"))
            return
        indent = self._newline + " " * int(node.start.column)
        self._edits.append(_Edit(end, end, f"{indent}{option}: {text}"))

    def remove(self, place: Place) -> None:
        """An item of a list."""
        item = self.item(place)
        self._gone.setdefault(id(item.list), (item.list, set()))[1].add(item.number)

    def replace(self, node: Node, text: str) -> None:
        """A value by another."""
        self._edits.append(_Edit(node.start.index, self._end(node), text))

    def name(self, document: Mapping, name: str) -> None:
        """The name of a document, if it has one."""
        node = document.get("name")
        if type(node) is Scalar and not node.null:
            self.replace(node, quoted(name))

    def comment_out(self, document: Mapping, section: str) -> bool:
        """Turns a section into comments; whether there was one."""
        if section not in document.entries:
            return False
        key, value = document.entries[section]
        start, end = self._line(key.start.index), self._next_line(self._end(value))
        if self._flows(document):
            names = list(document.entries)
            pairs = [(k.start.index, self._end(v)) for k, v in document.entries.values()]
            self._cut(pairs, {names.index(section)})
            return True
        lines = self.source[start:end].splitlines(keepends=True)
        text = "".join(f"# {line}" if line.strip() else line for line in lines)
        self._edits.append(_Edit(start, end, text))
        return True

    def text(self, document: Mapping | None = None) -> str:
        """The changed text, or that of one document."""
        for sequence, numbers in self._gone.values():
            if self._flows(sequence):
                if any(node.start.index < sequence.start.index for node in sequence.items):
                    line = sequence.place.line
                    raise Refusal("CC004", f"the list at line {line} holds an alias")
                self._cut([(n.start.index, self._end(n)) for n in sequence.items], numbers)
            else:
                for number in numbers:
                    self._cut_lines(Item(sequence, number))
        self._gone = {}
        start, end = (0, len(self.source)) if document is None else self._span(document)
        pieces, at = [], start
        for edit in sorted(self._edits, key=lambda edit: (edit.start, edit.end)):
            if edit.start < start or edit.end > end:
                continue
            if edit.start < at:
                line = self.source.count("\n", 0, edit.start) + 1
                raise Refusal("CC004", f"two changes meet at line {line}")
            pieces += [self.source[at : edit.start], edit.text]
            at = edit.end
        return "".join((*pieces, self.source[at:end]))

    def _span(self, document: Mapping) -> tuple[int, int]:
        """From after the divider before a document to the next one."""
        dividers = [match.start() for match in DIVIDER.finditer(self.source)]
        before = [at for at in dividers if at < document.start.index]
        behind = [at for at in dividers if at > document.start.index]
        if document is self.documents[0]:
            before = []  # what stands before the first document belongs to it
        start = min(self._next_line(before[-1]), document.start.index) if before else 0
        return start, behind[0] if behind else len(self.source)

    # Stretches of text

    def _cut(self, spans: list[tuple[int, int]], numbers: set[int]) -> None:
        """Takes members out of a list or mapping in brackets, with the commas between them."""
        first = None
        for number in range(len(spans)):
            if number not in numbers:
                first = None
                continue
            first = number if first is None else first
            if number + 1 in numbers:
                continue
            if number + 1 < len(spans):
                start, end = spans[first][0], spans[number + 1][0]
            else:
                start, end = spans[first - 1][1] if first else spans[0][0], spans[number][1]
            indent = self._newline + " " * (end - self._line(end))
            kept = "".join(f" {comment}{indent}" for comment in self._comments(start, end))
            self._edits.append(_Edit(start, end, kept))

    def _cut_lines(self, item: Item) -> None:
        dash = self._dash(item)
        start, end = self._line(dash), self._next_line(self._end(item.node))
        indent = self._indent(dash)
        text = "".join(
            f"{indent}{comment}{self._newline}" for comment in self._comments(start, end)
        )
        self._edits.append(_Edit(start, end, text))

    def _comments(self, start: int, end: int) -> list[str]:
        found = COMMENT.finditer(self.source, start, end)
        return [match[1].rstrip() for match in found if match[1]]

    def _flows(self, node: Node) -> bool:
        """Whether a list or mapping stands in brackets."""
        opening = PROPERTIES.match(self.source, node.start.index)
        return opening is not None and self.source[opening.end()] in "[{"

    def _dash(self, item: Item) -> int:
        start = item.node.start.index
        head = self.source[self._line(start) : start]
        if not re.fullmatch(r"\s*-\s+", head):
            line = item.node.place.line
            raise Refusal("CC004", f"the layer at line {line} does not begin a line of its own")
        return self._line(start) + head.index("-")

    def _indent(self, dash: int) -> str:
        return self.source[self._line(dash) : dash]

    def _end(self, node: Node) -> int:
        """Where a node ends; for one in lines, where its last value does."""
        if isinstance(node, Scalar):
            end = node.end
            return int(node.start.index + len(node.text) if end is None else end.index)
        if self._flows(node):
            return int(node.end.index)
        if type(node) is Sequence:
            return self._ended(node.items[-1], node.start.index)
        assert type(node) is Mapping
        key, value = list(node.entries.values())[-1]
        return self._ended(value, self._end(key))

    def _ended(self, node: Node, behind: int) -> int:
        """The end of the last value of a node; an alias stands where its anchor does not."""
        if node.start.index >= behind or (type(node) is Scalar and node.null):
            return max(self._end(node), behind)
        alias = ALIAS.match(self.source, behind)
        if alias is None:
            raise Refusal("CC004", f"the layer at line {node.place.line} is an alias")
        return alias.end()

    def _line(self, index: int) -> int:
        return self.source.rfind("\n", 0, index) + 1

    def _next_line(self, index: int) -> int:
        found = self.source.find("\n", index)
        return len(self.source) if found < 0 else found + 1


def quoted(text: str) -> str:
    """A text as YAML takes it."""
    import json

    plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9 ._+-]*[A-Za-z0-9]", text)
    return text if plain else json.dumps(text, ensure_ascii=False)
