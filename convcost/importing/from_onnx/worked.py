"""Weights that are worked out of stored ones, or share elements with others: what is stored is
counted, once, and the macs are those of the layer as it runs."""

from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.importing.drawing import Path
from convcost.importing.from_onnx.constants import Constant
from convcost.importing.from_onnx.views import View, fresh
from convcost.importing.parts.pointwise import pointwise
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value

if TYPE_CHECKING:
    from convcost.importing.easel import Easel

AGAIN = ", again in "
DEEPEST = 12  # operators that weights are worked out by
NORM = "BatchNormalization"  # of weights, which standardizes them


class Owed(NamedTuple):
    """A kind counts `elements` for the tensor `key`; `roots` are what is stored for it."""

    key: str
    elements: int
    roots: tuple[tuple[str, int], ...]

    @property
    def worked(self) -> bool:
        """Whether it is worked out, not just shared in part."""
        return {key for key, _ in self.roots} != {self.key}


class Books:
    """What is stored for the layers of the operator that is being drawn."""

    def __init__(self, easel: "Easel", constants: dict[str, Constant]) -> None:
        self.easel = easel
        self.constants = constants
        self.worked = 0  # layers whose weights are worked out
        self._owed: list[Owed] = []
        self._before = 0  # tensors that layers had, before this operator

    def owe(self, key: str, elements: int, roots: tuple[tuple[str, int], ...]) -> None:
        if not self._owed:
            self._before = len(self.easel.used)
        self._owed.append(Owed(key, elements, roots))

    def owes(self, key: str) -> bool:
        return any(one.key == key for one in self._owed)

    def stored(self, constant: Constant) -> tuple[tuple[str, int], ...]:
        """The tensors that a constant is worked out of: the learned ones, if there are such; of
        whole numbers and what a quantizer multiplies them with, just these."""
        for key, elements in constant.roots:
            own = self.constants.get(key)
            if own is not None and not own.real and elements == constant.elements > 1:
                return ((key, elements),)
        learned = tuple(root for root in constant.roots if self.is_learned(root[0]))
        return learned or constant.roots

    def is_learned(self, key: str) -> bool:
        constant = self.constants.get(key)
        return constant is not None and constant.learned and constant.real

    def multiplies(self, constant: Constant, key: str) -> bool:
        """Whether a tensor is a factor of what a constant is a form of, and no summand."""
        for _ in range(DEEPEST):
            node = constant.by
            parts = [self.constants[name] for name in node.inputs if name] if node else []
            if node is None or not parts:
                return False
            own = [part for part in parts if part.elements == constant.elements]
            having = [at for at, part in enumerate(parts) if key in dict(part.roots)]
            if len(own) != 1 or not having:
                return False
            if key not in dict(own[0].roots):
                return node.op in ("Mul", "Div") or (node.op == NORM and having == [1])
            constant = own[0]
        return False

    def left(self, view: View) -> int:
        """How many elements of a view no layer has."""
        return fresh(view, [other for other in self._used() if other.root == view.root])

    def _used(self) -> list[View]:
        found = [self.constants.get(key) for key in self.easel.used]
        return [one.view for one in found if one is not None and one.view is not None]

    def settle(self, first: int, results: tuple[Value, ...], path: Path) -> tuple[Value, ...]:
        """Layers from `first` on come to what is stored for them: where that is more than a kind
        counts, a layer states the rest; where it is less, the layer itself states both."""
        if not self._owed:
            return results
        owed, self._owed = self._owed, []
        used = self.easel.used
        new = {key.split(AGAIN)[0] for key in list(used)[self._before :]}
        old = set(list(used)[: self._before])
        roots = {key: n for one in owed for key, n in one.roots if key not in old}
        keys = {one.key: one.elements for one in owed if one.key in new}
        elsewhere = sum(n for key, n in roots.items() if key in new and key not in keys)
        rest = sum(roots.values()) - elsewhere - sum(keys.values())
        layer = max((used[key] for key in keys), default=len(self.easel.layers) - 1)
        for key in roots:
            used.setdefault(key, layer)
        self.worked += any(one.worked for one in owed)
        if rest > 0 and results:
            results = (self._more(results[0], rest, (*path, "weights")), *results[1:])
        if rest < 0:
            self._fewer([used[key] for key in keys], first, -rest)
        return results

    def _more(self, x: Value, params: int, path: Path) -> Value:
        options = {"what": "worked into the weights before", "params": params, "macs": 0}
        tensors = {f"{len(self.easel.layers)}, worked in": params}
        return pointwise(self.easel, "custom", x, path, options, tensors)

    def _fewer(self, holders: list[int], first: int, less: int) -> None:
        later = range(len(self.easel.layers) - 1, first - 1, -1)
        for index in dict.fromkeys((*(one for one in holders if one >= first), *later)):
            layer = self.easel.layers[index]
            part = min(less, layer.params)
            if not part:
                continue
            less -= part
            options: dict[str, Any] = dict(layer.options)
            inputs = list(layer.inputs)
            if layer.kind != "custom":
                inputs, bound = bounded(self.easel, layer.inputs, layer.output, layer.macs)
                what = f"{layer.kind} of worked out weights"
                options = {"what": what, "macs": layer.macs, **bound}
            params = layer.params - part
            self.easel.restate(index, inputs, {**options, "params": params})
