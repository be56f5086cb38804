"""What the options of a block's layers can be: numbers, or what is worked out at the call."""

from typing import Any

from convcost.kind import KINDS
from convcost.options import REST
from convcost.shapes import Shape

INWARD = ("in_channels", "in_width", "in_height", "in_depth")


class Expression(str):
    """An expression of the language, as text."""

    __slots__ = ()

    @property
    def inward(self) -> bool:
        """Whether all it asks for is what enters its layer."""
        return any(name in self for name in INWARD)


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


def slots(kind: str, options: tuple[tuple[str, Any], ...]) -> dict[tuple[str, int], Any]:
    """The values of a layer that may differ from one use of a block to the next, by option and
    entry; entry 0 of what is no shape."""
    known = KINDS.get(kind)
    assert known is not None
    found: dict[tuple[str, int], Any] = {}
    given = dict(options)
    for name, option in known.options.items():
        if option.type_name == "Layers":
            continue
        value = given.get(name, None if option.required else option.default)
        if isinstance(value, Shape):
            for entry, n in enumerate((value.channels, *value.size)):
                found[name, entry] = "rest" if n == REST else n
        else:
            found[name, 0] = value
    return found


def labelled(kind: str, option: str, entry: int) -> str:
    """What a place is called: an option by its name, an entry of a shape by what it is."""
    known = KINDS.get(kind)
    if known is None or known.options[option].type_name not in ("Tensor", "Form"):
        return option
    return "size" if entry else "channels"


def fixed(value: Any) -> Any:
    """What uses must have in common: all of a value that no option of a block can hold."""
    if isinstance(value, Expression | bool | tuple) or value in ("same", "valid"):
        return ""
    return value if value is None or isinstance(value, str) else ""


def filled(
    kind: str, options: tuple[tuple[str, Any], ...], values: dict[tuple[str, int], Any]
) -> tuple[tuple[str, Any], ...]:
    """Options with other values, those at their default left out."""
    known = KINDS.get(kind)
    assert known is not None
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
            or isinstance(values[name, 0], Expression)
        ):
            found.append((name, values[name, 0]))
    return tuple(found)
