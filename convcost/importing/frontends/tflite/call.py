"""A call of an operator, and everything that is known of the tensors so far."""

from collections import Counter
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convcost.importing.frontends.tflite.file import (
    OperatorEntry,
    TensorEntry,
    TfliteGraph,
    bits_of,
)
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.shared_weights import original
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.stored_tensors import constant_tensor, learned_tensor
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError

INDICES = ("INT32", "INT64", "BOOL", "STRING")  # types of shapes and indices, not of weights
BYTE = 8


class NotComputedError(ConstraintError):
    """An option is not known, because the model computes it."""


class TfliteConstant(NamedTuple):
    """A tensor that does not depend on the inputs. `stored` are the stored tensors behind it, by
    key, with their elements; `data` are its numbers, if they are known."""

    dims: tuple[int, ...]
    dtype: str
    stored: Mapping[str, int]
    data: np.ndarray | None = None

    @property
    def learned(self) -> bool:
        """Whether it is one stored tensor with another type than indices have."""
        return self.dtype not in INDICES and [*self.stored.values()] == [prod(self.dims)]


class TfliteContext:
    """`values` are the tensors that depend on the inputs, by their index, and `lost` those that
    were left out, with the operator where that begins. `stored` has each stored tensor once, by its
    key: `options` of them are read as options, `excluded` are not counted, for the reason in it.
    `resized` means another size than the file's."""

    def __init__(self, graph: TfliteGraph, name: str, source: str) -> None:
        self.builder = GraphBuilder(name, source, self._has_equal_numbers)
        self.graph, self.resized = graph, False
        self.values: dict[int, Tensor] = {}
        self.lost: dict[int, str] = {}
        self.constants: dict[int, TfliteConstant] = {}
        self.uses = Counter(index for entry in graph.operators for index in entry.inputs)
        self.uses.update(graph.outputs)
        self.stored: dict[str, TensorEntry] = {}
        self.options: set[str] = set()
        self.excluded: dict[str, str] = {}
        keys: dict[tuple[int, str], str] = {}
        for index, tensor in enumerate((*graph.tensors, *graph.other_tensors)):
            if not len(tensor.data):
                continue
            own = (tensor.buffer, tensor.dtype)  # equal bytes are stored once, whatever their type
            if own not in keys:
                key = f"{tensor.name}#{index}" if tensor.name in self.stored else tensor.name
                self.stored[key], keys[own] = tensor, key
            if index < len(graph.tensors):
                self.constants[index] = _stored_constant(tensor, keys[own])

    def _has_equal_numbers(self, key: str) -> bool:
        """Whether all numbers of a stored tensor are equal."""
        one = self.stored[original(key)]
        rows = one.data.reshape(-1, max(bits_of(one.dtype) // BYTE, 1))
        return not one.sparse and bool((rows == rows[0]).all())

    def constant(self, index: int) -> TfliteConstant | None:
        """A tensor that does not depend on the inputs; None for any other."""
        if index in self.values:
            return None
        if index not in self.constants:
            tensor = self.graph.tensors[index]
            if not tensor.variable and 0 not in tensor.dims:
                raise ConstraintError("CC404", f"`{tensor.name}` is read before it is computed")
            empty = np.zeros(tensor.dims, np.int64) if 0 in tensor.dims else None
            self.constants[index] = TfliteConstant(tensor.dims, tensor.dtype, {}, empty)
        return self.constants[index]


def _stored_constant(tensor: TensorEntry, key: str) -> TfliteConstant:
    dims, dtype = tensor.dims, tensor.dtype
    known = not tensor.sparse and dtype != "BFLOAT16" and bits_of(dtype) >= BYTE
    data = tensor.data.view(dtype.lower()).reshape(dims) if known else None
    return TfliteConstant(dims, dtype, {key: prod(dims)}, data)


class TfliteCall(NamedTuple):
    context: TfliteContext
    entry: OperatorEntry
    path: Path

    @property
    def x(self) -> Tensor:
        return self.value(0)

    @property
    def values(self) -> list[Tensor]:
        """All inputs as tensors of the layer graph."""
        return [self.value(position) for position in self._present]

    @property
    def constants(self) -> dict[int, TfliteConstant]:
        """The inputs that do not depend on the inputs of the model, by position."""
        found = {position: self.constant(position) for position in self._present}
        return {position: one for position, one in found.items() if one is not None}

    @property
    def _present(self) -> list[int]:
        return [position for position, index in enumerate(self.entry.inputs) if index >= 0]

    def option(self, name: str, default: Any = 0) -> Any:
        """An option by its name in the schema, or the default if the file has no options. A vector
        is a tuple, or 0 if it is absent."""
        read = getattr(self.entry.options, name, None)
        found = default if read is None else read()
        return tuple(found.tolist()) if isinstance(found, np.ndarray) else found

    def attribute(self, one: Any) -> Any:
        """The value of a function of a call; other values are those of all calls."""
        return one(self) if callable(one) else one

    def has(self, position: int) -> bool:
        return position in self._present

    def constant(self, position: int) -> TfliteConstant | None:
        """An input that does not depend on the inputs of the model; None for any other."""
        return self.context.constant(self.entry.inputs[position]) if self.has(position) else None

    def dims_of(self, position: int) -> tuple[int, ...]:
        """The dims of an input. A constant adds no layer."""
        constant = self.constant(position)
        return self.value(position).dims if constant is None else constant.dims

    def value(self, position: int) -> Tensor:
        """An input as a tensor of the layer graph. A constant is added as a layer once."""
        constant, builder = self.constant(position), self.context.builder
        if constant is None:
            return self.context.values[self.entry.inputs[position]]
        last, key = len(builder.layers) - 1, next(iter(constant.stored), "")
        if not constant.learned:
            self.exclude("used to compute other tensors, and not counted as params", position)
            return constant_tensor(builder, constant.dims, neighbour=last)
        if key not in builder.constant_layers:
            path = (*self.path, "learned")
            builder.constant_layers[key] = learned_tensor(
                builder, key, constant.dims, path, neighbour=last
            )
        return builder.constant_layers[key]

    def numbers(self, position: int) -> tuple[int, ...]:
        """The numbers of an input that is an option, such as a shape. Raises ConstraintError if
        they are not known."""
        constant = self.constant(position)
        if constant is None or constant.data is None or constant.data.dtype.kind != "i":
            message = f"input {position} is computed, so the shape is not known"
            raise NotComputedError("CC401", message)
        self.context.options.update(constant.stored)
        return tuple(map(int, constant.data.flat))

    def weights(self, *positions: int) -> dict[str, int]:
        """The stored tensors behind some inputs, by key, with their elements."""
        given = [one.stored for position in positions if (one := self.constant(position))]
        return {key: n for stored in given for key, n in stored.items()}

    def exclude(self, why: str, *positions: int) -> None:
        """Marks constants that are not weights."""
        for position, constant in self.constants.items():
            if position in positions and constant.dtype in INDICES:
                self.context.options.update(constant.stored)
            elif position in positions:
                self.context.excluded.update(dict.fromkeys(constant.stored, why))

    def dims(self, position: int = 0) -> tuple[int, ...]:
        """The dims of an output in the file. Raises ConstraintError if they are not known."""
        tensor = self.context.graph.tensors[self.entry.outputs[position]]
        if self.context.resized or any(tensor.open[1:]) or 0 in tensor.dims:
            raise ConstraintError("CC401", "its output shape is not known")
        return tensor.dims

    def lower(self, op: str, *inputs: Tensor, path: Path | None = None, **more: Any) -> Tensor:
        """Adds the layers of a canonical operator. Its input is the first input by default."""
        return lower(self.context.builder, op, path or self.path, *(inputs or (self.x,)), **more)

    def custom(self, dims: tuple[int, ...] | None = None, what: str = "", **more: Any) -> Tensor:
        """Adds a `custom` layer, without multiply-adds if `macs` is not given. Its output has
        `dims`, or the shape in the file."""
        values = self.context.values
        inputs = [values[index] for index in self.entry.inputs if index in values]
        given = {"what": what or self.entry.op.lower(), "dims": dims or self.dims(), **more}
        return self.lower("custom", *inputs, **given)

    def uncounted(self) -> list[Tensor]:
        """Adds `custom` layers whose macs are not counted, one for each output. The first one has
        all stored weights."""
        learned = [one.stored for one in self.constants.values() if one.learned and one.dims]
        weights = {key: n for stored in learned for key, n in stored.items()}
        found = [self.custom(None, self.entry.op, macs=None, weights=weights)]
        for position in range(1, len(self.entry.outputs)):
            what = f"{self.entry.op}, output {position + 1}"
            found.append(self.custom(self.dims(position), what, macs=None))
        return found
