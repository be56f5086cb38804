"""The operators of ATen, and their calls."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from convcost.importing.frontends.torch.constant_value import (
    ConstantValue,
    as_tensor,
    buffers,
    tensors,
    weights,
)
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.operator_table import OperatorTable
from convcost.importing.ir.ops import Row, Trait
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.lowering import lower


class TorchCall(NamedTuple):
    """A call of an operator. `given` has its arguments by the names of the schema, including
    defaults; tensors are `Tensor` or `ConstantValue`. `dims` are the dims of the output in the
    model, or a tuple of dims for several outputs. `users` are the operators that read the
    output. `is_complex` is whether an argument has complex numbers."""

    builder: GraphBuilder
    path: Path
    name: str
    given: Mapping[str, Any]
    dims: Any
    users: frozenset[str] = frozenset()
    is_complex: bool = False

    @property
    def has_several_outputs(self) -> bool:
        """Whether it has several outputs."""
        return bool(self.dims) and isinstance(self.dims[0], tuple)

    @property
    def first_dims(self) -> Any:
        """The dims of its output, or of the first of several."""
        return self.dims[0] if self.has_several_outputs else self.dims

    @property
    def x(self) -> Tensor:
        """The first argument."""
        return as_tensor(self.builder, next(iter(self.given.values())))

    @property
    def own_name(self) -> str:
        """The name of the operator without the one of its library."""
        return self.name.removeprefix(ATEN)

    @property
    def canonical(self) -> str:
        """The canonical operator; "" if the table has none."""
        return known_row(self.name).op

    def attribute(self, name: str) -> Any:
        return self.given.get(name)

    def tensor(self, value: Tensor | ConstantValue) -> Tensor:
        """A value as a tensor of the layer graph. A constant is added as a layer once."""
        return as_tensor(self.builder, value)

    def lower(self, op: str, *inputs: Tensor, **more: Any) -> Tensor:
        """Adds the layers of a canonical operator. Its input is the first argument by default."""
        return lower(self.builder, op, self.path, *(inputs or (self.x,)), **more)

    def custom(self, what: str = "", macs: int | None = 0) -> Any:
        """Adds a `custom` layer with the output shape in the model; None as `macs` means unknown.
        If there are several outputs, the first layer has the params and macs; the others are added
        only if something reads them."""
        operands = list(tensors(dict(self.given)))
        inputs = [value for value in operands if isinstance(value, Tensor)]
        constants = [value for value in operands if isinstance(value, ConstantValue)]
        if not inputs:
            inputs = [self.tensor(constant) for constant in constants if constant.leaves]
            constants = []
        more: dict[str, Any] = {"weights": weights(*constants), "buffers": buffers(*constants)}
        more |= {"what": what or self.own_name, "macs": macs}
        outputs: list[Tensor | None] = []
        for number, dims in enumerate(self.dims if self.has_several_outputs else (self.dims,)):
            if dims is None or (number and f"getitem:{number}" not in self.users):
                outputs.append(None)
                continue
            outputs.append(self.lower("custom", *inputs, dims=dims, **more))
            more |= {"weights": {}, "buffers": {}, "macs": None if macs is None else 0}
        return tuple(outputs) if self.has_several_outputs else outputs[0]

    def add_uncounted(self) -> Any:
        """Adds a `custom` layer without a count, one for each output. An operator that convcost
        does not know never becomes a layer without costs."""
        return self.custom(macs=None)


ATEN = "aten."
OPERATORS = OperatorTable("convcost.importing.frontends.torch.operators")
operator = OPERATORS.operator  # names are those of ATen, without the overload and the prefix `aten`

# These operators read only the shape of a tensor.
SHAPED = frozenset(
    f"aten.{name}"
    for name in (
        *("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like"),
        *("full_like", "empty_like", "rand_like", "randn_like"),
    )
)


def row(op: str, *names: str, **attributes: Any) -> None:
    """Registers operators by their names in ATen, by default that of the canonical operator."""
    OPERATORS.row(op, *(names or (op,)), **attributes)


def operator_name(target: Any) -> str:
    """The name of an operator without its overload: `aten.conv2d` for aten.conv2d.default."""
    if hasattr(target, "_schema"):
        return str(target).rpartition(".")[0]
    return str(getattr(target, "__name__", target))


def known_row(name: str) -> Row:
    """The row of an operator. The names of in-place operators end in `_`."""
    own_name = name.removeprefix(ATEN)
    return OPERATORS.get(own_name) or OPERATORS.row_of(own_name.removesuffix("_"))


def has_only_joins(users: frozenset[str]) -> bool:
    """Whether only joins read a tensor. They broadcast it themselves."""
    return all(Trait.JOINS in known_row(user).traits for user in users)
