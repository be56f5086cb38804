"""Names for layers that are called by their ordinal, where items before them come and go.

`from: conv_2` has to mean the same layer afterwards; so the layer then gets that name.
"""

import re
from collections import Counter
from collections.abc import Iterator

from convcost.errors import Place, Refusal
from convcost.kind import KINDS
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.draft import Draft


def pin(draft: Draft, gone: tuple[Place, ...] = (), new: tuple[Place, ...] = ()) -> None:
    """Pins what is spoken of behind items that go, and all that would be renamed behind items that
    get a convolution before them, so that their paths stay. Raises Refusal for what is spoken of
    and cannot be named."""
    lists: dict[int, tuple[Place, Sequence]] = {}
    for place in (*gone, *new):
        sequence = draft.item(place).list
        lists[id(sequence)] = place, sequence
    for place, sequence in lists.values():
        document = draft.document(place)
        spoken = set(_spoken(document))
        going = {draft.item(p).number for p in gone if draft.item(p).list is sequence}
        coming = {draft.item(p).number for p in new if draft.item(p).list is sequence}
        unnamed = _unnamed(sequence, document, going, coming)
        pinned: set[str] = set()
        while True:
            # A name that is given may be the ordinal that another now has: that one keeps its own.
            more = {
                old
                for _, old, new in unnamed
                if old not in pinned
                and ((old != new and (coming or old in spoken)) or new in pinned)
            }
            if not more:
                break
            pinned |= more
        for word, old, _ in unnamed:
            if old not in pinned:
                continue
            item = draft.item(word.place).node
            if type(item) is Mapping and "repeat" in item.entries:
                if old not in spoken:
                    continue
                line = word.place.line
                raise Refusal("CC004", f"`{old}` of line {line} is repeated and spoken of")
            draft.add(word.place, "name", old)


def _unnamed(
    sequence: Sequence, document: Mapping, going: set[int], coming: set[int]
) -> list[tuple[Scalar, str, str]]:
    """Of each item that stays and has no name of its own: its word, and its ordinal name before
    and after."""
    before: Counter[str] = Counter()
    after: Counter[str] = Counter()
    found = []
    for number, item in enumerate(sequence.items):
        after["conv"] += number in coming
        word = _word(item, document)
        before[word.text] += 1
        after[word.text] += number not in going
        if number not in going and not _named(item):
            old, new = (f"{word.text}_{counts[word.text]}" for counts in (before, after))
            found.append((word, old, new))
    return found


def unspoken(draft: Draft, gone: tuple[Place, ...]) -> None:
    """Refuses to take out an item whose name is taken elsewhere, be it where nothing is laid out
    now."""
    names = {}
    for place in gone:
        node = draft.item(place).node
        called = node.get("name") if type(node) is Mapping else None
        if type(called) is Scalar:
            names[called.text] = place
    for document in {id(d): d for d in map(draft.document, gone)}.values():
        for reference in _references(document):
            first = reference.text.split("/")[0]
            last = reference.text.split("/")[-1]
            for name in {first, last} & names.keys():
                message = f"line {reference.place.line} takes `{name}`, which would go"
                raise Refusal("CC108", message, "let it take what stands before")


def _references(document: Mapping) -> Iterator[Scalar]:
    """The words that name layers: those of `from` and `weights`, and those that joins take."""
    waiting: list[Node] = [document]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if type(node) is Scalar or id(node) in seen:
            continue
        seen.add(id(node))
        if type(node) is Sequence:
            waiting += node.items
        elif type(node) is Mapping:
            for key, (_, value) in node.entries.items():
                waiting.append(value)
                kind = KINDS.get(key)
                if key in ("from", "weights") or (kind is not None and kind.role == "join"):
                    yield from _words(value)


def _words(value: Node) -> Iterator[Scalar]:
    inner: list[Node] = [value]
    if type(value) is Sequence:
        inner = value.items
    elif type(value) is Mapping:
        inner = [item for _, item in value.entries.values()]
    yield from (item for item in inner if type(item) is Scalar and not item.null)


def _word(item: Node, document: Mapping) -> Scalar:
    if type(item) is Mapping:
        blocks = document.get("blocks")
        own = blocks.entries if type(blocks) is Mapping else {}
        keys = [key for key, _ in item.entries.values()]
        return next((key for key in keys if key.text in own or KINDS.get(key.text)), keys[0])
    assert type(item) is Scalar
    return item


def _named(item: Node) -> bool:
    return type(item) is Mapping and "name" in item.entries


def _spoken(document: Mapping) -> Iterator[str]:
    """The names that end in an ordinal, wherever the document speaks of layers."""
    waiting: list[Node] = [
        value for name, (_, value) in document.entries.items() if name != "published"
    ]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if type(node) is Scalar:
            yield from re.findall(r"(?<![^/\s*?\[\]])[^/\s*?\[\]]+_[0-9]+", node.text)
        elif type(node) is Sequence:
            waiting += node.items
        elif type(node) is Mapping:
            waiting += [value for _, value in node.entries.values()]
