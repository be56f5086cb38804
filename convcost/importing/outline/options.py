"""Finds the options of a block: the values in which its uses differ, as few as possible."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.outline.anti_unify import BranchColumn, Generalization, ItemColumn
from convcost.importing.outline.values import (
    CHANNELS,
    ItemOptions,
    OptionExpression,
    SharedValue,
    is_readable,
    option_label,
    times,
)
from convcost.language.common_keys import FROZEN
from convcost.language.fields import is_name
from convcost.model.kind import COMMON_KEYS, KINDS

MAX_OPTIONS = 7  # of a block
ABSENT: Any = object()

Values: TypeAlias = tuple[Any, ...]  # by use; ABSENT if the use does not have the layer


class BlockOptions(NamedTuple):
    """The options of a block: `values` for the places of its body, `flags` for its branches;
    `options` with their default, or None if they are required; `arguments` of every use, in the
    same order."""

    values: tuple[Any, ...]
    flags: tuple[str | None, ...]
    options: tuple[tuple[str, Any], ...]
    arguments: tuple[ItemOptions, ...]


class _Place(NamedTuple):
    """An option of a layer in a body, or one entry of a shape. `name` is the name that an option of
    the block for it should get. `input_channels` are those of the layer, by use."""

    column: int
    name: str
    values: Values
    input_channels: Values
    is_first: bool

    @property
    def present(self) -> Values:
        return tuple(value for value in self.values if value is not ABSENT)

    @property
    def is_width(self) -> bool:
        return self.name in CHANNELS and all(type(value) is int for value in self.present)


class _Wanted(NamedTuple):
    """An option of a block without its final name."""

    name: str
    values: Values


class _FromOption(NamedTuple):
    """The value of a place: an expression with an option, such as `2 * {}`."""

    option: int
    expression: str = "{}"

    def text(self, names: Mapping[int, str]) -> OptionExpression:
        return OptionExpression(self.expression.format(names[self.option]))


def options(
    common: Generalization,
    entering: Sequence[int | None],
    channels: Callable[[int | None], int | None],
) -> BlockOptions | None:
    """The options of a block; None if options cannot express how its uses differ. `entering` has
    the input channels of each use, `channels` gives those of a value."""
    places = [
        place
        for number, column in enumerate(common.columns)
        for place in _places(number, column, channels)
    ]
    return _OptionSearch(places, common.branches, entering).result()


def _places(
    number: int, column: ItemColumn, channels: Callable[[int | None], int | None]
) -> Iterator[_Place]:
    """A place for each option of the item of a column, the one with this number."""
    item = column.item
    values = [None if use is None else dict(use.options) for use in column.uses]
    # The input of a join is that of its branches, not the output of the first branch.
    input_channels = tuple(
        None if use is None or use.is_join else channels(value)
        for use, value in zip(column.uses, column.entering, strict=True)
    )
    for place, _ in item.options:
        place_values = tuple(
            ABSENT if use_values is None else use_values[place] for use_values in values
        )
        label = option_label(item.kind, *place)
        yield _Place(number, label, place_values, input_channels, column.is_first)


class _OptionSearch:
    """Chooses the options of a block. A place is an option of a layer in the body, with its value
    in each use. `chosen` has the value of each place: a constant, an expression or a _FromOption.
    `wanted` are the options of the block so far. `flags` has the option that decides whether a
    branch exists, for each branch, or None if the branch always exists."""

    def __init__(
        self,
        places: Sequence[_Place],
        branches: Sequence[BranchColumn],
        entering: Sequence[int | None],
    ) -> None:
        self.places = places
        self.branches = branches
        self.entering = entering
        self.wanted: list[_Wanted] = []
        self.chosen: dict[int, Any] = {}
        self.flags: list[int | None] = []

    def result(self) -> BlockOptions | None:
        """The options; None if a block would need too many, or an input inside it."""
        constant = {
            n: place.present[0] for n, place in enumerate(self.places) if _is_constant(place)
        }
        self.chosen.update(constant)
        varied = [n for n in range(len(self.places)) if n not in constant]
        ratios = {n: ratio for n in varied if (ratio := _channel_ratio(self.places[n]))}
        if any(_uses_inner_input(self.places[n]) for n in varied if n not in ratios):
            return None
        # The small widths come first, so that others become multiples of them.
        widths = [n for n in varied if self.places[n].is_width and n not in ratios]
        for n in sorted(widths, key=lambda n: (sum(self.places[n].present), n)):
            self._use_option(n)
        # An option that is there is clearer than a ratio to the input channels.
        for n, ratio in ratios.items():
            option = self._existing_option(n, same_name=True, scaled=ratio.factor != 1)
            self.chosen[n] = option or ratio
        for n in varied:
            if n not in self.chosen:
                self._use_option(n)
        self.flags = [self._flag(branch) for branch in self.branches]
        for n in constant:
            self._tie_to_main_path(n)
        return self._named_options() if len(self.wanted) <= MAX_OPTIONS else None

    # The value at a place

    def _use_option(self, n: int) -> None:
        """Gives the place n the value of an option, which is new if no other fits."""
        place = self.places[n]
        option = self._half_of_kernel(n) or self._existing_option(
            n, same_name=not place.is_width, scaled=place.is_width
        )
        if option is None:
            self.wanted.append(_Wanted(place.name, place.values))
            option = _FromOption(len(self.wanted) - 1)
        self.chosen[n] = option

    def _existing_option(self, n: int, *, same_name: bool, scaled: bool) -> _FromOption | None:
        """An option that gives the values of a place: as it is or, if `scaled`, times a number."""
        place = self.places[n]
        for number, option in enumerate(self.wanted):
            fits = option.name == place.name or (not same_name and option.name in CHANNELS)
            factor = _factor(place.values, option.values, scaled=scaled) if fits else None
            values = _fill_missing(option.values, place.values, factor) if factor else None
            if factor and values:
                self.wanted[number] = option._replace(values=values)
                return _FromOption(number, times("{}", factor))
        return None

    def _half_of_kernel(self, n: int) -> _FromOption | None:
        """For a padding that is half of the kernel in all uses, that expression."""
        place = self.places[n]
        if place.name != "padding":
            return None
        for kernel in range(n):
            other, chosen = self.places[kernel], self.chosen.get(kernel)
            if type(chosen) is not _FromOption:
                continue
            if (other.column, other.name, chosen.expression) == (place.column, "kernel", "{}"):
                pairs = zip(place.values, other.values, strict=True)
                if all(_keeps_size(padding, kernel_size) for padding, kernel_size in pairs):
                    return chosen._replace(expression="{} // 2")
        return None

    def _tie_to_main_path(self, n: int) -> None:
        """If only some uses have a shortcut, its width or stride uses the option of the main path
        with equal values, even if the value is the same in all these uses."""
        place = self.places[n]
        if ABSENT not in place.values or place.name not in (*CHANNELS, "stride"):
            return
        for other in range(len(self.places) - 1, -1, -1):
            there, chosen = self.places[other], self.chosen[other]
            if isinstance(chosen, _FromOption) and there.name == place.name:
                pairs = zip(place.values, there.values, strict=True)
                if all(a is ABSENT or a == b for a, b in pairs):
                    self.chosen[n] = chosen
                    return

    def _flag(self, branch: BranchColumn) -> int | None:
        """The option for which a branch exists; None if all uses have the branch."""
        if not branch.exists:
            return None
        for number, option in enumerate(self.wanted):
            if option.values == branch.exists:
                return number
        self.wanted.append(_Wanted(branch.name or "project", branch.exists))
        return len(self.wanted) - 1

    # Names, defaults and arguments

    def _named_options(self) -> BlockOptions:
        """The options that places and branches use, with names, defaults and arguments. Options
        without a default are first."""
        chosen = [self.chosen[n] for n in range(len(self.places))]
        used = [value.option for value in chosen if type(value) is _FromOption]
        used += [flag for flag in self.flags if flag is not None]
        order = list(dict.fromkeys(used))
        defaults = {number: self._default(self.wanted[number]) for number in order}
        order.sort(key=lambda number: defaults[number] is not None)
        names = self._names(order, defaults)
        values = [value.text(names) if type(value) is _FromOption else value for value in chosen]
        flags = [None if flag is None else names[flag] for flag in self.flags]
        arguments = [
            tuple(((names[n], None), self._argument(n, use, defaults[n])) for n in order)
            for use in range(len(self.entering))
        ]
        option_pairs = [(names[number], defaults[number]) for number in order]
        return BlockOptions(tuple(values), tuple(flags), tuple(option_pairs), tuple(arguments))

    def _argument(self, option: int, use: int, default: Any) -> Any:
        values = self.wanted[option].values
        value = values[use]
        if value is not ABSENT and not isinstance(default, SharedValue):
            return value
        if default is not None:
            return default
        return next(value for value in values if value is not ABSENT)

    def _names(self, order: list[int], defaults: dict[int, Any]) -> dict[int, str]:
        base_names = {number: _valid_option_name(self.wanted[number].name) for number in order}
        for number in order:
            if isinstance(defaults[number], SharedValue) and "channels" not in base_names.values():
                base_names[number] = "channels"
        count = Counter(base_names.values())
        used_names = set(count)  # inner blocks may have `size_1` already
        names = {}
        for number in order:
            names[number] = base_names[number]
            if count[base_names[number]] > 1:
                ordinals = (f"{base_names[number]}_{n}" for n in range(1, 2 + 2 * len(order)))
                names[number] = next(name for name in ordinals if name not in used_names)
                used_names.add(names[number])
        return names

    def _default(self, option: _Wanted) -> Any:
        """The value that most uses have. Widths have no default and are always written, unless they
        are the channels of the block's input."""
        values = [value for value in option.values if value is not ABSENT]
        if any(isinstance(value, OptionExpression) for value in values):
            return None
        is_width = option.name in CHANNELS
        if is_width and all(
            v in (ABSENT, c) for v, c in zip(option.values, self.entering, strict=True)
        ):
            return SharedValue.of(Fraction(1))
        (common, count), *_ = Counter(values).most_common(1)
        if isinstance(common, bool):
            return common if 2 * count != len(values) else False
        most = 10 * count >= 8 * len(values) if is_width else 2 * count > len(values)
        return common if most and not isinstance(common, tuple) else None


