"""Baselines: the agreed costs of networks, in a file with readable diffs.

Every count is an exact integer; a missing count of a layer is 0. Specs and networks are sorted.
Layers are in the order of the network, one per line.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from json import JSONDecodeError, dumps, loads
from typing import Any, TypeAlias

from convcost import __version__
from convcost.model.costs import LayerCost
from convcost.model.dtypes import DtypeRule, Dtypes, LayerDtypes, parse_parts
from convcost.model.errors import ConstraintError, brief
from convcost.model.measures import CONVENTION, PARTS, Counts, Measure
from convcost.model.shape import Shape
from convcost.reports.check.measures import MeasuredNetwork

SCHEMA = "convcost.baseline/1"
TOTALS = (*Measure, "largest_activation", "depth", "receptive_field")
UNCOUNTED = "uncounted"  # as in a spec
WRITTEN = tuple(name for name in Counts._fields if name != UNCOUNTED)  # the counts of a layer
BOUND = "receptive_field_is_bound"
NETWORK_DEPTH = 3  # depth of the mappings of networks in the file
TOO_LARGE = 10**1000  # more than any count of a spec, and less than Python refuses to print

# Networks by the name of their spec and by their own name.
Baseline: TypeAlias = Mapping[str, Mapping[str, MeasuredNetwork]]


class BaselineError(Exception):
    """Why a text is not a baseline that this version can read."""


# Writing


def format_baseline(baseline: Baseline) -> str:
    """The text of the file; the order of specs and networks does not change it."""
    specs = {
        spec: {name: _network(network) for name, network in sorted(networks.items())}
        for spec, networks in sorted(baseline.items())
    }
    tree = {"schema": SCHEMA, "version": __version__, "convention": CONVENTION, "specs": specs}
    return "".join(_json_pieces(tree, 0)) + "\n"


def _json_pieces(value: Any, depth: int) -> Iterator[str]:
    """The text of a value. Mappings down to the networks, and lists of layers, have one line for
    each entry; every other value is on one line."""
    indent = "  " * depth
    if isinstance(value, dict) and value and depth <= NETWORK_DEPTH:
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else ''}\n{indent}  {dumps(key)}: "
            yield from _json_pieces(item, depth + 1)
        yield f"\n{indent}}}"
    elif isinstance(value, list):
        lines = f",\n{indent}  ".join(map(dumps, value))
        yield f"[\n{indent}  {lines}\n{indent}]" if value else "[]"
    else:
        yield dumps(value)


def _network(network: MeasuredNetwork) -> dict[str, Any]:
    dtypes = network.dtypes()
    return {
        "inputs": {name: _shape(shape) for name, shape in network.inputs},
        **({"dtype": _dtypes(dtypes)} if dtypes != Dtypes() else {}),
        **({BOUND: True} if network.field_is_bound else {}),
        "totals": {measure: network.total(measure) for measure in TOTALS},
        "layers": [_layer(layer) for layer in network.layers],
    }


def _dtypes(dtypes: Dtypes) -> dict[str, Any]:
    rules = [{"match": rule.match, "dtype": rule.text} for rule in dtypes.rules]
    return {"all": dtypes.default.text, **({"layers": rules} if rules else {})}


def _layer(layer: LayerCost) -> dict[str, Any]:
    counts: dict[str, Any] = layer.counts._asdict()
    if counts.pop(UNCOUNTED):
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


def parse_baseline(text: str) -> dict[str, dict[str, MeasuredNetwork]]:
    """The networks of a file, by the key of their spec and by their names. Raises BaselineError."""
    try:
        root = loads(text, object_pairs_hook=_unique)
    except RecursionError:
        raise BaselineError("it is nested too deeply") from None
    except ValueError as error:
        location = f" (line {error.lineno})" if isinstance(error, JSONDecodeError) else ""
        raise BaselineError(f"it is not valid JSON{location}") from None
    schema = root.get("schema") if isinstance(root, dict) else None
    if schema != SCHEMA:
        raise BaselineError(
            f"its schema is {brief(schema)}, and convcost {__version__} reads {SCHEMA!r}"
        )
    return {
        spec: {
            name: _read_network(name, network) for name, network in _mapping(networks, spec).items()
        }
        for spec, networks in _mapping(root.get("specs"), "specs").items()
    }


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A mapping. With a repeated key, one entry would hide the other."""
    value_by_key = dict(pairs)
    if len(value_by_key) < len(pairs):
        repeated = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise BaselineError(f"it has the key {brief(repeated)} twice")
    return value_by_key


