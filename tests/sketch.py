"""Layer graphs for tests, added layer by layer."""

from dataclasses import dataclass

from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.ir.ops import Node
from convcost.importing.passes.lower.windows import windowed_layer
from convcost.importing.spec import proved_spec
from convcost.model.kind import KINDS
from convcost.model.shape import Shape

X = Shape(4, (8, 8))


@dataclass
class Sketch:
    """Layers put down one by one, on an input of 4×8×8 unless others are given."""

    inputs: tuple[tuple[str, Shape], ...] = (("x", X),)

    def __post_init__(self):
        self.layers: list[GraphLayer] = []

    def put(self, kind, *sources, path=None, shares=None, note="", rest=None, **options) -> int:
        layer = KINDS.get(kind)(**options)
        x = layer.select_inputs(tuple(map(self._shape, sources)))
        own = shares is None
        self.layers.append(
            GraphLayer(
                path or (f"{kind}_{len(self.layers)}",),
                kind,
                tuple(options.items()),
                sources,
                layer.output(x),
                (layer.weights(x).value + layer.biases(x).value) * own,
                layer.buffers(x).value * own,
                layer.macs(x).value,
                shares,
                note,
                rest,
            )
        )
        return len(self.layers) - 1

    def chain(self, source, *kinds, path=()) -> int:
        for kind, options in kinds:
            source = self.put(kind, source, path=(*path, kind) if path else None, **options)
        return source

    def graph(self, *outputs, **further) -> LayerGraph:
        ends = outputs or (len(self.layers) - 1,)
        return LayerGraph("net", "", self.inputs, tuple(self.layers), ends, **further)

    def text(self, *outputs, **further) -> str:
        return proved_spec(self.graph(*outputs, **further))

    def _shape(self, source) -> Shape:
        return self.layers[source].output if source >= 0 else self.inputs[-1 - source][1]


def windowed(builder, kind, x, options, *path, computes_size=False):
    """Adds a layer of a kind that keeps the rank of its input, with its options as they are."""
    node = Node(kind, path or (kind,), (x,), {}, {}, None)
    return windowed_layer(builder, node, options, computes_size=computes_size)


def conv(filters=4, kernel=3, **options):
    return "conv", {"filters": filters, "kernel": kernel, "padding": kernel // 2, **options}


RELU, NORM = ("relu", {}), ("batch_norm", {})


def layers_of(spec: str) -> str:
    """What stands under `layers`."""
    return spec.partition("\nlayers:\n")[2]
