"""A node where a value is wanted: a number, a word, a list, or an expression for later."""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from convcost.errors import Place, Problem, Refusal
from convcost.kind import Option
from convcost.names import did_you_mean
from convcost.options import OptionType, show
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.expressions import Evaluate, Lookup, parse
from convcost.spec.recipes import DEFERRED, Bound
from convcost.spec.scalars import BOOLS, number

Entries: TypeAlias = dict[str, tuple[Scalar, Node]]

IN = ("in_channels", "in_height", "in_width", "in_depth")


class Values:
    """Reads values, and keeps what is wrong with them in `problems`."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems

    def refuse(self, place: Place, refusal: Refusal, what: str = "") -> None:
        message = f"{what} {refusal.message}" if what else refusal.message
        self.problems.append(Problem(refusal.code, message, place, help=refusal.help))

    def torn(self, node: Node | None) -> bool:
        """Whether a comma tore an expression apart in a mapping, which is then said."""
        half = torn(node)
        if half is None:
            return False
        self.refuse(
            half.place,
            Refusal(
                "CC105",
                f"`{half.text}` is only a part of an expression",
                'inside { } an expression with a comma needs quotes: "max(8, width)"',
            ),
        )
        return True

    def bind(self, option: Option, node: Node, names: Iterable[str], owner: str) -> Bound | None:
        """The value of an option; None if it is wrong, which is then said."""
        what = f"`{option.name}` of {owner}"
        try:
            raw, evaluate = self._raw(node, option.type, names)
        except _Misplaced as misplaced:
            self.refuse(misplaced.place, misplaced.refusal, what if misplaced.about else "")
            return None
        if evaluate is not None:
            return Bound(option, node, DEFERRED, evaluate)
        if raw is None:
            if option.required:
                self.refuse(node.place, Refusal("CC103", "has no value"), what)
                return None
            return Bound(option, node, option.default)
        try:
            return Bound(option, node, option.type.check(raw))
        except Refusal as refusal:
            # What is said of a part needs a colon after the whole.
            whole = refusal.message.startswith(("must", "takes"))
            self.refuse(node.place, refusal, what if whole else f"{what}:")
            return None

    def settle(self, bound: Bound, lookup: Lookup) -> Any:
        """The value of a deferred option. Raises Refusal; the place is that of the option."""
        if bound.evaluate is None:
            return bound.constant
        value = bound.evaluate(lookup)
        if value is None:
            return bound.option.default
        return bound.option.type.check(value)

    def _raw(
        self, node: Node, wanted: OptionType, names: Iterable[str]
    ) -> tuple[Any, Evaluate | None]:
        if type(node) is Scalar:
            return self._scalar(node, wanted, names)
        if wanted.literal:
            raise _Misplaced(node.place, Refusal("CC104", "must be text, not a list or mapping"))
        if type(node) is Sequence:
            parts = [self._flat(item, wanted, names) for item in node.items]
            if all(evaluate is None for _, evaluate in parts):
                return tuple(value for value, _ in parts), None
            return None, _together(parts, tuple)
        assert type(node) is Mapping
        if wanted.meaning[:1] != "{":
            raise _Misplaced(
                node.place, Refusal("CC104", f"must be {wanted.meaning}, not a mapping")
            )
        entries = {key: value for key, (_, value) in node.entries.items() if key[:2] != "x-"}
        keys = list(entries)
        parts = [self._part(value, wanted, names) for value in entries.values()]
        if all(evaluate is None for _, evaluate in parts):
            return dict(zip(keys, (value for value, _ in parts), strict=True)), None
        return None, _together(parts, lambda values: dict(zip(keys, values, strict=True)))

    def _part(
        self, node: Node, wanted: OptionType, names: Iterable[str]
    ) -> tuple[Any, Evaluate | None]:
        """A value of a mapping: a number or a list of them; what lies deeper is not looked at."""
        if type(node) is Mapping:
            return {}, None
        return self._raw(node, wanted, names)

    def _flat(
        self, item: Node, wanted: OptionType, names: Iterable[str]
    ) -> tuple[Any, Evaluate | None]:
        if type(item) is Scalar and not item.null:
            return self._scalar(item, wanted, names)
        found = {Scalar: "nothing", Sequence: "a list", Mapping: "a mapping"}[type(item)]
        meaning = f"must be {wanted.meaning}, not {found}"
        raise _Misplaced(item.place, Refusal("CC104", meaning))

    def _scalar(
        self, node: Scalar, wanted: OptionType, names: Iterable[str]
    ) -> tuple[Any, Evaluate | None]:
        text = node.text
        if wanted.literal:
            return (None if node.null else text), None
        if node.plain and text.isdecimal() and text.isascii() and len(text) < 10:  # noqa: PLR2004
            return int(text), None
        if node.null:
            return None, None
        if text in wanted.words or text in BOOLS:
            return BOOLS.get(text, text), None
        try:
            value = number(text)
            return (value, None) if value is not None else self._expression(node, wanted, names)
        except Refusal as refusal:
            raise _Misplaced(node.place, refusal) from None

    def _expression(
        self, node: Scalar, wanted: OptionType, names: Iterable[str]
    ) -> tuple[Any, Evaluate | None]:
        expression = parse(node.text)
        known = [*names, *IN]
        for name in sorted(expression.names):
            if name not in known:
                raise _unknown_name(name, node, wanted, known)
        if expression.names:
            return None, expression.evaluate
        return expression.evaluate(_nothing), None


def _unknown_name(name: str, node: Scalar, wanted: OptionType, known: list[str]) -> "_Misplaced":
    """A lone word is more likely a wrong value than the name of a variable."""
    if node.text == name and not name.startswith("in_"):
        message = f"must be {wanted.meaning}, not {show(name)}"
        hint = did_you_mean(name, (*known, *wanted.words), listed=0)
        if name.lower() in ("yes", "on", "no", "off"):
            hint = "YAML 1.2 knows `true` and `false` only"
        return _Misplaced(node.place, Refusal("CC104", message, hint))
    message = f"there is no name `{name}` here, in the expression `{node.text}`"
    refusal = Refusal("CC105", message, did_you_mean(name, known))
    return _Misplaced(node.place, refusal, about=False)


def torn(node: Node | None) -> Scalar | None:
    """The first half of an expression that a comma inside braces tore apart."""
    if type(node) is not Mapping or not any(")" in key and "(" not in key for key in node.entries):
        return None
    for _, value in node.entries.values():
        if type(value) is Scalar and value.plain and value.text.count("(") > value.text.count(")"):
            return value
    return None


class _Misplaced(Exception):  # noqa: N818  a refusal that knows its place within the value
    def __init__(self, place: Place, refusal: Refusal, *, about: bool = True) -> None:
        super().__init__(refusal.message)
        self.place = place
        self.refusal = refusal
        self.about = about and refusal.code not in ("CC105", "CC106")


def _nothing(name: str) -> Any:
    raise AssertionError(name)


def _together(
    parts: list[tuple[Any, Evaluate | None]], join: Callable[[list[Any]], Any]
) -> Evaluate:
    def evaluate(lookup: Lookup) -> Any:
        return join([value if later is None else later(lookup) for value, later in parts])

    return evaluate