def _is_constant(place: _Place) -> bool:
    """Whether all uses have the same value, and it does not depend on one that only the caller
    has."""
    first = place.present[0]
    if any(value != first or type(value) is not type(first) for value in place.present):
        return False
    return not isinstance(first, OptionExpression) or first.uses_only_input


def _uses_inner_input(place: _Place) -> bool:
    """Whether a value depends on the input of a layer, and that input is not the block's input."""
    return not place.is_first and any(
        isinstance(value, OptionExpression) and value.uses_input for value in place.values
    )


def _channel_ratio(place: _Place) -> SharedValue | None:
    """The ratio of a number to the input channels of its layer, if it is the same in all uses and
    easy to read; otherwise None."""
    if place.name not in CHANNELS:
        return None
    factors = set()
    for value, channels in zip(place.values, place.input_channels, strict=True):
        if type(value) is int and channels and value:
            factors.add(Fraction(value, channels))
        elif isinstance(value, SharedValue):
            factors.add(value.factor)
        elif value is not ABSENT:
            return None
    if len(factors) != 1:
        return None
    factor = factors.pop()
    return SharedValue.of(factor) if is_readable(factor) else None


def _factor(values: Values, base: Values, *, scaled: bool) -> Fraction | None:
    """The factor from one vector to another: 1 or, if `scaled`, a readable one."""
    pairs = [
        (value, other)
        for value, other in zip(values, base, strict=True)
        if value is not ABSENT and other is not ABSENT
    ]
    if not pairs:
        return None
    if all(value == other and type(value) is type(other) for value, other in pairs):
        return Fraction(1)
    if not scaled or not all(type(n) is int and n for pair in pairs for n in pair):
        return None
    factor = Fraction(*pairs[0])
    fits = is_readable(factor) and all(value == factor * other for value, other in pairs)
    return factor if fits else None


