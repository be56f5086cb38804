"""The section `defaults`: options that nearly all layers of a kind have in common."""

from collections import Counter
from fractions import Fraction
from typing import Any

from convcost.importing.ir.layer_graph import LayerGraph
from convcost.language.common_keys import FROZEN
from convcost.model.kind import KINDS

MIN_LAYERS = 3  # with an option that becomes a default
MIN_SHARE = Fraction(3, 4)  # of the layers of a kind


def defaults(graph: LayerGraph) -> dict[str, dict[str, Any]]:
    """The defaults by kind and option. Only truth values become defaults, because a number is
    clearer at its layer."""
    of_kind = Counter(layer.kind for layer in graph.layers)
    counts = Counter(
        (layer.kind, name, value)
        for layer in graph.layers
        for name, value in (*layer.options, (FROZEN.name, layer.frozen))
        if type(value) is bool
    )
    defaults_by_kind: dict[str, dict[str, Any]] = {}
    for (kind, name, value), count in sorted(counts.items()):
        kind_class = KINDS[kind]
        default = False if name == FROZEN.name else kind_class.options[name].default
        if kind_class.stated or default is value:
            continue
        if count >= MIN_LAYERS and count >= MIN_SHARE * of_kind[kind]:
            defaults_by_kind.setdefault(kind, {})[name] = value
    return defaults_by_kind
