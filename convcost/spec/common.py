"""The keys that every layer may have: its name, where it takes its input, how often it stands."""

from convcost.errors import Problem
from convcost.kind import Option
from convcost.spec.document import Node, Scalar, Sequence
from convcost.spec.recipes import Bound
from convcost.spec.values import Entries, Values

COMMON = ("name", "from", "repeat", "when", "note")
REPEAT = Option("repeat", "repeat", "Natural", "copies in series")
WHEN = Option("when", "when", "Flag", "keep the layer if true")


class Common:
    """Reads common keys; what is wrong with them is kept in `problems`."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.problems = values.problems

    def problem(self, code: str, message: str, node: Node, help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(code, message, node.place, help=help))

    def name(self, entries: dict[str, tuple[Scalar, Node]]) -> str:
        if "name" not in entries:
            return ""
        node = entries["name"][1]
        if type(node) is not Scalar or node.null:
            self.problem("CC107", "a name must be a word", node)
            return ""
        return node.text if self.check_name(node) else ""

    def check_name(self, node: Scalar) -> bool:
        if good_name(node.text):
            return True
        if node.text == "input":
            reason = "`input` is the tensor that comes in and cannot be a name"
        elif not node.text.strip():
            reason = "a name cannot be empty"
        else:
            reason = f"`{node.text}` cannot be a name: `/` separates the names of a path"
        self.problem("CC107", reason, node)
        return False

    def text(self, entries: dict[str, tuple[Scalar, Node]], key: str) -> str:
        if key not in entries:
            return ""
        node = entries[key][1]
        if type(node) is not Scalar:
            self.problem("CC104", f"`{key}` must be text", node)
            return ""
        return node.text

    def sources(self, entries: dict[str, tuple[Scalar, Node]]) -> tuple[Scalar, ...]:
        if "from" not in entries:
            return ()
        node = entries["from"][1]
        listed = node.items if type(node) is Sequence else [node]
        if not listed:
            self.problem("CC108", "`from` names nothing", node)
        found = [self.reference(item) for item in listed]
        return tuple(source for source in found if source is not None)

    def reference(self, node: Node) -> Scalar | None:
        if type(node) is Scalar and not node.null:
            return node
        self.problem(
            "CC108",
            "this must be the name of a layer",
            node,
            "branches of layers need names: {a: […], b: […]}" if type(node) is not Scalar else "",
        )
        return None

    def repeat(self, entries: Entries, names: tuple[str, ...]) -> Bound | None:
        return self._bound(REPEAT, entries, names)

    def when(self, entries: Entries, names: tuple[str, ...]) -> Bound | None:
        return self._bound(WHEN, entries, names)

    def _bound(self, option: Option, entries: Entries, names: tuple[str, ...]) -> Bound | None:
        if option.name not in entries:
            return None
        return self.values.bind(option, entries[option.name][1], names, "a layer")


def good_name(text: str) -> bool:
    return "/" not in text and text != "input" and text.strip() != ""
