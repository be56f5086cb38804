"""What a block is called: after the class of its module, or after what it holds."""

import re
from collections import Counter

from convcost.importing.drawing import Path
from convcost.importing.structure.names import free
from convcost.importing.structure.tree import Call, Item, Join, Layer, Repeated, Sequence, layers
from convcost.kind import KINDS

SHORT = {
    "batch_norm": "bn",
    "layer_norm": "ln",
    "group_norm": "gn",
    "depthwise": "dw",
    "global_avg_pool": "pool",
    "hard_swish": "hswish",
}
MOST_WORDS = 3
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
GENERIC = {"sequential", "module_list", "module", "basic_block"}


class Titles:
    """Names for blocks; `classes` are those of modules by path."""

    def __init__(self, classes: dict[Path, str]) -> None:
        self.classes = classes
        self.taken = set(KINDS.names())

    def proposed(self, body: tuple[Item, ...], originals: list[tuple[Item, ...]]) -> str:
        paths = [path for original in originals if (path := self._module(original))]
        names = Counter(name for path in paths if (name := self._class(path)))
        if not names:
            names = Counter(name for path in paths if (name := _stem(path)))
        content = _content(body)
        (common, count), *_ = names.most_common(1) or [("", 0)]
        # Where most uses have no name, that of the others would mislead.
        wanted = common if 2 * count >= len(originals) else content
        if wanted in KINDS.names():
            wanted = f"{wanted}_block"
        if wanted in self.taken and content == "residual":
            wanted = content  # a module with and without its shortcut
        return free(wanted, self.taken)

    def take(self, name: str) -> None:
        self.taken.add(name)

    def _class(self, path: Path) -> str:
        name = _snake(self.classes.get(path, ""))
        return "" if name in GENERIC else name

    @staticmethod
    def _module(original: tuple[Item, ...]) -> Path:
        item = original[0]
        return item.path if len(original) == 1 and isinstance(item, Sequence) else ()


def _snake(name: str) -> str:
    words = _HUMP.sub("_", name).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    words = re.sub(r"(?<=[a-z])_?[123]_?d(?=_|$)", "", words)
    return words if words[:1].isalpha() else ""


def _stem(path: Path) -> str:
    """A module's name without what counts it: `layer1.2` has none, `inception_3a` is inception."""
    name = re.sub(r"[_.-]*\d+[a-z]?$", "", path[-1])
    name = _snake(name)
    return name if len(name) > 2 else ""  # noqa: PLR2004  a letter says nothing


def _content(body: tuple[Item, ...]) -> str:
    joins = [item for item in body if isinstance(item, Join)]
    if len(joins) == 1:
        join = joins[0]
        straight = any(not branch.items for branch in join.branches) or any(
            branch.when for branch in join.branches
        )
        kinds = {layer.kind for layer in layers((join,))}
        if join.layer.kind == "multiply" and "global_avg_pool" in kinds and straight:
            return "squeeze_excite"
        if join.layer.kind == "add" and straight:
            return "attention_block" if "attention" in kinds else "residual"
        if join.layer.kind == "concat":
            return "dense" if straight else "branches"
    words = list(dict.fromkeys(word for item in body for word in _words(item)))
    if len(words) > MOST_WORDS:
        return "block"
    return "_".join(words) if len(words) > 1 else f"{words[0]}_block"


def _words(item: Item) -> list[str]:
    if isinstance(item, Sequence):
        return [word for inner in item.items for word in _words(inner)]
    if isinstance(item, Repeated):
        return _words(item.copies[0])
    if isinstance(item, Layer):
        return [SHORT.get(item.kind, item.kind)]
    if isinstance(item, Join):
        return [item.layer.kind]
    return [item.block] if isinstance(item, Call) else []
