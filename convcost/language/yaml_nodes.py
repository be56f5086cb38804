"""Parses text to nodes: scalars, sequences and mappings, each with its span.

PyYAML's events are read one by one into a small tree. Its `load` and `compose` resolve tags by YAML
1.1 and need three to ten times as long. Scalars stay text here: what `010` or `on` means is decided
where a value is read, by the core schema of YAML 1.2.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeAlias

import yaml

from convcost.model.errors import Note, Problem, Span
from convcost.model.record import NamedTuple

MAX_DEPTH = 64  # levels of nesting
MAX_MERGED = 100_000  # entries that `<<` adds to the mappings of one text
CHARACTERS = 8  # of a word; see `count_values`
# The ASCII characters that YAML does not allow.
CONTROL_BYTES = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D})
NULLS = frozenset(("", "~", "null", "Null", "NULL"))

Mark: TypeAlias = Any  # yaml's Mark: line, column and index, from 0


class Scalar(NamedTuple):
    """A word or number as written; `plain` if it has no quotes, so that it may be a number.

    The end of a plain scalar follows from its text. Not keeping its mark saves a quarter of the
    memory of a large document.
    """

    text: str
    plain: bool
    start: Mark
    end: Mark | None

    @property
    def span(self) -> Span:
        if self.end is not None:
            return _span(self.start, self.end)
        line, column = self.start.line + 1, self.start.column + 1
        return Span(line, column, line, column + len(self.text))

    @property
    def null(self) -> bool:
        """Whether it is a null of YAML 1.2: nothing, `~` or `null`, without quotes."""
        return self.plain and self.text in NULLS


class Sequence(NamedTuple):
    """A list of nodes."""

    items: "list[Node]"
    start: Mark
    end: Mark

    @property
    def span(self) -> Span:
        return _span(self.start, self.end)


class Mapping(NamedTuple):
    """A mapping: from each key to its (key node, value node), in the order of the text."""

    entries: "dict[str, tuple[Scalar, Node]]"
    start: Mark
    end: Mark

    @property
    def span(self) -> Span:
        return _span(self.start, self.end)

    def get(self, key: str) -> "Node | None":
        """The value of a key; None if there is none, or nothing is written."""
        _, value = self.entries.get(key, (None, None))
        return None if type(value) is Scalar and value.null else value


Node: TypeAlias = Scalar | Sequence | Mapping


def nodes_in(node: Node) -> list[Node]:
    """The items of a list, or the values of a mapping."""
    if type(node) is Mapping:
        return [value for _, value in node.entries.values()]
    return node.items if type(node) is Sequence else []


def count_values(nodes: Iterable[Node], most: int) -> int:
    """The words, lists and mappings of nodes, each as often as aliases repeat it, without keys.
    Each CHARACTERS characters of a word count as one more: it may be an expression.

    It counts up to `most` and at most one list further.
    """
    left, count = list(nodes), 0
    while left and count <= most:
        node = left.pop()
        count += 1
        if type(node) is Scalar:
            count += len(node.text) // CHARACTERS
        left += nodes_in(node)
    return count


def texts_of(node: Node) -> Iterator[str]:
    """The words of a node, without keys."""
    if type(node) is Scalar:
        yield node.text
    for inner in nodes_in(node):
        yield from texts_of(inner)


def repeated_entries(nodes: Iterable[Node], most: int) -> int:
    """The entries of the lists and mappings that aliases repeat in nodes.

    It counts up to `most` and at most one list further.
    """
    left, repeated = list(nodes), 0
    seen = set[int]()
    while left and repeated <= most:
        node = left.pop()
        inside = nodes_in(node)
        if id(node) in seen:
            repeated += len(inside)
        seen.add(id(node))
        left += inside
    return repeated


def _span(start: Mark, end: Mark) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


class YamlSyntaxError(Exception):
    """Stops the reading of a text; has the problem."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse_documents(text: str) -> tuple[list[Node], list[Problem]]:
    """The documents of a text, as far as they could be read, and what is wrong with it."""
    if not text.isascii() or len(text.encode().translate(None, CONTROL_BYTES)) < len(text):
        from convcost.language.yaml_errors import forbidden_character

        problem = forbidden_character(text)
        if problem is not None:
            return [], [problem]
    reader = _EventReader()
    try:
        reader.run(text)
    except YamlSyntaxError as error:
        reader.problems.append(error.problem)
    return reader.documents, reader.problems


def filled_documents(documents: Iterable[Node]) -> list[Node]:
    """The documents that are not empty: a `---` at the end of a file begins an empty one."""
    return [node for node in documents if not (type(node) is Scalar and node.null)]


def _make_loader(text: str) -> Any:
    if hasattr(yaml, "CSafeLoader"):
        return yaml.CSafeLoader(text)
    from convcost.language.yaml_errors import PythonLoader

    return PythonLoader(text)


