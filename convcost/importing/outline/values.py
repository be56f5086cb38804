"""The values of options in a block's layers: numbers, or expressions that depend on the call."""

import re
from fractions import Fraction
from functools import cache
from typing import Any

from convcost.language.common_keys import FROZEN
from convcost.model.kind import KINDS
from convcost.model.options import REST
from convcost.model.shape import Shape

INPUT_NAMES = ("in_channels", "in_width", "in_height", "in_depth")


class OptionExpression(str):
    """An expression of the language, as text."""

    __slots__ = ()

    @property
    def uses_input(self) -> bool:
        """Whether the expression uses the shape of the layer's input."""
        return any(name in self for name in INPUT_NAMES)


class SharedValue(OptionExpression):
    """A number as a fraction or a multiple of the layer's input channels."""

    __slots__ = ("factor",)
    factor: Fraction

    @classmethod
    def of(cls, factor: Fraction) -> "SharedValue":
        share = cls(times("in_channels", factor))
        share.factor = factor
        return share


LARGEST_FACTOR = 64
PARTS = (2, 3, 4, 8)  # divisors that are easy to read


def times(name: str, factor: Fraction) -> str:
    """A name times a number, as an expression."""
    up, down = factor.numerator, factor.denominator
    product = name if up == 1 else f"{up} * {name}"
    return product if down == 1 else f"{product} // {down}"


def is_readable(factor: Fraction) -> bool:
    """Whether a factor is easier to read than the numbers."""
    up, down = factor.numerator, factor.denominator
    if up == 1 or down == 1:
        return 0 < up <= LARGEST_FACTOR >= down
    return down in PARTS and 0 < up < 2 * down


_NUMBERED = re.compile(r"_\d+$")
CHANNELS = (
    "filters",
    "features",
    "channels",
    "groups",
    "start",
    "length",
    "multiplier",
    "heads",
)


def places_of(kind: str, options: tuple[tuple[str, Any], ...]) -> dict[tuple[str, int], Any]:
    """The values of a layer or call that can differ between the uses of a block, by place: the
    option and the entry, which is 0 for an option that is not a shape."""
    if KINDS.get(kind) is None:
        return {(name, 0): value for name, value in options}
    found: dict[tuple[str, int], Any] = {}
    given = dict(options)
    for name, default in _defaults(kind):
        value = given.get(name, default)
        if isinstance(value, Shape):
            for entry, n in enumerate((value.channels, *value.size)):
                found[name, entry] = "rest" if n == REST else n
        else:
            found[name, 0] = value
    return found


@cache
def _defaults(kind: str) -> tuple[tuple[str, Any], ...]:
    """The options of a kind with their defaults, None for required options."""
    known = KINDS[kind]
    own = tuple(
        (name, None if option.required else option.default)
        for name, option in known.options.items()
        if option.type_name != "Layers"
    )
    return (*own, (FROZEN.name, False)) if known.learns or known.stated else own


def option_label(kind: str, option: str, entry: int) -> str:
    """The name for an option of a block: the name of the layer's option without a number, or the
    name of an entry of a shape."""
    known = KINDS.get(kind)
    if known is None:
        return _NUMBERED.sub("", option)
    if option == FROZEN.name or known.options[option].type_name not in ("Tensor", "ShapePattern"):
        return option
    return "size" if entry else "channels"


def constant_part(value: Any) -> Any:
    """The part of a value that must be the same in all uses, because no option of a block can
    express it."""
    if isinstance(value, OptionExpression | int | Fraction | tuple) or value in ("same", "valid"):
        return ""
    return value


def with_values(
    kind: str, options: tuple[tuple[str, Any], ...], values: dict[tuple[str, int], Any]
) -> tuple[tuple[str, Any], ...]:
    """The options with other values; options of a layer that equal their default are left out."""
    known = KINDS.get(kind)
    if known is None:
        return tuple((name, values[name, 0]) for name, _ in options)
    given = dict(options)
    found: list[tuple[str, Any]] = []
    for name, option in known.options.items():
        if (name, 0) not in values:
            continue
        if isinstance(given.get(name), Shape):
            size = given[name].size
            entries = [values[name, n] for n in range(1 + len(size))]
            found.append((name, Shape(entries[0], tuple(entries[1:]))))
        elif (
            option.required
            or values[name, 0] != option.default
            or isinstance(values[name, 0], OptionExpression)
        ):
            found.append((name, values[name, 0]))
    frozen = values.get((FROZEN.name, 0), False)
    return tuple(found) if frozen is False else (*found, (FROZEN.name, frozen))
