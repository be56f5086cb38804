"""Expands layer nodes to steps: expands blocks, copies and branches, resolves names, and computes
shapes.

Shapes are computed here because expressions use them: `groups: in_channels`.
"""

from collections import ChainMap
from collections.abc import Iterable
from functools import partial
from typing import Any

from convcost.language.expressions import Lookup
from convcost.language.network_builder import (
    FROZEN_PARTS,
    MAX_LAYERS,
    NetworkBuilder,
    NetworkTooLargeError,
)
from convcost.language.problems import Problems
from convcost.language.scope import (
    DROPPED,
    Scope,
    ScopeEntry,
    StepOutput,
    UnknownValueError,
    Variables,
)
from convcost.language.size_estimate import SizeEstimator
from convcost.language.syntax_tree import DEFERRED, Block, Branch, LayerNode, OptionValue
from convcost.language.yaml_nodes import MAX_DEPTH
from convcost.model.errors import ConstraintError
from convcost.model.kind import Kind
from convcost.model.network import Choice, Copies, Group, HasSpan
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.symbolic import memo, same_value


class _Evaluated(NamedTuple):
    """An option whose expression was evaluated: the values of the names that it read, and its own.

    The option is here so that no other object gets its id.
    """

    option: OptionValue
    names: dict[str, Any]
    result: Any