def _read_network(name: str, value: Any) -> MeasuredNetwork:
    network = _mapping(value, name)
    inputs = tuple(
        (key, _read_shape(item, f"input {key}"))
        for key, item in _mapping(network.get("inputs"), "inputs").items()
    )
    totals = _mapping(network.get("totals"), "totals")
    layers = network.get("layers")
    if not isinstance(layers, list):
        raise BaselineError("`layers` is not a list")
    rows = tuple(_read_layer(item, step) for step, item in enumerate(layers))
    depth, field = (_count(totals, measure) for measure in ("depth", "receptive_field"))
    dtypes = _read_dtypes(_mapping(network.get("dtype", {}), "dtype"))
    bound = network.get(BOUND, False)
    if type(bound) is not bool:
        raise BaselineError(f"`{BOUND}` is not true or false")
    measured_network = MeasuredNetwork(
        name, rows, depth, field, inputs, field_is_bound=bound, stored_dtypes=dtypes
    )
    # Files of older versions do not have them.
    totals = {**{part: measured_network.total(part) for part in PARTS}, **totals}
    for measure in TOTALS:
        if _count(totals, measure) != measured_network.total(measure):
            raise BaselineError(f"`{measure}` of `{name}` does not agree with its layers")
    return measured_network


def _read_dtypes(record: dict[str, Any]) -> Dtypes:
    """The types of the numbers; float32 where a file has none."""
    rules = record.get("layers", [])
    if not isinstance(rules, list):
        raise BaselineError("`layers` of `dtype` is not a list")
    mappings = [_mapping(rule, "a rule of `dtype`") for rule in rules]
    try:
        default = LayerDtypes()._replace(**dict(parse_parts(_text(record, "all", "float32"))))
        parsed = [
            DtypeRule(_text(rule, "match"), parse_parts(_text(rule, "dtype"))) for rule in mappings
        ]
    except ConstraintError as error:
        raise BaselineError(error.message) from None
    return Dtypes(default, tuple(parsed))


def _read_layer(value: Any, step: int) -> LayerCost:
    record = _mapping(value, "a layer")
    path, kind = record.get("path"), record.get("kind")
    if not isinstance(path, str) or not isinstance(kind, str):
        raise BaselineError("`path` and `kind` of a layer are not text")
    shape = _read_shape(record.get("output"), path)
    unknown = record.get("macs") == UNCOUNTED
    record = {**record, "macs": 0} if unknown else record
    return LayerCost(
        path,
        kind,
        shape,
        Counts(**{measure: _count(record, measure) for measure in WRITTEN}, uncounted=int(unknown)),
        (),
        stated=False,
        step=step,
    )


def _read_shape(value: Any, key: str) -> Shape:
    record = _mapping(value, key)
    size = record.get("size")
    if not isinstance(size, list) or any(not _is_count(extent) for extent in size):
        raise BaselineError(f"`size` of `{key}` is not a list of counts")
    return Shape(_count(record, "channels"), tuple(size))


def _text(record: dict[str, Any], key: str, default: str | None = None) -> str:
    value: Any = record.get(key, default)
    if not isinstance(value, str):
        raise BaselineError(f"`{key}` of `dtype` is not text")
    return value


def _mapping(value: Any, key: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BaselineError(f"`{key}` is not a mapping")
    return value


def _count(record: dict[str, Any], measure: str) -> int:
    count: Any = record.get(measure, 0)
    if not _is_count(count):
        raise BaselineError(f"`{measure}` is not a count")
    return int(count)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value < TOO_LARGE
