"""The values of options in a block's layers: numbers, or expressions that depend on the call."""

import re
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

from convcost.importing.ir.layer_graph import GraphLayer, stated_options
from convcost.language.common_keys import FROZEN
from convcost.language.expressions import parse
from convcost.language.scope import AXES
from convcost.model.kind import KINDS
from convcost.model.options import REST
from convcost.model.shape import Shape

OptionKey: TypeAlias = tuple[str, int | None]  # an option, and the entry if it is a shape
ItemOptions: TypeAlias = tuple[tuple[OptionKey, Any], ...]

INPUT_NAMES = {"in_channels", *AXES}


class OptionExpression(str):
    """An expression of the language, as text."""

    __slots__ = ()

    @property
    def uses_input(self) -> bool:
        """Whether the expression uses the shape of the layer's input."""
        return not parse(self).names.isdisjoint(INPUT_NAMES)

    @property
    def uses_only_input(self) -> bool:
        return self.uses_input and parse(self).names <= INPUT_NAMES


class SharedValue(OptionExpression):
    """A number as a fraction or a multiple of the layer's input channels."""

    __slots__ = ("factor",)
    factor: Fraction

    @classmethod
    def of(cls, factor: Fraction) -> "SharedValue":
        share = cls(times("in_channels", factor))
        share.factor = factor
        return share


MAX_FACTOR = 64  # of a multiple or a fraction, such as 64 * in_channels or in_channels // 64
DIVISORS = (2, 3, 4, 8)  # of a fraction with another numerator than 1, such as 3 * in_channels // 4


def times(name: str, factor: Fraction) -> str:
    """A name times a number, as an expression."""
    numerator, denominator = factor.as_integer_ratio()
    product = name if numerator == 1 else f"{numerator} * {name}"
    return product if denominator == 1 else f"{product} // {denominator}"


def is_readable(factor: Fraction) -> bool:
    """Whether `in_channels` times a factor is easier to read than its value: the factor is a small
    multiple, a fraction 1/n, or a simple fraction below 2. Zero is not readable."""
    numerator, denominator = factor.as_integer_ratio()
    if numerator == 1 or denominator == 1:
        return 0 < numerator <= MAX_FACTOR and denominator <= MAX_FACTOR
    return denominator in DIVISORS and 0 < numerator < 2 * denominator


_NUMBERED = re.compile(r"_\d+$")
CHANNELS = ("filters", "features", "channels", "groups", "start", "length", "multiplier", "heads")


def layer_options(layer: GraphLayer) -> ItemOptions:
    """All options of a layer, given or by default, with the expressions that depend on the size."""
    value_by_name = dict(layer.options)
    value_by_key: dict[OptionKey, Any] = {}
    for name, default in _defaults(layer.kind):
        value = value_by_name.get(name, default)
        if isinstance(value, Shape):
            entries = enumerate((value.channels, *value.size))
            value_by_key |= {
                (name, n): "rest" if m == REST or n == layer.rest else m for n, m in entries
            }
        else:
            value_by_key[name, None] = value
    for name, expressions in layer.follows:
        if isinstance(expressions, str):
            value_by_key[name, None] = OptionExpression(expressions)
        else:
            texts = enumerate(map(OptionExpression, expressions))
            value_by_key |= {(name, n): text for n, text in texts if text}
    if layer.frozen:
        value_by_key[FROZEN.name, None] = layer.frozen
    return tuple(value_by_key.items())


@cache
def _defaults(kind: str) -> tuple[tuple[str, Any], ...]:
    """The options of a kind with their defaults, None for required options."""
    kind_class = KINDS[kind]
    options = tuple(
        (name, None if option.required else option.default)
        for name, option in kind_class.options.items()
        if option.type_name != "Layers"
    )
    return (*options, (FROZEN.name, False)) if kind_class.learns or kind_class.stated else options


def written_options(kind: str, options: ItemOptions) -> dict[str, Any]:
    """The options of a layer that a spec has to state, with shapes as a whole."""
    values: dict[str, Any] = {}
    for (name, entry), value in options:
        shape = values.get(name)
        if entry is None:
            values[name] = value
        else:
            values[name] = Shape(shape.channels, (*shape.size, value)) if shape else Shape(value)
    frozen = values.pop(FROZEN.name, False)
    spec_options = dict(stated_options(KINDS[kind], values))
    return spec_options if frozen is False else spec_options | {FROZEN.name: frozen}


def option_label(kind: str, option: str, entry: int | None) -> str:
    """The name for an option of a block: the name of the layer's option without a number, or the
    name of an entry of a shape."""
    if KINDS.get(kind) is None:
        return _NUMBERED.sub("", option)
    return option if entry is None else "size" if entry else "channels"


def constant_part(value: Any) -> Any:
    """The part of a value that must be the same in all uses, because no option of a block can
    express it."""
    if isinstance(value, OptionExpression | int | Fraction | tuple) or value in ("same", "valid"):
        return ""
    return value
