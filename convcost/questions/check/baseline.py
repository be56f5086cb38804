"""Baselines: what networks cost when that was last agreed on, as a file that diffs well.

Every count is an exact integer; a count that is left out of a layer is 0. Specs and networks are
sorted; layers stand in the order of the network, one on a line.
"""

from collections.abc import Iterator, Mapping
from json import dumps, loads
from typing import Any, TypeAlias

from convcost import __version__
from convcost.costs import LayerCost
from convcost.questions.check.measures import Measured, total
from convcost.shapes import Shape
from convcost.units import CONVENTION

SCHEMA = "convcost.baseline/1"
TOTALS = (
    "weights", "biases", "params", "buffers", "macs", "activations", "largest_activation",
    "depth", "receptive_field",
)  # fmt: skip
COUNTS = ("weights", "biases", "buffers", "macs", "activations")
UNCOUNTED = "uncounted"  # as a spec says it
NETWORKS = 3  # how deep in the file the networks stand
LARGEST = 10**40  # no count is near it

# The networks of each spec, by its name and by theirs.
Baseline: TypeAlias = Mapping[str, Mapping[str, Measured]]


class NoBaseline(Exception):  # noqa: N818  a plain statement for the user
    """Why a text is no baseline that can be read here."""


# Writing


def written(baseline: Baseline) -> str:
    """The text of the file. Equal baselines give equal texts, in whatever order they come."""
    specs = {
        spec: {name: _network(network) for name, network in sorted(networks.items())}
        for spec, networks in sorted(baseline.items())
    }
    tree = {
        "schema": SCHEMA,
        "version": __version__,
        "convention": CONVENTION,
        "specs": specs,
    }
    return "".join(_spread(tree, 0)) + "\n"


def _spread(value: Any, depth: int) -> Iterator[str]:
    """Mappings down to the networks, and the list of layers, over lines; all else on one."""
    indent = "  " * depth
    if isinstance(value, dict) and value and depth <= NETWORKS:
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' * (number > 0)}\n{indent}  {dumps(key)}: "
            yield from _spread(item, depth + 1)
        yield f"\n{indent}}}"
    elif isinstance(value, list):
        lines = f",\n{indent}  ".join(map(dumps, value))
        yield f"[\n{indent}  {lines}\n{indent}]" if value else "[]"
    else:
        yield dumps(value)


def _network(network: Measured) -> dict[str, Any]:
    return {
        "inputs": {name: _shape(shape) for name, shape in network.inputs},
        "totals": {measure: total(network, measure) for measure in TOTALS},
        "layers": [_layer(layer) for layer in network.layers],
    }


def _layer(layer: LayerCost) -> dict[str, Any]:
    counts: dict[str, Any] = {measure: getattr(layer, measure) for measure in COUNTS}
    if layer.uncounted:
        counts["macs"] = UNCOUNTED
    return {
        "path": layer.path,
        "kind": layer.kind,
        "output": _shape(layer.output),
        **{measure: count for measure, count in counts.items() if count},
    }


def _shape(shape: Shape) -> dict[str, Any]:
    return {"channels": shape.channels, "size": shape.size}


# Reading


def parsed(text: str) -> dict[str, dict[str, Measured]]:
    """What a file holds. Raises NoBaseline."""
    try:
        root = loads(text)
    except RecursionError:
        raise NoBaseline("it is nested too deep") from None
    except ValueError as error:
        where = f" in line {error.lineno}" if hasattr(error, "lineno") else ""
        raise NoBaseline(f"it is no JSON: there is a mistake{where}") from None
    _refuse_other(root)
    return {
        spec: {name: _measured(name, of) for name, of in _mapping(networks, spec).items()}
        for spec, networks in _mapping(root.get("specs"), "specs").items()
    }


def _refuse_other(root: Any) -> None:
    """JSON that is something else, with what it is."""
    schema = root.get("schema") if isinstance(root, dict) else None
    if schema == SCHEMA:
        return
    kind, _, version = schema.partition("/") if isinstance(schema, str) else ("", "", "")
    if kind == SCHEMA.partition("/")[0]:
        raise NoBaseline(
            f"its schema is `{kind}/{version}`, and convcost {__version__} reads `{SCHEMA}`"
        )
    if kind.startswith("convcost."):
        raise NoBaseline(f"it is the answer of `convcost {kind.partition('.')[2]}`, no baseline")
    raise NoBaseline(f"its `schema` is not `{SCHEMA}`")


def _measured(name: str, value: Any) -> Measured:
    of = _mapping(value, name)
    inputs = tuple(
        (key, _read_shape(item, f"input {key}"))
        for key, item in _mapping(of.get("inputs"), "inputs").items()
    )
    totals = _mapping(of.get("totals"), "totals")
    layers = of.get("layers")
    if not isinstance(layers, list):
        raise NoBaseline("`layers` is not a list")
    rows = tuple(_read_layer(item, step) for step, item in enumerate(layers))
    depth, field = (_count(totals, measure) for measure in ("depth", "receptive_field"))
    found = Measured(name, rows, depth, field, inputs)
    for measure in TOTALS:
        if _count(totals, measure) != total(found, measure):
            raise NoBaseline(f"`{measure}` of `{name}` is not what its layers come to")
    return found


def _read_layer(value: Any, step: int) -> LayerCost:
    of = _mapping(value, "a layer")
    path, kind = of.get("path"), of.get("kind")
    if not isinstance(path, str) or not isinstance(kind, str):
        raise NoBaseline("`path` and `kind` of a layer are not text")
    shape = _read_shape(of.get("output"), path)
    unknown = of.get("macs") == UNCOUNTED
    of = {**of, "macs": 0} if unknown else of
    weights, biases, buffers, macs, activations = (_count(of, measure) for measure in COUNTS)
    return LayerCost(
        path,
        kind,
        shape,
        weights,
        biases,
        buffers,
        macs,
        activations,
        (),
        stated=False,
        step=step,
        uncounted=unknown,
    )


def _read_shape(value: Any, what: str) -> Shape:
    of = _mapping(value, what)
    size = of.get("size")
    if not isinstance(size, list) or any(not _is_count(extent) for extent in size):
        raise NoBaseline(f"`size` of `{what}` is not a list of counts")
    return Shape(_count(of, "channels"), tuple(size))


def _mapping(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise NoBaseline(f"`{what}` is not a mapping")
    return value


def _count(of: dict[str, Any], measure: str) -> int:
    count: Any = of.get(measure, 0)
    if not _is_count(count):
        raise NoBaseline(f"`{measure}` is not a count")
    return int(count)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < LARGEST
