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
    """Pins what is spoken of behind items that go, and from items on that get a convolution before
    them. Raises Refusal for what cannot be named."""
    lists: dict[int, tuple[Place, Sequence]] = {}
    for place in (*gone, *new):
        sequence = draft.item(place).list
        lists[id(sequence)] = place, sequence
    for place, sequence in lists.values():
        document = draft.document(place)
        spoken = set(_spoken(document))
        going = {draft.item(p).number for p in gone if draft.item(p).list is sequence}
        coming = {draft.item(p).number for p in new if draft.item(p).list is sequence}
        before: Counter[str] = Counter()
        after: Counter[str] = Counter()
        for number, item in enumerate(sequence.items):
            after["conv"] += number in coming
            word = _word(item, document)
            before[word.text] += 1
            after[word.text] += number not in going
            name = f"{word.text}_{before[word.text]}"
            shifted = before[word.text] != after[word.text]
            if number in going or not shifted or name not in spoken or _named(item):
                continue
            if type(item) is Mapping and "repeat" in item.entries:
                line = word.place.line
                raise Refusal("CC004", f"`{name}` of line {line} is repeated and spoken of")
            draft.add(word.place, "name", name)


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
            yield from re.findall(r"[^/\s*?\[\]]+_[0-9]+", node.text)
        elif type(node) is Sequence:
            waiting += node.items
        elif type(node) is Mapping:
            waiting += [value for _, value in node.entries.values()]