class Expansion(NetworkBuilder):
    """Expands the layers of one network into `steps` and `groups`."""

    def __init__(
        self,
        problems: Problems,
        variables: Variables,
        inputs: tuple[tuple[str, Shape], ...],
        origins: list[HasSpan],
    ) -> None:
        super().__init__(problems, variables, inputs, origins)
        self._layers: dict[tuple[object, ...], Kind[Any]] = memo(inputs, *variables.values())
        self._evaluated: dict[int, _Evaluated] = {}  # the keys are ids of expressions

    def expand(self, items: tuple[LayerNode, ...], blocks: Iterable[Block]) -> StepOutput:
        """Expands a network and returns its output tensor. Raises NetworkTooLargeError."""
        estimator = SizeEstimator(self.problems)
        before = len(self.problems)
        size = estimator.layers(items)
        for block in blocks:
            estimator.block(block)
        if len(self.problems) > before:
            return StepOutput(-1, None)
        if size.height > MAX_DEPTH:
            raise NetworkTooLargeError(f"layers are nested more than {MAX_DEPTH} deep")
        if size.parts > 20 * MAX_LAYERS:  # also counts layers whose `when` is false
            raise NetworkTooLargeError
        tensors = [
            StepOutput(-1 - k, shape if shape.channels else None)
            for k, (_, shape) in enumerate(self.inputs)
        ]
        incoming = tensors[0] if len(tensors) == 1 else StepOutput(None if tensors else -1, None)
        names = tuple([name for name, _ in self.inputs])
        scope = Scope("", self.variables, None, items, incoming, None, names)
        for (name, _), origin, tensor in zip(self.inputs, self.origins, tensors, strict=True):
            if name != "input" or len(tensors) > 1:
                self.declare(scope, name, ScopeEntry(origin, tensor))
        output = self._expand_scope(scope)
        # Leaving out a layer without a message would give a wrong number.
        assert self.complete or self.problems
        return output

    def _expand_scope(self, scope: Scope) -> StepOutput:
        """Expands the layers of a scope in series and returns the output of the last one."""
        x = scope.incoming
        for node in scope.items:
            if node.simple and x.source is not None:
                x = self.add_step(node, node.layer, self.next_name(node, scope), scope, (x,))
            elif node.simple or self._is_kept(node, scope, x):
                x = self._expand_copies(node, scope, x)
        return x

    # Layers

    def _is_kept(self, node: LayerNode, scope: Scope, x: StepOutput) -> bool:
        if node.when is None:
            return True
        if self._option(node.when, node, scope, x):
            return True
        self.count_left_out()
        self.next_name(node, scope)  # `when` must not change the names of later layers
        if node.name:
            scope.names.setdefault(node.name, ScopeEntry(node.origin, DROPPED))
        return False

    def _expand_copies(self, node: LayerNode, scope: Scope, x: StepOutput) -> StepOutput:
        """Expands a layer, as often as `repeat` says, in series."""
        if node.repeat is None:
            return self._expand_layer(node, self.next_name(node, scope), scope, x)
        copies = self._option(node.repeat, node, scope, x)
        if copies is None:
            return self.declare_unknown(node, self.next_name(node, scope), scope, x)
        if copies > MAX_LAYERS:
            raise NetworkTooLargeError
        if node.block is not None and not self._can_repeat(node, node.block, copies):
            return self.declare_unknown(node, self.next_name(node, scope), scope, x)
        if copies == 0:
            self.count_left_out()
        if copies == 0 and node.sources:
            inputs = self._layer_inputs(node, scope, x)
            x = inputs[0] if inputs else StepOutput(x.source, None)
        x, inner = self._repeat(node, copies, scope, x)
        if node.name:
            self.declare(scope, node.name, ScopeEntry(node.origin, x, inner))
        return x

    def _repeat(
        self, node: LayerNode, copies: int, scope: Scope, x: StepOutput
    ) -> tuple[StepOutput, Scope | None]:
        """Expands copies of a layer. Returns the output of the last one, and its names if it has
        layers inside."""
        inner = None
        size_before, problems_before = self.size(), self.problems.total
        for copy in range(1, copies + 1):
            name = f"{node.name}_{copy}" if node.name else self.next_name(node, scope)
            x = self._expand_layer(node, name, scope, x)
            inner = scope.names[name].scope if name in scope.names else None
            # The first copy has the input of `from`, each later one the copy before it.
            node = node._replace(sources=node.block.outputs_of(name) if node.block else ())
            if copy == 1:
                size = self.size() - size_before
                if size_before + size * copies > 2 * MAX_LAYERS:
                    raise NetworkTooLargeError
            # Further copies would have the same problem.
            if x.shape is None or self.problems.total > problems_before:
                break
        return x, inner

    def _can_repeat(self, node: LayerNode, block: Block, copies: int) -> bool:
        """Whether a block can be repeated as often. If not, adds a problem."""
        assert node.repeat is not None
        if len(block.inputs) < 2:  # noqa: PLR2004
            return True
        if copies == 0:
            message = f"{node.label} has {len(block.inputs)} inputs, so `repeat` must be 1 or more"
            self.problems.add("CC104", message, node.repeat.node)
        elif copies > 1 and not block.outputs:
            message = f"`repeat` of block `{block.name}` needs `outputs`"
            hint = "name a layer for each of the `inputs`; they are the inputs of the next copy"
            self.problems.add("CC103", message, node.repeat.node, hint)
        return copies == 1 or (copies > 1 and len(block.outputs) == len(block.inputs))

    def _expand_layer(self, node: LayerNode, name: str, scope: Scope, x: StepOutput) -> StepOutput:
        """Expands a layer. Its `frozen` is valid for the layers inside it that have none."""
        frozen = node.frozen and self._option(node.frozen, node, scope, x)
        if frozen is None:
            return self._expand_node(node, name, scope, x)
        outer, self.frozen = self.frozen, FROZEN_PARTS[frozen]
        output = self._expand_node(node, name, scope, x)
        self.frozen = outer
        return output

    def _expand_node(self, node: LayerNode, name: str, scope: Scope, x: StepOutput) -> StepOutput:
        inputs = self._layer_inputs(node, scope, x)
        if inputs is None:
            return self.declare_unknown(node, name, scope, x)
        if node.block is not None:
            return self._expand_block(node, node.block, name, scope, inputs)
        if node.kind is None:
            return self.add_step(node, None, name, scope, inputs)
        if node.kind.role == "join":
            return self._expand_join(node, node.kind, name, scope, inputs)
        if node.kind.role != "layer":
            inner = scope.inner(name, node.items, inputs[0])
            output = self._expand_group(node.origin, node.kind.name, name, scope, inner)
            return inputs[0] if node.kind.role == "side" else output
        layer = node.layer or self._layer(node, node.kind, scope, inputs[0])
        density = node.density and self._option(node.density, node, scope, inputs[0])
        return self.add_step(node, layer, name, scope, inputs, density)

    def _layer_inputs(
        self, node: LayerNode, scope: Scope, x: StepOutput
    ) -> tuple[StepOutput, ...] | None:
        names = [name.text for name in node.block.inputs] if node.block is not None else []
        if len(names) > 1 and len(node.sources) != len(names):
            message = f"{node.label} needs {len(names)} inputs, not {len(node.sources) or 1}"
            hint = f"write `from: [{', '.join(names)}]` with a layer for each of these names"
            origin = node.sources[0] if node.sources else node.origin
            self.problems.add("CC108", message, origin, hint)
            return None
        if not node.sources:
            # The layers of a sequence, side or join check their own inputs.
            is_group = node.kind is not None and node.kind.role != "layer"
            if x.source is not None or is_group:
                return (x,)
            self._report_no_input(node, scope)
            return None
        takes_several = len(names) > 1 or (node.kind is not None and node.kind.takes_several)
        if len(node.sources) > 1 and not takes_several and (node.kind or node.block):
            message = f"{node.label} accepts one input, not {len(node.sources)}"
            hint = "`concat`, `add` and `multiply` join several"
            self.problems.add("CC108", message, node.sources[1], hint)
            return None
        inputs = [self.find(scope, source) for source in node.sources]
        tensors = tuple([tensor for tensor in inputs if tensor is not None])
        return tensors if len(tensors) == len(inputs) else None

    def _report_no_input(self, node: LayerNode, scope: Scope) -> None:
        several, names = scope.describe_inputs()
        message = f"{several}, and this layer does not name one"
        self.problems.add("CC108", message, node.origin, f"add `from:` with one of {names}")

    # Groups

    def _expand_group(
        self, origin: HasSpan, kind: str, name: str, scope: Scope, inner: Scope
    ) -> StepOutput:
        """Expands the layers of `inner`, under a name of `scope`."""
        entry = ScopeEntry(origin, None, inner)
        self.declare(scope, name, entry)
        index = self.add_group(scope.prefix + name, kind, origin)
        entry.tensor = output = self._expand_scope(inner)
        if output.source is not None:
            self.groups[index] = self.groups[index]._replace(output=output.source)
        return output

    def _expand_block(
        self, node: LayerNode, block: Block, name: str, scope: Scope, inputs: tuple[StepOutput, ...]
    ) -> StepOutput:
        self.count_options(len(block.options))
        self.count_inputs(len(inputs))
        variables = self._block_variables(node, block, scope, inputs[0])
        if variables is None:
            return self.declare_unknown(node, name, scope, inputs[0])
        x = inputs[0] if len(inputs) == 1 else StepOutput(None, None)
        names = tuple([scalar.text for scalar in block.inputs])
        inner = Scope(f"{scope.prefix}{name}/", variables, None, block.items, x, scope, names)
        for scalar, tensor in zip(block.inputs, inputs, strict=False):  # one may have no name
            inner.names.setdefault(scalar.text, ScopeEntry(scalar, tensor))
        index = len(self.groups)
        self.problems.calls.append(node.origin)
        output = self._expand_group(node.origin, block.name, name, scope, inner)
        for scalar in block.outputs:
            self.find(inner, scalar)
        self.problems.calls.pop()
        if output.source is None:
            if not self.problems:
                subject = f"block `{block.name}` has {len(names)} inputs"
                message = f"{subject}, but every layer of it is left out"
                fix = "keep a layer in every setting, or put the `when` on the block"
                self.problems.add("CC108", message, node.origin, help=fix)
            output = inputs[0]._replace(shape=None)
        options = tuple([(option, variables[option]) for option in block.options])
        self.groups[index] = self.groups[index]._replace(options=options)
        return output

    def _expand_join(
        self,
        node: LayerNode,
        kind: type[Kind[Any]],
        name: str,
        scope: Scope,
        inputs: tuple[StepOutput, ...],
    ) -> StepOutput:
        """Expands the branches of a join, then the join. The branches belong to the list of the
        join if it is the only join without a name there, otherwise to a scope of its own."""
        layer = node.layer or self._layer(node, kind, scope, inputs[0])
        if not node.branches:
            return self.add_step(node, layer, name, scope, inputs)
        if node.name:
            self.declare(scope, name, ScopeEntry(node.origin))
        shares = node.only_join and not self._any_is_taken(node.branches, scope)
        branch_scope = scope if shares else scope.inner(name, (), inputs[0])
        tensors = [
            self._expand_join_branch(node, kind, layer, branch, branch_scope, inputs[0])
            for branch in node.branches
        ]
        branch_tensors = tuple([tensor for tensor in tensors if tensor is not None])
        density = node.density and self._option(node.density, node, scope, inputs[0])
        if len(branch_tensors) == len(tensors):
            output = self.add_step(node, layer, name, scope, branch_tensors, density)
        else:  # a branch has a problem
            output = self.add_step(node, None, name, scope, inputs, density)
        if branch_scope is not scope:
            scope.names[name].scope = branch_scope
            if output.source is not None and any(branch.items for branch in node.branches):
                path = scope.prefix + name
                self.groups.append(Group(path, node.label, output.source, node.origin))
        return output

    def _expand_join_branch(
        self,
        node: LayerNode,
        kind: type[Kind[Any]],
        layer: Kind[Any] | None,
        branch: Branch,
        branch_scope: Scope,
        x: StepOutput,
    ) -> StepOutput | None:
        """Expands a branch of a join. A join of experts has copies of its branch `each`: the branch
        is expanded once, and its layers have the number of copies."""
        outer = self.copies
        if branch.name == kind.copied_branch and layer is not None:
            experts = Choice(len(self.steps), *layer.copies)
            self.copies = (outer or Copies()).times(experts)
        tensor = self._expand_branch(branch, branch_scope, x)
        if kind.copied_branch and tensor is not None and tensor.source is not None:
            self._check_copies(node, (tensor.source,))
        self.copies = outer
        return tensor

    def _any_is_taken(self, branches: tuple[Branch, ...], scope: Scope) -> bool:
        """Whether a branch has the name of an input or of another layer in the list of the join."""
        used_names = {node.name for node in scope.items if node.when is None}
        used_names.update(n for n, entry in scope.names.items() if entry.tensor is not DROPPED)
        return any(
            branch.name in used_names for branch in branches if branch.origin is not branch.source
        )

    def _expand_branch(
        self, branch: Branch, branch_scope: Scope, x: StepOutput
    ) -> StepOutput | None:
        """The output of a branch, or the layer that it names; None if that is not known. Adds a
        problem for a branch without layers if there is no incoming tensor."""
        if branch.source is not None:
            tensor = self.find(branch_scope, branch.source)
            if tensor is not None and branch.origin is not branch.source:
                self.declare(branch_scope, branch.name, ScopeEntry(branch.origin, tensor))
            return tensor
        if x.source is None and not branch.items:
            message = f"branch `{branch.name}` has no layers, and there is no incoming tensor"
            self.problems.add("CC108", message, branch.origin, "write the name of an input")
        inner = branch_scope.inner(branch.name, branch.items, x)
        return self._expand_group(branch.origin, "branch", branch.name, branch_scope, inner)

    # Values of options

    def _option(self, value: OptionValue, node: LayerNode, scope: Scope, x: StepOutput) -> Any:
        """The value of `repeat` or `when`. If it has none, returns None and adds a problem.

        An expression can use the tensor that enters the layer."""

        def lookup(name: str) -> Any:
            if name in scope.variables:
                return scope.value(name, x)
            inputs = self._layer_inputs(node, scope, x)
            if inputs is None:
                raise UnknownValueError
            if inputs[0].source is None:
                self._report_no_input(node, scope)
            return scope.value(name, inputs[0])

        try:
            return self._evaluate(value, node, lookup)
        except UnknownValueError:
            return None

    def _evaluate(self, value: OptionValue, node: LayerNode, lookup: Lookup) -> Any:
        """The value of an option. Adds a problem and raises UnknownValueError if it has none.

        An expression is evaluated only if a name in it has another value than the last time.
        """
        if value.constant is not DEFERRED:
            return value.constant
        read: dict[str, Any] = {}

        def look_up(name: str) -> Any:
            read[name] = name_value = lookup(name)
            return name_value

        try:
            last = self._evaluated.get(id(value))
            if last is not None and all(same_value(lookup(n), v) for n, v in last.names.items()):
                return last.result
            self.count_evaluated(value.node)
            result = value.resolve(look_up)
        except ConstraintError as error:
            subject = f"`{value.option.name}` of {node.label}"
            self.problems.refuse(value.node, error, "" if error.code == "CC106" else subject)
            raise UnknownValueError from None
        self._evaluated[id(value)] = _Evaluated(value, read, result)
        return result

    def _layer(
        self, node: LayerNode, kind: type[Kind[Any]], scope: Scope, x: StepOutput
    ) -> Kind[Any] | None:
        """The layer with its options evaluated. Equal layers are one object, so that the output
        shape is computed once for all of them."""
        try:
            lookup = partial(scope.value, x=x)
            options = {v.option.name: self._evaluate(v, node, lookup) for v in node.options}
            key = (kind, *options.items())
            layer = self._layers.get(key)
            if layer is None:
                layer = self._layers[key] = kind(**options)
        except UnknownValueError:
            return None
        except ConstraintError as error:
            self.problems.refuse(node.origin, error)
            return None
        return layer

    def _block_variables(
        self, node: LayerNode, block: Block, scope: Scope, x: StepOutput
    ) -> Variables | None:
        """The names that a block's layers see: the document's variables, and the block's options.

        A default sees the options before it.
        """
        seen: dict[str, Any] = {}
        variables: Variables = ChainMap(seen, self.variables)
        inner = Scope("", variables, None, (), x)
        try:
            lookup = partial(scope.value, x=x)
            written = {v.option.name: self._evaluate(v, node, lookup) for v in node.options}
            for name in block.options:
                if name in written:
                    seen[name] = written[name]
                else:
                    lookup = partial(inner.value, x=x)
                    seen[name] = self._evaluate(block.defaults[name], node, lookup)
        except UnknownValueError:
            return None
        return variables