def _fill_missing(base: Values, values: Values, factor: Fraction) -> Values | None:
    """The base vector, with missing values computed from the other vector; None if one of these is
    not an integer."""
    full_values = []
    for value, base_value in zip(values, base, strict=True):
        if base_value is ABSENT and value is not ABSENT and factor != 1:
            if (value / factor).denominator != 1:
                return None
            full_values.append(int(value / factor))
        else:
            full_values.append(value if base_value is ABSENT else base_value)
    return tuple(full_values)


def _keeps_size(padding: Any, kernel: Any) -> bool:
    """Whether a padding keeps the size with a kernel."""
    if padding is ABSENT or kernel is ABSENT:
        return padding is kernel
    if isinstance(kernel, OptionExpression):
        return bool(padding == f"{kernel} // 2")
    return type(padding) is type(kernel) is int and padding == kernel // 2


def _valid_option_name(name: str) -> str:
    """The name of an option, as the language allows it."""
    name = "".join(c if c.isascii() and (c.isalnum() or c == "_") else "_" for c in name)
    name = name.rstrip("0123456789").rstrip("_") if name[-1:].isdigit() else name
    name = {"what": "kind", "scale": "factor", FROZEN.name: "freeze"}.get(name, name) or "option"
    if not is_name(name) or name in (*COMMON_KEYS, "weights") or name in KINDS.names():
        name = f"has_{name}" if is_name(f"has_{name}") else "option"
    return name
