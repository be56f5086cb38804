"""The section `budget`: what a network may cost. `convcost check` compares networks with it."""

from collections.abc import Callable, Collection
from typing import Any

from convcost.language.fields import A_CONVENTION, A_DTYPE, FieldReader
from convcost.language.patterns import PatternChecker
from convcost.language.problems import Problems
from convcost.language.scalars import parse_convention
from convcost.language.yaml_nodes import Mapping, Node, Scalar
from convcost.model.errors import ConstraintError
from convcost.model.figures import ambiguous_comma, parse_figure, parse_whole_figure
from convcost.model.measures import Measure
from convcost.model.network import COUNTED, IN_BYTES, Budget, Limit, Rule

OF_LAYERS = (*Measure, "flops", "largest_activation", "bytes", "flash")
# The others exist for a whole network only.
LIMITED = (*OF_LAYERS, "peak_memory", "memory", "depth", "receptive_field")
WANTED = {"count": A_CONVENTION, "dtype": A_DTYPE}  # all other keys are numbers
LIMIT_KEYS = ("max", "min", "warn", "grow", "grow_floor", "dtype", "count")


class BudgetParser(FieldReader):
    """Parses a budget. `paths` are the paths of the network, or None if they are not known."""

    def __init__(self, problems: Problems, paths: Collection[str] | None) -> None:
        super().__init__(problems)
        self.patterns = PatternChecker(problems, "budget", paths)

    def parse(self, node: Node) -> Budget | None:
        """The budget of a section. Adds a problem for each mistake; None if the section is no
        mapping."""
        if type(node) is not Mapping:
            self.problems.add("CC112", "`budget` must be a mapping", node, "{params: {max: 7M}}")
            return None
        keys = (*LIMITED, "layers", "groups", "message", "name")
        self.check_keys("a budget", node.entries, keys)
        return Budget(
            total=self._limits(node, LIMITED),
            layers=self.items(node.get("layers"), "layers", self._rule),
            groups=self.items(node.get("groups"), "groups", self._rule),
            message=self.text(node.get("message"), "message"),
            name=self.text(node.get("name"), "name"),
        )

    def _rule(self, node: Node) -> Rule | None:
        if type(node) is not Mapping or "match" not in node.entries:
            hint = '{match: "*", params: {max: 1M}}'
            self.problems.add("CC103", "a rule needs `match`", node, hint)
            return None
        self.check_keys("a rule", node.entries, (*OF_LAYERS, "match"))
        pattern = self.text(node.get("match"), "match")
        self.patterns.check(pattern, node.entries["match"][1])
        if node.entries.keys().isdisjoint(LIMITED):
            self.problems.add("CC112", "a rule needs a limit", node, "add {params: {max: n}}")
        return Rule(pattern, self._limits(node, OF_LAYERS))

    def _limits(self, node: Mapping, measures: tuple[str, ...]) -> tuple[Limit, ...]:
        limits = [
            self._limit(node.entries[measure][1], measure, node.entries[measure][0])
            for measure in measures
            if measure in node.entries
        ]
        return tuple(limit for limit in limits if limit is not None)

    def _limit(self, node: Node, measure: str, key: Scalar) -> Limit | None:
        whole = parse_bytes if measure in IN_BYTES else parse_whole_figure
        if type(node) is Scalar:
            most = self.parse_text(node, measure, whole)
            return None if most is None else Limit(measure, node.span, max=most)
        if type(node) is not Mapping:
            self.problems.add("CC112", f"`{measure}` must be a number or {{max: n}}", node)
            return None
        self.check_keys(f"the limit of {measure}", node.entries, LIMIT_KEYS)
        if node.entries.keys().isdisjoint(("max", "min", "warn", "grow")):
            hint = "add `max`, `min`, `warn` or `grow`"
            self.problems.add("CC112", f"`{measure}` has no limit", key, hint)
            return None
        readers: dict[str, Callable[[str], Any]] = dict.fromkeys(LIMIT_KEYS, whole)
        readers |= {"grow": lambda text: parse_growth(text, whole), "dtype": _parse_dtypes}
        counted = (measure,) if measure in COUNTED else ()
        readers["count"] = lambda text: parse_convention(text, counted)
        read: dict[str, Any] = {
            name: self.parse_text(
                value, f"{name} of {measure}", readers[name], WANTED.get(name, "a number")
            )
            for name, (_, value) in node.entries.items()
            if name in readers
        }
        most = read.get("max")
        mistakes = [
            ("grow_floor", "grow" not in read, "has no effect without `grow`"),
            ("dtype", measure not in IN_BYTES, f"is for {', '.join(IN_BYTES)} only"),
            ("count", measure not in COUNTED, f"is for {', '.join(COUNTED)} only"),
            ("min", most is not None and (read.get("min") or 0) > most, "is above its max"),
            ("warn", most is not None and (read.get("warn") or 0) > most, "is above its max"),
        ]
        for name, wrong, reason in mistakes:
            if name in read and wrong:
                message = f"{name} of {measure} {reason}"
                self.problems.add("CC112", message, node.entries[name][0])
        read["counted_by"] = read.pop("count", None)
        return Limit(measure, key.span, **{k: v for k, v in read.items() if v is not None})


def _parse_dtypes(text: str) -> str:
    from convcost.model.dtypes import parse_dtypes

    return parse_dtypes(text).text


def parse_bytes(text: str) -> int:
    """Parses bytes: `500B`, `4MB`, `4MiB`, `4Mi`. A B at the end is a byte, never a billion."""
    return parse_whole_figure(text, byte=True)


def parse_growth(
    text: str, whole: Callable[[str], int] = parse_whole_figure
) -> tuple[int, int] | int:
    """Parses a growth: `2%` to an exact fraction, or a count. Raises ConstraintError."""
    stripped = text.strip()
    if not stripped.endswith("%"):
        try:
            return whole(text)
        except ConstraintError as error:
            hint = error.help or "write 2% or 20k"
            raise ConstraintError(error.code, error.message, hint) from None
    read = parse_figure(stripped[:-1].replace(",", ""))
    if "," in stripped:
        raise ambiguous_comma(stripped)
    if read.suffix:
        raise ConstraintError("CC112", f"`{text}` has a unit and a percent sign", "write 2% or 20k")
    numerator, denominator = read.value()
    return numerator, denominator * 100
