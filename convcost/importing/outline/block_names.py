"""Names blocks after the class of their module, or after their layers."""

import re
from collections import Counter

from convcost.importing.ir.layer_graph import LayerGraph, Path
from convcost.importing.outline.branch_names import begins_with_learned
from convcost.importing.outline.canonicalize import REARRANGES, repeats_kind
from convcost.importing.outline.tree import Item, Items, layers
from convcost.importing.outline.valid_names import input_name, unused_name, valid_name
from convcost.model.kind import KINDS

SHORT_NAMES = {
    "batch_norm": "bn",
    "layer_norm": "ln",
    "group_norm": "gn",
    "depthwise": "dw",
    "global_avg_pool": "pool",
    "hard_swish": "hswish",
}
MAX_WORDS = 3  # of a name
MIN_MIXED = 3  # of an inception block
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_UNIT = re.compile(r"(?<=[A-Z][a-z])LU(?![a-z])")  # ReLU and SiLU are one word
GENERIC = {"sequential", "module_list", "module", "basic_block", "block", "layer", "stage", "unit"}
# kinds that do not determine the name of a block, by file
FOLLOWERS = ("activations", "norms", "scale")
FREE_KINDS = ("dropout", "drop_path", "pad")


class BlockNames:
    """Names for blocks; `classes` has the class names of modules by path."""

    def __init__(self, classes: dict[Path, str]) -> None:
        self.classes = classes
        self.taken = set(KINDS.names())

    def block_name(self, body: Items, originals: list[Items], inputs: tuple[int, ...]) -> str:
        """A name that no block has yet. `inputs` are those of the body."""
        paths = [path for original in originals if (path := module_path(original))]
        names = Counter(name for path in paths if (name := self._class_name(path)))
        if not names and not any(item.is_layer for item in body):
            names = Counter(name for original in originals if (name := self._row(original)))
        if not names:
            names = Counter(name for path in paths if (name := _stem(path)))
        content = _content_name(body, inputs)
        (common, count), *_ = names.most_common(1) or [("", 0)]
        # If most uses have no name, the names of the others would mislead.
        base_name = common if 2 * count >= len(originals) else content
        if base_name in KINDS.names():
            base_name = f"{base_name}_block"
        if base_name in self.taken and content == "residual":
            base_name = content  # the same module with and without its shortcut
        return unused_name(base_name, self.taken)

    def _row(self, original: Items) -> str:
        """The name of a block of several consecutive modules, if all have the same class."""
        while len(original) == 1 and original[0].is_sequence:
            original = original[0].items
        classes = {self._class_name(item.path) for item in original if item.is_sequence}
        is_uniform = len(classes) == 1 and all(
            module.is_sequence and any(item.is_join for item in module.items) for module in original
        )
        row = "pair" if len(original) == 2 else "row"  # noqa: PLR2004  a pair has two
        return f"{name}_{row}" if is_uniform and (name := classes.pop()) else ""

    def take(self, name: str) -> None:
        self.taken.add(name)

    def _class_name(self, path: Path) -> str:
        name = _snake_case(self.classes.get(path, ""))
        return "" if name in GENERIC else name


def block_input_names(graph: LayerGraph, inputs: tuple[int, ...]) -> tuple[str, ...]:
    """Names for the inputs of a block: `x` for the first, and names of layers for the others."""
    names = ["x"]
    for value in inputs[1:]:
        names.append(input_name(_value_name(graph, value), names))
    return tuple(names)


def _value_name(graph: LayerGraph, value: int) -> str:
    """The name of an input of the network, or of the layer that computes a value. A layer that only
    arranges or selects elements of its input has the name of that."""
    while value >= 0 and graph.layers[value].kind in (*REARRANGES, "slice"):
        value = graph.layers[value].inputs[0]
    if value < 0:
        return valid_name(graph.inputs[-1 - value][0]) or "image"
    layer = graph.layers[value]
    if layer.kind == "elementwise":
        return str(dict(layer.options)["function"])
    *modules, own_name = layer.path or ("",)
    for name in (own_name, *reversed(modules)):
        if not repeats_kind(name, layer.kind):
            return valid_name(name) or layer.kind
    return layer.kind


