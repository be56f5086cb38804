"""`defaults`: what nearly all layers of a kind have in common is said once."""

from collections import Counter
from typing import Any

from convcost.importing.drawing import Drawing
from convcost.kind import KINDS

FEWEST = 3
NEARLY = (3, 4)  # of the layers of a kind


def defaults(drawing: Drawing) -> dict[str, dict[str, Any]]:
    """By kind and option. Only what is true or false: a number says more where it stands."""
    of_kind = Counter(layer.kind for layer in drawing.layers)
    said = Counter(
        (layer.kind, name, value)
        for layer in drawing.layers
        for name, value in layer.options
        if type(value) is bool
    )
    found: dict[str, dict[str, Any]] = {}
    for (kind, name, value), count in sorted(said.items()):
        known = KINDS.get(kind)
        assert known is not None
        if known.stated or known.options[name].default is value:
            continue
        if count >= FEWEST and count * NEARLY[1] >= of_kind[kind] * NEARLY[0]:
            found.setdefault(kind, {})[name] = value
    return found
