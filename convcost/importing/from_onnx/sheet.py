"""What is known of every tensor while a graph is drawn: a flowing value, or a constant."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from convcost.errors import Refusal
from convcost.importing.drawing import Path
from convcost.importing.easel import Easel
from convcost.importing.from_onnx.biases import apart
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.graph import Graph, Node
from convcost.importing.from_onnx.names import Names
from convcost.importing.from_onnx.operators import drawer
from convcost.importing.from_onnx.shapes import Dims
from convcost.importing.from_onnx.views import View, fresh
from convcost.importing.from_onnx.work import np_flat
from convcost.importing.from_onnx.worked import AGAIN, Books
from convcost.importing.parts.tensors import learned
from convcost.importing.value import Value


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
        self.books = Books(easel, constants)
        self.cut, self.covered = _pieces(graph, constants)
        self.buffers: set[str] = set()  # tensors that are known to be such
        self._again: dict[tuple[str, ...], dict[str, int]] = {}  # what layers have under other keys
        self.apart = apart(graph, constants, self.readers)

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

    def tensors(
        self, node: Node, *at: int, kinds: tuple[str, ...] = (), more: tuple[str, ...] = ()
    ) -> dict[str, int]:
        """The tensors of the file that constant inputs are made of, by key, with elements; `more`
        are others by name. Only layers of those `kinds` can share them."""
        found = {key: self.constants[key].elements for key in more}
        for one in at:
            constant = self.constant(node, one)
            if constant is None:
                continue
            if constant.elements == sum(elements for _, elements in constant.roots):
                # One tensor, or several laid end to end, as the gates of an LSTM are.
                found.update(constant.roots)
                self._overlapping(constant)
                continue
            found[self._owed(constant, node.input(one))] = constant.elements
        return self._apart(found, kinds)

    def _owed(self, constant: Constant, name: str) -> str:
        """The key of a tensor that is worked out: that of the one it is a form of, or its own."""
        roots = self.books.stored(constant)
        same = [key for key, elements in roots if elements == constant.elements]
        key = same[0] if same else name
        if constant.roots:
            self.books.owe(key, constant.elements, roots)
        self.read.update(other for other, _ in constant.roots if other != key)
        return key

    def _overlapping(self, constant: Constant) -> None:
        """A tensor of which layers have some elements already is counted for the others."""
        view = constant.view
        if view is None or view.root not in self.cut or view.key in self.easel.used:
            return
        left = self.books.left(view)
        if left < constant.elements:
            self.books.owe(view.key, constant.elements, ((view.key, left),))

    def _apart(self, tensors: dict[str, int], kinds: tuple[str, ...]) -> dict[str, int]:
        """Tensors under keys of their own, where a layer shares only some with another, or with
        one of another kind: exporters keep one of several tensors that are equal."""
        for found in (tensors, self._again.get(tuple(sorted(tensors)), {})):
            owners = {self.easel.used.get(key) for key in found}
            owner = owners.pop() if len(owners) == 1 else -1
            if owner is None or (owner >= 0 and self._of_one(owner, found, kinds)):
                return found
        found = {self.again(key): elements for key, elements in tensors.items()}
        self._again[tuple(sorted(tensors))] = found
        return found

    def _of_one(self, owner: int, tensors: Mapping[str, int], kinds: tuple[str, ...]) -> bool:
        """Whether a layer holds just these: one with a bias and one without share no module."""
        layer = self.easel.layers[owner]
        return layer.kind in kinds and sum(tensors.values()) in (layer.params, layer.buffers)

    def again(self, key: str) -> str:
        """The key of a tensor that stands for several equal ones: each layer has its own."""
        if key not in self.easel.used:
            return key
        if not self.books.owes(key):
            self.repeated.add(key.split(AGAIN, 1)[0])
        return f"{key}{AGAIN}{len(self.easel.layers)}"

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

    def kept(self, constant: Constant) -> dict[str, int]:
        """A tensor that is a buffer as it stands, by its key; nothing for one that is learned."""
        whole = constant.whole and not constant.learned and constant.real
        return dict(constant.roots) if whole and constant.roots[0][0] in self.buffers else {}

    def is_apart(self, weights: Constant) -> bool:
        """Whether layers share these weights, and have biases of their own."""
        return bool(weights.roots) and weights.roots[0][0] in self.apart

    def drawn(self, constant: Constant) -> bool:
        """Whether the operator that works a constant out is drawn as a layer: not where pieces of
        a tensor are all that is read of it."""
        if constant.by is None or not constant.learned or constant.elements == 1:
            return False
        return constant.view is None or constant.view.root not in self.covered

    def _give(self, name: str, node: Node) -> None:
        constant = self.constants.get(name)
        if constant is None:
            raise Refusal("CC401", f"its input `{name}` has no shape: it follows from data")
        if constant.by is not None and self.drawn(constant):
            draw = drawer(constant.by.op)
            if draw is not None:
                made = draw(self, constant.by)
                self.values[name] = made if isinstance(made, Value) else made[0]
                return
        key = constant.roots[0][0] if constant.whole else name
        if constant.whole:
            self._overlapping(constant)
        elif constant.learned:
            key = self._owed(constant, name)
        self.read.update(other for other, _ in constant.roots if other != key)
        dims = constant.dims or (1,)
        path = (*self.path(node), "table")
        x = learned(
            self.easel, key, dims, path, beside=self.beside(node), buffer=not constant.learned
        )
        if not constant.dims:
            x = x._replace(dims=(), axes=())
        self.values[name] = x


def _pieces(graph: Graph, constants: Mapping[str, Constant]) -> tuple[set[str], set[str]]:
    """Tensors of which pieces are read, and those of which every element is so."""
    read: dict[str, dict[str, View]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            constant = constants.get(name)
            if constant is not None and constant.view is not None:
                read.setdefault(constant.view.root, {})[constant.view.key] = constant.view
    cut = {root for root, views in read.items() if set(views) != {root}}
    whole = {root: constants[root].view for root in cut if root in constants}
    covered = {
        root
        for root, view in whole.items()
        if view is not None and root not in read[root] and not fresh(view, read[root].values())
    }
    return cut, covered


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
