"""Changes to a spec's text that leave everything else as its author wrote it.

Items of lists are found by the place of their word; every change is a stretch of the text and what
comes in its stead. Comments are never dropped: those of a removed item stay, on lines of their own.
"""

import json
import re
from typing import NamedTuple

from convcost.errors import Place, Refusal
from convcost.spec.document import Mapping, Node, Scalar, Sequence, read
from convcost.spec.extents import Extents

DIVIDER = re.compile(r"^(---|\.\.\.)(?=\s|$)", re.MULTILINE)
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._+-]*[A-Za-z0-9]")


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
        self.extents = Extents(text)
        self.json = _is_json(text)
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
        before = [d for d in self.documents if (d.start.line, 0) <= (place.line - 1, 0)]
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
        """A value as it stands in the text; of a JSON text, without its quotes."""
        if self.json and type(node) is Scalar:
            return node.text
        return self.source[self.extents.begin(node) : self.extents.end(node)]

    # Changing

    def insert(self, place: Place, options: dict[str, str], *, after: bool = False) -> None:
        """A layer, by its options as written, before an item or after it."""
        item = self.item(place)
        layer = self._flow(options)
        start, end = item.node.start.index, self.extents.end(item.node)
        if self.extents.flows(item.list):
            where, text = (end, f", {layer}") if after else (start, f"{layer}, ")
        else:
            dash = self._dash(item)
            where, text = self.extents.line(dash), f"{self._indent(dash)}- {layer}{self._newline}"
            if after:
                where = self.extents.next_line(end)
                text = self._on_a_line(where, text)
        self._edits.append(_Edit(where, where, text))

    def add(self, place: Place, option: str, text: str) -> None:
        """One more key to a layer."""
        node = self.item(place).node
        key, value = self._scalar(option, key=True), self._scalar(text)
        if type(node) is Scalar:
            self.replace(node, f"{{{self.written(node)}: , {key}: {value}}}", whole=True)
            return
        end = self.extents.end(node)
        if self.extents.flows(node):
            assert type(node) is Mapping
            where = self.extents.last(node)
            self._edits.append(_Edit(where, where, f", {key}: {value}"))
            return
        # On the next line, so that a comment stays with the key it stands behind.
        where = self.extents.next_line(end)
        line = f"{' ' * int(node.start.column)}{key}: {value}{self._newline}"
        self._edits.append(_Edit(where, where, self._on_a_line(where, line)))

    def remove(self, place: Place) -> None:
        """An item of a list."""
        item = self.item(place)
        self._gone.setdefault(id(item.list), (item.list, set()))[1].add(item.number)

    def replace(self, node: Node, text: str, *, whole: bool = False) -> None:
        """A value by another; its anchor stays, unless it is the `whole` node that goes."""
        start = node.start.index if whole else self.extents.begin(node)
        text = text if whole else self._scalar(text)
        self._edits.append(_Edit(start, self.extents.end(node), text))

    def name(self, document: Mapping, name: str) -> None:
        """The name of a document, if it has one."""
        node = document.get("name")
        if type(node) is Scalar and not node.null:
            quoted = name if PLAIN.fullmatch(name) and not self.json else _quoted(name)
            self._edits.append(_Edit(self.extents.begin(node), self.extents.end(node), quoted))

    def comment_out(self, document: Mapping, section: str) -> bool | None:
        """Turns a section into comments: true. In brackets there is no room for them: it is left
        out, and false. None if there is no such section."""
        if section not in document.entries:
            return None
        key, value = document.entries[section]
        if self.extents.flows(document):
            names = list(document.entries)
            pairs = [
                (k.start.index, self.extents.end_behind(v, self.extents.end(k)))
                for k, v in document.entries.values()
            ]
            self._cut(pairs, {names.index(section)})
            return False
        start = self.extents.line(key.start.index)
        end = self.extents.next_line(self.extents.end_behind(value, self.extents.end(key)))
        lines = self.source[start:end].splitlines(keepends=True)
        text = "".join(f"# {line}" if line.strip() else line for line in lines)
        self._edits.append(_Edit(start, end, text))
        return True

    def text(self, document: Mapping | None = None) -> str:
        """The changed text, or that of one document."""
        for sequence, numbers in self._gone.values():
            if not self.extents.flows(sequence):
                for number in numbers:
                    self._cut_lines(Item(sequence, number))
                continue
            if any(node.start.index < sequence.start.index for node in sequence.items):
                line = sequence.place.line
                raise Refusal("CC004", f"the list at line {line} holds an alias")
            spans = [(node.start.index, self.extents.end(node)) for node in sequence.items]
            self._cut(spans, numbers)
        self._gone = {}
        start, end = (0, len(self.source)) if document is None else self._span(document)
        pieces, at = [], start
        for edit in sorted(self._edits, key=lambda edit: (edit.start, edit.end)):
            if edit.start < start or edit.end > end:
                continue
            if edit.start < at or edit.end < edit.start:
                line = self.source.count("\n", 0, edit.start) + 1
                raise Refusal("CC004", f"two changes meet at line {line}")
            pieces += [self.source[at : edit.start], edit.text]
            at = edit.end
        return "".join((*pieces, self.source[at:end]))

    def _span(self, document: Mapping) -> tuple[int, int]:
        """From behind the divider before a document to the next one."""
        dividers = list(DIVIDER.finditer(self.source))
        before = [match.end() for match in dividers if match.start() < document.start.index]
        behind = [match.start() for match in dividers if match.start() > document.start.index]
        start = before[-1] if before else 0
        if document is self.documents[0]:
            start = 0  # what stands before the first document belongs to it
        blank = re.compile(r"[ \t]*\r?\n?").match(self.source, start) if start else None
        return blank.end() if blank else start, behind[0] if behind else len(self.source)

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
            indent = self._newline + " " * (end - self.extents.line(end))
            comments = self.extents.comments(start, end)
            kept = "".join(f" {comment}{indent}" for comment in comments)
            self._edits.append(_Edit(start, end, kept))

    def _cut_lines(self, item: Item) -> None:
        dash = self._dash(item)
        start = self.extents.line(dash)
        end = self.extents.next_line(self.extents.end(item.node))
        comments = self.extents.comments(start, end)
        text = "".join(f"{self._indent(dash)}{comment}{self._newline}" for comment in comments)
        self._edits.append(_Edit(start, end, text))

    def _on_a_line(self, where: int, text: str) -> str:
        """A line to be put at an offset: the last line of a text may have no end."""
        return text if where == 0 or self.source[where - 1] == "\n" else self._newline + text

    def _dash(self, item: Item) -> int:
        start = item.node.start.index
        line = self.extents.line(start)
        head = self.source[line:start]
        if not re.fullmatch(r"\s*-\s+", head):
            number = item.node.place.line
            raise Refusal("CC004", f"the layer at line {number} does not begin a line of its own")
        return line + head.index("-")

    def _indent(self, dash: int) -> str:
        return self.source[self.extents.line(dash) : dash]

    # Words

    def _flow(self, options: dict[str, str]) -> str:
        parts = (
            f"{self._scalar(key, key=True)}: {self._scalar(value)}"
            for key, value in options.items()
        )
        return f"{{{', '.join(parts)}}}"

    def _scalar(self, text: str, *, key: bool = False) -> str:
        """A value as it is written; in a JSON text what is no number stands in quotes."""
        if not self.json or (not key and re.fullmatch(r"true|false|[0-9]+|\[[0-9, ]*\]", text)):
            return text
        return json.dumps(text, ensure_ascii=False)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
