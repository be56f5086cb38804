"""Finds the options of a block: the values in which its uses differ, as few as possible."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from convcost.importing.outline.anti_unify import ABSENT, Choice, ItemSpan, Overlay
from convcost.importing.outline.relations import integer_factor, keeps_size, with_missing_values
from convcost.importing.outline.values import (
    CHANNELS,
    INPUT_NAMES,
    OptionExpression,
    SharedValue,
    is_readable,
    times,
)
from convcost.language.common_keys import COMMON_KEYS, FROZEN
from convcost.language.fields import is_name
from convcost.model.kind import KINDS

MOST = 7
REQUIRED: Any = object()


class Options(NamedTuple):
    """The options of a block: `values` for the places of its body, `flags` for its branches;
    `options` with their default or REQUIRED; `arguments` of every use, in the same order."""

    values: tuple[Any, ...]
    flags: tuple[str | None, ...]
    options: tuple[tuple[str, Any], ...]
    arguments: tuple[tuple[tuple[str, Any], ...], ...]


class _Wanted(NamedTuple):
    """An option without a name yet: the name that it should get, and its value in each use."""

    name: str
    values: tuple[Any, ...]


def options(overlay: Overlay, entering: Sequence[int | None]) -> Options | None:
    """The options of a block; None if options cannot express how its uses differ. `entering` has
    the input channels of each use."""
    return _Options(overlay, entering).all()


class _Options:
    def __init__(self, overlay: Overlay, entering: Sequence[int | None]) -> None:
        self.places = overlay.places
        self.choices = overlay.choices
        self.entering = entering
        self.chosen: dict[int, Any] = {}  # the value or expression at each place
        self.wanted: list[_Wanted] = []
        # The option at each place, and the expression with it.
        self.option_at: dict[int, tuple[int, str]] = {}
        self.flags: list[int | None] = []

    def all(self) -> Options | None:
        varied = [n for n, place in enumerate(self.places) if not self._is_constant(n, place)]
        ratios = {n: ratio for n in varied if (ratio := self._channel_ratio(self.places[n]))}
        if any(self._uses_inner_input(self.places[n]) for n in varied if n not in ratios):
            return None
        widths = [n for n in varied if n in ratios or self._is_width(self.places[n])]
        for n in sorted((n for n in widths if n not in ratios), key=self._weight):
            self._use_option(n, widths=True)
        for n, ratio in ratios.items():
            plain = ratio.factor == 1
            if not self._joined(n, widths=True, alike=True, factors=not plain):
                self.chosen[n] = ratio
        for n in varied:
            if n not in widths and not self._paddings(n):
                self._use_option(n, widths=False)
        for choice in self.choices:
            self._choose(choice)
        for n in set(self.chosen) - set(ratios):
            self._tie_shortcut(n)
        return self._result() if len(self.wanted) <= MOST else None

    # The value at a place

    def _is_constant(self, n: int, place: ItemSpan) -> bool:
        values = [value for value in place.values if value is not ABSENT]
        first = values[0]
        if any(value != first or type(value) is not type(first) for value in values):
            return False
        if isinstance(first, OptionExpression) and not _uses_only_input(first):
            return False  # it depends on a value that only the caller has
        self.chosen[n] = first
        return True

    @staticmethod
    def _uses_inner_input(place: ItemSpan) -> bool:
        """Whether a value depends on the input of a layer, and that input is not the block's
        input."""
        return not place.first and any(
            isinstance(value, OptionExpression) and value.uses_input for value in place.values
        )

    @staticmethod
    def _is_width(place: ItemSpan) -> bool:
        values = [value for value in place.values if value is not ABSENT]
        return place.option in CHANNELS and all(type(value) is int for value in values)

    def _weight(self, n: int) -> tuple[int, int]:
        return sum(value for value in self.places[n].values if value is not ABSENT), n

    @staticmethod
    def _channel_ratio(place: ItemSpan) -> SharedValue | None:
        """The constant ratio of a number to the input channels of its layer, if there is one."""
        if place.option not in CHANNELS:
            return None
        factors = set()
        for value, incoming in zip(place.values, place.incoming, strict=True):
            if type(value) is int and incoming and value:
                factors.add(Fraction(value, incoming))
            elif isinstance(value, SharedValue):
                factors.add(value.factor)
            elif value is not ABSENT:
                return None
        factor = factors.pop() if len(factors) == 1 else Fraction(0)
        return SharedValue.of(factor) if is_readable(factor) else None

    def _use_option(self, n: int, *, widths: bool) -> None:
        if not self._joined(n, widths=widths, factors=widths):
            place = self.places[n]
            self.wanted.append(_Wanted(place.option, place.values))
            self.option_at[n] = len(self.wanted) - 1, "{}"

    def _joined(self, n: int, *, widths: bool, factors: bool, alike: bool = False) -> bool:
        """Whether an existing option gives the value of a place: as it is or, with `factors`, times
        a number. With `alike`, the option must have the same name."""
        place = self.places[n]
        for number, option in enumerate(self.wanted):
            if widths != (option.name in CHANNELS):
                continue
            if option.name != place.option and (alike or not widths):
                continue
            factor = integer_factor(place.values, option.values)
            if factor == 1 or (factors and factor):
                values = with_missing_values(place.values, option.values, factor)
                if values is None:
                    continue
                self.wanted[number] = option._replace(values=values)
                self.option_at[n] = number, times("{}", factor)
                return True
        return False

    def _paddings(self, n: int) -> bool:
        """Whether a padding is half of the kernel before it in all uses; it then becomes that
        expression."""
        place = self.places[n]
        if place.option != "padding":
            return False
        for before in range(n - 1, -1, -1):
            other = self.places[before]
            if other.option == "kernel" and other.kind == place.kind:
                pairs = list(zip(place.values, other.values, strict=True))
                halves = all(keeps_size(p, k) for p, k in pairs)
                if halves and before in self.option_at:
                    number, made = self.option_at[before]
                    if made == "{}":
                        self.option_at[n] = number, "{} // 2"
                        return True
                return False
        return False

    def _tie_shortcut(self, n: int) -> None:
        """If only some uses have a shortcut, its width or stride uses the option of the main path
        with equal values, even if the value is the same in all these uses."""
        place = self.places[n]
        if ABSENT not in place.values or place.option not in (*CHANNELS, "stride"):
            return
        for other, option in sorted(self.option_at.items(), reverse=True):
            there = self.places[other]
            pairs = [p for p in zip(place.values, there.values, strict=True) if p[0] is not ABSENT]
            if there.option == place.option and all(a == b for a, b in pairs):
                del self.chosen[n]
                self.option_at[n] = option
                return

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

    # Results

    def _result(self) -> Options | None:
        used: dict[int, int] = {}
        for n, (number, _) in sorted(self.option_at.items()):
            used.setdefault(number, n)
        for flag in self.flags:
            if flag is not None:
                used.setdefault(flag, len(self.places))
        order = sorted(range(len(self.wanted)), key=lambda number: used.get(number, 0))
        defaults = {number: self._default(self.wanted[number]) for number in order}
        order.sort(key=lambda number: defaults[number] is not REQUIRED)
        names = self._names(order, defaults)
        values = [
            OptionExpression(self.option_at[n][1].format(names[self.option_at[n][0]]))
            if n in self.option_at
            else self.chosen[n]
            for n in range(len(self.places))
        ]
        arguments = []
        for use in range(len(self.entering)):
            given = []
            for number in order:
                value = self.wanted[number].values[use]
                default = defaults[number]
                if value is ABSENT or isinstance(default, SharedValue):
                    value = default if default is not REQUIRED else self._first_value(number)
                given.append((names[number], value))
            arguments.append(tuple(given))
        return Options(
            tuple(values),
            tuple(None if flag is None else names[flag] for flag in self.flags),
            tuple((names[number], defaults[number]) for number in order),
            tuple(arguments),
        )

    def _first_value(self, number: int) -> Any:
        return next(value for value in self.wanted[number].values if value is not ABSENT)

    def _names(self, order: list[int], defaults: dict[int, Any]) -> dict[int, str]:
        wanted = {number: _named(self.wanted[number].name) for number in order}
        for number in order:
            if isinstance(defaults[number], SharedValue) and "channels" not in wanted.values():
                wanted[number] = "channels"
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
        """The value that most uses have. Widths have no default and are always written."""
        values = [value for value in option.values if value is not ABSENT]
        if any(isinstance(value, OptionExpression) for value in values):
            return REQUIRED
        width = option.name in CHANNELS
        if width and all(
            v in (ABSENT, c) for v, c in zip(option.values, self.entering, strict=True)
        ):
            return SharedValue.of(Fraction(1))
        (common, count), *_ = Counter(values).most_common(1)
        if isinstance(common, bool):
            return common if 2 * count != len(values) else False
        most = 10 * count >= 8 * len(values) if width else 2 * count > len(values)
        return common if most and not isinstance(common, tuple) else REQUIRED


def _uses_only_input(value: OptionExpression) -> bool:
    return (
        value.uses_input
        and "," not in value
        and not any(
            part.isidentifier() and part not in (*INPUT_NAMES, "if", "else")
            for part in value.replace("(", " ").split()
        )
    )


def _named(name: str) -> str:
    """The name of an option, as the language allows it."""
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    name = name.rstrip("0123456789").rstrip("_") if name[-1:].isdigit() else name
    name = {"what": "kind", "scale": "factor", FROZEN.name: "freeze"}.get(name, name) or "option"
    if not is_name(name) or name in (*COMMON_KEYS, "weights") or name in KINDS.names():
        name = f"has_{name}" if is_name(f"has_{name}") else "option"
    return name