class _EventReader:
    """Builds nodes from events, with a list as the stack instead of recursion."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.problems: list[Problem] = []
        self.merged = 0

    def run(self, text: str) -> None:
        """Reads all documents of a text. Raises YamlSyntaxError at the first syntax error."""
        loader = _make_loader(text)
        try:
            self.read_events(loader)
        except (yaml.YAMLError, ValueError) as error:
            from convcost.language.yaml_errors import library_problem

            if "nesting depth" in str(error):  # libyaml reads ahead, and has a lower limit
                _EventReader().run(text[: error.problem_mark.index])  # type: ignore[union-attr]
            raise YamlSyntaxError(library_problem(text, error, loader)) from None

    def read_events(self, parser: Any) -> None:  # noqa: C901, PLR0912, PLR0915  one loop, made for speed
        scalar_event = yaml.ScalarEvent
        next_event = parser.get_event
        make = tuple.__new__
        anchors: dict[str, Node | None] = {}
        stack: list[tuple[Any, Any, Scalar | None, Any]] = []
        # The list or dict that is being filled, and the key whose value comes next.
        container: Any = self.documents
        key: Scalar | None = None
        opened: Any = None
        node: Node
        while (event := next_event()) is not None:
            kind = type(event)
            if kind is scalar_event:
                plain = event.implicit[0]
                end = None if plain else event.end_mark
                node = make(Scalar, (event.value, plain, event.start_mark, end))
                if event.tag is not None:
                    self._refuse_tag(event)
                if event.anchor is not None:
                    anchors[event.anchor] = node
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    message = f"more than {MAX_DEPTH} levels of nesting"
                    raise YamlSyntaxError(_event_problem(event, message))
                if event.tag is not None:
                    self._refuse_tag(event)
                if event.anchor is not None:
                    anchors[event.anchor] = None
                stack.append((container, opened, key, event.anchor))
                opened = event
                container = {} if kind is yaml.MappingStartEvent else []
                key = None
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                if kind is yaml.MappingEndEvent:
                    node = Mapping(container, opened.start_mark, event.end_mark)
                    if "<<" in container and container["<<"][0].plain:
                        node = self._merge(node)
                else:
                    node = Sequence(container, opened.start_mark, event.end_mark)
                container, opened, key, anchor = stack.pop()
                if anchor is not None:
                    anchors[anchor] = node
            elif kind is yaml.AliasEvent:
                node = self._alias(event, anchors)
            else:
                if kind is yaml.DocumentStartEvent:
                    anchors = {}
                continue
            if type(container) is list:
                container.append(node)
            elif key is None:
                if type(node) is not Scalar:
                    message = "a key must be a word, not a list or mapping"
                    raise YamlSyntaxError(Problem("CC002", message, node.span))
                key = node
            else:
                text = key.text
                if text in container:
                    self._refuse_second(key, container[text][0])
                else:
                    container[text] = (key, node)
                key = None

    def _refuse_second(self, key: Scalar, first: Scalar) -> None:
        note = Note("first written here", first.span)
        message = f"`{key.text}` is written twice"
        self.problems.append(Problem("CC003", message, key.span, (note,)))

    def _alias(self, event: Any, anchors: dict[str, Node | None]) -> Node:
        node = anchors.get(event.anchor)
        if node is None:
            reason = (
                "is inside its own anchor" if event.anchor in anchors else "has no anchor before it"
            )
            raise YamlSyntaxError(_event_problem(event, f"the alias `*{event.anchor}` {reason}"))
        return node

    def _refuse_tag(self, event: Any) -> None:
        shown = event.tag.replace("tag:yaml.org,2002:", "!!")
        self.problems.append(_event_problem(event, f"the tag `{shown}` has no meaning here"))

    def _merge(self, node: Mapping) -> Mapping:
        """Merges `<<: *base`: adds the entries of `base` whose keys the mapping does not have."""
        key, value = node.entries["<<"]
        entries = {text: entry for text, entry in node.entries.items() if text != "<<"}
        for base in value.items if type(value) is Sequence else [value]:
            if type(base) is not Mapping:
                message = "`<<` needs a mapping, or a list of them"
                self.problems.append(Problem("CC004", message, key.span))
                continue
            self.merged += len(base.entries)
            if self.merged > MAX_MERGED:
                message = f"`<<` adds more than {MAX_MERGED:,} entries in this file"
                raise YamlSyntaxError(Problem("CC004", message, key.span))
            for text, entry in base.entries.items():
                entries.setdefault(text, entry)
        return Mapping(entries, node.start, node.end)


def _event_problem(event: Any, message: str) -> Problem:
    return Problem("CC004", message, _span(event.start_mark, event.end_mark))
