"""One call of a Keras layer, and the registry of what is drawn for it."""

from collections.abc import Callable, Mapping
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from convcost.errors import Refusal
from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.value import Value
from convcost.registry import Registry


class Call(NamedTuple):
    """A layer of class `kind`, called on `values`; `key` tells its weights from others'.

    `places` are the positions or keywords of the values, where a graph tells them; `keywords` what
    else it is called with. `inner` draws a layer within this one."""

    kind: str
    config: dict[str, Any]
    values: tuple[Value, ...]
    path: Path
    key: str
    places: tuple[str, ...] = ()
    keywords: Mapping[str, Any] = MappingProxyType({})
    inner: "Inner | None" = None

    @property
    def x(self) -> Value:
        if not self.values:
            raise Refusal("CC404", f"{self.kind} takes no tensor")
        return self.values[0]

    @property
    def channel(self) -> int:
        """The axis that holds channels: the last, unless the layer has them first."""
        first = self.config.get("data_format") == "channels_first"
        return 1 if first else len(self.x.dims) - 1

    @property
    def size(self) -> tuple[int, ...]:
        """The extents of the other axes, but for the batch."""
        return tuple(n for axis, n in enumerate(self.x.dims) if axis not in (0, self.channel))

    def numbers(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An option as one number for each axis of the size."""
        value = self.config.get(name)
        value = default if value is None else value
        axes = len(self.size)
        found = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
        if len(found) != axes or not all(type(n) is int for n in found):
            raise Refusal("CC404", f"`{name}` of {self.kind} is {value!r}")
        return found

    def tensor(self, name: str, *dims: int) -> dict[str, int]:
        """A tensor of the layer's own, by its name and elements."""
        return {f"{self.key}/{name}": prod(dims)}


Draw: TypeAlias = Callable[[Easel, Call], Value]
Inner: TypeAlias = Callable[[Easel, dict[str, Any], Value, Path, str], Value]
LAYERS: Registry[Draw] = Registry("convcost.importing.from_keras.layers")


def layer(*kinds: str) -> Callable[[Draw], Draw]:
    """Registers how the layers of some classes are drawn."""

    def register(draw: Draw) -> Draw:
        for kind in kinds:
            LAYERS.add(kind, draw)
        return draw

    return register
