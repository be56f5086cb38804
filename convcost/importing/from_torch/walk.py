"""The graph, call by call: each is drawn, and held against what the model says comes out of it."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing, Drawn
from convcost.importing.easel import Easel
from convcost.importing.from_torch import entering, unused
from convcost.importing.from_torch.biases import apart
from convcost.importing.from_torch.held import Held, Leaf, tensors
from convcost.importing.from_torch.materials import flowing
from convcost.importing.from_torch.names import Scope, Scopes, named
from convcost.importing.from_torch.reasons import ROUTE, told
from convcost.importing.from_torch.registry import OPERATORS, SHAPED, STRETCHING, Call
from convcost.importing.from_torch.unknown import unknown
from convcost.importing.value import Value
from convcost.shapes import broadcast

# What costs multiply-adds is drawn even if no input reaches it: it runs with every sample.
COUNTED = frozenset(
    f"aten.{name}"
    for name in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
                 "conv_transpose3d", "linear", "mm", "addmm", "bmm", "baddbmm", "matmul", "einsum",
                 "scaled_dot_product_attention", "lstm", "gru")
)  # fmt: skip
# Layers that stand for moves, put down only when a layer behind them needs one.
ARRANGED = frozenset(("flatten", "reshape", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle"))
# What a call that nobody thought of may end in: its layer is named, nothing is guessed.
SURPRISES = (AssertionError, AttributeError, KeyError, IndexError, TypeError, ValueError)


def drawn(module: Any, program: Any, target: str) -> Drawing:
    """The drawing of an exported program. Raises Refusal, naming the layer."""
    walk = _Walk(module, program, target)
    for node in program.graph.nodes:
        walk.step(node)
    return walk.drawing()


class _Walk:
    def __init__(self, module: Any, program: Any, target: str) -> None:
        self.easel = Easel(target.rpartition(":")[2].rpartition(".")[2], target)
        self.scopes = Scopes(module)
        self.module = module
        self.known: dict[Any, Any] = {}
        self.layers: list[Scope | None] = []
        self.outputs: list[Value] = []
        self.scope: Scope | None = None
        self.moved: dict[int, Scope] = {}  # from the layer that elements last moved after
        self.leaves = entering.leaves(module, program)
        self.apart = apart(program.graph.nodes, self.leaves)
        self.given = frozenset(program.graph_signature.user_inputs)

    def step(self, node: Any) -> None:
        if node.op == "placeholder":
            self.known[node] = self._entered(node)
        elif node.op == "get_attr":
            self.known[node] = Held(_dims(node.meta.get("val")) or (), (), node)
        elif node.op == "output":
            ends = tensors(self._resolved(node.args[0]))
            self.outputs = [flowing(self.easel, end) for end in ends]
        elif node.op == "call_function":
            self.known[node] = self._called(node)
        else:
            raise Refusal("CC401", f"{node.name} is a {node.op}, which is not known here")

    def drawing(self) -> Drawing:
        if not self.outputs:
            raise Refusal("CC401", "it returns no tensor")
        ends = [self.easel.demand(value, value.channel, ("output",)) for value in self.outputs]
        unused.draw(self.easel, self.module, ends[0])
        unused.agree(self.easel, self.module)
        self._enter(None)
        self.easel.layers[:] = named(self.easel.layers, self.layers)
        self.easel.classes.update(self.scopes.classes)
        return self.easel.drawing(self.outputs)

    def _entered(self, node: Any) -> Any:
        leaf = self.leaves.get(node.name)
        if leaf is not None:
            return Held(leaf.dims, (leaf,), node)
        if node.name not in self.given:
            return Held(_dims(node.meta.get("val")) or (), (), node)
        return entering.entered(self.easel, node)

    def _called(self, node: Any) -> Any:
        name = _name(node.target)
        if name == "getitem":
            return self._resolved(node.args[0])[node.args[1]]
        if "_assert" in name or name.startswith("aten.sym_"):
            return None
        given = self._given(node)
        flows = [one for one in tensors(given) if isinstance(one, Value)]
        leaves = tuple({leaf: None for one in tensors(given) if isinstance(one, Held)
                        for leaf in one.leaves})  # fmt: skip
        if name in SHAPED:
            return Held(_dims(node.meta.get("val")) or (), (), node)
        if flows or (name in COUNTED and leaves):
            return self._drawn(node, name, given)
        return self._kept(node, name, given, leaves)

    def _kept(self, node: Any, name: str, given: dict[str, Any], leaves: tuple[Leaf, ...]) -> Any:
        """A tensor, or several, that no input reaches."""
        dims = _dims(node.meta.get("val"))
        if dims and isinstance(dims[0], tuple):
            return self._pieces(node, name, given, leaves, dims)
        sources = [one for one in tensors(given) if isinstance(one, Held) and one.leaves]
        whole = (
            len(sources) == 1
            and sources[0].whole
            and _elements(dims) == _elements(sources[0].dims)
            and name not in ("aten.index", "aten.index_select", "aten.gather")
        )

        def call() -> Any:
            return self._drawn(node, name, given)

        return Held(dims or (), leaves, node, call if leaves else None, whole)

    def _pieces(
        self, node: Any, name: str, given: dict[str, Any], leaves: tuple[Leaf, ...], dims: Any
    ) -> tuple[Held, ...]:
        """Several tensors that no input reaches; the first that is needed draws them all."""
        made: list[Any] = []

        def call(number: int) -> Any:
            if not made:
                made.extend(self._drawn(node, name, given))
            return made[number]

        return tuple(
            Held(one, leaves, (node, n), partial(call, n) if leaves else None, whole=False)
            for n, one in enumerate(dims)
        )

    def _drawn(self, node: Any, name: str, given: dict[str, Any]) -> Any:
        scope = self.scopes.of(node)
        dims = _dims(node.meta.get("val"))
        users = frozenset(_use(user) for user in node.users if user.users or user.op == "output")
        path = (*scope.path, name.rpartition(".")[2])
        call = Call(self.easel, path, name, given, dims, users, self.apart)
        outer, begun = self._enter(scope), len(self.easel.layers)
        stroke = OPERATORS.get(name) or OPERATORS.get(name.removesuffix("_")) or unknown
        try:
            result = stroke(call)
        except Refusal as refusal:
            raise Refusal(
                refusal.code, f"{'/'.join(path)}: {refusal.message}", refusal.help
            ) from None
        except SURPRISES as error:
            raise Refusal(
                "CC401", f"{'/'.join(path)}: {name} cannot be drawn: {told(error)}", ROUTE
            ) from error
        self._enter(outer)
        _held_against(result, dims, path, users)
        if isinstance(result, Value) and result.source not in range(begun, len(self.easel.layers)):
            self.moved[result.source] = scope
        return result

    def _enter(self, scope: Scope | None) -> Scope | None:
        """Layers put down from now on are of that scope, those before of the one it gives back;
        those of parameters have names of their own."""
        for layer in self.easel.layers[len(self.layers) :]:
            own = layer.kind in ("learned", "scale") or layer.path == ("constant",)
            self.layers.append(None if own else self._scope(layer))
        before, self.scope = self.scope, scope
        return before

    def _scope(self, layer: Drawn) -> Scope | None:
        """That of the call; of an arrangement, where the elements moved that it is asked for, or
        before the module that asks."""
        scope = self.scope
        if scope is None or layer.kind not in ARRANGED:
            return scope
        if layer.inputs[0] in self.moved:
            return self.moved[layer.inputs[0]]
        if scope.last and layer.kind in ("flatten", "reshape"):
            return Scope(scope.path[:-1], f"{scope.run}<", last=False)
        return scope

    def _given(self, node: Any) -> dict[str, Any]:
        schema = node.target._schema.arguments if hasattr(node.target, "_schema") else ()  # noqa: SLF001
        given = {one.name: one.default_value for one in schema}
        for one, value in zip(schema, node.args, strict=False):
            given[one.name] = value
        given.update(node.kwargs)
        if not schema:
            given.update({str(n): value for n, value in enumerate(node.args)})
        return {name: self._resolved(value) for name, value in given.items()}

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            return tuple(self._resolved(one) for one in value)
        if isinstance(value, dict):
            return {key: self._resolved(one) for key, one in value.items()}
        if hasattr(value, "op") and hasattr(value, "users"):
            return self.known[value]
        return value


def _name(target: Any) -> str:
    """`aten.conv2d` of aten.conv2d.default."""
    if hasattr(target, "_schema"):
        return str(target).rpartition(".")[0]
    return str(getattr(target, "__name__", target))


def _use(node: Any) -> str:
    """The operator that takes a tensor; of one of several, `getitem:1`."""
    name = _name(node.target)
    return f"getitem:{node.args[1]}" if name == "getitem" else name


def _dims(val: Any) -> Any:
    if isinstance(val, (tuple, list)):
        return tuple(_dims(one) for one in val)
    shape = getattr(val, "shape", None)
    return None if shape is None else tuple(int(n) for n in shape)


def _elements(dims: Sequence[int] | None) -> int:
    found = 1
    for n in dims or ():
        found *= n
    return found


def _held_against(result: Any, dims: Any, path: tuple[str, ...], users: frozenset[str]) -> None:
    if isinstance(result, Value) and dims is not None and result.dims != dims:
        if users <= STRETCHING and broadcast(result.dims, dims) == dims:
            return
        got, said = ("×".join(map(str, one)) for one in (result.dims, dims))
        raise Refusal("CC402", f"{'/'.join(path)} comes to {got}, the model says {said}")
    if type(result) is tuple and isinstance(dims, tuple):
        for one, its in zip(result, dims, strict=False):
            _held_against(one, its, path, users)
