"""What a block is called: after the class of its module, or after what it holds."""

import re
from collections import Counter

from convcost.importing.drawing import Path
from convcost.importing.structure.arms import of_its_own
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
MIXED = 3  # branches of an inception, at least
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
GENERIC = {"sequential", "module_list", "module", "basic_block", "block", "layer", "stage", "unit"}
ALONG = ("activations", "norms", "scale")  # files of kinds that stand behind what a block is about
FREE = ("dropout", "drop_path", "pad")


class Titles:
    """Names for blocks; `classes` are those of modules by path."""

    def __init__(self, classes: dict[Path, str]) -> None:
        self.classes = classes
        self.taken = set(KINDS.names())

    def proposed(self, body: tuple[Item, ...], originals: list[tuple[Item, ...]]) -> str:
        paths = [path for original in originals if (path := self._module(original))]
        names = Counter(name for path in paths if (name := self._class(path)))
        if not names and not any(isinstance(item, Layer) for item in body):
            names = Counter(name for one in originals if (name := self._row(one)))
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

    def _row(self, original: tuple[Item, ...]) -> str:
        """What modules in a row are called, if all are of one class."""
        while len(original) == 1 and isinstance(original[0], Sequence):
            original = original[0].items
        told = {self._class(item.path) for item in original if isinstance(item, Sequence)}
        rows = [item for item in original if isinstance(item, Sequence) and _branches(item)]
        alone = len(told) == 1 and len(rows) == len(original)
        row = "pair" if len(original) == 2 else "row"  # noqa: PLR2004  the word says it
        return f"{name}_{row}" if alone and (name := told.pop()) else ""

    def take(self, name: str) -> None:
        self.taken.add(name)

    def _class(self, path: Path) -> str:
        name = _snake(self.classes.get(path, ""))
        return "" if name in GENERIC else name

    @staticmethod
    def _module(original: tuple[Item, ...]) -> Path:
        item = original[0]
        return item.path if len(original) == 1 and isinstance(item, Sequence) else ()


def _branches(module: Sequence) -> bool:
    return any(isinstance(item, Join) for item in module.items)


def _snake(name: str) -> str:
    words = _HUMP.sub("_", name).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    words = re.sub(r"(?<=[a-z])_?[123]_?d(?=_|$)", "", words)
    return words if words[:1].isalpha() else ""


def _stem(path: Path) -> str:
    """A module's name without what counts it: `layer1.2` has none, `inception_3a` is inception."""
    name = re.sub(r"[_.-]*\d+[a-z]?$", "", path[-1])
    name = _snake(name)
    return name if len(name) > 2 and name not in GENERIC else ""  # noqa: PLR2004  a letter says nothing


def _content(body: tuple[Item, ...]) -> str:
    joins = [item for item in body if isinstance(item, Join)]
    held = list(layers(body))
    kinds = {layer.kind for layer in held}
    if len(joins) == 1:
        said = _joined(joins[0], alone=len(body) <= 1 + sum(map(_behind, body)))
        if said:
            return said
    if "channel_shuffle" in kinds:
        return "shuffle_unit"
    if {"matmul", "softmax"} <= kinds or "attention" in kinds:
        return "attention_block"
    if "depthwise" in kinds and held[0].kind == "conv" and held[-1].kind != "depthwise":
        return "mbconv" if "multiply" in kinds else "inverted_bottleneck"
    words = _telling(body, ())
    if len(words) > MOST_WORDS:
        words = _telling(body, ("activations",))
    if len(words) > MOST_WORDS:
        words = _telling(body, ALONG)
    if not words or len(words) > MOST_WORDS:
        return "block"
    return "_".join(words) if len(words) > 1 else f"{words[0]}_block"


def _joined(join: Join, *, alone: bool) -> str:
    """What a block is about that is a join; "" where other layers are."""
    straight = any(not branch.items or branch.when for branch in join.branches)
    if any(map(of_its_own, join.branches)):
        return ""
    kinds = [layer.kind for layer in layers((join,))]
    if join.layer.kind == "multiply" and "global_avg_pool" in kinds and straight:
        return "squeeze_excite" if alone else ""
    if join.layer.kind == "add" and straight:
        return "attention_block" if "attention" in kinds else "residual"
    if join.layer.kind != "concat":
        return ""
    if straight:
        return "dense"
    mixed = len(join.branches) >= MIXED and kinds.count("conv") > MIXED
    return "inception" if mixed else "branches"


def _telling(body: tuple[Item, ...], without: tuple[str, ...]) -> list[str]:
    """Words for the items but those of some files of kinds, each once."""
    items = [item for item in body if not (without and _behind(item, without))]
    words = list(dict.fromkeys(word for item in items for word in _words(item)))
    parts = {word: set(word.split("_")) for word in words}
    return [word for word in words if not any(parts[word] < parts[one] for one in words)]


def _behind(item: Item, files: tuple[str, ...] = ALONG) -> bool:
    """Whether it only follows what learns: a norm, an activation, what is nothing at inference."""
    kind = KINDS.get(item.kind) if isinstance(item, Layer) else None
    return kind is not None and (kind.__module__.rpartition(".")[2] in files or kind.name in FREE)


def _words(item: Item) -> list[str]:
    if isinstance(item, Sequence):
        return [word for inner in item.items for word in _words(inner)]
    if isinstance(item, Repeated):
        return _words(item.copies[0])
    if isinstance(item, Layer):
        return [SHORT.get(item.kind, item.kind)]
    if isinstance(item, Join):
        gate = item.layer.kind == "multiply"
        return ["se" if gate and _joined(item, alone=True) else item.layer.kind]
    return [re.sub(r"_\d+$", "", item.block)] if isinstance(item, Call) else []
