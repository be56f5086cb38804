"""Text to values that remember their place.

libyaml's events are read one by one into the smallest tree that holds what is needed: its own
`load` and `compose` resolve tags by YAML 1.1 and take three to ten times as long. Scalars stay text
here; what `010` or `on` means is decided where a value is wanted, by YAML 1.2's core schema.
"""

from typing import Any, NamedTuple, TypeAlias

import yaml

from convcost.errors import Note, Place, Problem

DEEPEST = 64
CORE_TAGS = tuple(f"tag:yaml.org,2002:{tag}" for tag in ("str", "int", "float", "bool", "null"))
HINTS = {
    "expected `-` indicator": "line it up with the `-` above it",
    "expected key": "line it up with the keys above it, or indent it under one",
    "cannot start any token": "YAML takes no tabs for indentation, and quotes around @ and `",
    "expected `,` or": "a `{` or `[` is not closed, or a comma is missing",
    "mapping values are not allowed": "line it up with the keys above it; quote a text with `: `",
}
NULLS = frozenset(("", "~", "null", "Null", "NULL"))

Mark: TypeAlias = Any  # yaml's Mark: line, column and index, from 0


class Scalar(NamedTuple):
    """A word or number as written; `plain` if it has no quotes and may be more than text.

    The end of a plain one follows from its text, so its mark need not be kept: a quarter of the
    memory of a large document.
    """

    text: str
    plain: bool
    start: Mark
    end: Mark | None

    @property
    def place(self) -> Place:
        if self.end is not None:
            return _place(self.start, self.end)
        line, column = self.start.line + 1, self.start.column + 1
        return Place(line, column, line, column + len(self.text))

    @property
    def null(self) -> bool:
        return self.plain and self.text in NULLS


class Sequence(NamedTuple):
    items: "list[Node]"
    start: Mark
    end: Mark

    @property
    def place(self) -> Place:
        return _place(self.start, self.end)


class Mapping(NamedTuple):
    """Keys to (key, value), in the order written."""

    entries: "dict[str, tuple[Scalar, Node]]"
    start: Mark
    end: Mark

    @property
    def place(self) -> Place:
        return _place(self.start, self.end)

    def get(self, key: str) -> "Node | None":
        entry = self.entries.get(key)
        return entry[1] if entry else None


Node: TypeAlias = Scalar | Sequence | Mapping


def _place(start: Mark, end: Mark) -> Place:
    return Place(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


class NotYaml(Exception):  # noqa: N818  what stops the reading; it becomes a Problem
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def read(text: str) -> tuple[list[Node], list[Problem]]:
    """The documents of a text, as far as they could be read, and what is wrong with it."""
    reader = _Reader()
    try:
        reader.run(getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text))
    except NotYaml as stop:
        reader.problems.append(stop.problem)
    except yaml.reader.ReaderError as error:
        reader.problems.append(_reader_problem(text, error))
    except yaml.MarkedYAMLError as error:
        reader.problems.append(_yaml_problem(error))
    return reader.documents, reader.problems


def _reader_problem(text: str, error: yaml.reader.ReaderError) -> Problem:
    index = error.position if isinstance(error.position, int) else 0
    before = text.encode("utf-8", "replace")[:index].decode("utf-8", "replace")
    line = before.count("\n") + 1
    column = len(before) - before.rfind("\n")
    character = error.character
    code = character if isinstance(character, int) else ord(str(character)[:1] or "\0")
    return Problem(
        "CC002",
        f"the character U+{code:04X} is not allowed in YAML",
        Place(line, column, line, column + 1),
        help='in double quotes it can be written as an escape, like "\\e"',
    )


def _yaml_problem(error: yaml.MarkedYAMLError) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2) if mark else None
    reason = (error.problem or "it cannot be read").replace("'", "`")
    context = f" {error.context}" if error.context else ""
    notes: tuple[Note, ...] = ()
    start = error.context_mark
    if start and mark and start.line != mark.line:
        where = Place(start.line + 1, start.column + 1, start.line + 1, start.column + 2)
        notes = (Note("it begins here", where),)
    hint = next((hint for sign, hint in HINTS.items() if sign in reason), "")
    return Problem("CC002", f"not YAML: {reason}{context}", place, notes, hint)


