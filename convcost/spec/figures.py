"""`published:` and `budget:`: figures of others, and limits. Checked here, answered later."""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from convcost.errors import Place, Problem, Refusal
from convcost.names import did_you_mean
from convcost.network import Budget, Limit, Published, Rule
from convcost.options import size_of
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.limits import LIMIT_KEYS, meaningless, reader
from convcost.spec.scalars import BOOLS, number
from convcost.units import Figure, figure, whole_figure

MEASURES = ("weights", "biases", "params", "buffers", "macs", "activations", "channels")
OF_LAYERS = (*MEASURES[:6], "largest_activation", "bytes")
LIMITED = (*OF_LAYERS, "depth", "receptive_field")  # the last two only of a whole network
BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "int8": 8, "uint8": 8, "int4": 4,
}  # fmt: skip


class Anything(frozenset[str]):
    """The paths of a network that is not laid out: any may exist."""

    def __contains__(self, path: object) -> bool:
        return True


class Names(NamedTuple):
    """What figures may speak of: the paths of the network as it stands, and its variables; and
    what was changed for it to stand so."""

    paths: Iterable[str]
    variables: dict[str, Any]
    defaults: dict[str, Any]
    changed: dict[str, Any]
    resized: tuple[int, ...] | None


class Figures:
    """Reads both sections; what is wrong is kept in `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def problem(self, code: str, message: str, place: Place, help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(code, message, place, help=help))

    def refused(self, place: Place, what: str, refusal: Refusal) -> None:
        self.problem(refusal.code, f"{what}: {refusal.message}", place, refusal.help)

    # Published figures

    def published(self, node: Node, names: Names) -> tuple[Published, ...]:
        if type(node) is not Sequence:
            self.problem("CC112", "`published` must be a list", node.place, "begin each with `- `")
            return ()
        entries = [self._entry(item, names) for item in node.items]
        return tuple(entry for entry in entries if entry is not None)

    def _entry(self, node: Node, names: Names) -> Published | None:
        if type(node) is not Mapping:
            self.problem(
                "CC112", "a published figure is a mapping", node.place, "{params: 25.6M, source: …}"
            )
            return None
        known = (*MEASURES, "layer", "source", "note", "off", "set", "size")
        self._unknown("a published figure", node, known)
        figures = []
        for measure in MEASURES:
            value = node.get(measure)
            if value is not None:
                read = self._figure(value, measure)
                if read is not None:
                    figures.append((measure, read))
        if not any(measure in node.entries for measure in MEASURES):
            listed = ", ".join(f"`{measure}`" for measure in MEASURES)
            self.problem(
                "CC112", "a published figure names no measure", node.place, f"any of {listed}"
            )
        if "source" not in node.entries:
            self.problem(
                "CC103", "a published figure needs `source`", node.place, "where is it printed?"
            )
        settings = self._settings(node.get("set"), names)
        layer = self._text(node.get("layer"), "layer")
        size = self._size(node.get("size"))
        here = dict(settings) == names.changed and size == names.resized
        if layer and here and layer not in names.paths:
            where = node.entries["layer"][1].place
            self.problem(
                "CC108", f"there is no layer `{layer}`", where, did_you_mean(layer, names.paths, 0)
            )
        return Published(
            layer=layer,
            figures=tuple(figures),
            source=self._text(node.get("source"), "source"),
            place=node.place,
            settings=settings,
            size=size,
            note=self._text(node.get("note"), "note"),
            off=self._off(node.get("off"), tuple(measure for measure, _ in figures)),
        )

    def _figure(self, node: Node, measure: str) -> Figure | None:
        read: Figure | None = self._parsed(node, measure, figure)
        return read

    def _parsed(self, node: Node, what: str, parse: Callable[[str], Any]) -> Any:
        if type(node) is not Scalar:
            self.problem("CC112", f"{what} must be a number", node.place)
            return None
        if node.null:
            self.problem("CC112", f"{what} has no value", node.place)
            return None
        try:
            return parse(node.text)
        except Refusal as refusal:
            self.refused(node.place, what, refusal)
            return None

    def _settings(self, node: Node | None, names: Names) -> tuple[tuple[str, Any], ...]:
        if node is None:
            return ()
        if type(node) is not Mapping:
            self.problem("CC112", "`set` must be a mapping of variables", node.place)
            return ()
        found = []
        for name, (key, value) in node.entries.items():
            if name not in names.variables:
                hint = did_you_mean(name, names.variables)
                self.problem("CC113", f"there is no variable `{name}`", key.place, hint)
            elif type(value) is not Scalar:
                self.problem("CC112", f"`{name}` must be a number, true or false", value.place)
            else:
                setting = self._parsed(value, name, variable)
                if setting is not None and not same(setting, names.defaults.get(name)):
                    found.append((name, setting))
        return tuple(found)

    def _size(self, node: Node | None) -> tuple[int, ...] | None:
        if node is None:
            return None
        items = node.items if type(node) is Sequence else [node]
        numbers = [self._parsed(item, "size", whole_figure) for item in items]
        if None in numbers:
            return None
        try:
            return size_of(tuple(numbers) if type(node) is Sequence else numbers[0])
        except Refusal as refusal:
            self.problem(refusal.code, refusal.message, node.place, refusal.help)
            return None

    def _text(self, node: Node | None, what: str) -> str:
        if node is None:
            return ""
        if type(node) is not Scalar:
            self.problem("CC112", f"`{what}` must be text", node.place)
            return ""
        return node.text

    def _off(self, node: Node | None, printed: tuple[str, ...]) -> tuple[str, ...]:
        """`true` for all measures of the entry, or the names of those that are known to be off."""
        if node is None:
            return ()
        if type(node) is Scalar and node.text in BOOLS:
            return printed if BOOLS[node.text] else ()
        names = [node] if type(node) is Scalar else node.items if type(node) is Sequence else []
        found = tuple(name.text for name in names if type(name) is Scalar)
        if not found or len(found) < len(names) or not set(found) <= set(printed):
            listed = ", ".join(printed)
            self.problem("CC112", f"`off` must be true, or some of: {listed}", node.place)
            return ()
        return found

    def _unknown(self, what: str, node: Mapping, known: Iterable[str]) -> None:
        for name, (key, _) in node.entries.items():
            if name not in known and not name.startswith("x-"):
                self.problem(
                    "CC101", f"{what} has no key `{name}`", key.place, did_you_mean(name, known)
                )

    # Budgets

    def budget(self, node: Node, paths: Iterable[str]) -> Budget | None:
        if type(node) is not Mapping:
            self.problem("CC112", "`budget` must be a mapping", node.place, "{params: {max: 7M}}")
            return None
        self._unknown("a budget", node, (*LIMITED, "layers", "groups", "message", "name"))
        return Budget(
            total=self._limits(node),
            layers=self._rules(node.get("layers"), "layers", paths),
            groups=self._rules(node.get("groups"), "groups", paths),
            message=self._text(node.get("message"), "message"),
            name=self._text(node.get("name"), "name"),
        )

    def _rules(self, node: Node | None, what: str, paths: Iterable[str]) -> tuple[Rule, ...]:
        if node is None:
            return ()
        if type(node) is not Sequence:
            self.problem("CC112", f"`{what}` must be a list of rules", node.place)
            return ()
        rules = []
        for item in node.items:
            if type(item) is not Mapping or "match" not in item.entries:
                self.problem(
                    "CC103", "a rule needs `match`", item.place, '{match: "*", params: {max: 1M}}'
                )
                continue
            self._unknown("a rule", item, (*OF_LAYERS, "match"))
            pattern = self._text(item.get("match"), "match")
            known = not isinstance(paths, Anything)
            if known and not any(fnmatchcase(path, pattern) for path in paths):
                place = item.entries["match"][1].place
                self.problem(
                    "CC108", f"no layer matches `{pattern}`", place, did_you_mean(pattern, paths, 0)
                )
            limits = self._limits(item, OF_LAYERS)
            if not any(measure in item.entries for measure in LIMITED):
                self.problem("CC112", "a rule limits nothing", item.place, "add {params: {max: n}}")
            rules.append(Rule(pattern, limits))
        return tuple(rules)

    def _limits(self, node: Mapping, measures: tuple[str, ...] = LIMITED) -> tuple[Limit, ...]:
        limits = []
        for measure in measures:
            value = node.get(measure)
            if value is None:
                continue
            limit = self._limit(value, measure, node.entries[measure][0].place)
            if limit is not None:
                limits.append(limit)
        return tuple(limits)

    def _limit(self, node: Node, measure: str, place: Place) -> Limit | None:
        if type(node) is Scalar:
            most = self._parsed(node, measure, reader(measure, "max"))
            return None if most is None else Limit(measure, node.place, max=most)
        if type(node) is not Mapping:
            self.problem("CC112", f"`{measure}` takes {{max: n}}", node.place)
            return None
        self._unknown(f"the limit of {measure}", node, LIMIT_KEYS)
        if not any(key in node.entries for key in ("max", "min", "warn", "grow")):
            self.problem(
                "CC112", f"`{measure}` limits nothing", place, "add `max`, `min`, `warn` or `grow`"
            )
            return None
        read: dict[str, Any] = {
            key: self._parsed(value, f"{key} of {measure}", reader(measure, key))
            if key != "dtype"
            else self._dtype(value)
            for key, (_, value) in node.entries.items()
            if key in LIMIT_KEYS
        }
        for key, message, help_ in meaningless(measure, read):
            self.problem("CC112", message, node.entries[key][0].place, help_)
        return Limit(measure, place, **{k: v for k, v in read.items() if v is not None})

    def _dtype(self, node: Node) -> str:
        dtype = self._text(node, "dtype")
        if dtype and dtype not in BITS:
            hint = did_you_mean(dtype, BITS)
            self.problem("CC112", f"there is no dtype `{dtype}`", node.place, hint)
        return dtype


def variable(text: str) -> Any:
    """A number, true or false, as `--set name=value` and `set:` take it. Raises Refusal."""
    if text in BOOLS:
        return BOOLS[text]
    value = number(text.strip())
    if value is None:
        shown = text if len(text) < 40 else text[:40] + "…"  # noqa: PLR2004
        raise Refusal("CC104", f"`{shown}` is neither a number nor true or false")
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two settings are one: 1 is 1.0, but not true."""
    return (type(one) is bool) == (type(other) is bool) and bool(one == other)
