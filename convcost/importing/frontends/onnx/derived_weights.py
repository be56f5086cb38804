"""Weights that are computed from stored tensors, or share elements with others. The params are the
stored elements, each counted once; the macs are those of the layer at inference."""

from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from convcost.importing.ir.constant import Constant
from convcost.importing.ir.layer_graph import Path
from convcost.importing.ir.shared_weights import original
from convcost.importing.ir.tensor import Tensor
from convcost.importing.ir.tensor_views import Coverage, TensorView
from convcost.importing.passes.lower.pointwise import pointwise

if TYPE_CHECKING:
    from convcost.importing.ir.builder import GraphBuilder

MAX_CHAIN = 12  # operators in a chain that computes weights
NORM = "BatchNormalization"  # applied to weights: weight standardization


class DerivedWeight(NamedTuple):
    """A weight that the model does not store as a layer counts it: it is computed from other
    tensors, or shared in part. A layer counts `elements` for the tensor `key`; `sources` are the
    stored tensors behind it, each with the number of elements to count."""

    key: str
    elements: int
    sources: tuple[tuple[str, int], ...]

    @property
    def is_computed(self) -> bool:
        """Whether the weight is computed, not only shared in part."""
        return {key for key, _ in self.sources} != {self.key}


class DerivedWeights:
    """Corrects the params of the layers of one operator to the number of stored elements."""

    def __init__(self, builder: "GraphBuilder", constants: dict[str, Constant]) -> None:
        self.builder = builder
        self.constants = constants
        self.computed = 0  # layers whose weights are computed
        self.keys: set[str] = set()  # keys of all derived weights
        self._pending: list[DerivedWeight] = []
        self._coverage: dict[str, Coverage] = {}  # elements of stored tensors that layers have
        self._covered = 0  # number of tensors that are in the coverage
        self._before = 0  # number of tensors that layers used before this operator

    def add(self, key: str, elements: int, sources: tuple[tuple[str, int], ...]) -> None:
        """Adds a weight of the current operator; see DerivedWeight for the arguments."""
        if not self._pending:
            self._before = len(self.builder.used)
        self._pending.append(DerivedWeight(key, elements, sources))
        self.keys.add(key)

    def stored(self, constant: Constant) -> tuple[tuple[str, int], ...]:
        """The stored tensors to count for a computed constant: the tensor of integers if the
        constant is dequantized from one, otherwise the learned tensors, otherwise all of them."""
        for key, elements in constant.sources:
            source = self.constants.get(key)
            if source is not None and not source.is_float and elements == constant.elements > 1:
                return ((key, elements),)
        learned = tuple(entry for entry in constant.sources if self.is_learned(entry[0]))
        return learned or constant.sources

    def is_learned(self, key: str) -> bool:
        constant = self.constants.get(key)
        return constant is not None and constant.is_weight

    def multiplies(self, constant: Constant, key: str) -> bool:
        """Whether the stored tensor `key` enters the constant as a factor, not as a summand."""
        for _ in range(MAX_CHAIN):
            node = constant.producer
            parts = [self.constants[name] for name in node.inputs if name] if node else []
            if node is None or not parts:
                return False
            full_parts = [part for part in parts if part.elements == constant.elements]
            having = [place for place, part in enumerate(parts) if key in dict(part.sources)]
            if len(full_parts) != 1 or not having:
                return False
            if key not in dict(full_parts[0].sources):
                return node.op in ("Mul", "Div") or (node.op == NORM and having == [1])
            constant = full_parts[0]
        return False

    def unused_elements(self, view: TensorView) -> int:
        """The number of elements of a view that belong to no layer yet."""
        for key in islice(self.builder.used, self._covered, None):
            other = self.constants.get(key)
            if other is not None and other.view is not None:
                self._coverage_of(other.view).add(other.view)
        self._covered = len(self.builder.used)
        return self._coverage_of(view).count_outside(view)

    def _coverage_of(self, view: TensorView) -> Coverage:
        return self._coverage.setdefault(view.root, Coverage(view.total))

    def reconcile(self, first: int, results: tuple[Tensor, ...], path: Path) -> tuple[Tensor, ...]:
        """Corrects the params of the layers from `first` on to the stored elements. If more
        elements are stored than the kind counts, a `custom` layer adds the rest. If fewer are
        stored, the layer becomes a `custom` layer with its own params and macs."""
        if not self._pending:
            return results
        pending, self._pending = self._pending, []
        used = self.builder.used
        new = set(map(original, list(used)[self._before :]))
        old = set(list(used)[: self._before])
        sources = {key: n for weight in pending for key, n in weight.sources if key not in old}
        keys = {weight.key: weight.elements for weight in pending if weight.key in new}
        elsewhere = sum(n for key, n in sources.items() if key in new and key not in keys)
        rest = sum(sources.values()) - elsewhere - sum(keys.values())
        layer = max((used[key] for key in keys), default=len(self.builder.layers) - 1)
        for key in sources:
            used.setdefault(key, layer)
        self.computed += any(weight.is_computed for weight in pending)
        if rest > 0 and results:
            results = (self._add_params(results[0], rest, (*path, "weights")), *results[1:])
        if rest < 0:
            self._remove_params([used[key] for key in keys], first, -rest)
        return results

    def _add_params(self, x: Tensor, params: int, path: Path) -> Tensor:
        options = {"what": "more params of the computed weights", "params": params, "macs": 0}
        tensors = {f"{len(self.builder.layers)}, computed": params}
        return pointwise(self.builder, "custom", x, path, options, tensors)

    def _remove_params(self, owners: list[int], first: int, excess: int) -> None:
        """Takes params that are counted several times from the layers from `first` on, first from
        the owners of the weights. Those layers become `custom`."""
        later = range(len(self.builder.layers) - 1, first - 1, -1)
        for index in dict.fromkeys((*(owner for owner in owners if owner >= first), *later)):
            layer = self.builder.layers[index]
            part = min(excess, layer.params)
            if not part:
                continue
            excess -= part
            options: dict[str, Any] = dict(layer.options)
            inputs = list(layer.inputs)
            if layer.kind != "custom":
                inputs, shape_options = self.builder.inputs_and_shape_options(
                    layer.inputs, layer.output, layer.macs
                )
                what = f"{layer.kind} with weights computed from others"
                options = {"what": what, "macs": layer.macs, **shape_options}
            params = layer.params - part
            self.builder.restate(index, inputs, {**options, "params": params})
