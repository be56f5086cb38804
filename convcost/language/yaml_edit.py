"""Edits of a spec's text that keep everything else as its author wrote it.

PyYAML composes the text to nodes with offsets, and an edit replaces one part of the text. An alias
or an unusual layout can make an edit wrong, so the caller must parse the new text and compare the
networks.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import yaml

from convcost.model.errors import ConstraintError, Span
from convcost.model.kind import KINDS
from convcost.model.record import NamedTuple

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Texts that need no quotes, not even between braces.
PLAIN = re.compile(r"[A-Za-z0-9(][\w ().*/+%<>=-]*(?<! )")
SEPARATORS = re.compile(r"[][{}\s,:/\"']+")
DIVIDER = re.compile(r"^(?:---|\.\.\.)[ \t]*\n?", re.MULTILINE)

Node: TypeAlias = Any  # a node of PyYAML: its classes have no types


class SourceItem(NamedTuple):
    """A layer in the text: item `number` of `list`; `word` names its kind or block."""

    document: Node
    list: Node
    number: int
    word: Node

    @property
    def node(self) -> Node:
        """The node of the layer."""
        return self.list.value[self.number]

    def option(self, name: str) -> Node | None:
        """The value of an option, or None. `filters` is the value of the layer, or the first of its
        values. The options of a block must have the names and the order of a convolution."""
        layer_value = get(self.node, self.word.value)
        if name == "filters" and layer_value.value and layer_value.id != "mapping":
            return layer_value.value[0] if layer_value.id == "sequence" else layer_value
        return (entries(self.node) | entries(layer_value)).get(name)

    def option_text(self, name: str) -> str:
        """The value of an option as written; empty if it is not written, or is a list."""
        node = self.option(name)
        return node.value if node is not None and node.id == "scalar" else ""


class SpecEditor:
    """A text and its edits. Raises ConstraintError where an edit is not possible."""

    def __init__(self, text: str) -> None:
        self.text = text.replace("\r\n", "\n")
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._edits: list[tuple[int, int, str]] = []
        self._items: dict[tuple[int, int], SourceItem] = {}
        try:
            documents = list(yaml.compose_all(self.text, LOADER))
        except yaml.MarkedYAMLError as error:  # an anchor that is defined twice
            raise ConstraintError("CC004", f"PyYAML {error.context or error.problem}") from None
        for document in documents:
            for layers in _lists(document):
                for number, node in enumerate(layers.value):
                    words = [key for key, _ in node.value] if node.id == "mapping" else [node]
                    for word in words:
                        position = word.start_mark.line + 1, word.start_mark.column + 1
                        item = SourceItem(document, layers, number, word)
                        self._items.setdefault(position, item)

    def item(self, span: Span) -> SourceItem:
        """The layer whose kind or block is named at `span`."""
        item = self._items.get((span.line, span.column))
        if item is None:
            message = f"the layer at line {span.line} is not an item of a list"
            raise ConstraintError("CC004", message)
        return item

    # Edits

    def set_option(self, item: SourceItem, name: str, value: str) -> None:
        """Writes an option where it is given, or adds it."""
        node = item.option(name)
        if node is None:
            self.add_key(item.node, name, value)
        else:
            self.set_value(node, value)

    def set_value(self, node: Node, value: str | int) -> None:
        """Writes another value in the place of one."""
        self._edit(node.start_mark.index, node.end_mark.index, _yaml(value))

    def add_variables(self, document: Node, values: dict[str, str]) -> None:
        """Adds variables to the section `vars` of a document, or adds the section."""
        written = get(document, "vars")
        if entries(written):
            for name, value in values.items():
                self.add_key(written, name, value)
            return
        section = (
            f"vars: {{{', '.join(f'{name}: {_yaml(text)}' for name, text in values.items())}}}"
        )
        key, _ = next(pair for pair in document.value if pair[0].value == "layers")
        divider = ", " if document.flow_style else "\n" + " " * document.start_mark.column
        self._edit(key.start_mark.index, key.start_mark.index, section + divider)

    def add_key(self, node: Node, key: str, value: str | int) -> None:
        """Adds one more key to a layer."""
        pair = f"{key}: {_yaml(value)}"
        start, end = node.start_mark.index, node.end_mark.index
        if node.id == "scalar":
            self._edit(start, end, f"{{{self.text[start:end]}: , {pair}}}")
        elif node.flow_style:
            end = start + len(self.text[start : end - 1].rstrip(" "))
            self._edit(end, end, f", {pair}")
        else:
            end = self._line_end(node)
            self._edit(end, end, "\n" + " " * node.start_mark.column + pair)

    def insert(
        self, item: SourceItem, options: dict[str, str | int], *, after: bool = False
    ) -> None:
        """Inserts a layer before an item, or after it."""
        layer = f"{{{', '.join(f'{key}: {_yaml(value)}' for key, value in options.items())}}}"
        flow = item.list.flow_style
        divider = ", " if flow else f"\n{' ' * item.list.start_mark.column}- "
        if after:
            end = self._end(item.node) if flow else self._line_end(item.node)
            self._edit(end, end, divider + layer)
        else:
            start = item.node.start_mark.index
            self._edit(start, start, layer + divider)

    def remove(self, items: Iterable[SourceItem]) -> None:
        """Removes items of lists, and the comments on their lines. A layer that uses the output of
        a removed one gets its `from`."""
        for _, layers, numbers in _by_list(items):
            self._pass_on_sources(layers.value, numbers)
            last_kept = max(set(range(len(layers.value))) - numbers, default=-1)
            for number in numbers:
                node = layers.value[number]
                start = node.start_mark.index
                if not layers.flow_style:
                    self._edit(self.text.rfind("\n", 0, start) + 1, self._line_end(node) + 1, "")
                elif number < last_kept:
                    self._edit(start, layers.value[number + 1].start_mark.index, "")
                elif number == last_kept + 1:
                    start = start if number == 0 else self._end(layers.value[last_kept])
                    self._edit(start, self._end(layers.value[-1]), "")

    def _pass_on_sources(self, nodes: list[Node], removed: set[int]) -> None:
        """Writes the `from` of removed layers into the layers of their list that use them."""
        sources: dict[str, str] = {}  # the keys are names of removed layers
        source = ""  # the `from` of the layer before, if that is removed
        for number, node in enumerate(nodes):
            from_node, name = get(node, "from"), get(node, "name").value
            used = from_node.value if from_node.id == "scalar" else ""
            if number in removed:
                source = sources.get(used, used) or source
                if source and name:
                    sources[name] = source
                continue
            if used in sources:
                self.set_value(from_node, sources[used])
            elif source and not from_node.value:
                self.add_key(node, "from", source)
            source = ""

    def keep_names(
        self, items: Iterable[SourceItem], copies: Mapping[tuple[int, int], int], *, inserts: bool
    ) -> None:
        """Writes the automatic names of layers, such as conv_2, that an edit would change.

        The edit inserts a convolution before each of `items`, or else removes `items`. Before a
        removal, names are written only if the text contains one of them. `copies` has the copies of
        a layer with `repeat`, by the line and column of its kind or block. They have a number each,
        so no `name` keeps the names of several, and they have none if the layer has a `name`.
        """
        words = set(SEPARATORS.split(self.text))
        for document, layers, numbers in _by_list(items):
            blocks = entries(get(document, "blocks"))
            old: Counter[str] = Counter()
            new: Counter[str] = Counter()
            renamed = []
            for number, node in enumerate(layers.value):
                keys = entries(node) or [node.value]
                word = next((key for key in keys if key in blocks or KINDS.get(key)), "")
                counted = 1
                if "repeat" in keys:
                    (key,) = (key for key, _ in node.value if key.value == word)
                    position = key.start_mark.line + 1, key.start_mark.column + 1
                    counted = 0 if "name" in keys else copies.get(position, 0)
                old[word] += counted
                new["conv"] += inserts and number in numbers
                if inserts or number not in numbers:
                    new[word] += counted
                    if counted and old[word] != new[word] and "name" not in keys:
                        renamed.append((node, f"{word}_{old[word]}"))
            changed = [layers.value[number] for number in numbers]
            if inserts or any(name in words for _, name in renamed):
                for node, name in renamed:
                    if "repeat" in entries(node) and node not in changed:
                        line = node.start_mark.line + 1
                        message = f"the change would rename the copies at line {line}"
                        raise ConstraintError("CC004", message, "give this layer a `name`")
                    self.add_key(node, "name", name)

    def change_sections(self, document: Node, name: str, ignored: Collection[str]) -> None:
        """Gives a document another name, if it has one, and renames the sections `ignored` to
        `x-…`, which convcost does not read."""
        for key, value in document.value:
            if key.value == "name" and value.value:
                self.set_value(value, name)
            elif key.value in ignored:
                self.set_value(key, f"x-{key.value}")

    def result(self, document: Node | None = None) -> str:
        """The edited text, or that of one document."""
        start, end = 0, len(self.text)
        if document is not None:
            root = document.start_mark.index
            dividers = [match.span() for match in DIVIDER.finditer(self.text)]
            start = max((after for _, after in dividers if after <= root), default=0)
            end = min((before for before, _ in dividers if before > root), default=end)
        pieces = []
        for edit_start, edit_end, text in sorted(self._edits, key=lambda edit: edit[:2]):
            if not start <= edit_start <= edit_end:
                line = self.text.count("\n", 0, edit_start) + 1
                message = f"line {line} has an alias, or needs two changes at one place"
                raise ConstraintError("CC004", message)
            pieces += [self.text[start:edit_start], text]
            start = edit_end
        return "".join((*pieces, self.text[start:end])).replace("\n", self._newline)

    # Parts of the text

    def _edit(self, start: int, end: int, text: str) -> None:
        self._edits.append((start, end, text))

    def _end(self, node: Node) -> int:
        """The offset after a value. PyYAML ends a value without brackets at the next one."""
        outer = node.start_mark
        while node.id != "scalar" and not node.flow_style:
            node = node.value[-1] if node.id == "sequence" else node.value[-1][1]
        start = int(node.start_mark.index)
        if start < outer.index:
            message = f"the value at line {outer.line + 1} ends in an alias"
            raise ConstraintError("CC004", message, "write the value out")
        return start + len(self.text[start : node.end_mark.index].rstrip())

    def _line_end(self, node: Node) -> int:
        """The offset after the last line of a value, with its comment."""
        offset = self.text.find("\n", self._end(node))
        return len(self.text) if offset < 0 else offset


def entries(node: Node) -> dict[str, Node]:
    """The values of a mapping; empty for other nodes."""
    return {key.value: value for key, value in node.value} if node.id == "mapping" else {}


def get(node: Node, *keys: str) -> Node:
    """The value at a path of keys; an empty scalar if there is none."""
    for key in keys:
        node = entries(node).get(key) or yaml.ScalarNode("", "")
    return node


def _lists(document: Node) -> Iterator[Node]:
    """All lists of a document, each once however many aliases it has."""
    nodes, seen = [document], set()
    for node in nodes:
        if node.id != "scalar" and id(node) not in seen:
            seen.add(id(node))
            nodes += node.value if node.id == "sequence" else entries(node).values()
            if node.id == "sequence":
                yield node


def _by_list(items: Iterable[SourceItem]) -> Iterable[tuple[Node, Node, set[int]]]:
    """The document, the list and the numbers of the items, for each list that has some of the
    items."""
    groups: dict[int, tuple[Node, Node, set[int]]] = {}
    for item in items:
        _, _, numbers = groups.setdefault(id(item.list), (item.document, item.list, set()))
        numbers.add(item.number)
    return groups.values()


def _yaml(value: str | int) -> str:
    """The text of a value, in quotes where it needs them."""
    if isinstance(value, str) and PLAIN.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False)