class _Reader:
    """Events to nodes, without recursion: however deep a text is, the stack here is a list."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.problems: list[Problem] = []

    def run(self, parser: Any) -> None:  # noqa: C901, PLR0912, PLR0915  one loop, made for speed
        scalar_event = yaml.ScalarEvent
        next_event = parser.get_event
        make = tuple.__new__
        anchors: dict[str, Node | None] = {}
        stack: list[tuple[Any, Any, Scalar | None, Any]] = []
        # What is being filled: a list of items or a dict of entries, and the key that waits.
        box: Any = self.documents
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
                    node = self._tagged(event, node)
                if event.anchor is not None:
                    anchors[event.anchor] = node
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) >= DEEPEST:
                    raise NotYaml(_at(event, "CC004", f"more than {DEEPEST} levels of nesting"))
                if event.tag is not None:
                    self._tagged(event, None)
                if event.anchor is not None:
                    anchors[event.anchor] = None
                stack.append((box, opened, key, event.anchor))
                opened = event
                box = {} if kind is yaml.MappingStartEvent else []
                key = None
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                if kind is yaml.MappingEndEvent:
                    node = Mapping(box, opened.start_mark, event.end_mark)
                    if "<<" in box and box["<<"][0].plain:
                        node = self._merged(node)
                else:
                    node = Sequence(box, opened.start_mark, event.end_mark)
                box, opened, key, anchor = stack.pop()
                if anchor is not None:
                    anchors[anchor] = node
            elif kind is yaml.AliasEvent:
                node = self._alias(event, anchors)
            else:
                if kind is yaml.DocumentStartEvent:
                    anchors = {}
                continue
            if type(box) is list:
                box.append(node)
            elif key is None:
                key = self._key(node)
            else:
                text = key.text
                if text in box:
                    self._twice(key, box[text][0])
                else:
                    box[text] = (key, node)
                key = None

    def _key(self, node: Node) -> Scalar:
        if type(node) is Scalar:
            return node
        raise NotYaml(Problem("CC002", "a key must be a word, not a list or mapping", node.place))

    def _twice(self, key: Scalar, first: Scalar) -> None:
        self.problems.append(
            Problem(
                "CC003",
                f"`{key.text}` is written twice",
                key.place,
                (Note("first here", first.place),),
            )
        )

    def _alias(self, event: Any, anchors: dict[str, Node | None]) -> Node:
        if event.anchor not in anchors:
            raise NotYaml(
                _at(event, "CC004", f"the alias `*{event.anchor}` has no anchor before it")
            )
        node = anchors[event.anchor]
        if node is None:
            raise NotYaml(
                _at(event, "CC004", f"the alias `*{event.anchor}` stands inside its own anchor")
            )
        return node

    def _tagged(self, event: Any, node: Scalar | None) -> Any:
        tag = event.tag
        if node is not None and tag in CORE_TAGS:
            return node._replace(plain=tag != CORE_TAGS[0] and node.plain)
        if tag == "!" or (node is None and tag in (_MAP, _SEQ)):
            return node
        shown = tag.replace("tag:yaml.org,2002:", "!!")
        self.problems.append(_at(event, "CC004", f"the tag `{shown}` has no meaning here"))
        return node

    def _merged(self, node: Mapping) -> Mapping:
        """`<<: *base` takes the entries of `base` that the mapping itself does not write."""
        key, value = node.entries["<<"]
        entries = {text: entry for text, entry in node.entries.items() if text != "<<"}
        for base in value.items if type(value) is Sequence else [value]:
            if type(base) is not Mapping:
                self.problems.append(
                    Problem("CC004", "`<<` takes a mapping, or a list of them", key.place)
                )
                continue
            for text, entry in base.entries.items():
                entries.setdefault(text, entry)
        return Mapping(entries, node.start, node.end)


_MAP = "tag:yaml.org,2002:map"
_SEQ = "tag:yaml.org,2002:seq"


def _at(event: Any, code: str, message: str) -> Problem:
    return Problem(code, message, _place(event.start_mark, event.end_mark))
