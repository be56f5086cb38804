"""The tensors of a graph while it is lowered."""

from collections.abc import Iterable, Mapping

from convcost.importing.frontends.onnx.derived_weights import DerivedWeights
from convcost.importing.frontends.onnx.graph import OnnxGraph, OnnxNode
from convcost.importing.frontends.onnx.names import OnnxNames
from convcost.importing.frontends.onnx.open_dims import Dims
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import Constant, StoredTensor
from convcost.importing.ir.layer_graph import weights_owner
from convcost.importing.ir.tensor import Tensor
from convcost.importing.ir.tensor_views import TensorView, elements_outside
from convcost.importing.passes.operator_calls import GraphContext

QUANTIZED = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (2, 4, 8, 16))
MAX_STEPS = 20  # operators of a chain of constants that a search follows


class OnnxContext(GraphContext[OnnxNode]):
    """The tensors of an ONNX graph. `shapes` are the dims that shape inference knows."""

    def __init__(
        self,
        builder: GraphBuilder,
        graph: OnnxGraph,
        shapes: Mapping[str, Dims],
        constants: dict[str, Constant],
        stored: Mapping[str, StoredTensor],
        excluded: dict[str, str],
    ) -> None:
        super().__init__(builder, graph.nodes, graph.outputs, constants, stored, excluded)
        self.graph, self.opset, self.shapes = graph, graph.opset, shapes
        self.broadcast_by_readers: set[str] = set()  # expanded only by the joins that read them
        self.names = OnnxNames(graph, constants)
        self.derived = DerivedWeights(builder, constants)
        self.sliced, self.covered = _sliced_tensors(graph, constants)
        self.buffers: set[str] = set()  # tensors that are known to be buffers
        self.written_as_nodes: set[str] = set()  # tensors that count as buffers of a convolution
        self.created: set[str] = set()  # tensors that the code of the model creates
        self.samples: frozenset[int] = frozenset()  # batches of the file that became 1

    def may_be_weights(self, name: str) -> bool:
        """Whether a tensor has a floating-point type, or is a quantized weight, and is not one
        number of the code."""
        constant = self.constants[name]
        has_weight_type = constant.is_float or is_packed(self.stored, name, constant.dims)
        return has_weight_type and (constant.elements > 1 or constant.learned)

    def is_of_code(self, constant: Constant) -> bool:
        """Whether a constant is floating-point and the code of the model creates it: it is computed
        only from integers, such as dims, and from single numbers, such as −∞ in a mask; or from
        tensors that the exporter declares as such."""
        fewest = 1 if constant.has_whole_source else 2
        stored = [
            key
            for key, _ in constant.sources
            if (tensor := self.constants.get(key)) is None
            or (tensor.is_float and tensor.elements >= fewest)
        ]
        return self.created.issuperset(stored) and (constant.is_float or not constant.sources)

    def exclude(self, constant: Constant) -> None:
        """Adds the stored tensors of a constant to those that are not params. Integers, such as its
        dims, never are."""
        for key, elements in constant.sources if constant.is_float else ():
            stored = self.constants.get(key)
            if elements > 1 and (stored is None or stored.is_float):
                self.excluded.setdefault(key, "constant, and not counted as params")

    def stored_tensors(self, names: Iterable[str], more: tuple[str, ...] = ()) -> dict[str, int]:
        """The stored tensors of constants, by key, each with its number of elements; `more` are
        the keys of further tensors."""
        elements_by_key = {key: self.constants[key].elements for key in more}
        for name in names:
            elements_by_key |= self._tensors_of(name)
        return elements_by_key

    def _tensors_of(self, name: str) -> Mapping[str, int]:
        constant = self.constants[name]
        if constant.elements == sum(elements for _, elements in constant.sources):
            # One tensor, or several concatenated tensors, such as the gates of an LSTM.
            self._count_overlap_once(constant)
            return dict(constant.sources)
        return {self._derived_key(constant, name): constant.elements}

    def key_of_operand(self, x: Tensor, name: str) -> str:
        """The key of a learned constant that an elementwise operator applies to `x`. Exporters
        store equal tensors once, also those of several modules. So if all numbers of the constant
        are equal, or unknown, another layer has the same tensor only if it follows a layer that
        shares its weights with the layer of `x`."""
        key = next(iter(self._tensors_of(name)))
        if self.builder.has_distinct_numbers(key):
            return key
        copies = self.builder.copies.setdefault(frozenset((key,)), {})
        for candidate in (key, *copies.values()):
            index = self.builder.used.get(candidate)
            before = -1 if index is None else self.builder.layers[index].inputs[0]
            if before != x.source and self._share_weights(before, x.source):
                return candidate
        copies[key] = self.builder.copy(key)
        return copies[key]

    def _share_weights(self, *sources: int) -> bool:
        owners = {weights_owner(self.builder.layers, source) for source in sources if source >= 0}
        return min(sources) >= 0 and len(owners) == 1

    def key_of_table(self, name: str, constant: Constant) -> str:
        """The key of a constant that becomes a layer of its own."""
        key = constant.sources[0][0] if constant.has_whole_source else name
        if constant.has_whole_source:
            self._count_overlap_once(constant)
        elif constant.learned:
            key = self._derived_key(constant, name)
        self.read_as_options.update(other for other, _ in constant.sources if other != key)
        return key

    def _derived_key(self, constant: Constant, name: str) -> str:
        """The key of a tensor that is computed from stored ones: the key of a stored tensor with as
        many elements, or the tensor's own name."""
        sources = self.derived.stored(constant)
        same = [key for key, elements in sources if elements == constant.elements]
        key = same[0] if same else name
        if constant.sources:
            self.derived.add(key, constant.elements, sources)
        self.read_as_options.update(other for other, _ in constant.sources if other != key)
        return key

    def _count_overlap_once(self, constant: Constant) -> None:
        """If layers already have some elements of a tensor, only the other elements are counted."""
        view = constant.view
        if view is None or view.root not in self.sliced or view.key in self.builder.used:
            return
        unused = self.derived.unused_elements(view)
        if unused < constant.elements:
            self.derived.add(view.key, constant.elements, ((view.key, unused),))

    def origin(self, constant: Constant) -> str:
        """The key of the stored tensor whose elements a constant has, perhaps in another shape; ""
        if there is none."""
        for _ in range(MAX_STEPS):
            if constant.producer is None:
                return constant.sources[0][0] if constant.has_whole_source else ""
            parts = [self.constants[name] for name in constant.producer.inputs if name]
            same = [part for part in parts if part.elements == constant.elements]
            if not same:
                return ""
            constant = same[0]
        return ""

    def buffer_of(self, constant: Constant) -> dict[str, int]:
        """The key and the elements of a constant that is a stored buffer; empty for any other
        constant."""
        if not constant.has_whole_source or constant.learned or not constant.is_float:
            return {}
        ((key, elements),) = constant.sources
        is_buffer = key in self.buffers or key in self.written_as_nodes
        return {key: elements} if is_buffer else {}

    def is_lowered(self, constant: Constant) -> bool:
        """Whether the operator that computes a constant becomes a layer. It does not if the
        constant is a part of a stored tensor whose parts cover the whole tensor."""
        if constant.producer is None or not constant.learned or constant.elements == 1:
            return False
        return constant.view is None or constant.view.root not in self.covered


def _sliced_tensors(
    graph: OnnxGraph, constants: Mapping[str, Constant]
) -> tuple[set[str], set[str]]:
    """The stored tensors that operators read in parts, and those among them whose parts cover every
    element."""
    read: dict[str, dict[str, TensorView]] = {}
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
        if view is not None
        and root not in read[root]
        and not elements_outside(view, read[root].values())
    }
    return cut, covered


def is_packed(stored: Mapping[str, StoredTensor], name: str, dims: Dims) -> bool:
    """Whether a tensor is a matrix of integers of at most two bytes, as quantized weights are.
    Wider integers are indices or shapes; a vector of small integers has zero points."""
    return is_narrow(stored, name) and len(dims) > 1


def is_narrow(stored: Mapping[str, StoredTensor], name: str) -> bool:
    """Whether a stored tensor has integers of at most two bytes."""
    return name in stored and stored[name].dtype in QUANTIZED
