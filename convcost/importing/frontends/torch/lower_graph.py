"""Lowers the ATen graph call by call, and compares each result with the shape in the graph."""

from functools import partial
from math import prod
from typing import Any

from convcost.importing.frontends.torch import graph_inputs, unused_parameters
from convcost.importing.frontends.torch.constant_value import (
    ConstantValue,
    Parameter,
    as_tensor,
    tensors,
)
from convcost.importing.frontends.torch.error_text import (
    BACKBONE,
    ROUTE,
    error_summary,
    needs_numbers,
)
from convcost.importing.frontends.torch.names import ModuleScope, Scopes, name_layers
from convcost.importing.frontends.torch.registry import (
    SHAPED,
    TorchCall,
    has_only_joins,
    known_row,
    operator_name,
)
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.ir.ops import Trait
from convcost.importing.ir.refusals import prefix_errors
from convcost.importing.ir.tensor import Tensor
from convcost.importing.passes.rewrite import rewrite
from convcost.model.errors import ConstraintError
from convcost.model.shape import broadcast

# Layers that rearrange elements. They are added only when a later layer needs the new order.
VIEWS = frozenset(("flatten", "reshape", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle"))
# Errors of unexpected calls. The message names the layer.
FORM_ERRORS = (AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError)


def lower_program(module: Any, program: Any, target: str) -> LayerGraph:
    """The layer graph of an exported program. Raises ConstraintError with the name of the layer."""
    walk = _TorchWalk(module, program, target)
    for node in program.graph.nodes:
        walk.lower(node)
    return walk.graph()


class _DataDependentError(Exception):
    """The dims of a tensor depend on the values of another tensor."""


class _TorchWalk:
    """Adds the layers of an exported program to `builder`, node by node. `known` has the value of
    each node so far: a tensor, several, or a constant. `layers` has the module of each layer, or
    None if it keeps its own name. `scope` is the module of the current node."""

    def __init__(self, module: Any, program: Any, target: str) -> None:
        self.builder = GraphBuilder(target.rpartition(":")[2].rpartition(".")[2], target)
        self.builder.frozen.update(
            name for name, parameter in module.named_parameters() if not parameter.requires_grad
        )
        self.scopes = Scopes(module)
        self.module = module
        self.known: dict[Any, Any] = {}
        self.layers: list[ModuleScope | None] = []
        self.outputs: list[Tensor] = []
        self.scope: ModuleScope | None = None
        self.moved: dict[int, ModuleScope] = {}  # scope of the last rearrangement, by source layer
        self.parameters = graph_inputs.stored_parameters(module, program)
        self.given = frozenset(program.graph_signature.user_inputs)

    def lower(self, node: Any) -> None:
        """Adds the layers of a node and records its value. Raises ConstraintError."""
        try:
            self._lower_node(node)
        except _DataDependentError:
            params = sum(int(parameter.numel()) for parameter in self.module.parameters())
            raise ConstraintError(
                "CC401",
                f"the number of elements of {operator_name(node.target)} depends on the data, "
                f"and so do the macs after it; the model has {params:,} params",
                BACKBONE,
            ) from None

    def _lower_node(self, node: Any) -> None:
        if node.op == "placeholder":
            self.known[node] = self._placeholder(node)
        elif node.op == "get_attr":
            self.known[node] = _fixed_constant(node)
        elif node.op == "output":
            ends = tensors(self._resolve(node.args[0]))
            self.outputs = [as_tensor(self.builder, end) for end in ends]
        elif node.op == "call_function":
            self.known[node] = self._call(node)
        else:
            raise ConstraintError(
                "CC401", f"{node.name} is a {node.op}, which convcost does not know"
            )

    def graph(self) -> LayerGraph:
        """The layer graph of all nodes. Raises ConstraintError."""
        if not self.outputs:
            raise ConstraintError("CC401", "it returns no tensor")
        ends = [
            self.builder.materialize(value, value.channel, ("output",)) for value in self.outputs
        ]
        unused_parameters.add_unused(self.builder, self.module, ends[0])
        unused_parameters.verify_count(self.builder, self.module)
        self._enter(None)
        self.builder.layers[:] = name_layers(self.builder.layers, self.layers)
        self.builder.classes.update(self.scopes.classes)
        return rewrite(self.builder.graph(self.outputs))

    def _placeholder(self, node: Any) -> Any:
        """An argument of the program: a registered tensor, an input, or another constant."""
        leaf = self.parameters.get(node.name)
        if leaf is not None:
            return ConstantValue(leaf.dims, (leaf,), node)
        if node.name not in self.given:
            return _fixed_constant(node)
        return graph_inputs.graph_input(self.builder, node)

    def _call(self, node: Any) -> Any:
        """The result of an operator: a tensor, several, or a constant that is lowered later."""
        name = operator_name(node.target)
        if name == "getitem":
            return self._resolve(node.args[0])[node.args[1]]
        if "_assert" in name or name.startswith("aten.sym_"):
            return None
        inputs = self._arguments(node)
        flows = [value for value in tensors(inputs) if isinstance(value, Tensor)]
        leaves = tuple({leaf: None for value in tensors(inputs) if isinstance(value, ConstantValue)
                        for leaf in value.leaves})  # fmt: skip
        if name in SHAPED:
            return _fixed_constant(node)
        # An operator with macs is a layer even if it depends on no input: it runs for each sample.
        if flows or (Trait.CONTRACTS in known_row(name).traits and leaves):
            return self._lower_call(node, name, inputs)
        return self._constant(node, name, inputs, leaves)

    def _constant(
        self, node: Any, name: str, values: dict[str, Any], leaves: tuple[Parameter, ...]
    ) -> Any:
        """A tensor, or several, that depends on no input. The first one that is needed lowers the
        call."""
        dims = _dims(node.meta.get("val"))
        several = bool(dims) and isinstance(dims[0], tuple)
        sources = [
            value for value in tensors(values) if isinstance(value, ConstantValue) and value.leaves
        ]
        has_whole_source = (
            not several
            and len(sources) == 1
            and sources[0].has_whole_source
            and prod(dims or ()) == prod(sources[0].dims)
            and name not in ("aten.index", "aten.index_select", "aten.gather")
        )
        outputs: list[Any] = []

        def call(number: int) -> Any:
            if not outputs:
                lowered = self._lower_call(node, name, values)
                outputs.extend(lowered if several else [lowered])
            return outputs[number]

        constants = tuple(
            ConstantValue(
                output_dims,
                leaves,
                (node, n),
                partial(call, n) if leaves else None,
                has_whole_source,
            )
            for n, output_dims in enumerate(dims if several else [dims or ()])
        )
        return constants if several else constants[0]

    def _lower_call(self, node: Any, name: str, inputs: dict[str, Any]) -> Any:
        """Adds the layers of an operator with its arguments by name, and returns its outputs.
        Raises ConstraintError."""
        scope = self.scopes.scope_of(node)
        dims = _dims(node.meta.get("val"))
        users = frozenset(_use(user) for user in node.users if user.users or user.op == "output")
        path = (*scope.path, name.rpartition(".")[2])
        is_complex = any(map(_is_complex, node.all_input_nodes))
        call = TorchCall(self.builder, path, name, inputs, dims, users, is_complex)
        outer, first = self._enter(scope), len(self.builder.layers)
        row = known_row(name)
        rule = row.rule or TorchCall.add_uncounted
        if is_complex and Trait.CONTRACTS in row.traits and row.op != "fourier":
            rule = TorchCall.add_uncounted  # a product of complex numbers has four of real ones
        try:
            with prefix_errors("/".join(path)):
                result = rule(call)
        except FORM_ERRORS as error:
            raise ConstraintError(
                "CC401",
                f"{'/'.join(path)}: {name} cannot be lowered: {error_summary(error)}",
                ROUTE,
            ) from error
        self._enter(outer)
        _verify_dims(result, dims, path, users)
        if isinstance(result, Tensor) and result.source not in range(
            first, len(self.builder.layers)
        ):
            self.moved[result.source] = scope
        return result

    def _enter(self, scope: ModuleScope | None) -> ModuleScope | None:
        """Sets the scope of the layers that follow and returns the scope before. Layers of
        parameters keep their own names."""
        for layer in self.builder.layers[len(self.layers) :]:
            has_own_name = layer.kind in ("learned", "scale", "constant")
            self.layers.append(None if has_own_name else self._scope(layer))
        before, self.scope = self.scope, scope
        return before

    def _scope(self, layer: GraphLayer) -> ModuleScope | None:
        """The scope of the current call. A rearrangement belongs to the module that moved the
        elements, or to the module around the one that needs it."""
        scope = self.scope
        if scope is None or layer.kind not in VIEWS:
            return scope
        if layer.inputs[0] in self.moved:
            return self.moved[layer.inputs[0]]
        if scope.is_innermost and layer.kind in ("flatten", "reshape"):
            # Another call, so that it does not count as a second layer of the module.
            return ModuleScope(scope.path[:-1], f"{scope.call}<", is_innermost=False)
        return scope

    def _arguments(self, node: Any) -> dict[str, Any]:
        """The arguments of an operator by name, with defaults; by position without a schema."""
        schema = node.target._schema.arguments if hasattr(node.target, "_schema") else ()  # noqa: SLF001
        values = {argument.name: argument.default_value for argument in schema}
        values |= {argument.name: value for argument, value in zip(schema, node.args, strict=False)}
        values |= node.kwargs
        if not schema:
            values |= {str(position): value for position, value in enumerate(node.args)}
        return {name: self._resolve(value) for name, value in values.items()}

    def _resolve(self, value: Any) -> Any:
        """An argument with the values of the nodes in it."""
        if isinstance(value, (tuple, list)):
            return tuple(self._resolve(entry) for entry in value)
        if isinstance(value, dict):
            return {key: self._resolve(entry) for key, entry in value.items()}
        if hasattr(value, "op") and hasattr(value, "users"):
            return self.known[value]
        return value


def _fixed_constant(node: Any) -> ConstantValue:
    """A tensor that is neither learned nor computed from learned tensors."""
    return ConstantValue(_dims(node.meta.get("val")) or (), (), node)


def _use(node: Any) -> str:
    """The operator that uses a tensor; `getitem:1` if it selects one of several outputs."""
    name = operator_name(node.target)
    return f"getitem:{node.args[1]}" if name == "getitem" else name


def _is_complex(node: Any) -> bool:
    dtype = getattr(node.meta.get("val"), "dtype", None)
    return dtype is not None and bool(dtype.is_complex)


def _dims(val: Any) -> Any:
    """The dims of a tensor, or of several. Raises _DataDependentError if they depend on the
    data."""
    if isinstance(val, (tuple, list)):
        return tuple(_dims(output) for output in val)
    shape = getattr(val, "shape", None)
    if shape is None:
        return None
    try:
        return tuple(int(n) for n in shape)
    except Exception as error:
        if not needs_numbers(error):
            raise
        raise _DataDependentError from None


def _verify_dims(result: Any, dims: Any, path: tuple[str, ...], users: frozenset[str]) -> None:
    """Raises ConstraintError if a result has other dims than the model has. A tensor that only
    joins read may be broadcast."""
    if isinstance(result, Tensor) and dims is not None and result.dims != dims:
        if has_only_joins(users) and broadcast(result.dims, dims) == dims:
            return
        got, model_shape = ("×".join(map(str, numbers)) for numbers in (result.dims, dims))
        raise ConstraintError(
            "CC402", f"{'/'.join(path)} has the shape {got}, but the model has {model_shape}"
        )
    if type(result) is tuple and isinstance(dims, tuple):
        for output, output_dims in zip(result, dims, strict=False):
            _verify_dims(output, output_dims, path, users)
