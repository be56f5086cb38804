"""The keys that every layer may have: `name`, `from`, `repeat`, `when`, `note` and `frozen`."""

from convcost.language.fields import FieldReader
from convcost.language.syntax_tree import LayerNode, OptionValue
from convcost.language.values import Entries, Names, read_value
from convcost.language.yaml_nodes import Node, Scalar, Sequence
from convcost.model.kind import Option

REPEAT = Option("repeat", "repeat", "Natural", "copies in series")
DENSITY = Option("density", "density", "Density", "the share of the weights that is not pruned")
WHEN = Option("when", "when", "Flag", "keep the layer if true")
FROZEN = Option("frozen", "frozen", "Frozen", "what training does not change", None)


class CommonKeys(FieldReader):
    """Reads common keys."""

    def parse(self, word: Scalar, entries: Entries, names: Names) -> LayerNode:
        """A layer node with the common keys of `entries`, and with `weights`."""
        return LayerNode(
            word,
            label=word.text,
            name=self.name(entries),
            sources=self._sources(entries),
            repeat=self._option(REPEAT, entries, names),
            when=self._option(WHEN, entries, names),
            note=self.text(entries["note"][1], "note", "CC104") if "note" in entries else "",
            frozen=self.frozen(entries, names),
            density=self._option(DENSITY, entries, names),
            weights=self.reference(entries["weights"][1]) if "weights" in entries else None,
        )

    def frozen(self, entries: Entries, names: Names) -> OptionValue | None:
        return self._option(FROZEN, entries, names)

    def name(self, entries: Entries) -> str:
        if "name" not in entries:
            return ""
        node = entries["name"][1]
        if type(node) is not Scalar or node.null:
            self.problems.add("CC107", "a name must be a word", node)
            return ""
        return node.text if self.check_name(node) else ""

    def check_name(self, node: Scalar) -> bool:
        """Whether a text can be a name. If not, adds a problem."""
        if is_layer_name(node.text):
            return True
        message = f"`{node.text}` cannot be a name"
        hint = "a name is not empty and not `input`, and has no `/`"
        self.problems.add("CC107", message, node, hint)
        return False

    def _sources(self, entries: Entries) -> tuple[Scalar, ...]:
        if "from" not in entries:
            return ()
        node = entries["from"][1]
        listed = [node]
        if type(node) is Sequence:
            self.problems.count_read(node)
            listed = node.items
        if not listed:
            self.problems.add("CC108", "`from` is empty", node, "write the name of a layer")
        sources = [self.reference(item) for item in listed]
        return tuple(source for source in sources if source is not None)

    def reference(self, node: Node) -> Scalar | None:
        """The name of a layer in `from` or in a branch. If it is not a name, adds a problem; then
        None."""
        if type(node) is Scalar and not node.null:
            return node
        hint = "" if type(node) is Scalar else "branches of layers need names: {a: […], b: […]}"
        self.problems.add("CC108", "this must be the name of a layer", node, hint)
        return None

    def _option(self, option: Option, entries: Entries, names: Names) -> OptionValue | None:
        if option.name not in entries:
            return None
        return read_value(self.problems, option, entries[option.name][1], names, "a layer")


def is_layer_name(text: str) -> bool:
    """Whether a layer can have this name: it is not empty and not `input`, and has no `/`."""
    return "/" not in text and text != "input" and text.strip() != ""
