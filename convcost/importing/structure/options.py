"""The options of a block: what its uses differ in, said as briefly as can be."""

from collections import Counter
from typing import Any, NamedTuple

from convcost.importing.structure.template import ABSENT, Choice, Overlay, Place
from convcost.importing.structure.values import CHANNELS, INWARD, Expression
from convcost.kind import KINDS
from convcost.spec.common import COMMON
from convcost.spec.sections import is_name

LARGEST_FACTOR = 64
MOST = 7
REQUIRED: Any = object()


class Options(NamedTuple):
    """`values` for the places of a body, `flags` for its branches; `options` with their default or
    REQUIRED; `arguments` of every use, in the same order."""

    values: tuple[Any, ...]
    flags: tuple[str | None, ...]
    options: tuple[tuple[str, Any], ...]
    arguments: tuple[tuple[tuple[str, Any], ...], ...]


class _Wanted(NamedTuple):
    """An option yet to be named: what it would be called, its value in each use."""

    name: str
    values: tuple[Any, ...]


def options(overlay: Overlay, uses: int) -> Options | None:
    """None where no options can say what the uses differ in."""
    return _Options(overlay, uses).all()


class _Options:
    def __init__(self, overlay: Overlay, uses: int) -> None:
        self.places = overlay.places
        self.choices = overlay.choices
        self.uses = uses
        self.said: dict[int, Any] = {}  # place to value or expression
        self.wanted: list[_Wanted] = []
        self.leans: dict[int, tuple[int, str]] = {}  # place to an option and what is made of it
        self.flags: list[int | None] = []

    def all(self) -> Options | None:
        varied = [n for n, place in enumerate(self.places) if not self._constant(n, place)]
        if any(self._hidden(self.places[n]) for n in varied):
            return None
        widths = [n for n in varied if self._is_width(self.places[n])]
        inward = {n: text for n in widths if (text := self._inward(self.places[n]))}
        for n in sorted((n for n in widths if n not in inward), key=self._weight):
            self._lean(n, widths=True)
        for n, text in inward.items():
            plain = text == "in_channels"
            if not self._joined(n, widths=True, alike=True, factors=not plain):
                self.said[n] = Expression(text)
        for n in varied:
            if n not in widths and not self._paddings(n):
                self._lean(n, widths=False)
        for choice in self.choices:
            self._choose(choice)
        return self._told() if len(self.wanted) <= MOST else None

    # What a place says

    def _constant(self, n: int, place: Place) -> bool:
        values = [value for value in place.values if value is not ABSENT]
        first = values[0]
        if any(value != first or type(value) is not type(first) for value in values):
            return False
        if isinstance(first, Expression) and not _only_inward(first):
            return False  # it asks for what only the caller knows
        self.said[n] = first
        return True

    @staticmethod
    def _hidden(place: Place) -> bool:
        """Values that ask for what enters a layer, where another enters the block."""
        return not place.first and any(
            isinstance(value, Expression) and value.inward for value in place.values
        )

    @staticmethod
    def _is_width(place: Place) -> bool:
        values = [value for value in place.values if value is not ABSENT]
        return place.option in CHANNELS and all(type(value) is int for value in values)

    def _weight(self, n: int) -> tuple[int, int]:
        return sum(value for value in self.places[n].values if value is not ABSENT), n

    @staticmethod
    def _inward(place: Place) -> str:
        """What a number is of the channels that enter its layer, if that is always the same."""
        pairs = [
            (value, incoming)
            for value, incoming in zip(place.values, place.incoming, strict=True)
            if value is not ABSENT
        ]
        if any(not incoming for _, incoming in pairs):
            return ""
        value, incoming = pairs[0]
        if all(v * incoming == i * value for v, i in pairs):
            if value % incoming == 0:
                factor = value // incoming
                return (
                    "in_channels"
                    if factor == 1
                    else f"{factor} * in_channels" * (factor <= LARGEST_FACTOR)
                )
            if incoming % value == 0 and incoming // value <= LARGEST_FACTOR:
                return f"in_channels // {incoming // value}"
        return ""

    def _lean(self, n: int, *, widths: bool) -> None:
        if not self._joined(n, widths=widths, factors=widths):
            place = self.places[n]
            self.wanted.append(_Wanted(place.option, place.values))
            self.leans[n] = len(self.wanted) - 1, "{}"

    def _joined(self, n: int, *, widths: bool, factors: bool, alike: bool = False) -> bool:
        """Whether an option there is says the value of a place, by itself or, with `factors`, times
        a number; an `alike` one is of the same name."""
        place = self.places[n]
        for number, option in enumerate(self.wanted):
            if widths != (option.name in CHANNELS):
                continue
            if option.name != place.option and (alike or not widths):
                continue
            factor = _factor(place.values, option.values)
            if factor == 1 or (factors and factor):
                values = _together(place.values, option.values, factor)
                if values is None:
                    continue
                self.wanted[number] = option._replace(values=values)
                self.leans[n] = number, "{}" if factor == 1 else f"{factor} * {{}}"
                return True
        return False

    def _paddings(self, n: int) -> bool:
        """Padding that is half of the kernel before it."""
        place = self.places[n]
        if place.option != "padding":
            return False
        for before in range(n - 1, -1, -1):
            other = self.places[before]
            if other.option == "kernel" and other.kind == place.kind:
                pairs = list(zip(place.values, other.values, strict=True))
                halves = all(_half(p, k) for p, k in pairs)
                if halves and before in self.leans:
                    number, made = self.leans[before]
                    if made == "{}":
                        self.leans[n] = number, "{} // 2"
                        return True
                return False
        return False

    def _choose(self, choice: Choice) -> None:
        if not choice.there:
            self.flags.append(None)
            return
        for number, option in enumerate(self.wanted):
            if option.values == choice.there:
                self.flags.append(number)
                return
        name = choice.name or "project"
        self.wanted.append(_Wanted(name, choice.there))
        self.flags.append(len(self.wanted) - 1)

    # Telling

    def _told(self) -> Options | None:
        used: dict[int, int] = {}
        for n, (number, _) in sorted(self.leans.items()):
            used.setdefault(number, n)
        for flag in self.flags:
            if flag is not None:
                used.setdefault(flag, len(self.places))
        order = sorted(range(len(self.wanted)), key=lambda number: used.get(number, 0))
        names = self._names(order)
        defaults = {number: self._default(self.wanted[number]) for number in order}
        order.sort(key=lambda number: defaults[number] is not REQUIRED)
        values = [
            Expression(self.leans[n][1].format(names[self.leans[n][0]]))
            if n in self.leans
            else self.said[n]
            for n in range(len(self.places))
        ]
        arguments = []
        for use in range(self.uses):
            given = []
            for number in order:
                value = self.wanted[number].values[use]
                default = defaults[number]
                if value is ABSENT:
                    value = default if default is not REQUIRED else self._any(number)
                given.append((names[number], value))
            arguments.append(tuple(given))
        return Options(
            tuple(values),
            tuple(None if flag is None else names[flag] for flag in self.flags),
            tuple((names[number], defaults[number]) for number in order),
            tuple(arguments),
        )

    def _any(self, number: int) -> Any:
        return next(value for value in self.wanted[number].values if value is not ABSENT)

    def _names(self, order: list[int]) -> dict[int, str]:
        wanted = {number: _named(self.wanted[number].name) for number in order}
        count = Counter(wanted.values())
        taken = set(count)  # inner blocks may have `size_1` already
        found = {}
        for number in order:
            found[number] = wanted[number]
            if count[wanted[number]] > 1:
                ordinals = (f"{wanted[number]}_{n}" for n in range(1, 2 + 2 * len(order)))
                found[number] = next(name for name in ordinals if name not in taken)
                taken.add(found[number])
        return found

    def _default(self, option: _Wanted) -> Any:
        """The value that most uses have, unless it is a width: those are always said."""
        values = [value for value in option.values if value is not ABSENT]
        if any(isinstance(value, Expression) for value in values):
            return REQUIRED
        (common, count), *_ = Counter(values).most_common(1)
        if isinstance(common, bool):
            return common if 2 * count != len(values) else False
        width = option.name in CHANNELS
        most = 10 * count >= 8 * len(values) if width else 2 * count > len(values)
        return common if most and not isinstance(common, tuple) else REQUIRED


