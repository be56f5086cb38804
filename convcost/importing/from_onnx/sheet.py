"""What is known of every tensor while a graph is drawn: a flowing value, or a constant."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph, Node
from convcost.importing.from_onnx.names import Names
from convcost.importing.from_onnx.operators import drawer
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.work import np_flat
from convcost.importing.parts.tensors import learned
from convcost.importing.value import Value

WORKED_IN = "worked into weights of layers"


class Sheet:
    """The easel and the tensors by name. Operators read inputs from here, and draw."""

    def __init__(
        self,
        easel: Easel,
        graph: Graph,
        shapes: Mapping[str, Dims],
        constants: dict[str, Constant],
        names: Names,
    ) -> None:
        self.easel = easel
        self.opset = graph.opset
        self.uses: Counter[str] = graph.uses()
        self.readers: dict[str, list[Node]] = {}
        for node in graph.nodes:
            for name in node.inputs:
                self.readers.setdefault(name, []).append(node)
        self.stretched: set[str] = set()  # tensors that only the joins after them stretch
        self.spent: set[str] = set()  # outputs of operators that a layer before them stands for
        self.shapes = shapes
        self.constants = constants
        self.values: dict[str, Value] = {}
        self.told: dict[str, str] = {}  # tensors that no layer holds, and why
        self.read: set[str] = set()  # tensors whose numbers are options of layers
        self.repeated: set[str] = set()  # one for several that are equal
        self.stored: dict[str, tuple[str, int, int]] = {}
        self.names = names

    # Inputs

    def constant(self, node: Node, at: int) -> Constant | None:
        """An input that does not depend on the model's; None for one that does or is left out."""
        return self.constants.get(node.input(at))

    def value(self, node: Node, at: int = 0) -> Value:
        """An input as a tensor that flows; a constant becomes a layer that gives it."""
        name = node.input(at)
        if not name:
            raise Refusal("CC404", f"its input {at + 1} is missing")
        if name not in self.values:
            self._give(name, node)
        return self.values[name]

    def flows(self, node: Node, at: int) -> bool:
        """Whether an input depends on what the model is given."""
        return node.input(at) in self.values

    def numbers(self, node: Node, name: str, at: int | None = None) -> tuple[int, ...] | None:
        """Whole numbers from the attribute `name`, or since a later opset from the input `at`."""
        if name in node.attributes:
            found = node.attributes[name]
            return tuple(found) if isinstance(found, tuple) else (found,)
        if at is None or not node.input(at):
            return None
        constant = self.constant(node, at)
        if constant is None or constant.data is None:
            outside = "" if constant is None else ", in another file or too many to be read"
            raise Refusal(
                "CC401",
                f"its `{name}` are not known beforehand{outside or ': they follow from data'}",
            )
        self.read.update(key for key, _ in constant.roots)
        return tuple(int(n) for n in np_flat(constant.data))

    def number(self, node: Node, at: int) -> float | None:
        """The one number of a constant input."""
        constant = self.constant(node, at)
        if constant is not None:
            self.read.update(key for key, _ in constant.roots)
        return None if constant is None else constant.number

    def tensors(self, node: Node, *at: int, kinds: tuple[str, ...] = ()) -> dict[str, int]:
        """The tensors of the file that constant inputs are made of, by key, with elements. Only
        layers of those `kinds` can share them."""
        found: dict[str, int] = {}
        for one in at:
            constant = self.constant(node, one)
            if constant is None:
                continue
            if constant.elements == sum(elements for _, elements in constant.roots):
                # One tensor, or several laid end to end, as the gates of an LSTM are.
                found.update(constant.roots)
                continue
            same = [root for root in constant.roots if root[1] == constant.elements]
            key = same[0][0] if same else node.input(one)
            found[key] = constant.elements
            self._tell(constant, key)
        return self._apart(found, kinds)

    def _apart(self, tensors: dict[str, int], kinds: tuple[str, ...]) -> dict[str, int]:
        """Tensors under keys of their own, where a layer shares only some with another, or with
        one of another kind: exporters keep one of several tensors that are equal."""
        owners = {self.easel.used.get(key) for key in tensors}
        owner = owners.pop() if len(owners) == 1 else -1
        if owner is None or (owner >= 0 and self._of_one(owner, tensors, kinds)):
            return tensors
        return {self.again(key): elements for key, elements in tensors.items()}

    def _of_one(self, owner: int, tensors: Mapping[str, int], kinds: tuple[str, ...]) -> bool:
        """Whether a layer holds just these: one with a bias and one without share no module."""
        layer = self.easel.layers[owner]
        return layer.kind in kinds and sum(tensors.values()) in (layer.params, layer.buffers)

    def again(self, key: str) -> str:
        """The key of a tensor that stands for several equal ones: each layer has its own."""
        if key not in self.easel.used:
            return key
        self.repeated.add(key)
        return f"{key}, again in {len(self.easel.layers)}"

    # What comes of a node

    def path(self, node: Node, *more: str) -> Path:
        found = self.names.paths.get(node.outputs[0])
        return (*(self.names.worked_out(node) if found is None else found), *more)

    def free(self, node: Node, x: Value) -> Value:
        """Counts an operator that no layer stands for."""
        self.easel.free[node.op] += 1
        return x

    def wanted(self, node: Node, at: int) -> bool:
        """Whether anything reads an output."""
        return at < len(node.outputs) and bool(self.uses[node.outputs[at]])

    def dims(self, node: Node, at: int = 0) -> Dims | None:
        """The dims of an output, as inference has them."""
        return self.shapes.get(node.outputs[at]) if at < len(node.outputs) else None

    def distrust(self, node: Node) -> None:
        """From here on shapes are not held against inference, and that is told."""
        self.shapes = {}
        self.easel.notes.append(
            f"ONNX's shape inference keeps a window of {node.label} that starts past the input: "
            "shapes after it are not held against it"
        )

    def alone(self, name: str) -> bool:
        """Whether a single operator reads a tensor."""
        return self.uses[name] == 1

    def beside(self, node: Node) -> int:
        """A layer or input that flows into a node, for layers that read nothing of it."""
        for name in node.inputs:
            if name in self.values:
                return self.values[name].source
        return len(self.easel.layers) - 1 if self.easel.layers else -1

    def _give(self, name: str, node: Node) -> None:
        constant = self.constants.get(name)
        if constant is None:
            raise Refusal("CC401", f"its input `{name}` has no shape: it follows from data")
        if constant.by is not None and constant.learned:
            draw = drawer(constant.by.op)
            if draw is not None:
                made = draw(self, constant.by)
                self.values[name] = made if isinstance(made, Value) else made[0]
                return
        key = constant.roots[0][0] if constant.whole else name
        dims = constant.dims or (1,)
        path = (*self.path(node), "table")
        x = learned(
            self.easel, key, dims, path, beside=self.beside(node), buffer=not constant.learned
        )
        if not constant.dims:
            x = x._replace(dims=(), axes=())
        self._tell(constant, key)
        self.values[name] = x

    def _is_learned(self, key: str) -> bool:
        constant = self.constants.get(key)
        return constant is not None and constant.learned and constant.real

    def _tell(self, constant: Constant, key: str) -> None:
        """Of what a tensor was worked out, where that is learned; else it is just read."""
        for other, elements in constant.roots:
            if other != key and elements > 1 and self._is_learned(other):
                self.told.setdefault(other, WORKED_IN)
            else:
                self.read.add(other)


def get(node: Node, name: str, default: Any) -> Any:
    """An attribute, or what stands for it where it is left out."""
    found = node.attributes.get(name)
    return default if found is None else found


def axis_of(node: Node, default: int, rank: int) -> int:
    """The attribute `axis`, counted from 0. Raises Refusal CC404 for one that there is not."""
    axis: int = get(node, "axis", default)
    if not -rank <= axis < rank:
        raise Refusal("CC404", f"it names axis {axis} of {rank}")
    return axis % rank
