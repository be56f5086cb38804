"""A call of an operator, and everything that is known of the tensors so far."""

from math import prod
from pathlib import Path as FilePath
from typing import Any

import numpy as np

from convcost.importing.frontends.tflite.file import BYTE, TensorEntry, TfliteGraph, bits_of
from convcost.importing.frontends.tflite.names import paths
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import Constant, StoredTensor, is_mask
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.operator_graph import OperatorNode
from convcost.importing.ir.tensor import Tensor
from convcost.importing.ir.tensor_views import whole_view
from convcost.importing.passes.lower.stored_tensors import constant_tensor, learned_once
from convcost.importing.passes.operator_calls import GraphContext, OperatorCall
from convcost.model.errors import ConstraintError

INDICES = ("INT32", "INT64", "BOOL", "STRING")  # types of shapes and indices, not of weights
FIXED = "constant, and not counted as params"


class NotComputedError(ConstraintError):
    """An option is not known, because the model computes it."""


class TfliteContext(GraphContext[OperatorNode]):
    """The tensors of a file. `resized` means another size than the file's; `is_open` means that an
    input has open dims."""

    def __init__(self, graph: TfliteGraph, path: FilePath) -> None:
        builder = GraphBuilder(path.stem, path.name, self._has_equal_numbers)
        stored: dict[str, StoredTensor] = {}
        super().__init__(builder, graph.nodes, graph.outputs, {}, stored, {})
        self.graph, self.paths, self.resized = graph, paths(graph), False
        self.is_open = any(True in graph.tensors[name].open[1:] for name in graph.inputs)
        keys: dict[tuple[int, str], str] = {}
        value_names = {*graph.inputs, *(name for node in graph.nodes for name in node.outputs)}
        for name, tensor in graph.tensors.items():
            if len(tensor.data):  # equal bytes are stored once, whatever their type
                key = keys.setdefault((tensor.buffer, tensor.dtype), name)
                stored[key] = StoredTensor(
                    tensor.dtype.lower(), prod(tensor.dims), len(tensor.data)
                )
                self.constants[name] = constant_of(
                    tensor, tensor.numbers, ((key, prod(tensor.dims)),)
                )
            elif name not in value_names and (tensor.variable or 0 in tensor.dims):
                data = np.zeros(tensor.dims, np.int64) if 0 in tensor.dims else None
                self.constants[name] = constant_of(tensor, data)

    def _has_equal_numbers(self, key: str) -> bool:
        """Whether all numbers of a stored tensor are equal."""
        tensor = self.graph.tensors[key]
        rows = tensor.data.reshape(-1, max(bits_of(tensor.dtype) // BYTE, 1))
        return not tensor.sparse and bool((rows == rows[0]).all())


def constant_of(
    tensor: TensorEntry, data: np.ndarray | None, sources: tuple[tuple[str, int], ...] = ()
) -> Constant:
    """A tensor that does not depend on the inputs: its numbers, if they are known, and the stored
    tensors behind it. It is learned if it is one of them, no mask, and not of a type that indices
    have."""
    dims = tensor.dims if data is None else data.shape
    constant = Constant(dims, tensor.dtype not in INDICES, data, sources)
    (key, _), *_ = sources or (("", 0),)
    view = whole_view(key, dims) if constant.has_whole_source else None
    learned = constant.is_float and constant.has_whole_source and not is_mask(data)
    return constant._replace(learned=learned, view=view)


class TfliteCall(OperatorCall[TfliteContext, OperatorNode]):
    """A call of an operator of TensorFlow Lite."""

    @property
    def constants(self) -> dict[int, Constant]:
        """The inputs that do not depend on the inputs of the model, by position."""
        pairs = enumerate(map(self.constant, range(len(self.inputs))))
        return {position: constant for position, constant in pairs if constant is not None}

    @property
    def values(self) -> list[Tensor]:
        """All inputs as tensors of the layer graph."""
        return [*map(self.value, range(len(self.inputs)))]

    def option(self, name: str, default: Any = 0) -> Any:
        """An option by its name in the schema, or the default if the file has no options. A vector
        is a tuple, or 0 if it is absent."""
        read = getattr(self.node.attributes, name, None)
        value = default if read is None else read()
        return tuple(value.tolist()) if isinstance(value, np.ndarray) else value

    attribute = option

    def has(self, position: int) -> bool:
        return bool(self.node.input(position))

    def path(self, *more: str) -> Path:
        return (*self.context.paths[self.outputs[0]], *more)

    def value(self, position: int = 0) -> Tensor:
        constant, builder = self.constant(position), self.builder
        if constant is None:
            return self.context.values[self.inputs[position]]
        last = len(builder.layers) - 1
        if not constant.learned:
            self.exclude("used to compute other tensors, and not counted as params", position)
            return constant_tensor(builder, constant.dims, neighbour=last)
        key, path = constant.sources[0][0], self.path("learned")
        return learned_once(builder, key, constant.dims, path, neighbour=last)

    def numbers(self, position: int) -> tuple[int, ...]:
        """The numbers of an input that is an option, such as a shape. Raises ConstraintError if
        they are not known."""
        constant = self.constant(position)
        if constant is None or constant.data is None or constant.data.dtype.kind != "i":
            message = f"input {position} is computed, so the shape is not known"
            raise NotComputedError("CC401", message)
        self.context.read_as_options.update(key for key, _ in constant.sources)
        return tuple(map(int, constant.data.flat))

    def weights(self, *positions: int) -> dict[str, int]:
        """The stored tensors behind some inputs, by key, with their elements. Raises
        ConstraintError CC401 unless they have exactly the elements of the inputs."""
        stored: dict[str, int] = {}
        for position in positions:
            constant = self.constant(position)
            if constant is not None:
                sources = dict(constant.sources)
                if sum(sources.values()) != constant.elements:
                    what = f"the weights at input {position} are computed or variable"
                    raise ConstraintError(
                        "CC401", f"{what}, and convcost reads stored weights only"
                    )
                stored |= sources
        return stored

    def shares_weights(self, weights: int, bias: int) -> bool:
        """Whether another operator of the same type reads the same weights, whose numbers differ,
        with another bias or without one."""
        if any(map(self.builder.has_equal_numbers, self.weights(weights))):
            return False
        nodes = self.context.readers[self.inputs[weights]]
        others = [self._replace(node=node) for node in nodes if node.op == self.op]
        return any(other.weights(bias) != self.weights(bias) for other in others)

    def exclude(self, reason: str, *positions: int) -> None:
        """Marks constants that are not weights: they are options, or no layer has them."""
        for constant in filter(None, map(self.constant, positions)):
            if constant.is_float:
                self.context.excluded.update((key, reason) for key, _ in constant.sources)
            else:
                self.context.read_as_options.update(key for key, _ in constant.sources)

    def dims(self, position: int = 0) -> tuple[int, ...] | None:
        tensor = self.context.graph.tensors[self.outputs[position]]
        unknown = self.context.resized or any(tensor.open[1:]) or 0 in tensor.dims
        return None if unknown else tensor.dims

    def add_uncounted(self) -> tuple[Tensor, ...]:
        """Adds `custom` layers whose macs are not counted. The first states of a loop are not
        learned if they are equal numbers, such as zeros."""
        learned = [
            n for n, constant in self.constants.items() if constant.learned and constant.dims
        ]
        if self.op == "WHILE":
            equal = self.builder.has_equal_numbers
            states = {n for n in learned if all(map(equal, self.weights(n)))}
            self.exclude(FIXED, *states)
            learned = [n for n in learned if n not in states]
        return self.uncounted_layers(self.op, self.weights(*learned))