def module_path(items: Items) -> Path:
    """The module of which the items are all layers; () if there is none."""
    return items[0].path if len(items) == 1 and items[0].is_sequence else ()


def _snake_case(name: str) -> str:
    name = _UNIT.sub("lu", name)
    words = _HUMP.sub("_", name).lower()
    words = re.sub(r"[^a-z0-9]+", "_", words).strip("_")
    words = re.sub(r"(?<=[a-z])_?[123]_?d(?=_|$)", "", words)
    return words if words[:1].isalpha() else ""


def _stem(path: Path) -> str:
    """A module's name without its number: `layer1.2` has none, `inception_3a` becomes inception."""
    name = re.sub(r"[_.-]*\d+[a-z]?$", "", path[-1])
    name = _snake_case(name)
    return name if len(name) > 2 and name not in GENERIC else ""  # noqa: PLR2004  short names are not clear


def _content_name(body: Items, inputs: tuple[int, ...]) -> str:
    joins = [item for item in body if item.is_join]
    kinds = [layer.kind for layer in layers(body)]
    attends = "attention" in kinds or {"matmul", "softmax"}.issubset(kinds)
    name = ""
    if len(joins) == 1:
        name = _join_name(joins[0], is_whole_body=len(body) <= 1 + sum(map(_only_follows, body)))
    elif not attends and any(branch.ref in inputs[:1] for branch in body[-1].branches):
        name = _join_name(body[-1], is_whole_body=True)
    if name:
        return name
    if "channel_shuffle" in kinds:
        return "shuffle_unit"
    if attends:
        return "attention_block"
    if "depthwise" in kinds and kinds[0] == "conv" and kinds[-1] != "depthwise":
        return "mbconv" if "multiply" in kinds else "inverted_bottleneck"
    words = _describing_words(body, ())
    if len(words) > MAX_WORDS:
        words = _describing_words(body, ("activations",))
    if len(words) > MAX_WORDS:
        words = _describing_words(body, FOLLOWERS)
    if not words or len(words) > MAX_WORDS:
        return "block"
    return "_".join(words) if len(words) > 1 else f"{words[0]}_block"


def _join_name(join: Item, *, is_whole_body: bool) -> str:
    """The name of a block whose main item is a join; "" if other layers matter."""
    straight = any(not branch.items or branch.when for branch in join.branches)
    if any(map(begins_with_learned, join.branches)):
        return ""
    kinds = [layer.kind for layer in layers((join,))]
    if join.kind == "multiply" and "global_avg_pool" in kinds and straight:
        return "squeeze_excite" if is_whole_body else ""
    if join.kind == "add" and straight:
        return "attention_block" if "attention" in kinds else "residual"
    if join.kind != "concat":
        return ""
    if straight:
        return "dense"
    mixed = len(join.branches) >= MIN_MIXED and kinds.count("conv") > MIN_MIXED
    return "inception" if mixed else "branches"


def _describing_words(body: Items, ignored_files: tuple[str, ...]) -> list[str]:
    """Words for the items, each once, without the kinds of some files."""
    items = [item for item in body if not (ignored_files and _only_follows(item, ignored_files))]
    words = list(dict.fromkeys(word for item in items for word in _words(item)))
    parts = {word: set(word.split("_")) for word in words}
    return [word for word in words if not any(parts[word] < parts[other] for other in words)]


def _only_follows(item: Item, files: tuple[str, ...] = FOLLOWERS) -> bool:
    """Whether an item only follows a layer with weights: a norm, an activation, or a layer without
    effect at inference."""
    kind = KINDS[item.kind] if item.is_layer else None
    return kind is not None and (
        kind.__module__.rpartition(".")[2] in files or kind.name in FREE_KINDS
    )


def _words(item: Item) -> list[str]:
    if item.is_sequence:
        return [word for inner in item.items for word in _words(inner)]
    if item.is_call:
        return [re.sub(r"_\d+$", "", item.kind)]
    if item.kind == "multiply" and item.branches and _join_name(item, is_whole_body=True):
        return ["se"]
    return [SHORT_NAMES.get(item.kind, item.kind) if item.is_layer else item.kind]