def _half(padding: Any, kernel: Any) -> bool:
    if padding is ABSENT or kernel is ABSENT:
        return padding is kernel
    if isinstance(kernel, Expression):
        return bool(padding == f"{kernel} // 2")
    return type(padding) is type(kernel) is int and padding == kernel // 2


def _only_inward(value: Expression) -> bool:
    return (
        value.inward
        and "," not in value
        and not any(
            part.isidentifier() and part not in (*INWARD, "if", "else")
            for part in value.replace("(", " ").split()
        )
    )


def _factor(values: tuple[Any, ...], base: tuple[Any, ...]) -> int:
    """How many times another vector one is, 0 if none."""
    pairs = [
        (value, other) for value, other in zip(values, base, strict=True)
        if value is not ABSENT and other is not ABSENT
    ]  # fmt: skip
    if not pairs:
        return 0
    if all(value == other and type(value) is type(other) for value, other in pairs):
        return 1
    if any(type(value) is not int or type(other) is not int or not other for value, other in pairs):
        return 0
    factor, over = divmod(pairs[0][0], pairs[0][1])
    fits = not over and 1 < factor <= LARGEST_FACTOR
    return factor if fits and all(value == factor * other for value, other in pairs) else 0


def _together(
    values: tuple[Any, ...], base: tuple[Any, ...], factor: int
) -> tuple[Any, ...] | None:
    """The base, completed where only the other has a value; None if that is no multiple."""
    found = []
    for value, other in zip(values, base, strict=True):
        if other is not ABSENT or value is ABSENT:
            found.append(other)
        elif factor == 1:
            found.append(value)
        elif value % factor:
            return None
        else:
            found.append(value // factor)
    return tuple(found)


def _named(name: str) -> str:
    """A name an option may have."""
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    name = name.rstrip("0123456789").rstrip("_") if name[-1:].isdigit() else name
    name = {"what": "kind"}.get(name, name) or "option"
    if not is_name(name) or name in (*COMMON, "weights") or name in KINDS.names():
        name = f"has_{name}" if is_name(f"has_{name}") else "option"
    return name
