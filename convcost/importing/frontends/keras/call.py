"""A call of a Keras layer, and the table of layers."""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from convcost.importing.frontends.keras.classes import LayerConfig
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.operator_table import OperatorTable
from convcost.importing.ir.ops import OPS, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError


class LayerCall(NamedTuple):
    """A call of a layer with class `kind` on `values`; the keys of its weights begin with `key`.

    `places` are the positions or keywords of the values, if a graph states them; `keywords` are the
    other keyword arguments of the call. `inner` lowers a layer inside this layer.
    """

    builder: GraphBuilder
    kind: str
    config: dict[str, Any]
    values: tuple[Tensor, ...]
    path: Path
    key: str
    places: tuple[str, ...] = ()
    keywords: Mapping[str, Any] = MappingProxyType({})
    inner: "Inner | None" = None

    @property
    def x(self) -> Tensor:
        if not self.values:
            raise ConstraintError("CC404", f"{self.kind} has no input tensor")
        return self.values[0]

    @property
    def channel(self) -> int:
        """The axis with the channels: the last one, unless `data_format` is `channels_first`."""
        first = self.config.get("data_format") == "channels_first"
        return 1 if first else len(self.x.dims) - 1

    @property
    def size(self) -> tuple[int, ...]:
        """The extents of all axes except the batch and the channels."""
        return tuple(n for axis, n in enumerate(self.x.dims) if axis not in (0, self.channel))

    def option(self, *names: str) -> Any:
        """The value of the first of these options that the layer has; None if it has none."""
        return next((self.config[name] for name in names if name in self.config), None)

    def attribute(self, names: str) -> Any:
        """An option by its names, `new|old`."""
        return self.option(*names.split("|"))

    def numbers(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An option as one number for each axis of the size."""
        value = self.config.get(name)
        value = default if value is None else value
        axes = len(self.size)
        numbers = tuple(value) if isinstance(value, list | tuple) else (value,) * axes
        if len(numbers) != axes or not all(type(n) is int for n in numbers):
            message = f"`{name}` of {self.kind} must have {axes} integers, not {value!r}"
            raise ConstraintError("CC404", message)
        return numbers

    def lower(self, op: str, *inputs: Tensor, path: Path | None = None, **more: Any) -> Tensor:
        """Adds the layers of a canonical operator. Its input is the first input of the call by
        default; the inputs of a join are all inputs."""
        joins = Trait.JOINS in OPS[op].traits
        operands = inputs or (joins and self.values) or (self.x,)
        return lower(self.builder, op, path or self.path, *operands, **more)

    def along_size(self, numbers: Sequence[int], other: int | None) -> list[int]:
        """One number for each axis of the input: `numbers` for the axes of the size, and `other`
        for the batch and the channels, or their extents if `other` is None."""
        size_numbers = iter(numbers)
        return [
            (n if other is None else other) if axis in (0, self.channel) else next(size_numbers)
            for axis, n in enumerate(self.x.dims)
        ]

    def add_border(self, x: Tensor, begins: Sequence[int], ends: Sequence[int]) -> Tensor:
        """The tensor padded by `begins` and `ends` elements at each axis of the size; negative
        numbers crop."""
        first, last = self.along_size(begins, 0), self.along_size(ends, 0)
        return self.lower("pad", x, begins=first, ends=last, channel=self.channel)

    def tensor(self, name: str, *dims: int) -> dict[str, int]:
        """The key and the number of elements of one of the layer's weights."""
        return {f"{self.key}/{name}": prod(dims)}

    def bias(self, *dims: int, name: str = "bias") -> dict[str, int]:
        """The key and the number of elements of the layer's bias; empty if it has none."""
        return self.tensor(name, *dims) if self.config.get("use_bias", True) else {}


Rule: TypeAlias = Callable[[LayerCall], Tensor | tuple[Tensor, ...]]
Inner: TypeAlias = Callable[[GraphBuilder, LayerConfig, Tensor, Path, str], Tensor]
LAYERS = OperatorTable("convcost.importing.frontends.keras.layers")
layer = LAYERS.operator  # names are those of classes
row = LAYERS.row  # options of Keras, such as `axis`, or `new|old` if Keras renamed the option
