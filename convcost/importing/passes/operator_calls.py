"""The tensors and the calls of operators while a graph of a file is lowered."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import Constant, StoredTensor
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.operator_graph import Node, readers_of
from convcost.importing.ir.tensor import Tensor
from convcost.importing.ir.tensor_views import Dims
from convcost.importing.passes.lowering import lower
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast


class GraphContext(Generic[Node]):
    """The graph builder, and all tensors by name: those that depend on the inputs in `values`, the
    others in `constants`. `stored` has the tensors of the file. `excluded` are those that belong to
    no layer, each with the reason."""

    def __init__(
        self,
        builder: GraphBuilder,
        nodes: Sequence[Node],
        outputs: Iterable[str],
        constants: dict[str, Constant],
        stored: Mapping[str, StoredTensor],
        excluded: dict[str, str],
    ) -> None:
        self.builder, self.constants = builder, constants
        self.stored, self.excluded = stored, excluded
        self.readers = readers_of(nodes)
        self.operands = set(self.readers)
        self.uses = Counter({name: len(nodes) for name, nodes in self.readers.items()})
        self.uses.update(outputs)
        self.values: dict[str, Tensor] = {}
        self.lost: dict[str, str] = {}  # tensors that are left out, and where that begins
        self.read_as_options: set[str] = set()  # tensors whose numbers became options of layers

    def may_be_weights(self, name: str) -> bool:
        """Whether a note must list a stored tensor that no layer has."""
        return True


Context = TypeVar("Context", bound=GraphContext[Any])


class OperatorCall(NamedTuple, Generic[Context, Node]):
    """A node, and all tensors known so far. Inputs and outputs are given by their position. A front
    end defines how a constant becomes a tensor of the layer graph, and which output dims the file
    states."""

    context: Context
    node: Node

    @property
    def op(self) -> str:
        return self.node.op

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.node.inputs

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.node.outputs

    @property
    def builder(self) -> GraphBuilder:
        return self.context.builder

    def value(self, position: int = 0) -> Tensor:
        """An input as a tensor of the layer graph. A constant becomes a layer that provides it."""
        raise NotImplementedError

    def dims(self, position: int = 0) -> Dims | None:
        """The dims of an output in the file, if they are known."""
        raise NotImplementedError

    def require_dims(self, position: int = 0) -> Dims:
        """The dims of an output in the file. Raises ConstraintError CC401 if they are not known."""
        dims = self.dims(position)
        if dims is None:
            raise ConstraintError("CC401", "its output shape is not known")
        return dims

    def path(self, *more: str) -> Path:
        """The path of the node, with `more` names at its end."""
        raise NotImplementedError

    def constant(self, position: int) -> Constant | None:
        """An input that does not depend on the model's inputs; None if it does, or if it is left
        out."""
        return self.context.constants.get(self.node.input(position))

    def depends_on_input(self, position: int) -> bool:
        """Whether an input depends on the model's inputs."""
        return self.node.input(position) in self.context.values

    @property
    def dependent_positions(self) -> list[int]:
        """The positions of the inputs that depend on the model's inputs."""
        return [*filter(self.depends_on_input, range(len(self.inputs)))]

    def input_dims(self, position: int) -> Dims:
        """The dims of an input. A constant adds no layer."""
        constant = self.constant(position)
        return self.value(position).dims if constant is None else constant.dims

    @property
    def broadcast_dims(self) -> Dims | None:
        """The dims that all inputs broadcast to."""
        return broadcast(*map(self.input_dims, range(len(self.inputs))))

    def is_output_used(self, position: int) -> bool:
        """Whether any operator or the model's output uses an output."""
        return position < len(self.outputs) and bool(self.context.uses[self.outputs[position]])

    @property
    def used_outputs(self) -> list[int]:
        """The positions of the outputs that are used."""
        return [*filter(self.is_output_used, range(len(self.outputs)))]

    def lower(self, op: str, *inputs: Tensor, path: tuple[str, ...] = (), **more: Any) -> Tensor:
        """Adds the layers of a canonical operator. Its input is the node's first input by default;
        `path` is appended to the node's path."""
        return lower(self.builder, op, self.path(*path), *(inputs or (self.value(),)), **more)

    def free(self, x: Tensor) -> Tensor:
        """Counts an operator that becomes no layer."""
        self.builder.free[self.op] += 1
        return x

    def custom(self, dims: Dims | None = None, what: str = "", **more: Any) -> Tensor:
        """Adds a `custom` layer, without multiply-adds if `macs` is not given. Its output has
        `dims`, or those in the file. Raises ConstraintError CC401."""
        dims = self.require_dims() if dims is None else dims
        if any(extent < 1 for extent in dims):
            raise ConstraintError("CC401", f"its output has no elements: {list(dims)}")
        inputs = [
            self.context.values[self.inputs[position]] for position in self.dependent_positions
        ]
        return self.lower("custom", *inputs, what=what or self.op.lower(), dims=dims, **more)

    def uncounted_layers(self, operator: str, weights: Mapping[str, int]) -> tuple[Tensor, ...]:
        """Adds `custom` layers for an `operator`. Their macs are not counted. There is one layer
        for each output up to the last one that is used. The first one has the weights."""
        tensors = []
        for position in range(max(self.used_outputs, default=0) + 1):
            dims = self.dims(position)
            if dims is None:
                dims = self.require_dims(position) if self.is_output_used(position) else (1,)
            label = f"{operator}, output {position + 1}" if position else operator
            tensors.append(self.custom(dims, label, macs=None, weights={} if position else weights))
        return tuple(tensors)
