"""A node while it is lowered: its inputs and attributes, and the layers that it adds."""

from math import prod
from typing import Any

from onnx import SparseTensorProto, TensorProto

from convcost.importing.frontends.onnx.context import OnnxContext, is_narrow, is_packed
from convcost.importing.frontends.onnx.graph import MAX_SMALL_TENSOR, STANDARD, OnnxNode
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.frontends.onnx.registry import row_of
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lower.stored_tensors import constant_tensor, learned_tensor
from convcost.importing.passes.operator_calls import OperatorCall
from convcost.importing.passes.weight_report import MAX_OPTION_NUMBERS
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

NCHWC = "com.microsoft.nchwc"  # weights are padded for vector registers
NCHWC_HELP = (
    "ONNX Runtime optimized this file for one processor: import the original file, or save "
    "it with ORT_ENABLE_EXTENDED instead of ORT_ENABLE_ALL"
)

UNKNOWN_USE = "integers that an uncounted operator reads, and not counted as params"


class OnnxCall(OperatorCall[OnnxContext, OnnxNode]):
    """A call of an operator of ONNX."""

    @property
    def canonical(self) -> str:
        """The canonical operator; "" if the table has none."""
        return row_of(self.op).op

    def as_operator(self, op: str, *inputs: str) -> "OnnxCall":
        """A call of another operator on other tensors, with the same outputs."""
        return self._replace(node=self.node._replace(op=op, inputs=inputs))

    # Attributes and inputs

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or `default` if it is left out."""
        value = self.node.attributes.get(name)
        return default if value is None else value

    attribute = get

    def axis(self, default: int, rank: int) -> int:
        """The attribute `axis`, counted from 0. Raises ConstraintError CC404 if there is no such
        axis."""
        axis: int = self.get("axis", default)
        if not -rank <= axis < rank:
            message = f"its `axis` is {axis}, but its input has {counted(rank, 'axis')}"
            raise ConstraintError("CC404", message)
        return axis % rank

    def value(self, position: int = 0) -> Tensor:
        name, values = self.node.input(position), self.context.values
        if not name:
            raise ConstraintError("CC404", f"its input {position + 1} is missing")
        if name not in values:
            self._lower_constant(name)
        return values[name]

    def numbers(self, name: str, position: int | None = None) -> tuple[int, ...] | None:
        """Integers from the attribute `name`, or from the input that replaced the attribute in
        later opsets. Raises ConstraintError if they are not integers, or not known."""
        if name in self.node.attributes:
            attribute = self.node.attributes[name]
            numbers = attribute if isinstance(attribute, tuple) else (attribute,)
            if not all(isinstance(n, int) for n in numbers):
                raise ConstraintError("CC404", f"its `{name}` must have integers")
            return numbers
        if position is None or not self.node.input(position):
            return None
        constant = self.constant(position)
        if constant is None or constant.data is None:
            raise self._unknown_numbers(name, computed=constant is None)
        self.context.read_as_options.update(key for key, _ in constant.sources)
        return tuple(int(n) for n in constant.data.ravel().tolist())

    @staticmethod
    def _unknown_numbers(name: str, *, computed: bool) -> ConstraintError:
        """The error for an option whose numbers are not known. They are `computed` from the model's
        inputs, or not in the file."""
        if computed:
            reason = "the model computes them from the values of its inputs"
            fix = "export the model with an example of a fixed size, without dynamic axes"
        else:
            reason = f"the file does not contain them, or they are more than {MAX_SMALL_TENSOR:,}"
            fix = (
                "store small tensors in the model's own file: "
                f"onnx.save(…, save_as_external_data=True, size_threshold={8 * MAX_SMALL_TENSOR})"
            )
        return ConstraintError("CC401", f"the numbers of its `{name}` are not known: {reason}", fix)

    def number(self, position: int) -> float | None:
        """The value of a constant input whose elements are all equal; otherwise None."""
        constant = self.constant(position)
        if constant is None:
            return None
        self.context.read_as_options.update(key for key, _ in constant.sources)
        return constant.number

    def tensors(self, *positions: int, more: tuple[str, ...] = ()) -> dict[str, int]:
        """The stored tensors of constant inputs, by key, each with its number of elements; `more`
        are the names of further tensors."""
        names = [
            self.node.input(position)
            for position in positions
            if self.constant(position) is not None
        ]
        return self.context.stored_tensors(names, more)

    # Outputs and layers

    @property
    def has_known_shapes(self) -> bool:
        """Whether shape inference knows the dims of all outputs that are used."""
        return all(self.dims(position) is not None for position in self.used_outputs)

    def dims(self, position: int = 0) -> Dims | None:
        """The dims of an output according to shape inference."""
        return self.context.shapes.get((*self.outputs, "", "", "")[position])

    def path(self, *more: str) -> Path:
        names = self.context.names
        path = names.paths.get(self.outputs[0])
        return (*(names.path_of_constant(self.node) if path is None else path), *more)

    def add_uncounted(self) -> tuple[Tensor, ...]:
        """Adds `custom` layers whose macs are not counted. Raises ConstraintError if a shape is not
        known."""
        domain = self.node.domain or STANDARD[-1]
        if not self.has_known_shapes:
            raise ConstraintError(
                "CC401",
                f"convcost does not know the operator {self.op} of the domain `{domain}`, "
                "and its output shape is not known",
                NCHWC_HELP if domain == NCHWC else "add its shape to the file's value_info",
            )
        operator_name = self.op if domain in STANDARD else f"{domain}::{self.op}"
        weights = [*filter(self._is_weight, range(len(self.inputs)))]
        for position, name in enumerate(self.inputs):
            constant = self.constant(position) if is_narrow(self.context.stored, name) else None
            if constant is not None and constant.elements > 1 and position not in weights:
                self.context.excluded.setdefault(name, UNKNOWN_USE)
        if (numbers := sum(map(_elements, self.node.attributes.values()))) > MAX_OPTION_NUMBERS:
            self.builder.note_gap(
                f"left out: {numbers:,} numbers in attributes of {self.node.label}"
            )
        return self.uncounted_layers(operator_name, self.tensors(*weights))

    def _is_weight(self, position: int) -> bool:
        constant, name = self.constant(position), self.node.input(position)
        if constant is None or not constant.learned or constant.elements == 1:
            return False
        return constant.is_float or is_packed(self.context.stored, name, constant.dims)

    @property
    def neighbour(self) -> int:
        """The source of an input of the node, for layers that need a position in the graph but do
        not read it."""
        for name in self.inputs:
            if name in self.context.values:
                return self.context.values[name].source
        return len(self.builder.layers) - 1 if self.builder.layers else -1

    # Constants

    def _lower_constant(self, name: str) -> None:
        """Adds the layer of a constant that an operator reads: the operator that computes it, a
        learned tensor, or a constant without params. Raises ConstraintError CC401."""
        context = self.context
        constant = context.constants.get(name)
        if constant is None:
            raise ConstraintError(
                "CC401",
                f"its input `{name}` has no fixed shape, because it depends on the data",
                "import the part before it: onnx.utils.extract_model(…) writes a part of a model",
            )
        if constant.producer is not None and context.is_lowered(constant):
            rule = row_of(constant.producer.op).rule
            if rule is not None:
                outputs = rule(self._replace(node=OnnxNode(*constant.producer)))
                context.values[name] = outputs if isinstance(outputs, Tensor) else outputs[0]
                return
        key = context.key_of_table(name, constant)
        if not constant.learned and (context.is_of_code(constant) or not constant.has_whole_source):
            context.exclude(constant)
            x = constant_tensor(self.builder, constant.dims, neighbour=self.neighbour)
        else:
            x = learned_tensor(
                self.builder, key, constant.dims or (1,), self.path("table"),
                neighbour=self.neighbour, buffer=not constant.learned,
            )  # fmt: skip
        context.values[name] = x if constant.dims else x._replace(dims=(), axes=())


def _elements(attribute: Any) -> int:
    """The numbers of an attribute that is a tensor or a list of floats."""
    if isinstance(attribute, TensorProto | SparseTensorProto):
        return prod(attribute.dims)
    floats = isinstance(attribute, tuple) and all(isinstance(n, float) for n in attribute)
    return len(attribute) if floats else 0
